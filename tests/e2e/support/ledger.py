"""What RingCentral sent against what the gateway processed."""

import collections
from concurrent.futures import ThreadPoolExecutor

ACCOUNT = "/restapi/v1.0/account/~"
EXTENSION = f"{ACCOUNT}/extension/~"
FILTERS = [
    f"{ACCOUNT}/telephony/sessions",
    f"{ACCOUNT}/presence",
    f"{ACCOUNT}/extension",
    EXTENSION,
    f"{EXTENSION}/message-store",
    f"{EXTENSION}/message-store/instant?type=SMS",
    f"{EXTENSION}/voicemail",
    f"{EXTENSION}/fax",
]


def kind(name):
    """Our name of a kind of the simulator."""
    return "telephony-session" if name == "telephony" else name


def settled(gateway, wanted):
    """A condition: nothing is queued, and as many events as that are processed."""

    def condition():
        return gateway.aws.depth() == 0 and len(gateway.events()) >= wanted

    return condition


def compare(world, gateway, ringcentral):
    """Every event was processed, once, and folded into its call once; returns what was processed."""
    truth, processed = ringcentral.events(), gateway.events()
    wanted = {event["uuid"] for event in truth}
    found = collections.Counter(event["uuid"] for event in processed)
    lost, foreign = wanted - {*found}, {*found} - wanted
    world.expect(not lost, f"{len(lost)} events were never processed, such as {sorted(lost)[:3]}")
    world.expect(not foreign, f"{len(foreign)} events that RingCentral never sent")
    twice = [uuid for uuid, times in found.items() if times > 1]
    world.expect(not twice, f"{len(twice)} events are listed more than once")
    kinds = collections.Counter(kind(event["kind"]) for event in truth)
    world.equal(collections.Counter(event["kind"] for event in processed), kinds, "events by kind")
    compare_calls(world, gateway, truth)
    world.equal(gateway.aws.dead_letters(), 0, "dead letters")
    return processed


def calls(truth):
    """Sequences by call."""
    by_call = collections.defaultdict(list)
    for event in truth:
        if "telephonySessionId" in event:
            by_call[event["telephonySessionId"]].append(event["sequence"])
    return by_call


def compare_calls(world, gateway, truth):
    by_call = calls(truth)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda call: (call, gateway.get(f"/api/webhooks/sessions/{call}")), by_call)
        wrong = []
        for call, answer in answers:
            state = answer.json if answer.status == 200 else {}
            actual = state.get("eventsApplied"), state.get("sequence")
            wanted = len(by_call[call]), max(by_call[call])
            if actual != wanted:
                wrong.append((call, actual, wanted))
    world.figure("calls compared", len(by_call))
    world.expect(not wrong, f"{len(wrong)} calls are not folded once from each event, such as {wrong[:2]}")
