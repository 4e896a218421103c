"""What a repetition with the same Idempotency-Key does after a failure."""

from support import poll, story
from support.people import made, person

# Quick retries, and a circuit that stays closed however much fails: it has a story of its own.
QUICK = {"RATE_LIMIT_BACKOFF_MULTIPLIER": "0.1", "CIRCUIT_BREAKER_THRESHOLD": "1000"}
NEWS = {"eventFilters": ["/restapi/v1.0/account/~/extension"]}


@story("After a failure that changed nothing, the same key works as soon as RingCentral does")
def nothing_changed(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    assert gateway.get("/api/extensions").status == 200
    wanted = person()
    ringcentral.kill()
    failed = gateway.post("/api/extensions", wanted, key="nothing-changed")
    world.equal((failed.status, failed.problem), (502, "ringcentral-unavailable"), "while RingCentral is gone")
    ringcentral.start()
    # The answer said that nothing was changed and to try again: its key must not be held against the caller.
    again = gateway.post("/api/extensions", wanted, key="nothing-changed")
    world.equal(again.status, 201, f"the repetition ({again})")
    ringcentral.fault("force_429", "createExtension", count=1)
    wanted = person()
    throttled = gateway.post("/api/extensions", wanted, key="throttled")
    world.equal(throttled.status, 429, "a throttled creation")
    again = poll("the throttled one passes", lambda: retried(gateway, wanted, "throttled", 429), bound=20)
    world.equal(again.status, 201, f"the repetition of a throttled creation ({again})")
    world.equal(len(made(ringcentral, wanted)), 1, "extensions of the throttled creation")


def retried(gateway, wanted, key, passing, path="/api/extensions"):
    answer = gateway.post(path, wanted, key=key)
    return None if answer.status == passing else answer


@story("After an unknown outcome, a repetition with the same key creates nothing twice", waits=True)
def unknown_outcome(world):
    ringcentral = world.simulator(limits=False, clock=2)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    queue = {"type": "Department", "contact": {"firstName": "Night Shift"}}
    site = {"name": "Harbour"}
    for resource in ["Extension", "Subscription", "Site"]:
        for operation in [f"create{resource}", f"list{resource}s"]:
            ringcentral.fault("error", operation, status=500, after_apply=True)
    asked = {
        "a queue, known by its name only": ("/api/extensions", queue),
        "a subscription": ("/api/webhooks/subscriptions", NEWS),
        "a site": ("/api/sites", site),
    }
    for name, (path, body) in asked.items():
        answer = gateway.post(path, body, key=path)
        world.equal((answer.status, answer.problem), (502, "outcome-unknown"), f"{name}: the first answer")
    ringcentral.clear_faults()
    for name, (path, body) in asked.items():
        # 409 while the first attempt may still be under way.
        final = poll(f"{name} is answered", lambda: retried(gateway, body, path, 409, path), bound=60, every=0.5)
        world.expect(final.status in (200, 201) or final.is_problem, f"{name}: {final}")
        world.figure(f"{name}: the repetition", final.status)
    world.equal(len(made_by_name(ringcentral, "Night Shift")), 1, "queues of that name")
    world.equal(len(ringcentral.subscriptions()), 1, "subscriptions")
    world.equal(sum(one["name"] == "Harbour" for one in ringcentral.sites()), 1, "sites of that name")


def made_by_name(ringcentral, name):
    return [one for one in ringcentral.extensions() if one["contact"].get("firstName") == name]


@story("A store that loses an answer does not lock a caller out of their own key")
def lost_answer(world):
    gateway = world.gateway()
    ringcentral = gateway.ringcentral
    assert gateway.get("/api/extensions").status == 200
    for target in ["PutItem", "UpdateItem", "DeleteItem", "GetItem"]:
        wanted = person()
        gateway.aws.faults(fail={"target": f"DynamoDB_20120810.{target}", "fault": "lose_answer", "count": 1})
        answer = gateway.post("/api/extensions", wanted, key=f"lost-{target}")
        gateway.aws.faults(clear=True)
        world.equal(answer.status, 201, f"the first use of a key while {target} loses an answer ({answer})")
        again = gateway.post("/api/extensions", wanted, key=f"lost-{target}")
        world.equal(again.status, 201, f"its repetition ({again})")
        world.equal(len(made(ringcentral, wanted)), 1, f"extensions while {target} loses an answer")
