"""Several gateway processes over one AWS, as a fleet of containers would be."""

import collections
import time

from .wire import at_once


def fleet(world, size, **options):
    """The first one brings the AWS and the credentials in it, the others share them."""
    first = world.gateway(**options)
    environment = {name: value for name, value in options.get("environment", {}).items() if name[:3] != "RC_"}
    return [first] + [world.gateway(aws=first.aws.url, environment=environment) for _ in range(size - 1)]


def burst(world, gateways, count, path="/api/extensions"):
    """That many reads at once, spread over the gateways; each must succeed or be told when to come back."""
    jobs = [lambda g=gateways[index % len(gateways)]: g.get(path) for index in range(count)]
    tokens = [gateway.token for gateway in gateways]
    assert all(tokens)
    answers = at_once(jobs)
    wrong = [answer for answer in answers if not acceptable(answer)]
    world.expect(not wrong, f"{len(wrong)} of {count} are neither a 200 nor a 429 with its time, such as {wrong[:1]}")
    return answers


def acceptable(answer):
    if isinstance(answer, Exception):
        return False
    if answer.status == 200:
        return True
    waits = answer.headers.get("retry-after", "")
    return answer.status == 429 and answer.is_problem and waits.isdigit() and int(waits) > 0


def until_served(world, gateways, count, bound, path="/api/extensions"):
    """The same, and whoever is told to wait asks again afterwards; returns the seconds and the requests it took."""
    begun, asked = time.monotonic(), 0
    waiting = [gateways[index % len(gateways)] for index in range(count)]
    while waiting:
        assert time.monotonic() - begun < bound, f"{len(waiting)} of {count} not served within {bound} s"
        answers = at_once(lambda g=g: g.get(path) for g in waiting)
        asked += len(answers)
        wrong = [answer for answer in answers if not acceptable(answer)]
        assert not wrong, wrong[0]
        again = [(g, int(a.headers["retry-after"])) for g, a in zip(waiting, answers) if a.status == 429]
        if again:
            time.sleep(min(wait for _, wait in again))
        waiting = [gateway for gateway, _ in again]
    return time.monotonic() - begun, asked


def count(answers):
    """Answers by status."""
    return dict(collections.Counter(getattr(answer, "status", type(answer).__name__) for answer in answers))
