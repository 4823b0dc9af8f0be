"""A reply, down to each single write: what the server is to do, and in which frame."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from tests.simulators.gate import Gate


@dataclass(frozen=True)
class Pause:
    """Wait. Multiplied by `google.scale`, so that tests need not wait as long as Google lets us."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Wait until the test opens the gate; for ever if it never does."""

    gate: Gate


@dataclass(frozen=True)
class Reset:
    """Break the connection with a TCP reset."""


@dataclass(frozen=True)
class Cut:
    """Close the connection in good order, but before the end of the body."""


Step = bytes | Pause | Hold | Reset | Cut
Framing = Literal["content-length", "chunked", "until-close", "raw"]
Headers = tuple[tuple[str, str], ...]

LETS_THE_OTHER_SIDE_READ = Pause(0.1)  # a reset may overtake bytes that were not read yet


@dataclass(frozen=True)
class Reply:
    """One HTTP response. Each `bytes` among the steps is one write, and one chunk if chunked.

    With the framing `raw` the steps hold the whole response, status line included,
    and the connection is closed after them. Calling a reply gives the reply itself,
    which makes it the simplest thing that can be scripted.
    """

    status: int = 200
    headers: Headers = ()
    steps: tuple[Step, ...] = ()
    framing: Framing = "content-length"
    before: tuple[Step, ...] = ()  # what happens before the status line
    chunk_extension: bytes = b""

    def __call__(self, _call: object) -> "Reply":
        return self

    @property
    def body(self) -> bytes:
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    def head(self, *, keep_alive: bool) -> bytes:
        if self.framing == "raw":
            return b""
        lines = [f"HTTP/1.1 {self.status} {phrase(self.status)}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *self._length_headers())]
        if not keep_alive or self.framing == "until-close":
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def frame(self, piece: bytes) -> bytes:
        if self.framing != "chunked":
            return piece
        return b"%x%s\r\n%s\r\n" % (len(piece), self.chunk_extension, piece) if piece else b""

    @property
    def terminator(self) -> bytes:
        return b"0\r\n\r\n" if self.framing == "chunked" else b""

    @property
    def ends_the_connection(self) -> bool:
        return self.framing in ("until-close", "raw")

    def _length_headers(self) -> Headers:
        if self.framing == "chunked":
            return (("Transfer-Encoding", "chunked"),)
        declared = any(name.lower() == "content-length" for name, _ in self.headers)
        if self.framing == "content-length" and not declared:
            return (("Content-Length", str(len(self.body))),)
        return ()


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == 499 else "Unknown"
