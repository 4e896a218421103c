"""What a newcomer does first: the tour as it is printed, a second tenant, and a set-up that does not work."""

import os
import re
import socket
import subprocess

from support import call, poll, story
from support.processes import ROOT, TRUNKLINE, free_port


def run(world, *command, folder=None, environment=None, text=None):
    """A command as a newcomer gives it, in a folder of its own."""
    clean = {"PATH": os.environ["PATH"], "HOME": folder or world.folder}
    return subprocess.run(
        command, cwd=folder or world.folder, env={**clean, **(environment or {})}, input=text, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
    )  # fmt: skip


def printed_tour():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as page:
        section = page.read().split("## Five minutes with curl", 1)[1]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL).group(1)


@story("The tour of the README can be pasted as it is printed")
def tour(world):
    gateway = world.gateway()
    os.symlink(gateway.data, os.path.join(gateway.folder, ".trunkline"))
    # The port of the machine that tells this story may be taken.
    block = printed_tour().replace("http://127.0.0.1:8080", gateway.url)
    told = run(world, "bash", "-uo", "pipefail", folder=gateway.folder, text=block)
    shown = re.sub(r"\s", "", told.stdout)
    world.equal(told.returncode, 0, f"how the block ends: {told.stdout[-600:]}")
    for part in [
        '"checks":{"store":"ok","queue":"ok","ringcentral":"ok"}', '"type":"Department"', '"extensionNumber":"7001"',
        '"field":"contact.email"', '"status":"Active"', '"kind":"telephony-session"', '"eventsApplied":', "429",
        "retry-after:", '"records":[{', '"throttled":0', "events/raw",
    ]:  # fmt: skip
        world.expect(part in shown, f"{part} is not in the tour's output: {told.stdout[-3000:]}")
    world.equal(re.findall(r":PORT|(?<![$\w])SESSION_ID\"", block), [], "what has to be filled in by hand")


@story("A second tenant and other roles in two commands, while the gateway runs and while it does not")
def tenants(world):
    gateway = world.gateway()

    def token(tenant, role):
        made = run(world, TRUNKLINE, "token", "--tenant", tenant, "--role", role, "--for", "me", "--data", gateway.data)
        world.equal(made.returncode, 0, made.stdout)
        return made.stdout.strip()

    added = run(world, TRUNKLINE, "tenant", "acme", "--data", gateway.data)
    world.equal(added.returncode, 0, added.stdout)
    ours, theirs = gateway.subscribe("/restapi/v1.0/account/~/extension"), token("acme", "admin")
    world.equal(gateway.get("/api/extensions?perPage=1", token=theirs).status, 200, "the other tenant's token")
    listed = gateway.get("/api/webhooks/subscriptions", token=theirs)
    world.expect(listed.status == 200 and ours["id"] not in str(listed.json), f"a tenant sees another's: {listed}")
    viewer = token("default", "viewer")
    world.equal(gateway.get("/api/extensions?perPage=1", token=viewer).status, 200, "a viewer reads")
    changed = gateway.call("POST", "/api/extensions", {"contact": {"firstName": "x"}}, token=viewer)
    world.equal(changed.status, 403, "a viewer changes nothing")
    gateway.kill()
    offline = token("acme", "admin")
    gateway.start()
    world.equal(gateway.get("/api/extensions?perPage=1", token=offline).status, 200, "after a restart")
    nowhere = run(world, TRUNKLINE, "token", "--tenant", "x", "--role", "viewer", "--for", "me", "--data", "nowhere")
    world.expect(nowhere.returncode == 1 and "--data" in nowhere.stdout, nowhere.stdout)
    world.expect(not os.path.exists(os.path.join(world.folder, "nowhere")), "a command has made a data folder")


