"""Credentials that RingCentral refuses: no hammering, a clear answer, and an easy way out."""

from support import poll, story
from support.fleet import fleet

RIGHT = {
    "RC_APP_CLIENT_ID": "trunkline-demo-client",
    "RC_APP_CLIENT_SECRET": "trunkline-demo-secret",
    "RC_USER_JWT": "trunkline-demo-jwt",
}


def refused(world, gateway, what):
    answer = gateway.get("/api/extensions")
    world.equal((answer.status, answer.problem), (503, "credentials-refused"), f"{what} ({answer})")
    world.expect(answer.is_problem and answer.json.get("hint"), f"{what}: no hint in {answer}")
    world.expect(answer.json.get("detail"), f"{what}: no detail in {answer}")
    for secret in ["wrong-jwt", "wrong-secret", *RIGHT.values()]:
        world.expect(
            secret not in answer.body.decode() or secret == RIGHT["RC_APP_CLIENT_ID"], f"{what} tells {secret}"
        )
    return answer


@story("Wrong credentials cost one token request however often one asks; the right ones work after a restart")
def wrong_credentials(world):
    for name, value in [("RC_USER_JWT", "wrong-jwt"), ("RC_APP_CLIENT_SECRET", "wrong-secret")]:
        ringcentral = world.simulator()
        gateway = world.gateway(ringcentral=ringcentral.url, environment={**RIGHT, name: value})
        refused(world, gateway, f"{name} is wrong")
        told = poll("what the terminal says of wrong credentials", lambda: "trunkline doctor" in gateway.processes[0].printed())
        world.expect(told, f"{name} is wrong, and the terminal does not say so")
        for turn in range(20):
            refused(world, gateway, f"{name} is wrong, turn {turn}")
        requests = ringcentral.stats()["requests"]
        world.equal(requests.get("getToken"), 1, f"{name} is wrong: token requests after 21 calls")
        world.equal(ringcentral.requests(), {"getToken": 1}, f"{name} is wrong: what RingCentral saw")
        world.equal(gateway.get("/api/health").status, 200, "shallow health")
        world.equal(gateway.get("/api/health?deep=true").status, 503, "deep health")
        world.equal(gateway.get("/api/webhooks/events").status, 200, "what needs no RingCentral")
        gateway.kill()
        gateway.start()
        refused(world, gateway, f"{name} is wrong, after a restart")
        world.equal(ringcentral.stats()["requests"]["getToken"], 1, f"{name} is wrong: token requests after a restart")
        gateway.kill()
        gateway.environment = RIGHT
        gateway.start()
        answer = gateway.get("/api/extensions")
        world.equal(answer.status, 200, f"the right {name} after a restart ({answer})")
        text = gateway.processes[0].logged()
        for secret in ["wrong-jwt", "wrong-secret", "trunkline-demo-secret", "trunkline-demo-jwt"]:
            world.expect(secret not in text, f"{secret} is written to the log")


@story("Wrong credentials cost a whole fleet one token request")
def wrong_in_fleet(world):
    ringcentral = world.simulator()
    gateways = fleet(world, 3, ringcentral=ringcentral.url, environment={**RIGHT, "RC_USER_JWT": "wrong-jwt"})
    for turn in range(4):
        for number, gateway in enumerate(gateways):
            refused(world, gateway, f"process {number}, turn {turn}")
    world.equal(ringcentral.requests(), {"getToken": 1}, "what RingCentral saw of 12 calls of 3 processes")


@story("A gateway with half of its credentials does not start, and says which half is missing")
def half(world):
    for missing in RIGHT:
        environment = {name: value for name, value in RIGHT.items() if name != missing}
        try:
            world.gateway(environment=environment)
            world.expect(False, f"it starts without {missing}")
        except AssertionError as error:
            world.expect(missing in str(error), f"{missing} is not named: {error}")
