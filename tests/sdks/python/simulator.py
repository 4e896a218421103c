"""The simulator's own word, from its admin endpoints: what exists, and events on demand."""

import json
import os
import urllib.request

URL = os.environ["SIMULATOR_URL"] + "/_sim"
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["SIMULATOR_ADMIN_KEY"]}


def extensions():
    return {str(extension["id"]) for extension in _ask("/truth")["extensions"]}


def calls():
    return {call["id"] for call in _ask("/truth/calls")}


def trigger(count):
    """Makes `count` events for every subscription, some of them sent twice, and returns their ids."""
    order = json.dumps({"count": count, "duplicates": 0.2, "reorder": True}).encode()
    return set(_ask("/events", order)["uuids"])


def _ask(path, body=None):
    request = urllib.request.Request(URL + path, body, HEADERS)
    with urllib.request.urlopen(request) as response:
        return json.load(response)
