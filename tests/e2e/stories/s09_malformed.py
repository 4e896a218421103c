"""Bad input is refused with the field and the reason, and nothing of it reaches RingCentral."""

from support import story
from support.malformed import FILTERS, PAGES, TIMES, Wrong, bodies, ids, methods, queries

USER = {"type": "User", "contact": {"firstName": "Ann", "email": "ann@acme.example"}}
NEWS = {"eventFilters": ["/restapi/v1.0/account/~/extension"]}


def judge(world, gateway, ringcentral, route, cases):
    """Sends the cases; complains about every one that is not refused as it should be."""
    before, count = ringcentral.requests(), 0
    for case in cases:
        answer = case.send(gateway)
        what = f"{case.method} {case.path[:60]}, {case.what}"
        world.equal(answer.status, case.status, f"{what} ({answer})")
        if 400 <= answer.status:
            world.expect(answer.is_problem, f"{what}: no problem document but {answer!r}")
        if answer.status not in (401, 404, 405, 413):
            named = case.field in answer.fields if case.field else any(answer.fields)
            world.expect(named, f"{what}: {case.field or 'no field'} is not named in {answer.fields}")
        count += 1
    after = ringcentral.requests()
    world.equal(after, before, f"{route}: requests that reached RingCentral")
    world.figure(route, f"{count} malformed requests")


def there(world):
    gateway = world.gateway()
    ringcentral = gateway.ringcentral
    assert gateway.get("/api/extensions").status == 200
    return gateway, ringcentral, ringcentral.extensions()[7]["id"]


@story("Malformed requests for extensions")
def extensions(world):
    gateway, ringcentral, one = there(world)

    def user(**change):
        return {**USER, **change}

    def contact(**change):
        return {**USER, "contact": {**USER["contact"], **change}}

    fields = [
        (user(type=None, contact=None), "contact"), (user(type="IvrMenu"), "type"), (user(type="user"), "type"),
        (user(type=7), "type"), (user(status="Sleeping"), "status"), (user(status=True), "status"),
        (user(extensionNumber=201), "extensionNumber"), (user(extensionNumber=""), "extensionNumber"),
        (user(extensionNumber="123456789"), "extensionNumber"), (user(extensionNumber="12a"), "extensionNumber"),
        (user(extensionNumber="١٢"), "extensionNumber"), (user(contact="Ann"), "contact"), (user(contact=[]), "contact"),
        (contact(firstName=None), "contact.firstName"), (contact(firstName="  "), "contact.firstName"),
        (contact(firstName="x" * 65), "contact.firstName"), (contact(firstName=5), "contact.firstName"),
        (contact(lastName="x" * 65), "contact.lastName"), (contact(email=None), "contact.email"),
        (contact(email="nobody"), "contact.email"), (contact(email="a@b@c.example"), "contact.email"),
        (contact(email="a" * 250 + "@b.example"), "contact.email"), (contact(email="a b@c.example"), "contact.email"),
        ({"type": "Department", "contact": {"firstName": "Sales", "lastName": "X"}}, "contact.lastName"),
        ({"type": "Department", "contact": {}}, "contact.firstName"),
    ]  # fmt: skip
    path, own, number = "/api/extensions", f"/api/extensions/{one}", f"/api/extensions/{one}/number"
    creation = [Wrong(f"{field} wrong", "POST", path, body, field=field) for body, field in fields]
    judge(world, gateway, ringcentral, "POST /api/extensions", [*bodies("POST", path, USER), *creation])
    types = [("type=user", "type"), ("type=", "type"), ("type=User,", "type")]
    judge(world, gateway, ringcentral, "GET /api/extensions", queries(path, PAGES + FILTERS + types))
    users = [*PAGES, *FILTERS, ("type=User", "type"), ("type=Department", "type")]
    judge(world, gateway, ringcentral, "GET /api/users", queries("/api/users", users))
    reads = [*ids("GET", "/api/extensions/{id}"), Wrong("?x=1", "GET", f"{own}?x=1", field="x")]
    judge(world, gateway, ringcentral, "GET /api/extensions/{id}", reads)
    changes = [({}, "body"), ({"id": 5}, "id"), ({"status": "x"}, "status"), ({"extensionNumber": "x"}, "extensionNumber")]
    changes += [({"contact": {"email": "x"}}, "contact.email"), ({"contact": {"firstName": ""}}, "contact.firstName")]
    update = [Wrong(f"{field} wrong", "PUT", own, body, field=field) for body, field in changes]
    update += [*bodies("PUT", own, {"status": "Enabled"}), *ids("PUT", "/api/extensions/{id}", {"status": "Enabled"})]
    judge(world, gateway, ringcentral, "PUT /api/extensions/{id}", update)
    numbers = [None, 5, "", "123456789", "1 2", ["1"]]
    renumber = [Wrong(f"{n!r}", "PUT", number, {"extensionNumber": n}, field="extensionNumber") for n in numbers]
    renumber += [Wrong("a field too many", "PUT", number, {"extensionNumber": "7001", "type": "User"}, field="type")]
    renumber += [*bodies("PUT", number, {"extensionNumber": "7001"})]
    renumber += [*ids("PUT", "/api/extensions/{id}/number", {"extensionNumber": "7001"})]
    judge(world, gateway, ringcentral, "PUT /api/extensions/{id}/number", renumber)
    deletion = [*ids("DELETE", "/api/extensions/{id}"), Wrong("?x=1", "DELETE", f"{own}?x=1", field="x")]
    for name in ["savePhoneLines", "savePhoneNumbers"]:
        deletion += [Wrong(f"?{name}={v}", "DELETE", f"{own}?{name}={v}", field=name) for v in ["yes", "1", ""]]
    judge(world, gateway, ringcentral, "DELETE /api/extensions/{id}", deletion)


