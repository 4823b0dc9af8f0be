"""Sends one kind of request for some seconds, and notes what it took.

Cheap itself, as it shares the machine with what it measures.
"""

import asyncio
import gc
import re
import time
from dataclasses import dataclass, field
from typing import cast

from tests.bench.answers import WrongAnswerError, check
from tests.bench.asking import BEGINNING, STAMPED
from tests.bench.cases import Case, request
from tests.bench.servers import Server

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RAMP = 0.004  # seconds between the beginnings of streams that run side by side
_PATIENCE = 90  # seconds after the end; nothing answers so late but on a crowded machine
_ENOUGH_ERRORS = 20


@dataclass
class Outcome:
    """Of one round; seconds, bytes."""

    requests: int = 0
    chunks: int = 0
    wall: float = 0
    cpu: float = 0
    rss_before: int = 0
    rss_open: int = 0
    errors: list[str] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    first_content: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """Asks again and again as its `Load` says; what it reads is looked at when all is there."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self.transport: asyncio.Transport | None = None
        self.asks = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        assert self.transport is not None
        self.reads: list[tuple[int, bytes]] = []
        self._has_head = False
        self._left: int | None = None
        self.asks = True
        self.sent = time.monotonic_ns()
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self.reads.append((time.monotonic_ns(), data))
        if not self._has_head:
            head, end, data = b"".join([read for _, read in self.reads]).partition(b"\r\n\r\n")
            if not end:
                return
            self._has_head = True
            length = _LENGTH.search(head)
            self._left = int(length[1]) if length else None
        if self._left is None:
            tail = data if len(data) > 4 else b"".join([read for _, read in self.reads[-5:]])
            ended = tail.endswith(b"0\r\n\r\n")
        else:
            self._left -= len(data)
            ended = self._left <= 0
        if ended:
            self.asks = False
            self._load.answered(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.asks:
            self.asks = False
            self._load.broken(f"The connection was lost: {exc}")


class Load:
    """One case at one server.

    Args:
        server: that is asked.
        case: what is asked.
        seconds: for which a closed loop goes on.

    """

    def __init__(self, server: Server, case: Case, seconds: float = 0) -> None:
        self.case = case
        self.request = request(case, server.path)
        self.outcome = Outcome()
        self._server = server
        self._seconds = seconds
        self._kept: list[Connection] = []
        self._over = asyncio.Event()
        self._window = range(0)

    async def run(self) -> Outcome:
        gc.collect()
        gc.disable()
        try:
            await self._run()
        finally:
            gc.enable()
        return self.outcome

    async def _run(self) -> None:
        case, outcome, server = self.case, self.outcome, self._server
        loop = asyncio.get_running_loop()
        count = case.streams or case.connections
        connections: list[Connection] = []
        for _ in range(count):
            made = await loop.create_connection(lambda: Connection(self), "127.0.0.1", server.port)
            connections.append(made[1])
        self._open = count
        await asyncio.sleep(0.05)  # until the server has taken them, too
        outcome.rss_before, cpu = server.rss(), server.cpu()
        begun = time.monotonic()
        self._stop = begun + self._seconds
        lasting = (case.wanted.chunks - 1) * case.wanted.pause / 1000
        if case.streams:
            # While all of them are open.
            self._window = range(
                int(1e9 * (begun + _RAMP * count + 0.3)), int(1e9 * (begun + lasting))
            )
            for part in (0.6, 0.75, 0.95):
                loop.call_later(lasting * part, self._weigh)
        for number, connection in enumerate(connections):
            if case.streams:
                await asyncio.sleep(max(0, begun + number * _RAMP - time.monotonic()))
            connection.ask()
        try:
            async with asyncio.timeout(self._seconds + lasting + _PATIENCE):
                await self._over.wait()
        except TimeoutError:
            outcome.errors += [f"no end after {_PATIENCE} seconds"] * self._open
        outcome.wall, outcome.cpu = time.monotonic() - begun, server.cpu() - cpu
        outcome.rss_open = max(outcome.rss_open, server.rss())
        for connection in connections:
            connection.asks = False
            if connection.transport is not None:
                connection.transport.abort()
        for connection in self._kept:
            self._count(connection)

    def answered(self, connection: Connection) -> None:
        if self.case.streams:  # to look at it now would delay the others
            self._kept.append(connection)
            self._close()
            return
        head = self._count(connection)
        if time.monotonic() > self._stop or len(self.outcome.errors) > _ENOUGH_ERRORS:
            self._close()
        elif b"\r\nconnection: close" in head.lower():
            self.broken("The server closes its connections.")
        else:
            connection.ask()

    def broken(self, error: str) -> None:
        self.outcome.requests += 1
        self.outcome.errors.append(error)
        self._close()

    def _close(self) -> None:
        self._open -= 1
        if not self._open:
            self._over.set()

    def _weigh(self) -> None:
        self.outcome.rss_open = max(self.outcome.rss_open, self._server.rss())

    def _count(self, connection: Connection) -> bytes:
        """Take an answer into account; return its head."""
        outcome, reads = self.outcome, connection.reads
        outcome.requests += 1
        head, _, body = b"".join([data for _, data in reads]).partition(b"\r\n\r\n")
        try:
            outcome.chunks += check(self.case, head, body)
        except WrongAnswerError as error:
            outcome.errors.append(str(error))
            return head
        content = next((at for at, data in reads if BEGINNING in data), reads[-1][0])
        outcome.first_byte.append((reads[0][0] - connection.sent) / 1e9)
        outcome.first_content.append((content - connection.sent) / 1e9)
        if self.case.wanted.pause:
            outcome.delays += [
                (at - int(written)) / 1e9
                for at, data in reads
                if at in self._window
                for written in STAMPED.findall(data)
            ]
        return head
