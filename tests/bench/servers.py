"""Starts and ends the processes that are measured, each on its CPU; knows what they have used."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ENOUGH, ROOT

if sys.platform != "linux":
    raise RuntimeError("`make bench` needs Linux: it reads /proc, and binds processes to CPUs.")

_BETWEEN_LOOKS = 0.002
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CPUS = sorted(os.sched_getaffinity(0))
#: Those who are measured run on the first; the load and the upstream on the last.
SERVER_CPU, LOAD_CPU = _CPUS[0], _CPUS[-1]


@dataclass(frozen=True)
class Server:
    """A process that serves, and its children."""

    name: str
    port: int
    pid: int
    path: str = "/v1/chat/completions"
    started: float = 0  #: seconds from its start to its first answer

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used, threads that have ended counted."""
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in _family(self.pid))

    def rss(self) -> int:
        """Return its resident memory in bytes."""
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
            for pid in _family(self.pid)
        )


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


@contextmanager
def on_cpu(number: int) -> Iterator[None]:
    """Let what is started in the block run on this CPU only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    port: int,
    log: Path,
    *,
    environ: Mapping[str, str] | None = None,
    ready: str = "/health",
    cpu: int = SERVER_CPU,
    path: str = "/v1/chat/completions",
    patience: float = 60,
) -> Iterator[Server]:
    """Start it and wait until it answers with 200; end it with the block.

    Raise `RuntimeError` with its last words if it does not come up.
    """
    begun = time.perf_counter()
    with log.open("ab") as output, on_cpu(cpu):
        process = subprocess.Popen(
            command, cwd=ROOT, env=ENOUGH | dict(environ or {}), stdout=output, stderr=output
        )
    try:
        while not _answers(port, ready):
            if process.poll() is not None or time.perf_counter() - begun > patience:
                raise RuntimeError(f"{name} does not start:\n{log.read_text()[-2000:]}")
            time.sleep(_BETWEEN_LOOKS)
        yield Server(name, port, process.pid, path, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int, path: str) -> bool:
    """Ask for a path; without one, look whether someone listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.connect()
        if not path:
            return True
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
