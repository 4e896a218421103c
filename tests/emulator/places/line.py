"""The line between the functions and their tables. It passes everything on, and holds what it is asked to hold."""

import http.client
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        if not isinstance(sys.exc_info()[1], OSError):  # which is a container that died
            super().handle_error(*_)


class Line:
    """Listens with TLS in front of an AWS endpoint."""

    def __init__(self, certificates, behind):
        self._behind = urlsplit(behind).netloc
        self._trust = ssl.create_default_context(cafile=certificates.authority)
        self._target, self._late, self._having = None, False, b""
        self._held, self._released = threading.Event(), threading.Event()
        self._face = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._face.load_cert_chain(certificates.certificate, certificates.key)
        self._server = Server(("127.0.0.1", 0), self._handler())
        self.url = f"https://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hold(self, target, late=False, having=b""):
        """From now on requests of this target that have this in their body go no further. With `late` they do, and their
        answers don't come back."""
        self._held.clear()
        self._released.clear()
        self._late, self._having, self._target = late, having, target

    def held(self):
        """Whether a request, or its answer, is being held."""
        return self._held.is_set()

    def release(self):
        """Drops what is held and passes everything on again."""
        self._target = None
        self._released.set()

    def stop(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def _handler(line):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                self._on = None
                # In the connection's own thread: a handshake that hangs keeps nobody else from connecting.
                self.request = line._face.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                if self._on:
                    self._on.close()
                super().finish()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                held = line._target is not None and self.headers.get("X-Amz-Target") == line._target
                held = held and line._having in body
                if held and not line._late:
                    return self.drop()
                status, headers, answer = self.passed_on(body)
                if held:
                    return self.drop()
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def drop(self):
                line._held.set()
                line._released.wait()
                self.close_connection = True

            def passed_on(self, body):
                """The answer to this request. `Host` is passed on, which is signed, and the answer's `Date`, which is heard."""
                if self._on is None:
                    self._on = http.client.HTTPSConnection(line._behind, timeout=60, context=line._trust)
                self._on.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in HOP:
                        self._on.putheader(name, value)
                self._on.putheader("Content-Length", str(len(body)))
                self._on.endheaders(body)
                answer = self._on.getresponse()
                return answer.status, answer.getheaders(), answer.read()

            def log_message(self, *_):
                pass

        return Handler
