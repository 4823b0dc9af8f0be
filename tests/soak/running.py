"""A gateway under a mixed load for a while, and an eye on it."""

import asyncio
import contextlib
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.processes import ENOUGH, ROOT, command, environment, free_port, wait_for_health
from tests.soak.accounts import Accounts
from tests.soak.google import FaultyGoogle
from tests.soak.kinds import KEY, KINDS, Asking, Kind, headers_of, id_of
from tests.soak.report import Report, rows_of
from tests.soak.watching import Held, held

_KEPT_IDLE = 2.0  # seconds; the gateway keeps connections for longer, so that it hangs up on nobody
_LONGEST = 60  # seconds that a request may take
_SETTLING = 40  # seconds, for connections to Google to be closed that nobody uses
_LEFT = "gateway_streams_open"


@contextmanager
def gateway(
    google: FaultyGoogle, port: int, log: Path, patience: float
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a gateway with three ways to Google, and little patience with it."""
    environ = {
        **environment(google, port),
        "OPENAI_API_KEY": KEY,
        "UPSTREAMS": "code_assist,vertex,gemini_api",
        "GEMINI_API_KEY": next(iter(google.api_keys)),
        "GEMINI_API_ENDPOINT": google.url,
        "VERTEX_ENDPOINT": google.url,
        "VERTEX_PROJECT": google.project,
        "GCE_METADATA_HOST": google.url.removeprefix("http://"),
        "UPSTREAM_FIRST_BYTE_SECONDS": str(patience),
        "UPSTREAM_IDLE_SECONDS": str(patience),
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
        patience: for how many seconds Google may be silent.

    """

    def __init__(
        self, seconds: float, rate: float, *, every: float = 5, patience: float = 3
    ) -> None:
        self._seconds = seconds
        self._rate = rate
        self._every = every
        self._patience = patience
        self._accounts = Accounts()
        self._samples: list[Held] = []
        self._numbers = iter(range(10**9))

    def run(self, log: Path) -> Report:
        """Do it all; the gateway's log goes into a file."""
        port = free_port()
        with FaultyGoogle() as google:
            with gateway(google, port, log, self._patience) as running:
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
        await asking.client.aclose()
        before = await _settled(look, None)

        began = time.monotonic()
        asking = asking._replace(client=_client(port))
        watching = asyncio.create_task(self._watch(look))
        await self._load(asking)
        seconds = time.monotonic() - began
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await asking.client.aclose()
        after = await _settled(look, before)
        async with _client(port) as client:
            metrics = (await client.get("/metrics", headers=headers_of(0) | _UNNUMBERED)).text
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
        """Begin a request at each tick, however many are still under way; return when all ended."""
        chances = random.Random(7)  # noqa: S311  (the same order every time)
        names, weights = zip(*((name, kind.weight) for name, kind in KINDS.items()), strict=True)
        began, begun = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            for name in KINDS:  # at least one of each
                group.create_task(self._one(asking, name))
            while (elapsed := time.monotonic() - began) < self._seconds:
                for _ in range(int(elapsed * self._rate) - begun):
                    (name,) = chances.choices(names, weights)
                    group.create_task(self._one(asking, name))
                    begun += 1
                await asyncio.sleep(1 / self._rate)

    async def _one(self, asking: Asking, name: str) -> None:
        number, kind = next(self._numbers), KINDS[name]
        self._accounts.ended(id_of(number), name, await _outcome(kind, asking, number))


async def _outcome(kind: Kind, asking: Asking, number: int) -> str:
    try:
        async with asyncio.timeout(_LONGEST):
            return await kind.ask(asking, number)
    except (httpx.HTTPError, OSError, EOFError, TimeoutError, ValueError) as error:
        return type(error).__name__


_UNNUMBERED = {"x-request-id": "at-the-end"}


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        timeout=_LONGEST,
        verify=False,  # noqa: S501  (plain HTTP; saves loading certificates)
        limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEPT_IDLE),
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
