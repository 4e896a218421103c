"""The world of one story: a temporary folder and everything that was started in it."""

import os
import shutil
import tempfile
import time

from .gateway import Gateway
from .relay import Relay
from .simulator import Simulator


def poll(what, condition, bound=60.0, every=0.05):
    """Waits until the condition gives something true, and returns that."""
    deadline = time.monotonic() + bound
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {bound:.0f} s: {what} (last: {value!r})")
        time.sleep(every)


class World:
    """Starts things, notes figures and complaints, and leaves nothing behind."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="trunkline-e2e-")
        self.figures, self.complaints, self._things = [], [], []

    def figure(self, name, value):
        """A number worth reading."""
        self.figures.append((name, value))

    def expect(self, holds, complaint):
        """Notes a complaint and goes on: one story shows all that is wrong, not only the first."""
        if not holds:
            self.complaints.append(str(complaint))
        return bool(holds)

    def equal(self, actual, wanted, what):
        """Expects two values to be the same."""
        return self.expect(actual == wanted, f"{what}: {actual!r} instead of {wanted!r}")

    def simulator(self, **options):
        """A RingCentral in a process of its own."""
        return self.keep(Simulator(self._folder("ringcentral"), **options)).start()

    def gateway(self, **options):
        """A gateway, with its own simulator unless `ringcentral` names another, ready to answer."""
        return self.keep(Gateway(self._folder("gateway"), **options)).start()

    def relay(self):
        """A public address in front of a gateway that keeps what passes through it."""
        return self.keep(Relay())

    def folder_of(self, name):
        return self._folder(name)

    def logs(self):
        """The end of every log, for whoever has to find out why."""
        for thing in self._things:
            for process in getattr(thing, "processes", []):
                lines = [line for line in process.logged().splitlines() if '"INFO"' not in line]
                if lines:
                    yield process.name, lines[-12:]

    def close(self):
        for thing in reversed(self._things):
            thing.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, thing):
        """Has it stopped when the story is over."""
        self._things.append(thing)
        return thing

    def _folder(self, name):
        folder = os.path.join(self.folder, f"{name}-{len(self._things)}")
        os.makedirs(folder, exist_ok=True)
        return folder
