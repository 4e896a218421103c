"""Events arrive doubled and out of order, and each is processed once."""

import time
from datetime import datetime, timezone

from support import poll, story
from support.ledger import FILTERS, calls, compare, kind, settled


@story("Five thousand events, every twentieth twice and none in order, are each processed once")
def five_thousand(world):
    ringcentral = world.simulator(clock=10)
    gateway = world.gateway(ringcentral=ringcentral.url)
    gateway.subscribe(*FILTERS)
    begun, started = time.monotonic(), datetime.now(timezone.utc)
    orders = [
        ringcentral.make_events(3000, kinds=["telephony"], duplicates=0.05, reorder=True, seed=3),
        ringcentral.make_events(2000, duplicates=0.05, reorder=True, seed=4),
    ]
    distinct, sends = sum(o["distinct"] for o in orders), sum(o["sends"] for o in orders)
    world.figure("events, and notifications of them", (distinct, sends))
    world.equal(distinct, 5000, "distinct events")
    poll("every notification was accepted", ringcentral.settled, bound=150, every=0.3)
    received = time.monotonic() - begun
    poll("every event is processed", settled(gateway, distinct), bound=150, every=0.5)
    drained = time.monotonic() - begun
    latest = max(datetime.fromisoformat(event["processedAt"]) for event in gateway.events())
    seconds = (latest - started).total_seconds()
    world.figure("received after", f"{received:.1f} s ({sends / received:.0f} a second)")
    world.figure("processed after", f"{seconds:.1f} s ({distinct / seconds:.0f} a second)")
    world.figure("queue empty after", f"{drained:.1f} s")
    stats = ringcentral.stats()["deliveries"]
    world.figure("deliveries tried, accepted", (stats["attempted"], stats["accepted"]))
    world.figure("resident memory of the gateway", f"{gateway.process.memory():.0f} MB")
    processed = compare(world, gateway, ringcentral)
    filters(world, gateway, ringcentral.events(), processed)


def filters(world, gateway, truth, processed):
    """The list by kind, by call, by time, and page by page."""
    for name in sorted({kind(event["kind"]) for event in truth}):
        found = gateway.events(f"&kind={name}")
        wanted = {event["uuid"] for event in truth if kind(event["kind"]) == name}
        world.expect({event["uuid"] for event in found} == wanted, f"kind={name}: {len(found)} of {len(wanted)}")
    order = [event["receivedAt"] for event in processed]
    moments = [datetime.fromisoformat(at) for at in order]
    world.expect(moments == sorted(moments, reverse=True), "the list is not newest first")
    middle, moment = order[len(order) // 2], moments[len(order) // 2]
    for query, holds in {
        f"&dateFrom={middle}": lambda at: at >= moment,
        f"&dateTo={middle}": lambda at: at <= moment,
        f"&dateFrom={middle}&dateTo={middle}": lambda at: at == moment,
    }.items():
        found = sorted(event["uuid"] for event in gateway.events(query))
        wanted = sorted(event["uuid"] for event, at in zip(processed, moments) if holds(at))
        world.expect(found == wanted, f"{query}: {len(found)} events instead of {len(wanted)}")
    for call, sequences in list(calls(truth).items())[:5]:
        found = [event["sequence"] for event in gateway.events(f"&telephonySessionId={call}", per_page=2)]
        world.equal(found, sorted(sequences), f"the events of {call} in their order")
        some = gateway.events(f"&telephonySessionId={call}&kind=presence")
        world.equal(some, [], "another kind of the same call")
    world.equal(gateway.get("/api/webhooks/sessions/s-unknown").status, 404, "a call nobody heard of")


@story("A page of a call's events within a span of time does not end too early, and page tokens are checked")
def pages_of_a_call(world):
    ringcentral = world.simulator(clock=10)
    gateway = world.gateway(ringcentral=ringcentral.url)
    gateway.subscribe(FILTERS[0])
    path = f"/restapi/v1.0/account/{ringcentral.ask('truth')['account_id']}/telephony/sessions"
    for count, sequences in [(3, [1, 2, 3]), (8, [4, 5, 6, 7, 8])]:
        for sequence in sequences:
            party = {"id": "p-1", "status": {"code": "Proceeding"}}
            ringcentral.send_event(path, {"telephonySessionId": "s-1", "sequence": sequence, "parties": [party]})
        poll("the events are processed", lambda: len(gateway.events()) == count)
    later = [event["receivedAt"] for event in gateway.events() if event["sequence"] > 3]
    late = min(later, key=datetime.fromisoformat)  # as text, .3Z comes after .31Z
    query = f"&telephonySessionId=s-1&dateFrom={late}"
    for per_page in [500, 5, 2, 1]:
        found = [event["sequence"] for event in gateway.events(query, per_page=per_page)]
        world.equal(found, [4, 5, 6, 7, 8], f"the later events, {per_page} a page")
    token = gateway.get("/api/webhooks/events?perPage=1").json["navigation"]["nextPageToken"]
    of_call = "/api/webhooks/events?telephonySessionId=s-1"
    call_token = gateway.get(f"{of_call}&perPage=1").json["navigation"]["nextPageToken"]
    for name, url in {
        "of the whole list, for a call": f"{of_call}&pageToken={token}",
        "of a call, for the whole list": f"/api/webhooks/events?pageToken={call_token}",
        "of a call, for another call": f"/api/webhooks/events?telephonySessionId=s-2&pageToken={call_token}",
        "cut": f"/api/webhooks/events?pageToken={token[:-8]}",
    }.items():
        answer = gateway.get(url)
        world.equal((answer.status, answer.fields), (400, ["pageToken"]), f"a page token {name} ({answer})")


@story("While the gateway's own AWS stumbles, no event is lost and none is applied twice", waits=True)
def stumbling_store(world):
    ringcentral = world.simulator(clock=10)
    gateway = world.gateway(ringcentral=ringcentral.url)
    gateway.subscribe(*FILTERS)
    for target in ["DynamoDB_20120810.PutItem", "DynamoDB_20120810.GetItem",
                   "AmazonSQS.SendMessage", "AmazonSQS.ReceiveMessage", "AmazonSQS.DeleteMessageBatch"]:  # fmt: skip
        for fault in ["lose_answer", "error", "throttle", "drop"]:
            gateway.aws.faults(fail={"target": target, "fault": fault, "count": 3})
    made = ringcentral.make_events(400, duplicates=0.2, reorder=True, seed=5)
    poll("every notification was accepted", ringcentral.settled, bound=90, every=0.2)
    poll("every event is processed", settled(gateway, made["distinct"]), bound=150, every=0.5)
    world.figure("notifications refused meanwhile", ringcentral.stats()["deliveries"]["failed"])
    compare(world, gateway, ringcentral)
