"""RingCentral's own sample events, byte by byte, at a real subscription's address."""

import glob
import json
import os
import uuid

from support import poll, story
from support.ledger import FILTERS

FOLDER = os.environ.get("RINGCENTRAL_SAMPLES")


def samples():
    return sorted(glob.glob(os.path.join(FOLDER or "", "events", "*.json")))


def own_id(body, keys):
    """Some samples share their ids; all but the first of them get another one, or they would be the same event."""
    sample = json.loads(body)
    key = sample.get("subscriptionId"), sample["uuid"]
    if key in keys:
        body = body.replace(sample["uuid"].encode(), str(uuid.uuid4()).encode())
    keys.add(key)
    return body


def tell(world):
    ringcentral, relay = world.simulator(clock=10), world.relay()
    relay.gateway = gateway = world.gateway(ringcentral=ringcentral.url, public_url=relay.url)
    gateway.subscribe(FILTERS[2])
    ringcentral.make_events(1)
    path, token = poll("a delivery", relay.seen)
    poll("it is processed", lambda: len(gateway.events()) == 1)
    kinds, keys = {}, set()
    for file in samples():
        with open(file, "rb") as text:
            body = own_id(text.read(), keys)
        name, before = os.path.basename(file), {event["id"] for event in gateway.events()}
        headers = {"Verification-Token": token, "Content-Type": "application/json"}
        answer = gateway.call("POST", path, body, headers=headers, token=None)
        if not world.equal(answer.status, 200, f"{name} ({answer})"):
            continue
        new = poll(name, lambda: [event for event in gateway.events() if event["id"] not in before], bound=20)
        world.equal(new[0]["delivery"], json.loads(body), f"{name}: the delivery as it is kept")
        world.expect(new[0]["kind"] != "unknown", f"{name}: of an unknown kind ({new[0]['event']})")
        kinds[name] = new[0]["kind"]
        again = gateway.call("POST", path, body, headers=headers, token=None)
        world.equal(again.status, 200, f"{name} once more")
    poll("the queue is empty", lambda: gateway.aws.depth() == 0, bound=60)
    world.equal(len(gateway.events()), len(kinds) + 1, "events after each came twice")
    world.equal(gateway.aws.dead_letters(), 0, "dead letters")
    world.figure("samples accepted", len(kinds))
    world.figure("kinds", ", ".join(sorted({*kinds.values()})))


if samples():
    story("RingCentral's sample events are accepted, understood and kept as they are")(tell)
