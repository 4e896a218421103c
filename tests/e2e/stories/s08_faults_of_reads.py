"""RingCentral fails in the middle of a read."""

import time

from support import poll, story

# Retries wait a tenth of their usual time, so that many faults fit into one story.
QUICK = {"RATE_LIMIT_BACKOFF_MULTIPLIER": "0.1"}

ONCE = {
    "500": {"kind": "error", "status": 500},
    "502": {"kind": "error", "status": 502},
    "503": {"kind": "error", "status": 503},
    "503 after the work": {"kind": "error", "status": 503, "after_apply": True},
    "closed connection": {"kind": "down"},
    "reset connection": {"kind": "reset"},
    "reset after the work": {"kind": "reset", "after_apply": True},
    "half an answer, well framed": {"kind": "truncate"},
    "half an answer, connection closed": {"kind": "truncate", "close": True},
}


def reads(ringcentral):
    known = ringcentral.extensions()[7]["id"]
    return {"listExtensions": "/api/extensions", "readExtension": f"/api/extensions/{known}"}


@story("A read that fails once at RingCentral succeeds")
def one_fault(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    told = 0
    for operation, path in reads(ringcentral).items():
        for name, fault in ONCE.items():
            ringcentral.fault(fault["kind"], operation, count=1, **{k: v for k, v in fault.items() if k != "kind"})
            answer = gateway.get(path)
            world.equal(answer.status, 200, f"GET {path} with one {name} ({answer})")
            told += 1
        ringcentral.ask("faults", "POST", {"kind": "revoke_tokens"})
        answer = gateway.get(path)
        world.equal(answer.status, 200, f"GET {path} after all tokens were revoked ({answer})")
    world.figure("faults survived by a retry", told)
    world.equal(ringcentral.stats()["tokens_issued"], 3, "one token, and one for each revocation")


@story("A read that keeps failing is told as a problem, and works when RingCentral does")
def lasting_fault(world):
    ringcentral = world.simulator(limits=False, clock=30)
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    assert gateway.get("/api/extensions").status == 200
    for operation, path in reads(ringcentral).items():
        for name, fault in ONCE.items():
            before = ringcentral.requests().get(operation, 0)
            ringcentral.fault(fault["kind"], operation, **{k: v for k, v in fault.items() if k != "kind"})
            answer = gateway.get(path)
            ringcentral.clear_faults()
            world.equal((answer.status, answer.problem), (502, "ringcentral-unavailable"), f"GET {path}, {name}")
            world.expect(answer.is_problem and answer.json.get("hint"), f"GET {path}, {name}: no hint in {answer}")
            tried = ringcentral.requests()[operation] - before
            world.equal(tried, 3, f"attempts of GET {path}, {name}")
            after = gateway.get(path)
            world.equal(after.status, 200, f"GET {path} after {name} ({after})")


@story("A 429 nobody expected is passed on with its time, and holds everybody back for that time")
def forced_429(world):
    ringcentral = world.simulator(limits=False, clock=30)  # a window lasts 2 s
    gateway = world.gateway(ringcentral=ringcentral.url, environment=QUICK)
    assert gateway.get("/api/extensions").status == 200
    ringcentral.fault("force_429", "listExtensions", count=1)
    answer = gateway.get("/api/extensions")
    world.equal((answer.status, answer.problem), (429, "rate-limited"), "the answer")
    world.equal(answer.headers.get("retry-after"), "2", "Retry-After")
    world.equal(answer.json.get("rateGroup"), "medium", "rateGroup")
    world.expect(answer.json.get("hint"), f"no hint in {answer}")
    again = poll("a 200", lambda: (a := gateway.get("/api/extensions")).status == 200 and a, bound=15)
    world.equal(again.status, 200, "after the penalty")
    world.equal(ringcentral.stats()["throttled"], 1, "throttled requests")


@story("RingCentral is gone, then back: every call says so, and no restart is needed")
def gone(world):
    ringcentral = world.simulator(limits=False, clock=30)
    environment = {**QUICK, "CIRCUIT_BREAKER_TIMEOUT": "2"}
    gateway = world.gateway(ringcentral=ringcentral.url, environment=environment)
    fresh = world.gateway(ringcentral=ringcentral.url, environment=environment)  # without a token yet
    assert gateway.get("/api/extensions").status == 200
    one = ringcentral.extensions()[7]["id"]
    ringcentral.kill()
    for who, name in [(gateway, "with a token"), (fresh, "without a token")]:
        for method, path, body in [
            ("GET", "/api/extensions", None),
            ("GET", "/api/sites", None),
            ("PUT", f"/api/extensions/{one}", {"contact": {"department": "Sales"}}),
            ("POST", "/api/extensions", {"type": "User", "contact": {"firstName": "A", "email": "a@b.example"}}),
            ("POST", "/api/webhooks/subscriptions", {"eventFilters": ["/restapi/v1.0/account/~/presence"]}),
        ]:
            answer = who.call(method, path, body)
            what = f"{method} {path} {name}, RingCentral gone"
            known = (502, "ringcentral-unavailable"), (503, "circuit-open")
            world.expect((answer.status, answer.problem) in known, f"{what}: {answer}")
            world.expect(answer.is_problem and answer.json.get("hint"), f"{what}: no hint in {answer}")
            world.expect("retry-after" in answer.headers, f"{what}: no Retry-After")
        deep = who.get("/api/health?deep=true")
        world.equal(deep.status, 503, f"deep health {name}")
        world.equal((deep.json["checks"]["store"], deep.json["checks"]["queue"]), ("ok", "ok"), "our own parts")
        world.equal(who.get("/api/health").status, 200, "shallow health")
        world.equal(who.get("/api/webhooks/events").status, 200, "what needs no RingCentral")
    ringcentral.start()
    for who in [gateway, fresh]:
        begun, answer = time.monotonic(), who.get("/api/extensions")
        while answer.status != 200 and time.monotonic() - begun < 10:  # the circuit is open for 2 s
            time.sleep(0.2)
            answer = who.get("/api/extensions")
        world.equal(answer.status, 200, f"10 s after RingCentral came back ({answer})")
        world.equal(who.get("/api/health?deep=true").status, 200, "deep health after RingCentral came back")
