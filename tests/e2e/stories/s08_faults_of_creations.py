"""RingCentral fails in the middle of a creation: whatever is answered, nothing is created twice."""

import time

from support import at_once, poll, story
from support.people import made, person

# Quick retries, and a circuit that stays closed however much fails: it has a story of its own.
QUICK = {"RATE_LIMIT_BACKOFF_MULTIPLIER": "0.1", "CIRCUIT_BREAKER_THRESHOLD": "1000"}

FAULTS = {
    **{f"{status}": {"kind": "error", "status": status} for status in [500, 502, 503, 504]},
    "closed connection": {"kind": "down"},
    "reset connection": {"kind": "reset"},
}
# Not RingCentral's own word: a part of the network before it, or none at all.
UNHEARD = ["502", "504", "closed connection", "reset connection"]
BOTH = {
    **FAULTS,
    **{f"{name} after the work": {**fault, "after_apply": True} for name, fault in FAULTS.items()},
    "half an answer, well framed": {"kind": "truncate"},
    "half an answer, connection closed": {"kind": "truncate", "close": True},
}


def judge(world, what, answer, there):
    """The answer and the truth must agree, and nothing may be there twice."""
    world.expect(len(there) <= 1, f"{what}: created {len(there)} times, answered {answer.status} {answer.problem}")
    if answer.status == 201:
        world.equal([one["id"] for one in there][:1], [answer.json["id"]], f"{what}: who was created")
        return
    world.expect(answer.is_problem and answer.json.get("hint"), f"{what}: no problem with a hint: {answer}")
    if there:
        world.equal(answer.problem, "outcome-unknown", f"{what}: it was created, and the answer says")


@story("A creation that fails once at RingCentral is carried out once")
def one_fault(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    answers = {}
    for numbered in [True, False]:
        for name, fault in BOTH.items():
            wanted = person(numbered)
            more = {k: v for k, v in fault.items() if k != "kind"}
            ringcentral.fault(fault["kind"], "createExtension", count=1, **more)
            answer = gateway.post("/api/extensions", wanted)
            what = f"{name}, {'with' if numbered else 'without'} a number"
            judge(world, what, answer, made(ringcentral, wanted))
            # There is enough in the request to look for it. But where RingCentral itself said nothing and nothing is there, the
            # request may still be on its way: a second one could make two.
            unheard = name in UNHEARD and answer.problem == "outcome-unknown"
            world.expect(answer.status == 201 or unheard, f"{what} ({answer})")
            answers[answer.status] = answers.get(answer.status, 0) + 1
        wanted = person(numbered)
        ringcentral.ask("faults", "POST", {"kind": "revoke_tokens"})
        answer = gateway.post("/api/extensions", wanted)
        judge(world, "all tokens revoked", answer, made(ringcentral, wanted))
        world.equal(answer.status, 201, f"all tokens revoked ({answer})")
    world.figure("creations by answer", answers)


@story("A creation that keeps failing leaves at most one extension, and the answer does not lie about it")
def lasting_fault(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    answers = {}
    for name, fault in BOTH.items():
        wanted = person(numbered=False)
        ringcentral.fault(fault["kind"], "createExtension", **{k: v for k, v in fault.items() if k != "kind"})
        answer = gateway.post("/api/extensions", wanted)
        ringcentral.clear_faults()
        judge(world, name, answer, made(ringcentral, wanted))
        answers[answer.problem or 201] = answers.get(answer.problem or 201, 0) + 1
        after = gateway.post("/api/extensions", person())
        world.equal(after.status, 201, f"the next creation after {name} ({after})")
    world.figure("creations by answer", answers)


@story("When everything is out, a creation says what is known of it")
def total_outage(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    assert gateway.get("/api/extensions").status == 200
    for name, fault in BOTH.items():
        wanted = person()
        # Looking afterwards fails as well.
        ringcentral.fault("error", "listExtensions", status=500)
        ringcentral.fault(fault["kind"], "createExtension", **{k: v for k, v in fault.items() if k != "kind"})
        answer = gateway.post("/api/extensions", wanted)
        ringcentral.clear_faults()
        world.expect(answer.status == 502, f"{name}, and no looking afterwards: {answer}")
        judge(world, f"{name}, and no looking afterwards", answer, made(ringcentral, wanted))


@story("A slow RingCentral is waited for, and what it did too late is found")
def slow(world):
    ringcentral = world.simulator(limits=False)
    gateway = world.gateway(ringcentral=ringcentral.url)
    assert gateway.get("/api/extensions").status == 200
    one = ringcentral.extensions()[7]["id"]
    early, late = person(), person()
    ringcentral.fault("slow", "listSites", delay_ms=10_000, count=1)
    ringcentral.fault("slow", "readExtension", delay_ms=20_000, count=1)  # longer than a request may take
    ringcentral.fault("slow", "createSubscription", delay_ms=10_000, count=1)

    def timed(job):
        begun = time.monotonic()
        return job(), time.monotonic() - begun

    ringcentral.fault("slow", "createExtension", delay_ms=10_000, count=1)
    filters = {"eventFilters": ["/restapi/v1.0/account/~/extension"]}
    jobs = {
        "list, 10 s": lambda: gateway.get("/api/sites"),
        "read, 20 s": lambda: gateway.get(f"/api/extensions/{one}"),
        "subscription, 10 s": lambda: gateway.post("/api/webhooks/subscriptions", filters),
        "creation, 10 s": lambda: gateway.post("/api/extensions", early),
        "creation done after 20 s": lambda: slow_creation(ringcentral, gateway, late),
    }
    for name, (answer, seconds) in zip(jobs, at_once(lambda job=job: timed(job) for job in jobs.values())):
        world.expect(answer.status in (200, 201), f"{name}: {answer}")
        world.expect(seconds < 30, f"{name}: answered after {seconds:.1f} s, later than API Gateway waits")
        world.figure(name, f"{answer.status} after {seconds:.1f} s")
    for name, wanted in [("10 s", early), ("20 s", late)]:
        world.equal(len(made(ringcentral, wanted)), 1, f"extensions of the creation that took {name}")
    world.equal(len(ringcentral.subscriptions()), 1, "subscriptions")


def slow_creation(ringcentral, gateway, wanted):
    """Sent once the other creation has met its fault; this one is carried out at once, but answered too late."""
    poll("the first creation arrived", lambda: ringcentral.requests().get("createExtension"), bound=20)
    ringcentral.fault("slow", "createExtension", delay_ms=20_000, count=1, after_apply=True)
    return gateway.post("/api/extensions", wanted)
