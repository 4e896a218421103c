"""What RingCentral did not send is refused, and nothing of it is stored."""

import re

from support import poll, raw, story
from support.ledger import FILTERS

MEGABYTES = b'{"uuid": "large", "x": "' + b"x" * (2 * 1024 * 1024) + b'"}'


def subscribed(world):
    """A gateway with a real subscription, and the address and token RingCentral uses for it."""
    ringcentral, relay = world.simulator(clock=10), world.relay()
    relay.gateway = gateway = world.gateway(ringcentral=ringcentral.url, public_url=relay.url)
    gateway.subscribe(FILTERS[2])
    ringcentral.make_events(1)
    path, token = poll("a delivery", relay.seen)
    poll("it is processed", lambda: len(gateway.events()) == 1)
    return gateway, path, token


def send(gateway, path, token, body=b'{"uuid": "1"}', chunked=False):
    """A delivery in bytes; returns the status and the whole answer."""
    head = [f"POST {path} HTTP/1.1", "Host: gateway", "Connection: close", "Content-Type: application/json"]
    head += [f"Verification-Token: {token}"] if token is not None else []
    if chunked:
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in pieces(body)) + b"0\r\n\r\n"
    head += ["Transfer-Encoding: chunked"] if chunked else [f"Content-Length: {len(body)}"]
    answer = raw(gateway.url, "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
    status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(status.group(1)) if status else 0, answer


def pieces(body, size=16_384):
    return [body[start : start + size] for start in range(0, len(body), size)]


@story("Forged, foreign, oversized and unreadable deliveries get a 4xx, and nothing is stored")
def refused(world):
    gateway, path, token = subscribed(world)
    _, _, _, events, tenant, key = path.split("/")
    before = (gateway.aws.sent(), gateway.aws.depth(), len(gateway.events()))
    flipped = ("0" if token[0] != "0" else "1") + token[1:]
    cases = {
        "no token": (path, None, {}, 401),
        "an empty token": (path, "", {}, 401),
        "a forged token": (path, "0" * 64, {}, 401),
        "a token with one wrong digit": (path, flipped, {}, 401),
        "half a token": (path, token[:32], {}, 401),
        "a token and more": (path, token + "0", {}, 401),
        "the token in capitals": (path, token.upper(), {}, 401),
        "another tenant": (path.replace("/default/", "/other/"), token, {}, 401),
        "a tenant in capitals": (path.replace("/default/", "/Default/"), token, {}, 401),
        "another subscription": (path.replace(key, key[::-1]), token, {}, 401),
        "a key in capitals": (path.replace(key, key.upper()), token, {}, 401),
        "half a key": (path[:-16], token, {}, 401),
        "no key": (path.removesuffix(f"/{key}"), token, {}, 404),
        "no address": ("/api/webhooks/events", token, {}, 401),
        "a path below": (f"{path}/x", token, {}, 404),
        "a path above": (path.replace("/default/", "/x/..%2Fdefault/"), token, {}, 404),
        "an unknown path": ("/api/webhooks/event", token, {}, 404),
        "two megabytes without a token": (path, None, {"body": MEGABYTES}, 401),
        "two megabytes": (path, token, {"body": MEGABYTES}, 413),
        "two megabytes in chunks": (path, token, {"body": MEGABYTES, "chunked": True}, 413),
        "no JSON": (path, token, {"body": b"uuid=1"}, 400),
        "half a JSON": (path, token, {"body": b'{"uuid": "1"'}, 400),
        "a list": (path, token, {"body": b'[{"uuid": "1"}]'}, 400),
        "a text": (path, token, {"body": b'"{}"'}, 400),
        "null": (path, token, {"body": b"null"}, 400),
        "nothing": (path, token, {"body": b""}, 400),
        "two objects": (path, token, {"body": b"{} {}"}, 400),
        "no UTF-8": (path, token, {"body": b'{"uuid": "\xff"}'}, 400),
    }
    for name, (where, what, more, wanted) in cases.items():
        status, answer = send(gateway, where, what, **more)
        world.equal(status, wanted, f"{name} ({answer[-160:]!r})")
        world.expect(len(answer) <= 1024 or status == 404, f"{name}: an answer of {len(answer)} bytes")
        world.expect(token.encode() not in answer, f"{name}: the answer tells the token")
    alike = [(path, "0" * 64), (path.replace("/default/", "/other/"), token), (path.replace(key, "0" * 32), "x")]
    # Each has an id of its own; everything else has to be the same.
    own = re.compile(rb"(?i)(x-request-id|date): [^\r]*")
    answers = {own.sub(b"", send(gateway, where, what)[1]) for where, what in alike}
    world.equal(len(answers), 1, "answers to a wrong token, an unknown tenant and an unknown subscription")
    world.equal((gateway.aws.sent(), gateway.aws.depth(), len(gateway.events())), before, "sent, queued, processed")
    world.equal(gateway.aws.dead_letters(), 0, "dead letters")
    world.figure("deliveries refused", len(cases) + 3)
    status, _ = send(gateway, path, token, b' {"uuid": "good", "subscriptionId": "s"} ', chunked=True)
    world.equal(status, 200, "a good delivery in chunks")
    poll("it is processed", lambda: len(gateway.events()) == before[2] + 1)


def handshake(gateway, path, lines):
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: 0\r\n"
    answer = raw(gateway.url, head.encode() + b"".join(lines) + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in headers if ": " in line]
    return answer, int(status.split()[1]) if status else 0, {n.lower(): v for n, v in pairs}, body


@story("The handshake is answered within RingCentral's bounds, and a hostile token is not echoed")
def handshakes(world):
    gateway = world.gateway()
    address = f"/api/webhooks/events/default/{'a' * 32}"
    for path in [address, "/api/webhooks/events", "/api/webhooks/validate"]:
        for token in ["3f1a9c7e-1111-2222-3333-444455556666", "t" * 256]:
            answer, status, headers, _ = handshake(gateway, path, [f"Validation-Token: {token}\r\n".encode()])
            world.equal(status, 200, f"{path}: the status")
            world.equal(headers.get("validation-token"), token, f"{path}: the echo")
            world.equal(headers.get("content-type"), "application/json", f"{path}: the content type")
            world.expect(len(answer) <= 1024, f"{path}: an answer of {len(answer)} bytes")
            world.figure(f"{path[:30]}, a token of {len(token)}", f"an answer of {len(answer)} bytes")
    hostile = {
        "300 characters": [b"Validation-Token: " + b"t" * 300 + b"\r\n"],
        "257 characters": [b"Validation-Token: " + b"t" * 257 + b"\r\n"],
        "a folded line": [b"Validation-Token: abc\r\n Set-Cookie: stolen=1\r\n"],
        "a bare carriage return": [b"Validation-Token: abc\rSet-Cookie: stolen=1\r\n"],
        "a bare newline and a header": [b"Validation-Token: abc\x00Set-Cookie: stolen=1\r\n"],
        "markup": [b"Validation-Token: <script>alert(1)</script>\r\n"],
        "blanks": [b"Validation-Token: a b\r\n"],
        "no ASCII": ["Validation-Token: é\r\n".encode()],
        "nothing": [b"Validation-Token: \r\n"],
    }
    for name, lines in hostile.items():
        answer, status, headers, _ = handshake(gateway, address, lines)
        world.expect(400 <= status < 500, f"{name}: {answer[:80]!r}")
        world.expect("validation-token" not in headers and b"stolen" not in answer, f"{name}: echoed in {answer!r}")
        world.expect(len(answer) <= 1024, f"{name}: an answer of {len(answer)} bytes")
    encoded = handshake(gateway, address, [b"Validation-Token: a%0d%0aSet-Cookie:stolen=1\r\n"])
    world.expect("set-cookie" not in encoded[2], f"an encoded line break became a header: {encoded[0]!r}")
    both = [b"Validation-Token: abc\r\n", b"Verification-Token: x\r\n"]
    # RingCentral may send both with a handshake: a request without a body delivers nothing.
    world.equal(handshake(gateway, address, both)[1], 200, "a handshake that also brings a token")
    world.equal(gateway.aws.sent(), 0, "messages sent to a queue")


CALLS = b"/restapi/v1.0/account/1/telephony/sessions"
STRANGE = {
    "nothing but braces": b"{}",
    "every field of another type": b'{"uuid": {}, "event": [1], "subscriptionId": true, "timestamp": {}, "body": 7}',
    "no body": b'{"uuid": "no-body", "subscriptionId": "s", "event": "/restapi/v1.0/account/1/presence"}',
    "a call without an id": b'{"uuid": "c", "event": "%s"}' % CALLS,
    "a call with strange parties": b'{"uuid": "p", "event": "%s", "body": {"telephonySessionId": "s-strange",'
    b' "sequence": "7", "parties": [null, 5, {"id": 5}, {"id": "a"}]}}' % CALLS,
    "a sequence beyond all bounds": b'{"uuid": "b", "event": "%s", "body":'
    b' {"telephonySessionId": "s-far", "sequence": 99999999999999999999}}' % CALLS,
    "an empty uuid": b'{"uuid": "", "subscriptionId": "", "event": ""}',
    "a long uuid": b'{"subscriptionId": "s", "uuid": "' + b"u" * 3000 + b'"}',
    "a long call id": b'{"uuid": "l", "event": "%s", "body": {"sequence": 1, "telephonySessionId": "%s"}}'
    % (CALLS, b"t" * 3000),
    "control characters": b'{"uuid": "ctl", "subscriptionId": "s", "x": "\\u0000\\u0001\\uffff", "y": "\xef\xbf\xbf"}',
    "half a surrogate": b'{"uuid": "half", "subscriptionId": "s", "x": "\\ud800"}',
    "the same field twice": b'{"uuid": "one", "uuid": "two", "subscriptionId": "s"}',
    "two hundred levels": b'{"uuid": "deep", "subscriptionId": "s", "body": ' + b"[" * 200 + b"]" * 200 + b"}",
    "a quarter of a megabyte": b'{"uuid": "quarter", "subscriptionId": "s", "x": "' + b"x" * 250_000 + b'"}',
    "as much as is taken": b'{"uuid": "full", "subscriptionId": "s", "x": "' + b"x" * 520_000 + b'"}',
    "as much, all quotes": b'{"uuid": "quotes", "subscriptionId": "s", "x": "' + b'\\"' * 250_000 + b'"}',
}


@story("What RingCentral might send one day is processed, or set aside with a reason: nothing circulates or is lost")
def strange(world):
    gateway, path, token = subscribed(world)
    for name, body in STRANGE.items():
        there, aside = len(gateway.events()), gateway.aws.dead_letters()
        status, answer = send(gateway, path, token, body)
        if status != 200:
            world.expect(400 <= status < 500, f"{name}: {answer[:160]!r}")
            world.figure(name, f"refused with {status}")
            continue

        def done():
            added = len(gateway.events()) - there, gateway.aws.dead_letters() - aside
            return added if sum(added) else None

        try:
            listed, buried = poll("a verdict", done, bound=6)
            world.figure(name, "processed" if listed else "set aside")
            world.equal(listed + buried, 1, f"{name}: events and dead letters of it")
        except AssertionError:
            world.figure(name, "circulates")
            world.expect(False, f"{name}: answered 200, and after 6 s neither processed nor set aside")
