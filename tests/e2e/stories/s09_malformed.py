"""Bad input is refused with the field and the reason, and nothing of it reaches RingCentral."""

from support import story
from support.malformed import FILTERS, PAGES, TIMES, Wrong, bodies, ids, judge, parameterless, queries, there

USER = {"type": "User", "contact": {"firstName": "Ann", "email": "ann@acme.example"}}
NEWS = {"eventFilters": ["/restapi/v1.0/account/~/extension"]}


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
        (user(extensionNumber=201.5), "extensionNumber"), (user(extensionNumber=""), "extensionNumber"),
        (user(extensionNumber="123456789"), "extensionNumber"), (user(extensionNumber="12a"), "extensionNumber"),
        (user(extensionNumber="١٢"), "extensionNumber"), (user(contact="A"), "contact"), (user(contact=[]), "contact"),
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
    changes = [
        ({}, "body"),
        ({"id": 5}, "id"),
        ({"status": "x"}, "status"),
        ({"extensionNumber": "x"}, "extensionNumber"),
    ]
    changes += [({"contact": {"email": "x"}}, "contact.email"), ({"contact": {"firstName": ""}}, "contact.firstName")]
    update = [Wrong(f"{field} wrong", "PUT", own, body, field=field) for body, field in changes]
    update += [*bodies("PUT", own, {"status": "Enabled"}), *ids("PUT", "/api/extensions/{id}", {"status": "Enabled"})]
    judge(world, gateway, ringcentral, "PUT /api/extensions/{id}", update)
    numbers = [None, 5.5, -5, "", "123456789", "1 2", ["1"]]
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
    fields += [({"name": "A", "extensionNumber": n}, "extensionNumber") for n in [7.5, -7, "x", "", "123456789"]]
    creation = [Wrong(f"{field} wrong", "POST", "/api/sites", body, field=field) for body, field in fields]
    creation += bodies("POST", "/api/sites", {"name": "Harbour"})
    judge(world, gateway, ringcentral, "POST /api/sites", creation)
    judge(
        world,
        gateway,
        ringcentral,
        "GET /api/sites",
        parameterless("/api/sites"),
    )


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
        (news(expiresIn=59), "expiresIn"), (news(expiresIn=315360001), "expiresIn"), (news(expiresIn=[]), "expiresIn"),
        (news(expiresIn="60"), "expiresIn"), (news(expiresIn=6.5), "expiresIn"), (news(deliveryMode=1), "deliveryMode"),
        (news(deliveryMode={}), "deliveryMode.transportType"),
        (news(deliveryMode={"transportType": "PubNub"}), "deliveryMode.transportType"),
        (news(deliveryMode={"transportType": "WebHook", "address": "https://evil.example/"}), "deliveryMode.address"),
        (news(deliveryMode={"transportType": "WebHook", "secret": "mine"}), "deliveryMode.secret"),
        (news(surprise=1), "surprise"),
    ]  # fmt: skip
    creation = [Wrong(f"{field} wrong", "POST", path, body, field=field) for body, field in fields]
    judge(world, gateway, ringcentral, f"POST {path}", [*bodies("POST", path, NEWS), *creation])
    listing = [case for case in parameterless(path) if case.what not in ("?page", "?perPage")]
    listing += queries(path, [("page=0", "page"), ("perPage=0", "perPage"), ("perPage=x", "perPage")])
    judge(world, gateway, ringcentral, f"GET {path}", listing)
    one = "11111111-2222-3333-4444-555555555555"
    for method in ["GET", "DELETE"]:
        cases = [*ids(method, path + "/{id}"), Wrong("?x=1", method, f"{path}/{one}?x=1", field="x")]
        judge(world, gateway, ringcentral, f"{method} {path}/{{id}}", cases)
    lives = [59, 315_360_001, "60", -1, 60.5, []]
    renewal = [Wrong(f"{v!r}", "POST", f"{path}/{one}/renew", {"expiresIn": v}, field="expiresIn") for v in lives]
    renewal += [case for case in bodies("POST", f"{path}/{one}/renew", {"expiresIn": 60}) if case.what != "no body"]
    renewal += [
        Wrong("unknown", "POST", f"{path}/{one}/renew", {"x": 1}, field="x"),
        *ids("POST", path + "/{id}/renew"),
    ]
    judge(world, gateway, ringcentral, f"POST {path}/{{id}}/renew", renewal)
    judge(world, gateway, ringcentral, "GET /api/webhooks/events", queries("/api/webhooks/events", TIMES))
    session = [Wrong(name, "GET", f"/api/webhooks/sessions/{text}", field="telephonySessionId") for name, text in
               [("too long", "s" * 257), ("no text", "%FF")]]  # fmt: skip
    session += parameterless("/api/webhooks/sessions/s-1")
    judge(world, gateway, ringcentral, "GET /api/webhooks/sessions/{id}", session)
    for date in ["-009999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-30T22:00:00Z"]:
        for name in ["dateFrom", "dateTo"]:
            answer = gateway.get(f"/api/webhooks/events?{name}={date}")
            world.expect(answer.status in (200, 400), f"{name}={date}: {answer}")
    health = [
        Wrong(f"?{q}", "GET", f"/api/health?{q}", field=f)
        for q, f in [("deep=1", "deep"), ("x=1", "x"), ("deep=", "deep")]
    ]
    judge(world, gateway, ringcentral, "GET /api/health", [*health, *parameterless("/api/health")])
    limits = "/api/platform/limits"
    judge(world, gateway, ringcentral, f"GET {limits}", parameterless(limits))
