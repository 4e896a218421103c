"""A gateway process and its API."""

import os
import time

from .aws import Aws
from .processes import TRUNKLINE, Process, free_port
from .simulator import Admin
from .wire import call


class Gateway:
    """One `trunkline` process; started again, it has the same port and the same data."""

    def __init__(
        self, folder, ringcentral=None, aws=None, clock=None, seed=None, public_url=None, environment=None, port=None
    ):
        self.folder, self.processes = folder, []
        self.data = os.path.join(folder, "data")
        self.port = free_port() if port is None else port
        # A story that lets RingCentral fail at will would open the circuit; the one about the circuit closes it again.
        self.environment = {"CIRCUIT_BREAKER_THRESHOLD": "100000", **(environment or {})}
        self.options = ["--port", str(self.port), "--data", self.data]
        for name, value in [
            ("--ringcentral", ringcentral),
            ("--aws", aws),
            ("--simulator-clock", clock),
            ("--simulator-seed", seed),
            ("--public-url", public_url),
        ]:
            if value is not None:
                self.options += [name, str(value)]

    def start(self):
        """Starts the process and waits for the first 200 of its health check."""
        begun = time.monotonic()
        process = Process("trunkline", [TRUNKLINE, *self.options], self.folder, self.environment)
        self.processes.append(process)
        self.url = process.url()
        while True:
            try:
                if call("GET", f"{self.url}/api/health", bound=10).status == 200:
                    break
            except OSError:
                pass
            if not process.running() or time.monotonic() > begun + 60:
                raise AssertionError(f"the gateway is not healthy: {process.logged()[-2000:]}")
            time.sleep(0.02)
        self.seconds_to_ready = time.monotonic() - begun
        return self

    @property
    def process(self):
        return self.processes[-1]

    def kill(self):
        self.process.kill()

    def stop(self):
        for process in self.processes:
            process.kill()

    @property
    def token(self):
        return self.kept("dev-token")

    @property
    def aws(self):
        """The AWS it works with."""
        return Aws(self.kept("aws-endpoint"), self.kept("aws-access-key"))

    def kept(self, name):
        """What stands in a file of its data folder."""
        with open(os.path.join(self.data, name), encoding="ascii") as text:
            return text.read().strip()

    @property
    def ringcentral(self):
        """The simulator in its own process, found beside its data."""
        return Admin(self.kept("simulator-endpoint"))

    def call(self, method, path, body=None, headers=None, token=True, bound=60):
        """A request to the API, with the development token unless another one, or none, is wanted."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {self.token if token is True else token}"
        return call(method, self.url + path, body, headers, bound)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, key=None, **more):
        headers = {**more.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        return self.call("POST", path, body, headers=headers, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def subscribe(self, *filters, **more):
        """A subscription to these event filters, all of the account's."""
        answer = self.post("/api/webhooks/subscriptions", {"eventFilters": list(filters), **more})
        assert answer.status == 201, answer
        return answer.json

    def events(self, query="", per_page=500):
        """Every processed event, page by page."""
        records, token = [], ""
        while True:
            more = f"&pageToken={token}" if token else ""
            answer = self.get(f"/api/webhooks/events?perPage={per_page}{query}{more}")
            assert answer.status == 200, answer
            records += answer.json["records"]
            token = answer.json["navigation"].get("nextPageToken")
            if not token:
                return records
