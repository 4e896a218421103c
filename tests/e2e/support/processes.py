"""Child processes with an environment of our choice, none of which outlives the suite."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def binary(variable, name):
    """A binary from the environment, else the one of a debug build."""
    path = os.path.realpath(os.environ.get(variable) or os.path.join(ROOT, "target", "debug", name))
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is missing: build it, or set {variable}")
    return path


TRUNKLINE = binary("TRUNKLINE", "trunkline")
SIMULATOR = binary("SIMULATOR", "ringcentral-simulator")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def die_with_parent():
    """Even if the suite itself is killed, nothing it started goes on (Linux only)."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (AttributeError, OSError):
        pass


class Process:
    """A child whose output goes to files in its folder."""

    def __init__(self, name, command, folder, environment=None):
        self.name, self.folder = name, folder
        os.makedirs(folder, exist_ok=True)
        self.started = time.monotonic()
        # Nothing is inherited but the path: neither credentials nor proxies nor somebody's AWS.
        clean = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "RUST_BACKTRACE": "1"}
        self._out = open(os.path.join(folder, f"{name}.out"), "ab")
        self._err = open(os.path.join(folder, f"{name}.err"), "ab")
        self._from = self._out.tell()
        self.child = subprocess.Popen(
            command,
            cwd=folder,
            env={**clean, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
            preexec_fn=die_with_parent if threading.current_thread() is threading.main_thread() else None,
        )

    def printed(self):
        """What this run has printed so far."""
        with open(self._out.name, encoding="utf-8", errors="replace") as text:
            text.seek(self._from)
            return text.read()

    def logged(self):
        """Everything it has logged, earlier runs in the same folder included."""
        with open(self._err.name, encoding="utf-8", errors="replace") as text:
            return text.read()

    def url(self, pattern=r"http://127\.0\.0\.1:\d+", bound=30):
        """The first URL it prints."""
        deadline = time.monotonic() + bound
        while time.monotonic() < deadline:
            found = re.search(pattern, self.printed())
            if found:
                return found.group()
            if self.child.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.child.returncode}: {self.logged()[-2000:]}")
            time.sleep(0.02)
        raise AssertionError(f"{self.name} printed no URL within {bound} s")

    def running(self):
        return self.child.poll() is None

    def memory(self):
        """Resident memory in MB."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as lines:
            found = re.search(r"VmRSS:\s+(\d+) kB", lines.read())
        return int(found.group(1)) / 1024

    def kill(self):
        """SIGKILL: no goodbye."""
        if self.running():
            self.child.kill()
        self.child.wait()
        self._out.close()
        self._err.close()

    def terminate(self, bound=20):
        """SIGTERM; returns the exit code."""
        self.child.terminate()
        return self.child.wait(bound)