@story("The doctor names what is wrong with a set-up, and what to do about it")
def doctor(world):
    busy = socket.socket()
    busy.bind(("127.0.0.1", 0))
    busy.listen()
    taken, free = busy.getsockname()[1], free_port()
    gateway, ringcentral = world.gateway(), world.simulator()
    file = os.path.join(world.folder, "a-file")
    with open(file, "w", encoding="ascii") as made:
        made.write("no folder")
    app = {"RC_APP_CLIENT_ID": "trunkline-demo-client", "RC_APP_CLIENT_SECRET": "trunkline-demo-secret"}
    there = {**app, "RC_USER_JWT": "trunkline-demo-jwt", "RC_SERVER_URL": ringcentral.url}
    for name, options, environment, wanted in [
        ("a port that is taken", ["--port", taken], {}, [str(taken), "--port"]),
        ("a folder that is a file", ["--port", free, "--data", file], {}, ["is a file", "--data"]),
        ("a folder in use", ["--port", free, "--data", gateway.data], {}, [str(gateway.process.child.pid), "--aws"]),
        ("half the credentials", ["--port", free], app, ["RC_USER_JWT"]),
        ("a misspelt variable", ["--port", free], {"RC_APP_CLIENTID": "x"}, ["RC_APP_CLIENTID", "RC_APP_CLIENT_ID"]),
        ("wrong credentials", ["--port", free], {**there, "RC_APP_CLIENT_SECRET": "x"}, ["OAU-", "client secret"]),
        ("a public URL that leads nowhere", ["--port", free, "--public-url", f"http://127.0.0.1:{taken}"], there,
         ["public URL", f"port {free}"]),
    ]:  # fmt: skip
        told = run(world, TRUNKLINE, "doctor", *map(str, options), environment=environment)
        world.equal(told.returncode, 1, f"{name}: {told.stdout}")
        world.expect("WRONG" in told.stdout and "->" in told.stdout, f"{name}: {told.stdout}")
        for word in wanted:
            world.expect(word in told.stdout, f"{name}: {word} is not in {told.stdout}")
        for hidden in ["trunkline-demo-secret", "trunkline-demo-jwt"]:
            world.expect(hidden not in told.stdout, f"{name}: a credential is shown")
    well = run(world, TRUNKLINE, "doctor", "--port", str(free), "--public-url", f"http://127.0.0.1:{free}",
               environment=there)  # fmt: skip
    world.equal(well.returncode, 0, f"a set-up that works: {well.stdout}")
    world.expect("leads to port" in well.stdout and "accepts the credentials" in well.stdout, well.stdout)
    world.expect(not os.path.exists(os.path.join(world.folder, ".trunkline")), "the doctor has made something")
    busy.close()


@story("A senseless setting is refused at the start, by its name")
def settings(world):
    for variable, value in [
        ("LOG_LEVEL", "loud"), ("CIRCUIT_BREAKER_THRESHOLD", "0"), ("RC_SERVER_URL", "platform.ringcentral.com"),
        ("RC_APP_CLIENTID", "hush"),
    ]:  # fmt: skip
        told = run(world, TRUNKLINE, "--port", "0", environment={variable: value})
        world.expect(told.returncode == 1 and variable in told.stdout, f"{variable}: {told.returncode} {told.stdout}")
    told = run(world, TRUNKLINE, "--port", "0", "--data", "/proc/nowhere")
    world.expect("No such file" in told.stdout, f"the cause is lost where logs are JSON: {told.stdout}")
    first = world.gateway()
    second = run(world, TRUNKLINE, "--port", "0", "--data", first.data)
    world.expect(str(first.process.child.pid) in second.stdout, f"the holder is not named: {second.stdout}")
    world.equal(call("GET", f"{first.url}/api/health").status, 200, "the first gateway")


@story("The simulated company outlives kill -9 with all that the API has made; another seed begins anew")
def company(world):
    gateway = world.gateway()
    ida = {"contact": {"firstName": "Ida", "lastName": "Cole", "email": "ida@example.com"}, "extensionNumber": "7001"}
    made = gateway.post("/api/extensions", ida, key="ida-1")
    world.equal(made.status, 201, made)
    subscription = gateway.subscribe("/restapi/v1.0/account/~/telephony/sessions")
    gateway.kill()
    gateway.start()
    again = gateway.post("/api/extensions", ida, key="ida-1")
    world.equal((again.status, again.headers.get("idempotency-replayed")), (201, "true"), "the repetition")
    world.equal(gateway.get(f"/api/extensions/{made.json['id']}").status, 200, "what was replayed is there")
    listed = [one["id"] for one in gateway.get("/api/webhooks/subscriptions").json["records"]]
    world.equal(listed, [subscription["id"]], "subscriptions")
    gateway.ringcentral.make_events(10)
    poll("the events of the subscription that was there before", lambda: len(gateway.events()) == 10)
    gateway.kill()
    gateway.options += ["--simulator-seed", "2"]
    gateway.start()
    world.equal(gateway.get("/api/webhooks/subscriptions").json["records"], [], "another seed")
