"""The story. It is told of every place alike; what a place lacks is said."""

import base64
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from support import call, poll
from support.fleet import acceptable, count
from support.ledger import FILTERS, compare, settled
from support.people import made, person
from support.processes import ROOT
from telling import step

# Seconds; longer than the dispatcher may take, and all that has to be waited for a container that died.
VISIBILITY = 6
# As many containers of a function as the burst of lists may have.
CONTAINERS = 12
CALLS = "/restapi/v1.0/account/1/telephony/sessions"
# What the renewal asks RingCentral for, at times of its own.
BY_THE_CLOCK = {"listSubscriptions", "updateSubscription", "getToken"}
# Seconds; no subscription that was just renewed has less.
RENEWED = 3_649 * 86_400


# --- what stands before the first request


@step("A RingCentral that knows its limits is there")
def ringcentral(tale):
    tale.ringcentral = tale.world.simulator(environment=tale.place.trust)


@step("The AWS is there, and the gateway in it")
def aws(tale):
    tale.place.prepare(tale.ringcentral)


@step("The queue is what the template says, and so is its way to the dead letters", needs="template")
def queues(tale):
    queue, dead = tale.place.queue_attributes("events"), tale.place.queue_attributes("events-dlq")
    redrive = json.loads(queue["RedrivePolicy"])
    tale.world.equal(queue["VisibilityTimeout"], "180", "visibility of the queue")
    tale.world.equal(
        (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])), (dead["QueueArn"], 5), "redrive"
    )


@step("What the template does by the clock", needs="template")
def schedules(tale):
    kinds = ["AWS::Scheduler::Schedule", "AWS::Events::Rule"]
    found = [one["LogicalResourceId"] for one in tale.place.resources if one["ResourceType"] in kinds]
    tale.world.equal(found, ["RenewFunctionRenewal"], "schedules; each needs a step that tells of its effect")
    schedule = tale.place.schedule("trunkline-renew")
    tale.world.equal(
        (schedule["State"], schedule["ScheduleExpression"]), ("ENABLED", tale.place.renewal), "the schedule"
    )
    dead = tale.place.queue_attributes("schedules-dlq")["QueueArn"]
    tale.world.equal(schedule["Target"]["DeadLetterConfig"]["Arn"], dead, "its dead letters")
    tale.world.expect(schedule["Target"]["Arn"].endswith(":trunkline-renew:live"), "it passes the alias by")


@step("The tenant's secret is stored and a token issued")
def configure(tale):
    tale.place.configure(tale.ringcentral)
    tale.place.hide_for(VISIBILITY)
    tale.world.figure("visibility of the queue set to", f"{VISIBILITY} s, so that nobody waits three minutes")


# --- the API


def flipped(text):
    """The same with another first digit."""
    return ("0" if text[0] != "0" else "1") + text[1:]


def asked(tale):
    """What RingCentral was asked for by callers."""
    return {name: count for name, count in tale.ringcentral.requests().items() if name not in BY_THE_CLOCK}


@step("Without a token, or with a wrong one, nothing is told and RingCentral is not asked")
def refused(tale):
    place, before = tale.place, asked(tale)
    header, claims, signature = place.token.split(".")
    wrong = flipped(signature)
    missing, forged = place.refusals
    for path in ["/api/extensions", "/api/webhooks/events", "/api/platform/limits"]:
        for what, token, status in [("no", False, missing), ("a forged", f"{header}.{claims}.{wrong}", forged)]:
            answer = place.get(path, token=token)
            tale.world.equal(answer.status, status, f"{what} token for {path}")
            tale.world.expect(b"records" not in answer.body, f"{what} token for {path}: {answer}")
    tale.world.equal(asked(tale), before, "requests to RingCentral")


@step("They were refused at the door: the authorizer was asked, and no other function was woken", needs="door")
def door(tale):
    tale.world.equal({*tale.place.containers()} - {"renew"}, {"authorizer"}, "functions that were woken")