@story("Malformed requests for sites")
def sites(world):
    gateway, ringcentral, _ = there(world)
    fields = [({}, "name"), ({"name": ""}, "name"), ({"name": " "}, "name"), ({"name": "x" * 65}, "name")]
    fields += [({"name": 5}, "name"), ({"name": None}, "name"), ({"name": "A", "email": "x"}, "email")]
    fields += [({"name": "A", "extensionNumber": n}, "extensionNumber") for n in [7, "x", "", "123456789"]]
    creation = [Wrong(f"{field} wrong", "POST", "/api/sites", body, field=field) for body, field in fields]
    creation += bodies("POST", "/api/sites", {"name": "Harbour"})
    judge(world, gateway, ringcentral, "POST /api/sites", creation)
    judge(world, gateway, ringcentral, "GET /api/sites", queries("/api/sites", [("x=1", "x"), ("status=Enabled", "status")]))


@story("Malformed requests for subscriptions and events")
def webhooks(world):
    gateway, ringcentral, _ = there(world)
    path = "/api/webhooks/subscriptions"

    def news(**change):
        return {**NEWS, **change}

    fields = [
        ({}, "eventFilters"), (news(eventFilters=[]), "eventFilters"), (news(eventFilters="/x"), "eventFilters"),
        (news(eventFilters=["x"]), "eventFilters[0]"), (news(eventFilters=["/a", "/b c"]), "eventFilters[1]"),
        (news(eventFilters=["/" + "x" * 1024]), "eventFilters[0]"), (news(eventFilters=[5]), "eventFilters[0]"),
        (news(expiresIn=59), "expiresIn"), (news(expiresIn=315_360_001), "expiresIn"), (news(expiresIn="60"), "expiresIn"),
        (news(expiresIn=-1), "expiresIn"), (news(expiresIn=60.5), "expiresIn"), (news(deliveryMode={}), "deliveryMode"),
        (news(deliveryMode={"transportType": "PubNub"}), "deliveryMode.transportType"),
        (news(deliveryMode={"transportType": "WebHook", "address": "https://evil.example/x"}), "deliveryMode.address"),
        (news(deliveryMode={"transportType": "WebHook", "verificationToken": "mine"}), "deliveryMode.verificationToken"),
        (news(surprise=1), "surprise"),
    ]  # fmt: skip
    creation = [Wrong(f"{field} wrong", "POST", path, body, field=field) for body, field in fields]
    judge(world, gateway, ringcentral, f"POST {path}", [*bodies("POST", path, NEWS), *creation])
    judge(world, gateway, ringcentral, f"GET {path}", queries(path, [("x=1", "x"), ("page=1", "page")]))
    one = "11111111-2222-3333-4444-555555555555"
    for method in ["GET", "DELETE"]:
        cases = [*ids(method, path + "/{id}"), Wrong("?x=1", method, f"{path}/{one}?x=1", field="x")]
        judge(world, gateway, ringcentral, f"{method} {path}/{{id}}", cases)
    lives = [59, 315_360_001, "60", -1, 60.5, []]
    renewal = [Wrong(f"{v!r}", "POST", f"{path}/{one}/renew", {"expiresIn": v}, field="expiresIn") for v in lives]
    renewal += [case for case in bodies("POST", f"{path}/{one}/renew", {"expiresIn": 60}) if case.what != "no body"]
    renewal += [Wrong("unknown", "POST", f"{path}/{one}/renew", {"x": 1}, field="x"), *ids("POST", path + "/{id}/renew")]
    judge(world, gateway, ringcentral, f"POST {path}/{{id}}/renew", renewal)
    judge(world, gateway, ringcentral, "GET /api/webhooks/events", queries("/api/webhooks/events", TIMES))
    session = [Wrong(name, "GET", f"/api/webhooks/sessions/{text}", field="telephonySessionId") for name, text in
               [("a blank", "a%20b"), ("too long", "s" * 257), ("no ASCII", "%C3%A9"), ("no UTF-8", "%FF")]]  # fmt: skip
    session += [Wrong("?x=1", "GET", "/api/webhooks/sessions/s-1?x=1", field="x")]
    judge(world, gateway, ringcentral, "GET /api/webhooks/sessions/{id}", session)
    health = [Wrong(f"?{q}", "GET", f"/api/health?{q}", field=f) for q, f in [("deep=1", "deep"), ("x=1", "x"), ("deep=", "deep")]]
    judge(world, gateway, ringcentral, "GET /api/health", health)


