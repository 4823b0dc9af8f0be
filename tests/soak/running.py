"""A gateway under a mixed load for a while, and an eye on it."""

import asyncio
import contextlib
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.certificate import make_certificate
from tests.processes import ENOUGH, ROOT, command, environment, free_port, wait_for_health
from tests.soak.accounts import Accounts
from tests.soak.google import FaultyGoogle
from tests.soak.kinds import KEY, KINDS, Asking, Kind, headers_of, id_of
from tests.soak.report import Report, rows_of
from tests.soak.watching import Held, held

_PATIENCE = 8  # seconds of the gateway's, with each of three ways; a busy machine needs some
_LONGEST = 60  # seconds that a request may take
_AT_ONCE = 100  # requests; on a busy machine fewer are begun, instead of ever more being late
_SETTLING = 40  # seconds, for connections to Google to be closed that nobody uses
_LEFT = "gateway_streams_open"


@contextmanager
def gateway(google: FaultyGoogle, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a gateway with three ways to Google, and little patience with it."""
    environ = {
        **environment(google, port),
        "OPENAI_API_KEY": KEY,
        "UPSTREAMS": "code_assist,vertex,gemini_api",
        "GEMINI_API_KEY": next(iter(google.api_keys)),
        "GEMINI_API_ENDPOINT": google.url,
        "VERTEX_ENDPOINT": google.url,
        "VERTEX_PROJECT": google.project,
        "GCE_METADATA_HOST": google.metadata_host,
        "UPSTREAM_FIRST_BYTE_SECONDS": str(_PATIENCE),
        "UPSTREAM_IDLE_SECONDS": str(_PATIENCE),
    }
    with (
        log.open("wb") as lines,
        subprocess.Popen(
            command(), cwd=ROOT, env=ENOUGH | environ, stdout=lines, stderr=subprocess.STDOUT
        ) as running,
    ):
        try:
            wait_for_health(f"http://127.0.0.1:{port}", running)  # type: ignore[arg-type]
            yield running
        finally:
            running.kill()


class Soak:
    """Sends requests at a rate, and looks at the process meanwhile.

    Args:
        seconds: for which requests are sent.
        rate: of them in a second.
        every: seconds between two looks.
        kinds: of which requests are.

    """

    def __init__(
        self, seconds: float, rate: float, *, every: float = 5, kinds: Mapping[str, Kind] = KINDS
    ) -> None:
        self._seconds = seconds
        self._rate = rate
        self._every = every
        self._kinds = kinds
        self._accounts = Accounts()
        self._samples: list[Held] = []
        self._numbers = iter(range(10**9))

    def run(self, log: Path) -> Report:
        """Do it all; the gateway's log goes into a file."""
        port = free_port()
        with FaultyGoogle(make_certificate(log.with_suffix(".pem"))) as google:
            with gateway(google, port, log) as running:
                report = asyncio.run(self._soak(google, running.pid, port))
                running.terminate()
                report.exit_status = running.wait(30)
            report.played = dict(google.played)
        with log.open("rb") as lines:
            self._accounts.read(lines)
        report.requests = len(self._accounts.kinds)
        report.rows = rows_of(self._accounts)
        report.log_missing = self._accounts.missing
        report.log_doubled = self._accounts.doubled
        report.unexplained = self._accounts.count_unexplained
        report.first_unexplained = self._accounts.unexplained
        return report

    async def _soak(self, google: FaultyGoogle, pid: int, port: int) -> Report:
        began = time.monotonic()
        google_port = int(google.url.rpartition(":")[2])

        def look() -> Held:
            return held(pid, google_port, time.monotonic() - began)

        asking = Asking(_client(port), ("127.0.0.1", port))
        for kind in ("chat", "chat, streamed", "embeddings", "images", "metrics", "native"):
            await self._one(asking, kind)  # so that all is loaded that is loaded when first used
        await asking.client.close()
        before = await _settled(look, None)

        began = time.monotonic()
        asking = asking._replace(client=_client(port))
        watching = asyncio.create_task(self._watch(look))
        await self._load(asking)
        seconds = time.monotonic() - began
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await asking.client.close()
        after = await _settled(look, before)
        async with _client(port) as client:
            answer = await client.get("/metrics", headers=headers_of(0) | _UNNUMBERED)
            metrics = await answer.text()
        streams = [line for line in metrics.splitlines() if line.startswith(_LEFT)]
        return Report(
            seconds=seconds,
            requests=0,
            rows=[],
            played={},
            samples=self._samples,
            before=before,
            after=after,
            log_missing=0,
            log_doubled=0,
            unexplained=0,
            first_unexplained=[],
            open_streams=sum(float(line.split()[-1]) for line in streams),
            open_at_google=google.open_replies,
            exit_status=-1,
        )

    async def _watch(self, look: Any) -> None:
        while True:
            self._samples.append(look())
            await asyncio.sleep(self._every)

    async def _load(self, asking: Asking) -> None:
        """Begin a request at each tick, while not too many are under way; return when all ended."""
        under_way = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> None:
            try:
                await self._one(asking, name)
            finally:
                under_way.release()

        chances = random.Random(7)  # noqa: S311  (the same order every time)
        names, weights = zip(
            *((name, kind.weight) for name, kind in self._kinds.items()), strict=True
        )
        began, begun = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            for name in self._kinds:  # at least one of each
                await under_way.acquire()
                group.create_task(one(name))
            while (elapsed := time.monotonic() - began) < self._seconds:
                if begun < elapsed * self._rate:
                    await under_way.acquire()
                    group.create_task(one(*chances.choices(names, weights)))
                    begun += 1
                else:
                    await asyncio.sleep(1 / self._rate)

    async def _one(self, asking: Asking, name: str) -> None:
        number, kind = next(self._numbers), KINDS[name]
        self._accounts.ended(id_of(number), name, await _outcome(kind, asking, number))


async def _outcome(kind: Kind, asking: Asking, number: int) -> str:
    try:
        async with asyncio.timeout(_LONGEST):
            return await kind.ask(asking, number)
    except (aiohttp.ClientError, OSError, EOFError, TimeoutError, ValueError) as error:
        return type(error).__name__


_UNNUMBERED = {"x-request-id": "at-the-end"}


def _client(port: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(_LONGEST),
    )


async def _settled(look: Any, before: Held | None) -> Held:
    """Wait until there is no more open than before, or, if it is not known, no client's socket."""
    now: Held = look()
    ending = time.monotonic() + (_SETTLING if before else 0.5)
    while time.monotonic() < ending:
        if before and now.files - now.to_google <= before.files - before.to_google:
            break
        await asyncio.sleep(0.1)
        now = look()
    return now
