"""One exact rate budget, whoever asks and however hard. A window of 60 s lasts 6 s here."""

from support import story
from support.fleet import burst, count, fleet, until_served


def judge(world, ringcentral, what, gateway=None):
    medium, stats = ringcentral.window("medium"), ringcentral.stats()
    world.figure(f"{what}: largest window of {medium['limit']}", medium["arrivals_largest_in_window"])
    world.equal(stats["throttled"], 0, f"{what}: throttled requests")
    largest = medium["arrivals_largest_in_window"]
    world.expect(largest <= medium["limit"], f"{what}: {largest} arrivals in a window of {medium['limit']}")
    if gateway:
        records = gateway.get("/api/platform/limits").json["records"]
        foreign = {record["group"]: record["foreign"] for record in records if record["foreign"]}
        world.equal(foreign, {}, f"{what}: requests ascribed to other tools, of which there are none")


@story("Two hundred lists at once on one process: nobody is throttled by RingCentral")
def one_process(world):
    gateway = world.gateway(clock=10)
    world.figure("one process", count(burst(world, [gateway], 200)))
    judge(world, gateway.ringcentral, "one process", gateway)


@story("Two hundred lists at once spread over four processes: nobody is throttled by RingCentral")
def four_processes(world):
    ringcentral = world.simulator(clock=10)
    gateways = fleet(world, 4, ringcentral=ringcentral.url)
    world.figure("four processes", count(burst(world, gateways, 200)))
    judge(world, ringcentral, "four processes", gateways[0])
    seconds, asked = until_served(world, gateways, 200, bound=90)
    world.figure("until 200 were served", f"{seconds:.1f} s, {asked} requests")
    judge(world, ringcentral, "until served", gateways[0])


@story("A limit smaller than usual, once announced to one process, holds for all of them")
def smaller_limit(world):
    ringcentral = world.simulator(clock=10)
    ringcentral.limits(medium={"limit": 10})
    first, second = fleet(world, 2, ringcentral=ringcentral.url)
    assert first.get("/api/extensions").status == 200  # its answer announces the limit
    world.figure("the other process", count(burst(world, [second], 30)))
    judge(world, ringcentral, "a limit of 10")


@story("A limit that is raised is used, one that is lowered is kept")
def changed_limit(world):
    ringcentral = world.simulator(clock=20)  # a window lasts 3 s
    ringcentral.limits(medium={"limit": 100})
    gateway = world.gateway(ringcentral=ringcentral.url)
    assert gateway.get("/api/extensions").status == 200
    served = count(burst(world, [gateway], 90)).get(200, 0)
    world.figure("served of 90 under a limit of 100", served)
    world.equal(served, 90, "served under a raised limit")
    world.equal(ringcentral.stats()["throttled"], 0, "throttled under a raised limit")


@story("Every group has a budget of its own, and a restart does not forget what was spent")
def groups(world):
    ringcentral = world.simulator(clock=4)  # a window lasts 15 s
    gateway = world.gateway(ringcentral=ringcentral.url)
    one = ringcentral.extensions()[7]["id"]
    burst(world, [gateway], 60)
    spent = ringcentral.window("medium")["accepted"]
    light = count(burst(world, [gateway], 40, path=f"/api/extensions/{one}"))
    world.equal(light, {200: 40}, "reads of the light group while the medium one is spent")
    gateway.kill()
    gateway.start()
    burst(world, [gateway], 60)
    world.figure("medium: spent before the restart, and in all", (spent, ringcentral.window("medium")["accepted"]))
    judge(world, ringcentral, "across a restart")
