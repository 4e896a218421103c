"""The gateway's own store is out of reach: it fails closed."""

import time
from concurrent.futures import ThreadPoolExecutor

from support import poll, story
from support.people import made, person


@story("Without its store the gateway sends nothing to RingCentral and says so; with it, it works again")
def store_down(world):
    gateway = world.gateway()
    ringcentral = gateway.ringcentral
    assert gateway.get("/api/extensions").status == 200
    one = ringcentral.extensions()[7]["id"]
    before, wanted, silent = ringcentral.requests(), person(), []
    gateway.aws.faults(down=True)
    for method, path, body, key in [
        ("GET", "/api/extensions", None, None),
        ("GET", f"/api/extensions/{one}", None, None),
        ("GET", "/api/users", None, None),
        ("GET", "/api/sites", None, None),
        ("GET", "/api/webhooks/subscriptions", None, None),
        ("GET", "/api/webhooks/events", None, None),
        ("GET", "/api/webhooks/sessions/s-1", None, None),
        ("POST", "/api/extensions", wanted, None),
        ("POST", "/api/extensions", wanted, "store-down"),
        ("POST", "/api/sites", {"name": "Nowhere"}, "store-down-site"),
        ("POST", "/api/webhooks/subscriptions", {"eventFilters": ["/restapi/v1.0/account/~/extension"]}, None),
        ("PUT", f"/api/extensions/{one}", {"contact": {"department": "Lost"}}, None),
        ("PUT", f"/api/extensions/{one}/number", {"extensionNumber": "79999"}, None),
        ("DELETE", f"/api/extensions/{one}", None, None),
    ]:
        begun = time.monotonic()
        headers = {"Idempotency-Key": key} if key else {}
        answer = gateway.call(method, path, body, headers=headers)
        what = f"{method} {path}{' with a key' if key else ''}, store down"
        world.equal((answer.status, answer.problem), (503, "store-unavailable"), f"{what} ({answer})")
        world.expect("retry-after" in answer.headers, f"{what}: no Retry-After")
        silent += [] if answer.is_problem and answer.json.get("hint") else [what]
        world.expect(time.monotonic() - begun < 30, f"{what}: later than API Gateway waits")
    world.expect(not silent, f"{len(silent)} problems have no hint: {silent}")
    deep = gateway.get("/api/health?deep=true")
    world.equal(deep.status, 503, "deep health, store down")
    world.expect("ok" not in (deep.json["checks"]["store"], deep.json["checks"]["queue"]), f"deep health: {deep}")
    world.equal(gateway.get("/api/health").status, 200, "shallow health, store down")
    world.equal(ringcentral.requests(), before, "requests that reached RingCentral")
    gateway.aws.faults(down=False)
    answer = gateway.post("/api/extensions", wanted, key="store-down")
    world.equal(answer.status, 201, f"the creation with its store back ({answer})")
    world.equal(len(made(ringcentral, wanted)), 1, "extensions created")
    world.equal(gateway.get("/api/health?deep=true").status, 200, "deep health, store back")


@story("A store that fails while RingCentral works does not turn a creation into a lie")
def store_fails_meanwhile(world):
    ringcentral = world.simulator(limits=False)
    gateway = world.gateway(ringcentral=ringcentral.url)
    assert gateway.get("/api/extensions").status == 200
    for name, key in [("without a key", None), ("with a key", "meanwhile")]:
        wanted = person(numbered=False)
        before = ringcentral.requests().get("createExtension", 0)
        ringcentral.fault("slow", "createExtension", delay_ms=1_500, count=1, after_apply=True)
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(gateway.post, "/api/extensions", wanted, key=key)
            poll("it arrived", lambda: ringcentral.requests().get("createExtension", 0) > before)
            # The window is written when the answer comes, because it comes late.
            gateway.aws.faults(fail={"target": "DynamoDB_20120810.PutItem", "fault": "error", "count": 4})
            answer = asked.result()
        gateway.aws.faults(clear=True)
        there = made(ringcentral, wanted)
        truth = answer.status == 201 or answer.problem == "outcome-unknown"
        world.expect(truth or not there, f"{name}: it was created, and the answer says {answer}")
        gateway.post("/api/extensions", wanted, key=key) if key else None
        world.equal(len(made(ringcentral, wanted)), 1, f"{name}: extensions, its repetition included")


@story("A delivery that can't be stored is refused in time for RingCentral to count, and comes again")
def queue_down(world):
    ringcentral = world.simulator(limits=False, clock=10)
    relay = world.relay()
    relay.gateway = gateway = world.gateway(ringcentral=ringcentral.url, public_url=relay.url)
    gateway.subscribe("/restapi/v1.0/account/~/extension")
    ringcentral.make_events(1)
    path, token = poll("a delivery", relay.seen)
    poll("the event is processed", lambda: len(gateway.events()) == 1)
    for name, fault in [("gone", {"down": True}), ("hanging", {"latency_ms": {"AmazonSQS.SendMessage": 20_000}})]:
        gateway.aws.faults(clear=True, **fault)
        begun = time.monotonic()
        headers = {"Verification-Token": token, "Content-Type": "application/json"}
        answer = gateway.call("POST", path, {"uuid": name}, headers=headers, token=False)
        seconds = time.monotonic() - begun
        world.equal(answer.status, 503, f"a delivery with its queue {name} ({answer})")
        world.figure(f"refused with its queue {name} after", f"{seconds:.2f} s")
        world.expect(seconds < 3, f"queue {name}: refused after {seconds:.2f} s, RingCentral waits 3 s")
    gateway.aws.faults(clear=True, down=True)
    made_up = ringcentral.make_events(20)
    poll("a delivery failed", lambda: ringcentral.stats()["deliveries"]["failed"] > 0)
    gateway.aws.faults(clear=True)
    poll("every notification was accepted", ringcentral.settled, bound=90)
    poll("every event is processed", lambda: len(gateway.events()) >= 21, bound=90, every=0.3)
    uuids = [event["uuid"] for event in gateway.events()]
    world.equal(len(uuids), len({*uuids}), "events, and how many of them differ")
    world.equal(sorted({*made_up["uuids"]} - {*uuids}), [], "events that were lost")
