"""A small HTTP client: JSON by default, raw bytes on demand, many requests at once."""

import http.client
import json
import socket
import threading
from urllib.parse import urlsplit


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_problem(self):
        """A problem document whose status is that of the answer."""
        if self.headers.get("content-type") != "application/problem+json":
            return False
        document = self.json
        return document.get("status") == self.status and bool(document.get("title"))

    @property
    def problem(self):
        """The stable name of the problem, or an empty text."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return self.json.get("type", "").removeprefix("urn:trunkline:problem:")

    @property
    def fields(self):
        """The fields that are said to be wrong."""
        try:
            return [error["field"] for error in self.json.get("errors", [])]
        except (ValueError, AttributeError):
            return []

    def __repr__(self):
        return f"{self.status} {self.body[:240].decode('utf-8', 'replace')}"


def call(method, url, body=None, headers=None, bound=60):
    """One request on a connection of its own. Bytes are sent as they are, anything else as JSON."""
    target = urlsplit(url)
    path = target.path + (f"?{target.query}" if target.query else "")
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, bytearray)):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(target.hostname, target.port, timeout=bound)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def at_once(jobs):
    """Carries all jobs out at the same time; returns what they returned, or the exception they ended with."""
    jobs = list(jobs)
    results, gate = [None] * len(jobs), threading.Barrier(len(jobs))

    def work(index, job):
        gate.wait()
        try:
            results[index] = job()
        except Exception as error:  # the story judges it
            results[index] = error

    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def raw(url, data, bound=20):
    """Sends bytes and returns every byte that comes back until the other side ends the connection."""
    target = urlsplit(url)
    received = b""
    with socket.create_connection((target.hostname, target.port), timeout=bound) as line:
        try:
            line.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # an early refusal: its answer is there to be read
        try:
            while piece := line.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
    return received