@step("An API call reaches RingCentral and comes back: everything is there, in lists and one by one")
def api_calls(tale):
    place, world = tale.place, tale.world
    health = place.get("/api/health?deep=true")
    world.equal((health.status, {*health.json["checks"].values()}), (200, {"ok"}), f"deep health ({health})")
    truth = {str(one["id"]): one for one in tale.ringcentral.extensions()}
    answer = place.get("/api/extensions?perPage=500")
    assert answer.status == 200, answer
    world.equal({str(one["id"]) for one in answer.json["records"]}, {*truth}, "ids of extensions")
    one = next(iter(truth))
    answer = place.get(f"/api/extensions/{one}")
    world.equal((answer.status, str(answer.json.get("id"))), (200, one), "one extension")
    world.figure("extensions", len(truth))


@step("A user is created once, however often it is asked for with one key; a wrong request reaches nobody")
def creation(tale):
    place, world, wanted = tale.place, tale.world, person()
    first, again = (place.post("/api/extensions", wanted, key="ada-1") for _ in range(2))
    world.equal((first.status, again.status), (201, 201), f"both creations ({first}, {again})")
    world.equal(again.headers.get("idempotency-replayed"), "true", "the second is a replay")
    world.equal(len(made(tale.ringcentral, wanted)), 1, "users in RingCentral")
    before = asked(tale)
    wrong = place.post("/api/extensions", {"type": "Robot", "contact": {"email": "ida"}})
    world.expect(wrong.status == 400 and wrong.is_problem and wrong.fields, f"a wrong request: {wrong}")
    world.equal(asked(tale), before, "requests to RingCentral")


@step("The pages that describe the API are served without a token")
def pages(tale):
    described, page = (tale.place.get(path, token=False) for path in ["/api/openapi.json", "/docs/index.html"])
    tale.world.equal((described.status, page.status), (200, 200), "the description and its page")
    with open(os.path.join(ROOT, "docs", "openapi.json"), encoding="utf-8") as checked_in:
        tale.world.equal({*described.json["paths"]}, {*json.load(checked_in)["paths"]}, "paths that are described")


# --- events


@step("A subscription is made; RingCentral's handshake reaches the receiver")
def subscription(tale):
    tale.subscription = tale.place.subscribe(*FILTERS)
    (known,) = tale.ringcentral.subscriptions()
    tale.world.equal(known["status"], "Active", "the subscription in RingCentral")
    tale.address = known["deliveryMode"]["address"]
    tale.world.expect(tale.address.startswith(f"{tale.place.url}/api/webhooks/events/"), f"address {tale.address}")
    tale.verification = tale.place.verification_token(tale.address)


@step("The subscription is brought near its end, which the schedule will find")
def near_its_end(tale):
    path = f"/api/webhooks/subscriptions/{tale.subscription['id']}/renew"
    shortened = tale.place.post(path, {"expiresIn": 3600})
    tale.world.equal((shortened.status, shortened.json["expiresIn"]), (200, 3600), "its life")
    tale.shortened_since = time.monotonic()


@step("Forty events, some twice and none in order, go through receiver, queue and dispatcher into the table, each once")
def events(tale):
    ordered = tale.ringcentral.make_events(40, duplicates=0.2, reorder=True, seed=7)
    poll("every notification was accepted", tale.ringcentral.settled)
    poll("every event is processed", settled(tale.place, ordered["distinct"]))
    tale.world.figure("events, and notifications of them", (ordered["distinct"], ordered["sends"]))
    compare(tale.world, tale.place, tale.ringcentral)


def envelope(uuid, session, sequence=1, party="p-1"):
    """A notification of a call, as RingCentral wraps it."""
    parties = [{"id": party, "status": {"code": "Answered"}}]
    body = {"telephonySessionId": session, "sequence": sequence, "parties": parties}
    return {"uuid": uuid, "event": CALLS, "subscriptionId": "by-hand", "body": body}


def deliver(tale, body, token=None, address=None):
    """What RingCentral would send, sent by us."""
    headers = {"Verification-Token": tale.verification if token is None else token}
    return call("POST", address or tale.address, body, headers)


def listed(tale, session):
    return [event["uuid"] for event in tale.place.events(f"&telephonySessionId={session}")]


