"""Requests that must be refused before anything is sent to RingCentral."""

import json
from urllib.parse import quote

JSON = {"Content-Type": "application/json"}
LIMIT = 256 * 1024


class Wrong:
    """One malformed request and the least its refusal has to say."""

    def __init__(self, what, method, path, body=None, headers=None, status=400, field=None):
        self.what, self.method, self.path, self.body = what, method, path, body
        self.headers, self.status, self.field = headers, status, field

    def send(self, gateway):
        return gateway.call(self.method, self.path, self.body, headers=self.headers)


def bodies(method, path, good):
    """What can be wrong with any JSON body; `good` is one that would be accepted."""
    text = json.dumps(good).encode()
    yield Wrong("no body", method, path, b"", JSON, field="body")
    yield Wrong("half a body", method, path, text[:-1], JSON)
    yield Wrong("no JSON", method, path, b"extensionNumber=1", JSON, field="body")
    yield Wrong("two values", method, path, text + b" {}", JSON, field="body")
    yield Wrong("a list", method, path, b"[]", JSON, field="body")
    yield Wrong("a list of its values", method, path, json.dumps([*good.values()]).encode(), JSON, field="body")
    yield Wrong("a text", method, path, b'"x"', JSON, field="body")
    yield Wrong("null", method, path, b"null", JSON, field="body")
    yield Wrong("no UTF-8", method, path, text[:-1] + b', "x": "\xff"}', JSON)
    yield Wrong("half a surrogate", method, path, text[:-1] + b', "x": "\\ud800"}', JSON)
    yield Wrong("a number beyond all bounds", method, path, text[:-1] + b', "x": 1e999}', JSON)
    yield Wrong("nested too deeply", method, path, text[:-1] + b', "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", JSON)
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]:
        yield Wrong(f"as {kind!r}", method, path, text, {"Content-Type": kind}, status=415, field="Content-Type")
    yield Wrong("too large", method, path, text[:-1] + b" " * LIMIT + b"}", JSON, status=413)
    yield Wrong("an unknown parameter", method, f"{path}?dryRun=true", text, JSON, field="dryRun")


def ids(method, path, body=None, field="id"):
    """What is no id; `path` has {id} where it stands."""
    texts = ["abc", "1" * 65, "-1", "1.5", "0x1f", "%20", "1%002", "..%2F..%2Foauth%2Ftoken", "1;2", "%E2%80%AE1"]
    for text in texts + ["1%3Fx%3D1", "%FF", "%D9%A1"]:
        wanted = path.replace("{id}", text)
        # Subscription ids may have letters.
        if "subscriptions" in path and text in ("abc", "-1", "0x1f"):
            continue
        yield Wrong(f"the id {text[:12]}", method, wanted, body, field=field)


def queries(path, wrong):
    """Wrong values of query parameters: pairs of a query and the field to be named."""
    for query, field in wrong:
        yield Wrong(f"?{query}", "GET", f"{path}?{query}", field=field)
    yield Wrong("an unknown parameter", "GET", f"{path}?perpage=5", field="perpage")


def parameterless(path):
    """Query parameters for a route that takes none of them."""
    names = ["page", "perPage", "status", "type", "view", "fields", "page[]", "__proto__", "access_token", "Limit"]
    for name in names:
        yield Wrong(f"?{name}", "GET", f"{path}?{quote(name)}=1", field=name)
    yield Wrong("?a b", "GET", f"{path}?a%20b=1", field="a b")
    yield Wrong("? without a value", "GET", f"{path}?all", field="all")


def methods(path, offered):
    """Methods that a path does not offer."""
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"]:
        if method not in offered:
            yield Wrong(f"{method} instead of {offered}", method, path, b"{}", JSON, status=405)


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


PAGES = [
    ("page=0", "page"), ("page=-1", "page"), ("page=1.5", "page"), ("page=one", "page"), ("page=", "page"),
    ("page=99999999999999999999", "page"), ("page=1&page=2", "page"), ("perPage=0", "perPage"),
    ("perPage=1001", "perPage"), ("perPage=max", "perPage"), ("perPage=+5", "perPage"),
]  # fmt: skip
FILTERS = [
    ("status=enabled", "status"), ("status=Enabled,Gone", "status"), ("status=", "status"),
    ("extensionNumber=12a", "extensionNumber"), ("extensionNumber=123456789", "extensionNumber"),
    ("extensionNumber=101&extensionNumber=102", "extensionNumber"), ("email=", "email"),
    ("email=" + "a" * 255, "email"),
]  # fmt: skip
TIMES = [
    ("kind=telephony", "kind"), ("kind=", "kind"), ("dateFrom=yesterday", "dateFrom"), ("dateTo=2026-13-01", "dateTo"),
    ("dateTo=1767323045678", "dateTo"), ("perPage=0", "perPage"), ("perPage=501", "perPage"),
    ("dateFrom=2026-01-02T00:00:00Z&dateTo=2026-01-01T00:00:00Z", "dateFrom"),
    ("dateFrom=2020-01-01T00:00:00Z&dateTo=2026-01-01T00:00:00Z", "dateFrom"),
    ("telephonySessionId=" + "s" * 257, "telephonySessionId"),
    ("telephonySessionId=", "telephonySessionId"), ("pageToken=x", "pageToken"), ("pageToken=e30", "pageToken"),
    ("page=2", "page"),
]  # fmt: skip
