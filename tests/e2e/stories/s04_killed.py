"""The gateway dies in the middle of it, without a goodbye."""

import time

from support import poll, story
from support.ledger import FILTERS, compare, settled


@story("Killed twice amid deliveries and started again, the gateway loses nothing and repeats nothing", waits=True)
def killed(world):
    # Ten minutes of failures, which would end the subscription, are a minute here; a notification is tried for 45 s.
    ringcentral = world.simulator(clock=10)
    gateway = world.gateway(ringcentral=ringcentral.url)
    subscription = gateway.subscribe(*FILTERS)
    begun = time.monotonic()
    made = ringcentral.make_events(5000, duplicates=0.05, reorder=True, seed=6)
    acknowledged = set()
    for share, pause in [(0.3, 0.0), (0.6, 4.0)]:
        wanted = share * made["sends"]
        poll("deliveries are under way", lambda: ringcentral.stats()["deliveries"]["accepted"] >= wanted, bound=90)
        gateway.kill()
        truth = ringcentral.events()
        acknowledged |= {event["uuid"] for event in truth if event["delivered"]}
        waiting = ringcentral.stats()["deliveries"]["pending"]
        world.figure("killed with notifications outstanding", waiting)
        world.expect(waiting > 0, "the gateway was killed too late to matter")
        time.sleep(pause)  # an outage that RingCentral notices
        gateway.start()
    status = poll("every notification was accepted or given up", ringcentral.settled, bound=120, every=0.3)
    world.equal(status["failed"], 0, "notifications given up")
    # What a dead process had received comes back after 30 s.
    poll("every event is processed", settled(gateway, made["distinct"]), bound=120, every=0.5)
    world.figure("all processed after", f"{time.monotonic() - begun:.1f} s")
    processed = {event["uuid"] for event in compare(world, gateway, ringcentral)}
    world.expect(acknowledged <= processed, f"{len(acknowledged - processed)} acknowledged events are lost")
    world.figure("acknowledged before a kill, all processed", (len(acknowledged), len(processed)))
    stats = ringcentral.stats()["deliveries"]
    world.figure("deliveries tried, failed", (stats["attempted"], stats["failed"]))
    after = gateway.get(f"/api/webhooks/subscriptions/{subscription['id']}")
    world.equal(after.json.get("status"), "Active", "the subscription in the end")