@step("A forged delivery is refused, and nothing of it is stored")
def forged(tale):
    place, world = tale.place, tale.world
    base, tenant, subscription = tale.address.rsplit("/", 2)
    others = f"{base}/{tenant}/{flipped(subscription)}", f"{base}/other/{subscription}"
    cases = [
        ("no token", deliver(tale, envelope("forged-1", "s-forged"), "")),
        ("a token with one wrong digit", deliver(tale, envelope("forged-2", "s-forged"), flipped(tale.verification))),
        ("another subscription", deliver(tale, envelope("forged-3", "s-forged"), address=others[0])),
        ("another tenant", deliver(tale, envelope("forged-4", "s-forged"), address=others[1])),
    ]
    for what, answer in cases:
        world.equal(answer.status, 401, what)
    world.equal(place.aws.depth(), 0, "messages in the queue")
    # A good one that was sent later is through.
    world.equal(deliver(tale, envelope("good", "s-good")).status, 200, "a good delivery")
    poll("it is processed", lambda: listed(tale, "s-good") == ["good"])
    world.equal(listed(tale, "s-forged"), [], "forged events")


@step("A message nobody can read goes to the dead letters at once, with the reason")
def unreadable(tale):
    place = tale.place
    place.aws.ask("AmazonSQS.SendMessage", {"QueueUrl": place.queue("events"), "MessageBody": "{}"})
    poll("it is with the dead letters", place.dead_letters)
    tale.world.equal(place.dead_letters(), [("{}", "the message lacks a readable encoding")], "dead letters")


