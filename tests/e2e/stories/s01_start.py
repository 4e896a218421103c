"""A gateway starts with nothing, shows itself, and stops."""

import re
from urllib.parse import urljoin

from support import call, story
from support.processes import free_port

LINK = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)["']""")


@story("From nothing to the first answer")
def start(world):
    gateway = world.gateway()
    world.figure("start to the first 200", f"{gateway.seconds_to_ready:.2f} s")
    world.figure("resident memory", f"{gateway.process.memory():.0f} MB")
    shallow = gateway.get("/api/health", token=None)
    world.equal((shallow.status, shallow.json["status"]), (200, "healthy"), "health without a token")
    world.equal(gateway.get("/api/health?deep=true", token=None).status, 401, "deep health without a token")
    deep = gateway.get("/api/health?deep=true")
    world.equal(deep.status, 200, f"deep health ({deep})")
    world.equal(deep.json["checks"], {"store": "ok", "queue": "ok", "ringcentral": "ok"}, "its parts")
    world.equal(gateway.get("/api/extensions?perPage=1").status, 200, "the development token")
    world.equal(gateway.get("/api/extensions", token=None).status, 401, "no token")
    printed = gateway.process.printed()
    for word in [gateway.url, "dev-token", gateway.aws.url, gateway.ringcentral.url]:
        world.expect(word in printed, f"{word} is not announced in {printed!r}")
    world.expect(gateway.token not in printed + gateway.process.logged(), "the token is printed")
    world.equal(gateway.process.terminate(), 0, "exit code after SIGTERM")
    gateway.start()
    world.equal(gateway.get("/api/extensions?perPage=1").status, 200, "after a restart on the same data")


@story("With port 0 it takes any free port and says which; a port that is taken is named")
def ports(world):
    gateway = world.gateway(port=0)
    world.equal(gateway.get("/api/extensions?perPage=1").status, 200, "a free port")
    port = int(gateway.url.rsplit(":", 1)[1])
    try:
        world.gateway(port=port)
        world.expect(False, "two gateways share a port")
    except AssertionError as error:
        world.expect(str(port) in str(error), f"the port is not named: {error}")
    world.expect(free_port() != port, "the port is free although a gateway listens")


@story("The documentation is served without the internet")
def documentation(world):
    gateway = world.gateway()
    page = call("GET", f"{gateway.url}/docs")
    hops = 0
    where = f"{gateway.url}/docs"
    while page.status in (301, 302, 303, 307, 308) and hops < 3:
        where, hops = urljoin(where, page.headers["location"]), hops + 1
        world.expect(where.startswith(gateway.url), f"/docs leads to {where}")
        page = call("GET", where)
    world.equal(page.status, 200, "/docs")
    links, files = LINK.findall(page.body.decode()), 0
    for link in links:
        target = urljoin(where, link)
        if not world.expect(target.startswith(gateway.url) or link.startswith("data:"), f"/docs refers to {link}"):
            continue
        part = call("GET", target)
        world.equal(part.status, 200, f"{link} of /docs")
        files += 1
        text = part.body.decode("utf-8", "replace")
        if link.endswith("page.js"):
            world.expect("/api/openapi.json" in text, "the page does not read our description")
            world.expect(not re.search(r"https?://", text), f"{link} refers to another host")
        if link.endswith(".css"):
            world.expect(not re.search(r"(url\(|@import)\s*[\"']?https?://", text), f"{link} loads from another host")
    world.expect(files >= 3, f"/docs has {files} parts")
    answer = call("GET", f"{gateway.url}/api/openapi.json")
    world.equal((answer.status, answer.headers.get("content-type")), (200, "application/json"), "the description")
    document = answer.json
    world.equal(document["openapi"][:3], "3.1", "its version")
    # `<its host>` is a place for one, and no host.
    hosts = re.findall(r"https?://[^\s\"'\\)<]+", answer.body.decode())
    world.equal(hosts, [], "hosts in the description")
    described = {(m.upper(), p) for p, one in document["paths"].items() for m in one if m != "parameters"}
    world.figure("operations described", len(described))
    for method, path in sorted(described):
        sent = gateway.call(method, re.sub(r"\{[^}]+\}", "0", path), token=None, body=b"")
        world.expect(sent.status not in (404, 405), f"{method} {path} is described and answers {sent.status}")
