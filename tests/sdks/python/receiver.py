"""A webhook receiver on loopback: it answers RingCentral's handshake and keeps every delivery."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    def __init__(self):
        self.handshakes = 0
        self.deliveries = []  # (verification token, event)
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                validation = self.headers.get("Validation-Token")
                receiver._received(validation, self.headers.get("Verification-Token"), body)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                if validation:
                    self.send_header("Validation-Token", validation)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _received(self, validation, verification, body):
        with self._changed:
            if validation:
                self.handshakes += 1
            else:
                self.deliveries.append((verification, json.loads(body)))
            self._changed.notify_all()

    def wait_for(self, count, seconds=30):
        """Returns the deliveries as soon as there are `count` different events among them."""

        def arrived():
            return len({event["uuid"] for _, event in self.deliveries})

        with self._changed:
            if not self._changed.wait_for(lambda: arrived() >= count, timeout=seconds):
                raise AssertionError(f"{arrived()} of {count} events arrived within {seconds} s")
            return list(self.deliveries)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
