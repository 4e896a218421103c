"""Extensions, users and sites through the whole stack; RingCentral's own truth is the judge."""

import json

from support import story
from support.people import person


def without_hosts(value, host):
    """RingCentral's links without its address, which differs between its answer and its truth."""
    return json.loads(json.dumps(value).replace(host, ""))


def differences(one, other, path=""):
    """The paths at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if key not in one or key not in other:
                yield f"{path}/{key}"
            else:
                yield from differences(one[key], other[key], f"{path}/{key}")
    elif one != other or type(one) is not type(other):
        yield path


def agree(world, what, ringcentral, answer):
    """The answer is RingCentral's record, field by field."""
    truth = ringcentral.extension(answer.json["id"])
    differ = list(differences(without_hosts(answer.json, ringcentral.url), truth))
    world.expect(not differ, f"{what}: the answer differs from RingCentral's record at {differ}")
    return truth


@story("The life of an extension")
def life(world):
    gateway = world.gateway()
    ringcentral, count = gateway.ringcentral, len(gateway.ringcentral.extensions())
    wanted = person()
    created = gateway.post("/api/extensions", wanted)
    world.equal(created.status, 201, f"creation ({created})")
    one = created.json["id"]
    world.expect(isinstance(one, int), f"the id {one!r} is RingCentral's, an integer")
    truth = agree(world, "creation", ringcentral, created)
    world.equal([truth["contact"][k] for k in wanted["contact"]], list(wanted["contact"].values()), "contact")
    world.equal(len(ringcentral.extensions()), count + 1, "extensions after the creation")
    agree(world, "read", ringcentral, gateway.get(f"/api/extensions/{one}"))
    moved = gateway.put(f"/api/extensions/{one}/number", {"extensionNumber": "7311"})
    world.equal(
        (moved.status, agree(world, "renumbering", ringcentral, moved)["extensionNumber"]), (200, "7311"), "number"
    )
    change = {"contact": {"lastName": "Byron", "jobTitle": "Countess"}, "notes": {"deep": [1, {"x": None}, "ü"]}}
    changed = gateway.put(f"/api/extensions/{one}", change)
    truth = agree(world, "update", ringcentral, changed)
    contact = truth["contact"]
    world.equal(
        (contact["lastName"], contact["jobTitle"], contact["firstName"]), ("Byron", "Countess", "Ada"), "contact"
    )
    world.equal(truth.get("notes"), change["notes"], "a field that nobody knows")
    gone = gateway.delete(f"/api/extensions/{one}?savePhoneNumbers=true")
    world.equal((gone.status, gone.body), (204, b""), "deletion")
    world.equal(ringcentral.extension(one), None, "RingCentral's record after the deletion")
    world.equal((gateway.get(f"/api/extensions/{one}")).problem, "not-found", "read after the deletion")
    world.equal(gateway.delete(f"/api/extensions/{one}").problem, "not-found", "second deletion")
    world.equal(len(ringcentral.extensions()), count, "extensions in the end")
    taken = gateway.post("/api/extensions", {**person(), "extensionNumber": "101"})
    world.equal((taken.status, taken.problem), (400, "ringcentral-refused"), f"a number that is taken ({taken})")
    world.equal((taken.json.get("code"), taken.fields), ("CMN-406", ["extensionNumber"]), "what RingCentral said")
    world.expect(taken.json.get("ringcentralRequestId"), f"no RCRequestId in {taken}")


@story("Every extension comes back whole, in lists and alone, unknown fields included")
def whole(world):
    ringcentral = world.simulator(limits=False, clock=60)
    gateway = world.gateway(ringcentral=ringcentral.url)
    truth = {one["id"]: one for one in ringcentral.extensions()}
    listed = gateway.get("/api/extensions?perPage=1000").json["records"]
    world.equal(sorted(one["id"] for one in listed), sorted(truth), "ids")
    differ = {one["id"]: list(differences(without_hosts(one, ringcentral.url), truth[one["id"]])) for one in listed}
    differ = {k: v for k, v in differ.items() if v}
    world.expect(not differ, f"records that are not whole: {differ}")
    odd = [one for one in listed if "holographicDesk" in one]
    world.figure("records, and those with unknown fields", (len(listed), len(odd)))
    world.expect(odd, "there is no record with unknown fields")
    for one in odd[:5]:
        agree(world, f"read of {one['id']}", ringcentral, gateway.get(f"/api/extensions/{one['id']}"))
    own = gateway.get("/api/extensions/~")
    world.equal(own.status, 200, f"the service user's own extension ({own})")


def walk(world, gateway, path):
    """Follows nextPage to the end, and every other link once."""
    pages, link, seen = [], path, set()
    while link and len(pages) < 50:
        answer = gateway.get(link)
        if not world.equal(answer.status, 200, f"GET {link} ({answer})"):
            break
        pages.append(answer.json)
        links = {name: one["uri"] for name, one in answer.json.get("navigation", {}).items()}
        for name, uri in links.items():
            world.expect(uri.startswith("/api/"), f"{name} of {link} leads away from this gateway: {uri}")
            if uri not in seen and name != "nextPage":
                seen.add(uri)
                there = gateway.get(uri)
                world.equal(there.status, 200, f"{name} of {link}: GET {uri} ({there})")
        link = links.get("nextPage")
    return pages


@story("Lists are paged by links that stay on this gateway, and filters filter")
def pages(world):
    ringcentral = world.simulator(limits=False, clock=60)
    gateway = world.gateway(ringcentral=ringcentral.url)
    truth = ringcentral.extensions()

    def wanted(**fields):
        return sorted(one["id"] for one in truth if all(one.get(k) in v for k, v in fields.items()))

    mail = truth[3]["contact"]["email"]
    for path, ids in {
        "/api/extensions?perPage=30": wanted(),
        "/api/extensions": wanted(),
        "/api/extensions?type=Department&perPage=7": wanted(type=["Department"]),
        "/api/extensions?type=Department&type=IvrMenu&perPage=5": wanted(type=["Department", "IvrMenu"]),
        "/api/extensions?type=Department,IvrMenu&status=Enabled": wanted(
            type=["Department", "IvrMenu"], status=["Enabled"]
        ),
        "/api/extensions?status=Disabled,NotActivated&perPage=3": wanted(status=["Disabled", "NotActivated"]),
        "/api/extensions?extensionNumber=103": wanted(extensionNumber=["103"]),
        f"/api/extensions?email={mail}": [truth[3]["id"]],
        "/api/extensions?extensionNumber=99999999": [],
        "/api/users?perPage=40": wanted(type=["User"]),
        "/api/users?status=Enabled&perPage=40": wanted(type=["User"], status=["Enabled"]),
    }.items():
        found = [one["id"] for page in walk(world, gateway, path) for one in page["records"]]
        world.equal(len(found), len({*found}), f"{path}: records, and how many of them differ")
        world.expect(sorted(found) == ids, f"{path}: {len(found)} records instead of {len(ids)}")
    sites = [one["name"] for page in walk(world, gateway, "/api/sites") for one in page["records"]]
    world.equal(sorted(sites), sorted(one["name"] for one in ringcentral.sites()), "sites")
    created = gateway.post("/api/sites", {"name": "Harbour", "extensionNumber": "7400", "siteAccess": "Limited"})
    world.equal(created.status, 201, f"creation of a site ({created})")
    found = [one for one in ringcentral.sites() if one["name"] == "Harbour"]
    world.equal([one["id"] for one in found], [created.json["id"]], "the new site")
    world.equal(list(differences(without_hosts(created.json, ringcentral.url), found[0])), [], "its fields")
