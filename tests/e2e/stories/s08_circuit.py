"""A RingCentral that keeps failing is left alone for a while, by everybody."""

from support import at_once, poll, story
from support.fleet import count, fleet

SETTINGS = {
    "RATE_LIMIT_BACKOFF_MULTIPLIER": "0.1",
    "CIRCUIT_BREAKER_THRESHOLD": "5",
    "CIRCUIT_BREAKER_TIMEOUT": "3",
    "GATE_PATIENCE_MS": "200",  # nobody waits for it to close
}


@story("Five failures open the circuit for all processes; one probe tells whether it may close")
def circuit(world):
    ringcentral = world.simulator(limits=False)
    gateways = fleet(world, 2, ringcentral=ringcentral.url, environment=SETTINGS)
    path, one = "/api/extensions", ringcentral.extensions()[7]["id"]
    assert all(gateway.get(path).status == 200 for gateway in gateways)

    def sent():
        return ringcentral.requests()["listExtensions"]

    def crowd():
        return at_once(lambda g=gateways[index % 2]: g.get(path) for index in range(20))

    ringcentral.fault("error", "listExtensions", status=500)
    poll("the circuit opens", lambda: gateways[0].get(path).problem == "circuit-open", bound=20)
    before = sent()
    world.figure("requests until it opened", before - 2)
    world.expect(before - 2 <= 6, f"{before - 2} requests before five failures opened the circuit")
    refused = crowd()
    world.equal(count(refused), {503: 20}, "answers while it is open")
    for answer in refused:
        world.equal(answer.problem, "circuit-open", "the problem")
        world.expect(answer.json.get("hint"), f"no hint in {answer}")
        # Three seconds, and one in which those who come back are spread.
        world.expect(0 < int(answer.headers.get("retry-after", "0")) <= 4, f"Retry-After of {answer.headers}")
    world.equal(sent(), before, "requests sent while it is open")
    world.equal(gateways[1].get(f"{path}/{one}").status, 200, "another group meanwhile")
    poll("a probe is sent", lambda: crowd() and sent() > before, bound=15, every=0.2)
    world.equal(sent() - before, 1, "requests of 40 callers after the cool-down, RingCentral still failing")
    world.equal(gateways[1].get(path).problem, "circuit-open", "after a probe that failed")
    ringcentral.clear_faults()
    poll("the circuit closes", lambda: gateways[0].get(path).status == 200, bound=15, every=0.2)
    poll("the other process hears of it", lambda: gateways[1].get(path).status == 200, bound=5, every=0.2)
    world.equal(ringcentral.stats()["throttled"], 0, "throttled requests")
