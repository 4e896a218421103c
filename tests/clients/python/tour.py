"""The README's tour through a client that `openapi-python-client` generated.

The client takes an answer for what the description says it is: a field that is said to be there and is not is a KeyError here.
"""

import base64
import json
import os
import sys
import urllib.request
from urllib.parse import urlsplit

from trunkline_client import AuthenticatedClient, Client
from trunkline_client.api.extensions import (
    create_extension,
    delete_extension,
    list_extensions,
    list_users,
    read_extension,
    update_extension,
)
from trunkline_client.api.health import read_health
from trunkline_client.api.platform import list_limits
from trunkline_client.api.sites import list_sites
from trunkline_client.api.webhooks import (
    create_subscription,
    delete_subscription,
    list_events,
    list_subscriptions,
    read_subscription,
    read_telephony_session,
    renew_subscription,
)
from trunkline_client.models import (
    EventKind,
    ExtensionChanges,
    ExtensionType,
    NewExtension,
    NewSubscription,
    Problem,
)

API = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
ANYBODY = Client(base_url=os.environ["API"])


def step(told):
    print(f"ok  {told}")


def answered(response, status):
    """The body of an answer, which has to be the one that was expected and of the type that is described."""
    assert response.status_code == status, (response.status_code, response.content[:2_000])
    if status != 204:
        assert response.parsed is not None, (status, response.content[:2_000])
    return response.parsed


def simulator(path, body=None):
    """The levers of the simulated RingCentral."""
    parts = urlsplit(os.environ["SIMULATOR"])
    request = urllib.request.Request(f"{parts.scheme}://{parts.hostname}:{parts.port}/_sim/{path}")
    if parts.password:
        known = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {known}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def health():
    assert answered(read_health.sync_detailed(client=ANYBODY), 200).status
    checks = answered(read_health.sync_detailed(client=API, deep=True), 200).checks
    assert checks, "the deep check looked at nothing"
    step("health, shallow for anybody and deep with the token")


def extensions():
    queues = answered(list_extensions.sync_detailed(client=API, type_=[ExtensionType.DEPARTMENT], per_page=2), 200)
    assert len(queues.records) == 2, queues
    everything = answered(list_extensions.sync_detailed(client=API, per_page=1000), 200)
    assert len(everything.records) >= 200, len(everything.records)
    assert len(answered(list_users.sync_detailed(client=API), 200).records) > 2
    assert answered(list_sites.sync_detailed(client=API), 200).records
    step(f"lists of {len(everything.records)} extensions, of call queues, users and sites")


def creation():
    contact = {"firstName": "Ida", "lastName": "Cole", "email": "ida.python@example.com"}
    ida = NewExtension.from_dict({"extensionNumber": "7001", "contact": contact})
    first, again = (
        create_extension.sync_detailed(client=API, body=ida, idempotency_key="ida-python") for _ in range(2)
    )
    made, replayed = answered(first, 201), answered(again, 201)
    assert made.id == replayed.id and again.headers["Idempotency-Replayed"] == "true", again.headers
    assert answered(read_extension.sync_detailed(made.id, client=API), 200).extension_number == "7001"
    disabled = ExtensionChanges.from_dict({"status": "Disabled"})
    assert answered(update_extension.sync_detailed(made.id, client=API, body=disabled), 200).id == made.id
    wrong = NewExtension.from_dict({"contact": {"email": "ida"}})
    problem = answered(create_extension.sync_detailed(client=API, body=wrong), 400)
    assert isinstance(problem, Problem) and problem.errors, problem
    answered(delete_extension.sync_detailed(made.id, client=API), 204)
    gone = answered(read_extension.sync_detailed(made.id, client=API), 404)
    assert isinstance(gone, Problem), gone
    step("a user is created once, read, changed and deleted; a wrong one is a problem that names fields")


def events():
    wanted = NewSubscription.from_dict({"eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"]})
    made = answered(create_subscription.sync_detailed(client=API, body=wanted), 201)
    assert made.id in [one.id for one in answered(list_subscriptions.sync_detailed(client=API), 200).records]
    assert answered(read_subscription.sync_detailed(made.id, client=API), 200).status == "Active"
    assert answered(renew_subscription.sync_detailed(made.id, client=API), 200).id == made.id
    simulator("events", {"count": 100, "duplicates": 0.05, "reorder": True})
    page, seen = None, []
    for _ in range(300):
        page = answered(list_events.sync_detailed(client=API, kind=EventKind.TELEPHONY_SESSION, per_page=200), 200)
        seen = [one.uuid for one in page.records]
        if len(seen) == 100:
            break
        simulator("stats")
    assert len(seen) == len(set(seen)) == 100, len(seen)
    call = page.records[0].telephony_session_id
    assert answered(read_telephony_session.sync_detailed(call, client=API), 200).telephony_session_id == call
    answered(delete_subscription.sync_detailed(made.id, client=API), 204)
    step("a subscription is made, read, renewed and deleted; 100 events arrived by it, each listed once")


def budget():
    for _ in range(120):
        response = list_extensions.sync_detailed(client=API, per_page=1)
        if response.status_code != 200:
            break
    problem = answered(response, 429)
    assert isinstance(problem, Problem) and int(response.headers["Retry-After"]) >= 1, response.headers
    limits = answered(list_limits.sync_detailed(client=API), 200)
    assert limits.records, limits
    assert simulator("stats")["throttled"] == 0
    step("the rate budget is used up: the answer says when to come back, and RingCentral refused nothing")


def main():
    for part in (health, extensions, creation, events, budget):
        part()


sys.exit(main())
