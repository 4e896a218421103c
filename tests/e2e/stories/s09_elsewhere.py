"""Paths and methods that are not offered, and tokens that open nothing."""

from support import story
from support.malformed import Wrong, judge, methods, there


@story("Methods and paths that do not exist")
def elsewhere(world):
    gateway, ringcentral, one = there(world)
    cases = []
    for path, offered in {
        "/api/extensions": ["GET", "POST"], f"/api/extensions/{one}": ["GET", "PUT", "DELETE"],
        f"/api/extensions/{one}/number": ["PUT"], "/api/users": ["GET"], "/api/sites": ["GET", "POST"],
        "/api/webhooks/subscriptions": ["GET", "POST"], "/api/webhooks/subscriptions/x": ["GET", "DELETE"],
        "/api/webhooks/subscriptions/x/renew": ["POST"], "/api/webhooks/sessions/x": ["GET"], "/api/health": ["GET"],
        "/api/openapi.json": ["GET"], "/api/webhooks/events": ["GET", "POST"],
    }.items():  # fmt: skip
        cases += methods(path, offered)
    nowhere = ["/", "/api", "/api/", "/api/extension", "/API/extensions", "/api/extensions/..%2Fusers/x"]
    nowhere += ["/api/extensions/", f"/api/extensions/{one}/x"]
    cases += [Wrong("no such path", "GET", path, status=404) for path in nowhere]
    judge(world, gateway, ringcentral, "methods and paths", cases)


@story("Tokens that are none, or not ours")
def tokens(world):
    gateway, ringcentral, _ = there(world)
    before, token = ringcentral.requests(), gateway.token
    head, claims, signature = token.split(".")
    forged = {
        "no token": None,
        "an empty one": "Bearer ",
        "another scheme": f"Basic {token}",
        "no scheme": token,
        "nonsense": "Bearer abc",
        "a cut signature": f"Bearer {token[:-4]}",
        "no signature": f"Bearer {head}.{claims}.",
        "another signature": f"Bearer {head}.{claims}.{signature[::-1]}",
        "no algorithm": f"Bearer eyJhbGciOiJub25lIn0.{claims}.",
        "other claims": f"Bearer {head}.{claims[:-3]}{'abc' if claims[-3:] != 'abc' else 'abd'}.{signature}",
        "something behind it": f"Bearer {token} x",
    }
    for name, text in forged.items():
        headers = {"Authorization": text} if text else {}
        for path in ["/api/extensions", "/api/webhooks/events", "/api/webhooks/subscriptions", "/api/health?deep=true"]:
            answer = gateway.get(path, headers=headers, token=None)
            world.equal((answer.status, answer.problem), (401, "unauthorized"), f"GET {path} with {name}")
            world.expect(answer.headers.get("www-authenticate"), f"GET {path} with {name}: no WWW-Authenticate")
            world.expect(answer.json.get("hint"), f"GET {path} with {name}: no hint")
    world.equal(ringcentral.requests(), before, "requests that reached RingCentral")
    small = gateway.get("/api/extensions", headers={"Authorization": f"bearer {token}"}, token=None)
    world.equal(small.status, 200, "bearer in small letters")
