"""A network that fails on demand: a TCP proxy in front of an HTTP server."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

CHUNK = 1 << 16
ERRORS = {  # in the words of S3; other clients read the status only
    500: "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
    503: "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    403: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
}


class FaultyProxy:
    """Passes everything on until a fault is set; a fault affects existing connections, too.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        given: How often the fault occurred.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.given = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.heal()
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, status, *, times=None, after=b""):
        """Answers itself, starting with the request that holds ``after``: until healed, or ``times`` times."""
        self._fail(lambda client, request: self._respond(client, request, status), times, after)

    def cut(self, *, times=None, after=b""):
        """Closes every connection without an answer."""
        self._fail(lambda client, request: None, times, after)

    def delay(self, seconds, *, times=None, after=b""):
        """Keeps requests waiting, then closes their connections."""
        self._fail(lambda client, request: time.sleep(seconds), times, after)

    def heal(self):
        """Passes everything on again."""
        with self._lock:
            self._fault, self._times, self._after = None, None, b""

    def close(self):
        self._listener.close()
        self._drop()

    def _fail(self, fault, times, after):
        with self._lock:
            self._fault, self._times, self._after, self.given = fault, times, after, 0
        if not after:
            self._drop()

    def _drop(self):
        with self._lock:
            dropped, self._open = self._open, set()
        for one in dropped:
            _close(one)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._to)) as server:
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()
            while data := client.recv(CHUNK):
                if fault := self._due(data):
                    fault(client, data)
                    break
                server.sendall(data)
        _close(client)
        with self._lock:
            self._open -= {client, server}

    def _due(self, data):
        """The fault, if it applies to these bytes of a request."""
        with self._lock:
            if self._fault is None or self._after not in data or self._times == 0:
                return None
            if self._times is None:
                self._after = b""
            else:  # the same request again: libraries retry silently on a connection that they had before
                self._after = data.split(b"\r\n", 1)[0]
                self._times -= 1
            self.given += 1
            return self._fault

    @staticmethod
    def _respond(client, request, status):
        body = b"" if request.startswith(b"HEAD ") else ERRORS[status].encode()
        head = f"HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(0.5)  # reads the body first: otherwise the client would see a reset instead of the answer
        while client.recv(CHUNK):
            pass


def _pass_on(source, sink):
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    _close(sink)


def _close(one):
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def faulty_proxy(to: int):
    """A proxy to a port of this machine."""
    proxy = FaultyProxy(to)
    try:
        yield proxy
    finally:
        proxy.close()