@story("Methods, paths and tokens that do not exist")
def elsewhere(world):
    gateway, ringcentral, one = there(world)
    cases = []
    for path, offered in {
        "/api/extensions": ["GET", "POST"], f"/api/extensions/{one}": ["GET", "PUT", "DELETE"],
        f"/api/extensions/{one}/number": ["PUT"], "/api/users": ["GET"], "/api/sites": ["GET", "POST"],
        "/api/webhooks/subscriptions": ["GET", "POST"], "/api/webhooks/subscriptions/x": ["GET", "DELETE"],
        "/api/webhooks/subscriptions/x/renew": ["POST"], "/api/webhooks/sessions/x": ["GET"], "/api/health": ["GET"],
        "/api/openapi.json": ["GET"], "/api/webhooks/events": ["GET", "POST"],
        f"/api/webhooks/events/default/{'a' * 32}": ["POST"],
    }.items():  # fmt: skip
        cases += methods(path, offered)
    nowhere = ["/", "/api", "/api/", "/api/extensions/", "/api/extension", f"/api/extensions/{one}/x", "/API/extensions"]
    cases += [Wrong("no such path", "GET", path, status=404) for path in [*nowhere, "/api/extensions/..%2Fusers/x"]]
    judge(world, gateway, ringcentral, "methods and paths", cases)
    before, token = ringcentral.requests(), gateway.token
    head, claims, signature = token.split(".")
    forged = {
        "no token": None, "an empty one": "", "nonsense": "abc", "a cut signature": token[:-4], "no signature": f"{head}.{claims}.",
        "another signature": f"{head}.{claims}.{signature[::-1]}", "alg none": f"eyJhbGciOiJub25lIn0.{claims}.",
        "other claims": f"{head}.{claims[:-3]}{'abc' if claims[-3:] != 'abc' else 'abd'}.{signature}", "with a blank": f"{token} x",
    }  # fmt: skip
    for name, text in forged.items():
        for path in ["/api/extensions", "/api/webhooks/events", "/api/webhooks/subscriptions", "/api/health?deep=true"]:
            answer = gateway.get(path, token=text)
            world.equal((answer.status, answer.problem), (401, "unauthorized"), f"GET {path} with {name}")
            world.expect(answer.headers.get("www-authenticate"), f"GET {path} with {name}: no WWW-Authenticate")
    world.equal(gateway.call("GET", "/api/extensions", headers={"Authorization": f"bearer {token}"}, token=None).status, 200, "bearer in small letters")
    before["listExtensions"] += 1
    world.equal(ringcentral.requests(), before, "requests that reached RingCentral without a token")