@step("A message that outgrows what a table takes does not hold up the others")
def outgrown(tale):
    # More than the receiver would take, so it comes by hand: letters in no order, which pack into three quarters.
    body = envelope("huge", "s-huge", party=base64.b64encode(random.Random(1).randbytes(450_000)).decode())
    known = {"tenant": "default", "receivedAt": str(time.time_ns() // 1_000_000), "requestId": "by-hand", "encoding": "text"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in known.items()}
    message = {"QueueUrl": tale.place.queue("events"), "MessageBody": json.dumps(body), "MessageAttributes": attributes}
    tale.place.aws.ask("AmazonSQS.SendMessage", message)
    tale.huge_since = time.monotonic()
    tale.world.equal(deliver(tale, envelope("after", "s-after")).status, 200, "a delivery after it")
    poll("what came after it is processed", lambda: listed(tale, "s-after") == ["after"])
    # It is put away at once. The stories of dispatchers that die begin when nothing of it is under way any more.
    poll("it is with the dead letters", lambda: len(tale.place.dead_letters()) == 2)
    tale.world.figure("put away after", f"{time.monotonic() - tale.huge_since:.1f} s")
    poll("the queue is empty", lambda: tale.place.aws.depth() == 0)


def processed_once(tale, session):
    """Its message comes again after its container died; when that is over the event has been processed, and once."""
    begun = time.monotonic()
    poll("it is processed", lambda: tale.place.get(f"/api/webhooks/sessions/{session}").status == 200)
    poll("its message is gone", lambda: tale.place.aws.depth() == 0)
    tale.world.figure("the message is gone after", f"{time.monotonic() - begun:.1f} s")
    state = tale.place.get(f"/api/webhooks/sessions/{session}").json
    tale.world.equal(listed(tale, session), [f"{session}-1"], "events of the call")
    tale.world.equal((state["eventsApplied"], state["sequence"]), (1, 1), "events folded into the call")


@step("The dispatcher is killed amid a message, before it could write: the message comes again and is processed")
def killed_before(tale):
    tale.place.die_amid(lambda: deliver(tale, envelope("s-early-1", "s-early")))
    tale.world.equal(listed(tale, "s-early"), [], "events of the call when its container died")
    processed_once(tale, "s-early")


@step("It is killed after it wrote, before it could say so: the message comes again and changes nothing", needs="late")
def killed_after(tale):
    tale.place.die_amid(lambda: deliver(tale, envelope("s-late-1", "s-late")), late=True)
    tale.world.equal(listed(tale, "s-late"), ["s-late-1"], "events of the call when its container died")
    processed_once(tale, "s-late")


# --- limits


@step("More lists than RingCentral allows: some are served, the others hear when to come back, and nobody is throttled")
def limits(tale):
    place, world = tale.place, tale.world
    with ThreadPoolExecutor(CONTAINERS) as callers:
        answers = list(callers.map(lambda _: place.get("/api/extensions?perPage=1"), range(70)))
    wrong = [answer for answer in answers if not acceptable(answer)]
    world.expect(not wrong, f"{len(wrong)} are neither a 200 nor a 429 with its time, such as {wrong[:1]}")
    served, told = (count(answers).get(status, 0) for status in (200, 429))
    window, stats = tale.ringcentral.window("medium"), tale.ringcentral.stats()
    world.figure("served, told to come back", (served, told))
    world.figure("largest window", f"{window['arrivals_largest_in_window']} of {window['limit']}")
    world.figure("processes that asked RingCentral", place.woken("extensions"))
    world.expect(served and told, "the burst proves nothing")
    world.equal(stats["throttled"], 0, "requests that RingCentral throttled")
    world.expect(window["arrivals_largest_in_window"] <= window["limit"], "the window is overdrawn")
    waits = [int(answer.headers["retry-after"]) for answer in answers if answer.status == 429]
    world.figure("Retry-After", f"{min(waits, default=0)} to {max(waits, default=0)} s")
    (medium,) = [one for one in place.get("/api/platform/limits").json["records"] if one["group"] == "medium"]
    world.equal(medium["foreign"], 0, "requests ascribed to other tools, of which there are none")


@step("The message that fits no table is with the dead letters, and says why; the queue is empty")
def redriven(tale):
    place, world = tale.place, tale.world
    world.equal(len(place.dead_letters()), 2, "dead letters")
    reasons = [reason for body, reason in place.dead_letters() if '"huge"' in body]
    world.expect(len(reasons) == 1 and reasons[0], f"why it is a dead letter: {reasons}")
    world.figure("the reason", reasons)
    poll("the queue is empty", lambda: place.aws.depth() == 0)
    world.equal(listed(tale, "s-huge"), [], "events of its call")
    world.expect("huge" not in {event["uuid"] for event in place.events()}, "what was only announced is listed")


# --- the clock


@step("A schedule fires: the subscription that was near its end lives longer, and is the same otherwise")
def fired(tale):
    def renewed():
        (known,) = tale.ringcentral.subscriptions()
        return known if known["expiresIn"] > RENEWED else None

    # Twice its interval, and what the emulator takes to look at its clock.
    known = poll("the subscription lives longer", renewed, bound=150, every=0.5)
    tale.world.figure("found renewed", f"{time.monotonic() - tale.shortened_since:.0f} s after it was near its end")
    same = ["id", "status", "eventFilters", "deliveryMode"]
    tale.world.equal([known[one] for one in same], [tale.subscription[one] for one in same], "the subscription")
    # The one that brought it near its end, and the one that the schedule made.
    tale.world.equal(tale.ringcentral.stats()["requests"]["updateSubscription"], 2, "renewals")


@step("A renewal that fails is tried again, and lies with the dead letters of schedules at last", needs="asynchronous")
def given_up(tale):
    place, world = tale.place, tale.world
    tried = tale.ringcentral.stats()["requests"]["listSubscriptions"]
    tale.ringcentral.fault("error", "listSubscriptions", status=400)
    place.wake("renew", "schedules-dlq")
    ((body, _),) = poll("it is with the dead letters", lambda: place.dead_letters("schedules-dlq"), every=0.3)
    tale.ringcentral.clear_faults()
    world.expect("default: the subscriptions can't be listed" in body, f"the dead letter: {body}")
    tries = tale.ringcentral.stats()["requests"]["listSubscriptions"] - tried
    # The schedule may have fired meanwhile.
    world.expect(tries in [3, 4], f"{tries} tries")


# --- what it leaves to be looked at


@step("Every function of the template has been woken", needs="template")
def woken(tale):
    kind = "AWS::Lambda::Function"
    wanted = {one["PhysicalResourceId"] for one in tale.place.resources if one["ResourceType"] == kind}
    tale.world.equal({f"trunkline-{name}" for name in tale.place.containers()}, wanted, "functions that were woken")


@step("A function's role opens what the function needs, and nothing else", needs="roles")
def roles(tale):
    place = tale.place
    names = ["receive", "dispatch", "authorizer", "extensions", "renew"]
    receiver, dispatcher, authorizer, extensions, renewal = (place.as_function(name) for name in names)
    tenant, auth = ({"SecretId": f"trunkline/{name}"} for name in ["tenants/default", "auth"])
    queue, dead = ({"QueueUrl": place.queue(name)} for name in ["events", "events-dlq"])
    given_up = {"QueueUrl": place.queue("schedules-dlq"), "MessageBody": "{}"}
    table = {"TableName": "trunkline-events"}
    cases = [
        ("receiver", receiver, "secretsmanager.GetSecretValue", tenant, True),
        ("receiver", receiver, "secretsmanager.GetSecretValue", auth, False),
        ("receiver", receiver, "AmazonSQS.ReceiveMessage", queue, False),
        ("receiver", receiver, "AmazonSQS.SendMessage", {**dead, "MessageBody": "{}"}, False),
        ("receiver", receiver, "DynamoDB_20120810.Scan", table, False),
        # These three by Lambda, which polls the queue in its name.
        ("dispatcher", dispatcher, "AmazonSQS.GetQueueAttributes", {**queue, "AttributeNames": ["All"]}, True),
        ("dispatcher", dispatcher, "AmazonSQS.ReceiveMessage", queue, True),
        ("dispatcher", dispatcher, "AmazonSQS.DeleteMessage", {**queue, "ReceiptHandle": "none"}, True),
        ("dispatcher", dispatcher, "AmazonSQS.SendMessage", {**queue, "MessageBody": "{}"}, False),
        ("dispatcher", dispatcher, "DynamoDB_20120810.Scan", table, False),
        ("dispatcher", dispatcher, "secretsmanager.GetSecretValue", tenant, False),
        ("authorizer", authorizer, "secretsmanager.GetSecretValue", auth, True),
        ("authorizer", authorizer, "secretsmanager.GetSecretValue", tenant, False),
        ("extensions", extensions, "DynamoDB_20120810.Scan", {"TableName": "trunkline-windows"}, True),
        ("extensions", extensions, "DynamoDB_20120810.Scan", table, False),
        ("extensions", extensions, "AmazonSQS.SendMessage", {**queue, "MessageBody": "{}"}, False),
        # By Lambda, which leaves there what failed.
        ("renewal", renewal, "AmazonSQS.SendMessage", given_up, True),
        ("renewal", renewal, "AmazonSQS.SendMessage", {**queue, "MessageBody": "{}"}, False),
        ("renewal", renewal, "secretsmanager.GetSecretValue", tenant, True),
        ("renewal", renewal, "secretsmanager.GetSecretValue", auth, False),
        ("renewal", renewal, "DynamoDB_20120810.Scan", table, False),
    ]
    for who, aws, target, body, allowed in cases:
        answer = aws.attempt(target, body)
        refused = "AccessDenied" in answer.body.decode()
        tale.world.expect(answer.status < 500 and refused != allowed, f"{who}, {target}, {body}: {answer}")
    tale.world.figure("allowed, refused", (sum(case[4] for case in cases), sum(not case[4] for case in cases)))


@step("Every line that a function wrote is JSON with time and level, as the template promises Lambda", needs="logs")
def logs(tale):
    written = tale.place.logged()
    for function, lines in written.items():
        for line in lines:
            try:
                known = json.loads(line)
                holds = known["timestamp"] and known["level"] in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
            except (ValueError, KeyError, TypeError):
                holds = False
            tale.world.expect(holds, f"{function}: {line[:200]}")
    tale.world.figure("lines by function", {function: len(lines) for function, lines in sorted(written.items())})
