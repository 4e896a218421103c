"""Idempotency-Key on POST, as in the draft: 400 for no key, 409 while it runs, 422 for another request."""

from support import at_once, story
from support.fleet import fleet
from support.people import made, person


@story("The same key and body create once and are answered the same; another body is refused")
def same_key(world):
    gateway = world.gateway()
    ringcentral, wanted = gateway.ringcentral, person(numbered=False)
    first = gateway.post("/api/extensions", wanted, key="first-key")
    again = gateway.post("/api/extensions", wanted, key="first-key")
    world.equal((first.status, again.status), (201, 201), "statuses")
    world.equal(again.body, first.body, "the replayed body")
    world.equal(again.headers.get("content-type"), first.headers.get("content-type"), "the replayed content type")
    world.equal(again.headers.get("idempotency-replayed"), "true", "the mark of a replayed answer")
    quoted = gateway.post("/api/extensions", wanted, key='"first-key"')
    world.equal(quoted.body, first.body, "the key as the draft writes it, in quotes")
    for name, body, path in [
        ("another body", person(), "/api/extensions"),
        ("another path", wanted, "/api/sites"),
    ]:
        other = gateway.post(path, body, key="first-key")
        world.equal((other.status, other.problem), (422, "idempotency-key-reused"), f"{name} ({other})")
        world.expect("Idempotency-Key" in other.fields, f"{name}: the header is not named in {other}")
    world.equal(len(made(ringcentral, wanted)), 1, "extensions created")
    world.equal(ringcentral.requests()["createExtension"], 1, "creations that reached RingCentral")
    second = gateway.post("/api/extensions", person(), key="second-key")
    world.equal(second.status, 201, "another key")


@story("Malformed keys are refused before anything happens")
def malformed(world):
    gateway = world.gateway()
    before = gateway.ringcentral.requests()
    for key in [" ", '""', "a b", "a#b", 'a"b', '"open', "k" * 256, "ключ".encode().decode("latin-1"), "a\tb"]:
        answer = gateway.call("POST", "/api/extensions", person(), headers={"Idempotency-Key": key})
        world.equal((answer.status, answer.problem), (400, "invalid-request"), f"the key {key[:12]!r} ({answer})")
        world.expect("Idempotency-Key" in answer.fields, f"the key {key[:12]!r} is not named in {answer}")
    world.equal(gateway.ringcentral.requests(), before, "requests that reached RingCentral")
    longest = gateway.post("/api/extensions", person(), key="k" * 255)
    world.equal(longest.status, 201, f"the longest key ({longest})")


@story("The same key at once on three processes creates once; the others are told so or get the same answer")
def concurrent(world):
    ringcentral = world.simulator(limits=False, clock=60)
    gateways = fleet(world, 3, ringcentral=ringcentral.url)
    assert all(gateway.get("/api/extensions").status == 200 for gateway in gateways)
    ringcentral.fault("slow", "createExtension", delay_ms=500, after_apply=True)
    statuses = {}
    for turn in range(3):
        wanted = person(numbered=False)
        jobs = [lambda g=gateways[i % 3]: g.post("/api/extensions", wanted, key=f"turn-{turn}") for i in range(12)]
        answers = at_once(jobs)
        for answer in answers:
            world.expect(answer.status in (201, 409), f"{answer}")
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status == 409:
                world.equal(answer.problem, "request-in-flight", "the problem")
                world.expect("retry-after" in answer.headers, "a 409 without Retry-After")
        world.equal(len({answer.json["id"] for answer in answers if answer.status == 201}), 1, "ids answered")
        world.equal(len(made(ringcentral, wanted)), 1, "extensions created")
        later = gateways[turn].post("/api/extensions", wanted, key=f"turn-{turn}")
        world.equal(later.status, 201, "the same key later")
    world.figure("answers", statuses)


@story("A refusal changed nothing, and keeps nothing under its key")
def refusals(world):
    gateway = world.gateway()
    taken = {**person(), "extensionNumber": "101"}
    first = gateway.post("/api/extensions", taken, key="refused")
    again = gateway.post("/api/extensions", taken, key="refused")
    world.equal((first.status, again.status), (400, 400), "a number that is taken")
    world.equal([one.headers.get("idempotency-replayed") for one in (first, again)], [None, None], "replays")
    world.equal(again.headers.get("content-type"), "application/problem+json", "its content type")
    world.equal(gateway.ringcentral.requests()["createExtension"], 2, "creations that RingCentral was asked for")
    mended = gateway.post("/api/extensions", person(), key="refused")
    world.equal(mended.status, 201, f"a corrected request with the same key ({mended})")
