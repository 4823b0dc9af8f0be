"""One gateway as a process, which all attacks meet one after the other."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.gateway import API_KEY, HELLO
from tests.leaks import LEAKS
from tests.processes import ENOUGH, ROOT, command, environment, free_port, wait_for_health
from tests.simulators.google import Google

PATH = "/v1/chat/completions"
#: Of the gateway, which is a minute where nobody says anything else.
STALL = 2.0
#: Bytes that the process may have had resident at any time.
MOST = 300 * 1000 * 1000


class Victim:
    def __init__(self, running: subprocess.Popen[str], port: int, log: Path) -> None:
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self._running = running
        self._log = log

    @property
    def peak(self) -> int:
        """How many bytes were resident when they were most."""
        status = Path(f"/proc/{self._running.pid}/status").read_text()
        found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        assert found, status
        return int(found[1]) * 1024

    @property
    def sockets(self) -> int:
        """How many connections it has, and others' to it."""
        found = 0
        for each in Path(f"/proc/{self._running.pid}/fd").iterdir():
            with suppress(OSError):  # closed by now
                found += str(each.readlink()).startswith("socket:")
        return found

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {API_KEY}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=False)  # noqa: S501

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(self.address, timeout=20) as connection:
            yield connection

    def told(self, *pieces: bytes, times: int = 1) -> bytes:
        """Say it, the last piece so many times; return what comes until the connection ends."""
        received = b""
        with self.connected() as connection:
            try:
                for piece in (*pieces, *pieces[-1:] * (times - 1)):
                    connection.sendall(piece)
                while data := connection.recv(65536):
                    received += data
            except ConnectionError:
                pass
        return received

    def lines(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of requests with these fields."""
        lines = [msgspec.json.decode(line) for line in self._log.read_bytes().splitlines()]
        return [line for line in lines if line.get("event") == "request" and _has(line, fields)]

    def wait_for(self, what: Callable[[], object], *, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, "It does not come to pass."
            time.sleep(0.02)

    def assert_well(self) -> None:
        """It answers as ever, nothing went wrong in it, and it has not grown."""
        with self.client() as client:
            assert client.post(PATH, json=HELLO).json()["object"] == "chat.completion"
        log = self._log.read_text()
        assert "unexpected error" not in log
        assert "Traceback" not in log
        assert self.peak < MOST, f"It has had {self.peak} bytes resident."


def _has(line: dict[str, Any], fields: dict[str, Any]) -> bool:
    return fields.items() <= {key: line.get(key) for key in fields}.items()


def head(*fields: str, key: str = API_KEY, path: str = PATH) -> bytes:
    """Write the head of a request, with these fields."""
    lines = [f"POST {path} HTTP/1.1", "host: gateway", f"authorization: Bearer {key}", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def request(body: bytes, *fields: str, key: str = API_KEY) -> bytes:
    return head(f"content-length: {len(body)}", *fields, key=key) + body


def statuses(received: bytes) -> list[int]:
    """Return the statuses of all the responses in it."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@contextmanager
def victim(google: Google, log: Path) -> Iterator[Victim]:
    port = free_port()
    environ = environment(google, port) | {
        "CLIENT_STALL_SECONDS": str(STALL),
        "LOG_FORMAT": "json",
    }
    with (
        log.open("w") as output,
        subprocess.Popen(
            command(), cwd=ROOT, env=ENOUGH | environ, stdout=output, stderr=output, text=True
        ) as running,
    ):
        try:
            wait_for_health(f"http://127.0.0.1:{port}", running)
            yield Victim(running, port, log)
        finally:
            running.kill()
    LEAKS.output(running, log.read_text(), None)
