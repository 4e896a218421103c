"""A day of an integration in RingCentral's own Python SDK: log in, read, subscribe, receive, refresh, log out."""

import os
import time
from datetime import datetime, timedelta, timezone

from ringcentral import SDK
from ringcentral.http.api_exception import ApiException

import simulator
from receiver import Receiver

SERVER = os.environ["SDK_SERVER_URL"]
JWT = os.environ["SDK_JWT"]
VERIFICATION = "the story's own secret"
EVENTS = 25


def main():
    sdk = SDK(os.environ["SDK_CLIENT_ID"], os.environ["SDK_CLIENT_SECRET"], SERVER)
    platform = sdk.platform()

    step("logs in by JWT")
    patiently(platform.login, jwt=JWT)
    assert platform.logged_in()

    step("lists the extensions")
    extensions = every_record(platform, "/restapi/v1.0/account/~/extension", {"perPage": 100})
    same(extensions, simulator.extensions())

    step("pages through the call log to its end")
    month = (datetime.now(timezone.utc) - timedelta(days=31)).strftime("%Y-%m-%dT%H:%M:%SZ")
    calls = every_record(platform, "/restapi/v1.0/account/~/call-log", {"dateFrom": month, "perPage": 250})
    same(calls, simulator.calls())

    step("subscribes a webhook")
    receiver = Receiver()
    subscription = patiently(
        platform.post,
        "/restapi/v1.0/subscription",
        {
            "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
            "deliveryMode": {
                "transportType": "WebHook",
                "address": receiver.address,
                "verificationToken": VERIFICATION,
            },
        },
    ).json_dict()
    assert subscription["status"] == "Active", subscription
    assert receiver.handshakes == 1, receiver.handshakes

    step("receives every event")
    made = simulator.trigger(EVENTS)
    deliveries = receiver.wait_for(EVENTS)
    assert {event["uuid"] for _, event in deliveries} <= made
    assert {verification for verification, _ in deliveries} == {VERIFICATION}
    assert {event["subscriptionId"] for _, event in deliveries} == {subscription["id"]}
    patiently(platform.delete, f"/restapi/v1.0/subscription/{subscription['id']}")
    receiver.close()

    step("renews its session")
    before = platform.auth().data()
    if platform.auth().refresh_token_valid():
        patiently(platform.refresh)
        refused_with(platform, before)
    else:
        patiently(platform.login, jwt=JWT)
    assert platform.auth().access_token() != before["access_token"]
    patiently(platform.get, "/restapi/v1.0/account/~")

    step("logs out")
    last = platform.auth().data()
    patiently(platform.logout)
    assert not platform.logged_in()

    step("is refused afterwards")
    refused_with(platform, last)


def every_record(platform, path, query):
    """All records, page by page for as long as a next one is named."""
    page = patiently(platform.get, path, query).json_dict()
    records = page["records"]
    while "nextPage" in page["navigation"]:
        uri = page["navigation"]["nextPage"]["uri"]
        assert uri.startswith(f"{SERVER}/"), uri
        page = patiently(platform.get, uri).json_dict()
        records += page["records"]
    return records


def same(records, expected):
    """Every expected one, and none twice."""
    found = [str(record["id"]) for record in records]
    assert len(found) == len(set(found)), "a record came twice"
    assert set(found) == expected, f"{len(found)} came, {len(expected)} exist"


def refused_with(platform, tokens):
    """A call with these tokens, held by the SDK as if they were good, gets a 401."""
    now = platform.auth().data()
    platform.auth().set_data(tokens)
    try:
        patiently(platform.get, "/restapi/v1.0/account/~")
    except ApiException as error:
        assert error.api_response().response().status_code == 401, error
    else:
        raise AssertionError("an old token was accepted")
    finally:
        platform.auth().set_data(now)


def patiently(call, *args, **kwargs):
    """Does a call, and waits as long as RingCentral asks for when there were too many."""
    while True:
        try:
            return call(*args, **kwargs)
        except ApiException as error:
            response = error.api_response().response()
            if response is None or response.status_code != 429:
                raise
            time.sleep(int(response.headers["Retry-After"]))


def step(title):
    print(f"    {title}", flush=True)


if __name__ == "__main__":
    main()
