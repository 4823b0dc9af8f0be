"""One client's connection: HTTP/1.1, with bounds to what it may send and for how long it may take.

uvicorn has none for the head of a request, for what is pipelined, or for a client that neither
sends nor reads. Behind a front end of Google's hardly anyone gets here who needs them; elsewhere
everybody does, before a key has been looked at.
"""

import math
import re
from asyncio import Transport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.cycle import Cycle

#: Bytes of a request's head, or of whatever else in it is no body: the ends of chunks, trailers.
LARGEST_HEAD = 64 * 1024
MOST_HEADERS = 200
#: Requests that may wait on a connection for their predecessor's answer.
MOST_PIPELINED = 8
#: Bytes of a body that buy another second.
SLOWEST = 16 * 1024

_UPGRADE = re.compile(rb"(\r\n)upgrade(:[ \t]*h2c)", re.IGNORECASE)


#: Where the scope has the `Client` that asks, among ASGI's extensions.
_EXTENSION = "gateway.client"


class Client:
    """Who is at the other end of a connection."""

    __slots__ = ("_transport", "has_left", "is_slow", "on_leaving")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.has_left = False
        #: Whether it has left so much unread that whoever sends more has to wait.
        self.is_slow = False
        #: Called once when it has.
        self.on_leaving: Callable[[], None] | None = None

    def write_more(self, body: bytes) -> None:
        """Do what ASGI's `send` does in mid-answer for a client that is not slow, but at once."""
        try:
            self._transport.write(b"%x\r\n%b\r\n" % (len(body), body))
        except RuntimeError:
            self.is_slow = True  # uvloop's, in the turn in which it left: the news follows

    def leave(self) -> None:
        self.has_left = self.is_slow = True
        if self.on_leaving is not None:
            self.on_leaving()


def client_of(scope: Any) -> Client:
    """Return who asks, by ASGI's scope: to wait for a message that it has left costs a task."""
    client: Client = scope["extensions"][_EXTENSION]
    return client


class _RefusedError(Exception):
    """Ends the parser's work; uvicorn takes it for a fault in the request."""


class Protocol(HttpToolsProtocol):
    """What a client says is counted once for each read, and looked at by the clock in `look`."""

    #: Beyond thirty, Python would give each connection's attributes a table of their own: 1 kB.
    __slots__ = (
        "_deaf",
        "_raw",
        "_reading_since",
        "_received",
        "_taken_at",
        "_too_large",
        "_unsent",
    )

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        now = self.loop.time()
        self._client = Client(transport)
        #: When what is being read began to come; None between requests.
        self._reading_since: float | None = now
        #: Bytes of its body so far.
        self._received = 0
        #: Bytes of which nothing has been made yet.
        self._raw = 0
        self._too_large = False
        #: Whether nothing is listened to any more.
        self._deaf = False
        #: Bytes that wait for the client, when they were looked at last.
        self._unsent: float = 0
        #: When it took some the last time.
        self._taken_at = now

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._client.leave()

    def data_received(self, data: bytes) -> None:
        """Make of it what can be made.

        Java's HTTP client and curl's `--http2` send `Upgrade: h2c` with their first request. A
        server may ignore that (RFC 9110 section 7.8), but httptools takes what follows the headers
        for another protocol, and the body is lost. Under another name of the same length the header
        means nothing.
        """
        if self._deaf:
            return
        if self._reading_since is None:
            self._reading_since = self.loop.time()
        self._raw += len(data)
        if b"h2c" in data and getattr(self.cycle, "response_complete", True):
            head, end, body = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\1x-grade\2", head) + end + body
        super().data_received(data)
        if self._raw > LARGEST_HEAD and not self._deaf:
            self._too_large = True
            self.send_400_response("What comes before a request's body is too long.")

    def on_message_begin(self) -> None:
        self._received = 0
        self._reading_since = self.loop.time()
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {_EXTENSION: self._client}

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _RefusedError
        if len(self.headers) > MOST_HEADERS or self._raw > LARGEST_HEAD < self._head_size():
            self._too_large = True
            raise _RefusedError
        self._raw = 0
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        cycle.__class__ = Cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._raw = 0
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading_since = None
        super().on_message_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:
        """Say so, unless an answer is under way: that one is completed first, and is the last."""
        self._deaf = True
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            status = (
                b"431 Request Header Fields Too Large" if self._too_large else b"400 Bad Request"
            )
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n%b"
                % (status, len(msg), msg.encode("ascii"))
            )
        self.transport.close()

    def pause_writing(self) -> None:
        self._client.is_slow = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unsent = math.inf
        self._client.is_slow = False
        super().resume_writing()

    def look(self, now: float, seconds: float) -> None:
        """Hang up if the client has held us up for so long. Called every second or so."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent < self._unsent:
            self._taken_at = now
        self._unsent = unsent
        if now - self._taken_at > seconds or self._is_late(now, seconds):
            self.transport.abort()

    def _is_late(self, now: float, seconds: float) -> bool:
        if self._reading_since is None:
            return False
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            return now - self._reading_since > seconds
        # What comes after the body, if anything does, can wait until there is an answer.
        late_by = now - self._reading_since - seconds
        return cycle.more_body and late_by > self._received / SLOWEST
