"""A simulated RingCentral and its admin API."""

import time
from urllib.parse import urlsplit

from .processes import SIMULATOR, Process, free_port
from .wire import call


class Admin:
    """The `/_sim` endpoints of a simulator, wherever it runs. Its URL carries their key."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.url, self.key = f"{parts.scheme}://{parts.hostname}:{parts.port}", parts.password

    def ask(self, path, method="GET", body=None):
        answer = self._call(method, path, body)
        assert answer.status < 300, answer
        return answer.json if answer.body else None

    def _call(self, method, path, body=None):
        return call(method, f"{self.url}/_sim/{path}", body, {"Authorization": f"Bearer {self.key}"})

    def stats(self):
        return self.ask("stats")

    def requests(self):
        """Requests by operation, those that only look at the API's versions aside."""
        return {name: count for name, count in self.stats()["requests"].items() if name != "readAPIVersions"}

    def window(self, group):
        """The busiest bucket of a group."""
        buckets = [bucket for bucket in self.stats()["buckets"] if bucket["group"] == group]
        return max(buckets, key=lambda bucket: bucket["accepted"], default=None)

    def extensions(self):
        return self.ask("truth")["extensions"]

    def sites(self):
        return self.ask("truth")["sites"]

    def extension(self, number):
        """The extension with this id, or none."""
        answer = self._call("GET", f"truth/extensions/{number}")
        return answer.json if answer.status == 200 else None

    def events(self):
        return self.ask("truth/events")

    def subscriptions(self):
        return self.ask("truth/subscriptions")

    def make_events(self, count, **more):
        return self.ask("events", "POST", {"count": count, **more})

    def send_event(self, event, body, sends=1):
        return self.ask("events/raw", "POST", {"event": event, "body": body, "sends": sends})["uuids"]

    def fault(self, kind, operation=None, **more):
        """Something that shall go wrong from now on."""
        matching = {"operation": operation} if operation else {}
        return self.ask("faults", "POST", {"kind": kind, "match": matching, **more})["id"]

    def clear_faults(self):
        self.ask("faults", "DELETE")

    def limits(self, **change):
        return self.ask("limits", "POST", change)

    def settled(self):
        """Whether every notification was accepted or given up."""
        status = self.ask("events/status")
        return status if status["pending"] == 0 else None


class Simulator(Admin):
    """A simulator process; started again, it has the same port and a clean world."""

    def __init__(self, folder, clock=1, seed=1, limits=True, extensions=200, environment=None):
        self.folder, self.processes, self.environment = folder, [], environment
        self.options = ["--port", str(free_port()), "--clock", str(clock), "--seed", str(seed)]
        self.options += ["--extensions", str(extensions), "--calls", "200", "--messages", "100"]
        self.options += [] if limits else ["--no-limits"]

    def start(self):
        process = Process("simulator", [SIMULATOR, *self.options], self.folder, self.environment)
        self.processes.append(process)
        super().__init__(process.url(r"http://admin:\w+@127\.0\.0\.1:\d+"))
        deadline = time.monotonic() + 30
        while True:
            try:
                self.stats()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def kill(self):
        self.processes[-1].kill()

    def stop(self):
        for process in self.processes:
            process.kill()
