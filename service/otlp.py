"""Traces and metrics to a collector, by OTLP over HTTP: what is sent when.

The libraries that know the format are imported by the first sending, in its thread; see
`service.otlp_messages`.
"""

import asyncio
import importlib.util
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from service import background
from service.metrics import Family, Metrics
from service.telemetry import RequestAtHand

#: Seconds between two sendings while requests come and go.
PACE = 5.0
#: Requests that are kept for the next sending; more than that are forgotten, the oldest first.
MOST_KEPT = 2048
#: Seconds that the end of the process waits for the last sending.
_LAST = 1.0


class Sender(Protocol):
    """Who knows the format and the collector. Blocks; called in a thread, never twice at once."""

    def send(
        self, requests: Sequence[RequestAtHand], families: Sequence[Family], since: float
    ) -> None:
        """Send spans of these requests, and the metrics as they are now; raise nothing."""
        ...


class OtlpMissingError(Exception):
    """The libraries are not installed."""


class Otlp:
    """An `Observer` that counts with another one, and sends what there is to a collector.

    Where the CPU stops between requests, as on Cloud Run, the last request under way takes along
    what all the others have left, beside its own end. Elsewhere it is sent every few seconds.

    Args:
        metrics: that counts.
        endpoint: of the collector, without the signal's path.
        cpu_stops: whether nothing runs between requests.

    Raise `OtlpMissingError`.

    """

    traces = True

    def __init__(
        self,
        metrics: Metrics,
        endpoint: str,
        *,
        cpu_stops: bool,
    ) -> None:
        _look_for_the_libraries()
        self._metrics = metrics
        self._endpoint = endpoint
        self._under_way = 0
        self._cpu_stops = cpu_stops
        self._ended: deque[RequestAtHand] = deque(maxlen=MOST_KEPT)
        self._unsent = False
        self._sent_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._sending = asyncio.Lock()
        self._sender: Sender | None = None

    def began(self) -> None:
        self._under_way += 1

    def finished(self, request: RequestAtHand) -> None:
        self._under_way -= 1
        self._metrics.finished(request)
        if not request.quiet:
            self._unsent = True
            if request.trace is not None and request.trace.sampled:
                self._ended.append(request)
        if self._unsent:
            self._send_soon()

    def _send_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._cpu_stops and self._under_way == 0:
            others = set(background.request_work.get(set()))
            background.beside_the_answer(self._flush_after(others))
        elif self._cpu_stops and loop.time() - self._sent_at > PACE:
            self._sent_at = loop.time()
            background.apart(self.flush())
        elif not self._cpu_stops and self._timer is None:
            self._timer = loop.call_later(PACE, self._on_time)

    def happened(self, event: str, fields: Mapping[str, Any]) -> None:
        self._metrics.happened(event, fields)

    def streaming(self, change: int) -> None:
        self._metrics.streaming(change)

    def _on_time(self) -> None:
        self._timer = None
        background.apart(self.flush())

    async def _flush_after(self, others: set[asyncio.Task[Any]]) -> None:
        """Let a refresh beside the answer be part of its trace."""
        if others:
            await asyncio.wait(others, timeout=background.LONGEST_WAIT / 2)
        await self.flush()

    async def flush(self) -> None:
        """Send what has not been sent."""
        async with self._sending:
            if not self._unsent:
                return
            self._unsent = False
            self._sent_at = asyncio.get_running_loop().time()
            requests = list(self._ended)
            self._ended.clear()
            families = self._metrics.families()
            await asyncio.to_thread(self._send, requests, families)

    def _send(self, requests: Sequence[RequestAtHand], families: Sequence[Family]) -> None:
        if self._sender is None:
            from service.otlp_messages import Collector  # noqa: PLC0415  (a third of a second)

            self._sender = Collector(self._endpoint)
        self._sender.send(requests, families, self._metrics.since)

    @asynccontextmanager
    async def exporting(self, _: object) -> AsyncGenerator[None]:
        """Around the life of the gateway: what is left is sent at the end."""
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            last = asyncio.create_task(self.flush())
            await asyncio.wait([last], timeout=_LAST)


def _look_for_the_libraries() -> None:
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise OtlpMissingError
