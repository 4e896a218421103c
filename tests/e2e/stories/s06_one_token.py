"""One token for the whole fleet."""

from support import at_once, story
from support.fleet import acceptable, burst, count, fleet


@story("A hundred first requests of four processes need one token request")
def first_requests(world):
    ringcentral = world.simulator()
    gateways = fleet(world, 4, ringcentral=ringcentral.url)
    answers = burst(world, gateways, 100)
    stats = ringcentral.stats()
    world.figure("tokens issued", stats["tokens_issued"])
    world.figure("answers", count(answers))
    world.equal(stats["tokens_issued"], 1, "tokens issued")
    world.equal(stats["requests"]["getToken"], 1, "token requests")
    world.equal(stats["throttled"], 0, "throttled requests")
    world.expect(count(answers).get(200, 0) > 0, "nobody was served")


@story("Four processes whose token was revoked in the middle need one new one")
def revoked(world):
    ringcentral = world.simulator(limits=False)
    gateways = fleet(world, 4, ringcentral=ringcentral.url)
    ringcentral.limits(light={"limit": 1_000})
    answers = burst(world, gateways, 4, path="/api/sites")  # they learn the raised limit
    world.equal(count(answers), {200: 4}, "before")
    revoke = lambda: ringcentral.ask("faults", "POST", {"kind": "revoke_tokens"})  # noqa: E731
    reads = [lambda g=gateways[index % 4]: g.get("/api/sites") for index in range(100)]
    answers = at_once(reads[:50] + [revoke] + reads[50:])
    answers.pop(50)
    wrong = [answer for answer in answers if not acceptable(answer)]
    world.expect(not wrong, f"{len(wrong)} of 100 failed, such as {wrong[:1]}")
    world.figure("answers", count(answers))
    world.figure("tokens issued", ringcentral.stats()["tokens_issued"])
    world.equal(ringcentral.stats()["tokens_issued"], 2, "tokens issued")


@story("A token that ends is replaced before its end, by one process for all")
def renewed(world):
    ringcentral = world.simulator(clock=300)  # an hour lasts 12 s
    gateways = fleet(world, 4, ringcentral=ringcentral.url)
    rounds = 0
    while ringcentral.stats()["tokens_issued"] < 2:
        answers = at_once(lambda g=g: g.get("/api/health?deep=true") for g in gateways)
        wrong = [answer for answer in answers if getattr(answer, "status", 0) != 200]
        world.expect(not wrong, f"round {rounds}: {wrong[:1]}")
        rounds += 1
        assert rounds < 3_000, "no renewal"
    stats = ringcentral.stats()
    world.figure("rounds of four until the second token", rounds)
    world.equal(stats["requests"]["getToken"], 2, "token requests")
    world.equal(stats["answers"].get("401", 0), 0, "requests with a token that had ended")
