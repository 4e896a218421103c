"""A public address in front of a gateway: it passes everything on and keeps what RingCentral sent."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .wire import call

PASSED_ON = ["content-type", "validation-token", "verification-token", "user-agent", "accept"]


class Relay:
    """Listens before the gateway exists; `gateway` is told later."""

    def __init__(self):
        relay = self
        self.gateway, self.deliveries = None, []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {n: self.headers[n] for n in PASSED_ON if self.headers[n] is not None}
                relay.deliveries.append((self.path, headers, body))
                answer = call("POST", relay.gateway.url + self.path, body, headers)
                self.send_response(answer.status)
                for name in ["content-type", "validation-token"]:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def seen(self):
        """Path and verification token of the first delivery that had one."""
        for path, headers, _ in self.deliveries:
            if "verification-token" in headers:
                return path, headers["verification-token"]
        return None

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
