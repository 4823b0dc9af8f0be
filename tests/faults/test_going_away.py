"""SIGTERM: what is under way may end, what cannot is told, and the process ends well."""

import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import msgspec
import pytest

from tests.gateway import API_KEY, HELLO, send
from tests.processes import environment, free_port, process, wait_for_health
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, hold

STREAM = HELLO | {"stream": True}
BUSY_MACHINE = 1.0  # seconds
HEADERS = {"authorization": f"Bearer {API_KEY}"}


class Running:
    """A gateway as a process, and connections to it."""

    def __init__(self, google: Google, running: subprocess.Popen[str], port: int) -> None:
        self.google = google
        self.process = running
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._open = ExitStack()

    def ask(self, body: dict[str, Any], times: int = 1) -> list[socket.socket]:
        """Send requests, and return when all of them have reached Google."""
        before = len(self.google.calls("generate"))
        connections = []
        for _ in range(times):
            address = ("127.0.0.1", self.port)
            connection = self._open.enter_context(socket.create_connection(address, timeout=20))
            send(connection, body)
            connections.append(connection)
        self.google.wait_for("generate", before + times, timeout=15)
        return connections

    def stop(self) -> float:
        """Send SIGTERM; return the time, once nothing new is taken."""
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        while httpx.get(f"{self.url}/ready").status_code == 200:
            assert time.monotonic() - began < 5
        return began

    def ended(self) -> tuple[float, int]:
        """Return when the process has ended: the time, and the exit status."""
        self.process.wait(timeout=20)
        return time.monotonic(), self.process.returncode

    def close(self) -> None:
        self._open.close()


@contextmanager
def gateway(google: Google, **environ: str) -> Iterator[Running]:
    port = free_port()
    with process(**environment(google, port), **environ) as started:
        wait_for_health(f"http://127.0.0.1:{port}", started)
        running = Running(google, started, port)
        try:
            yield running
        finally:
            running.close()


def read(connection: socket.socket) -> tuple[int, bytes]:
    """Read a response to its end; raise if it is cut off before."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def events(body: bytes) -> list[Any]:
    blocks = [block for block in body.split(b"\n\n") if block.startswith(b"data: ")]
    assert blocks.pop() == b"data: [DONE]"
    return [msgspec.json.decode(block.removeprefix(b"data: ")) for block in blocks]


def test_fifty_streams_end_normally_or_are_told(google: Google) -> None:
    gate, never = Gate(), Gate()
    google.script(*[answer("Hel", Hold(gate), "lo")] * 25, *[answer("Hel", Hold(never), "lo")] * 25)
    with gateway(google, DRAIN_SECONDS="2") as running:
        connections = running.ask(STREAM, 50)
        began = running.stop()
        gate.open()
        answers = [events(body) for _, body in map(read, connections)]
        told_at = time.monotonic()
        ended, status = running.ended()
    assert status == 0
    finished = [found for found in answers if "error" not in found[-1]]
    told = [found[-1]["error"] for found in answers if "error" in found[-1]]
    assert (len(finished), len(told)) == (25, 25)
    for found in finished:
        reasons = [choice["finish_reason"] for item in found for choice in item["choices"]]
        assert reasons[-1] == "stop"
    for error in told:
        assert error["code"] == "server_is_overloaded"
        assert "going away" in error["message"]
    assert told_at - began > 1.9
    assert ended - began < 2 + 0.5 + BUSY_MACHINE
    never.open()


@pytest.mark.parametrize("path", ["/ready", "/v1/models", "/v1beta/models", "/nothing"])
def test_new_requests_are_sent_elsewhere(google: Google, path: str) -> None:
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with gateway(google) as running:
        (connection,) = running.ask(STREAM)
        began = running.stop()
        refused = httpx.get(running.url + path, headers=HEADERS)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["connection"] == "close"
        assert refused.headers["x-request-id"]
        error = refused.json()["error"]
        assert error.get("code") == 503 or error["code"] == "server_is_overloaded"
        assert httpx.get(f"{running.url}/health").status_code == 200
        gate.open()
        assert len(events(read(connection)[1])) > 1
        ended, status = running.ended()
    assert status == 0
    assert ended - began < 5, "it ends when the last answer has"


def test_an_answer_in_one_piece_is_told_too(google: Google) -> None:
    never = Gate()
    google.script(hold(never, answer("late")))
    with gateway(google, DRAIN_SECONDS="0.5") as running:
        (connection,) = running.ask(HELLO)
        running.stop()
        status, body = read(connection)
        assert running.ended()[1] == 0
    assert status == 503
    assert msgspec.json.decode(body)["error"]["code"] == "server_is_overloaded"
    never.open()


@pytest.mark.parametrize("events_wanted", [True, False])
def test_a_stream_in_googles_words_is_told_in_them(google: Google, *, events_wanted: bool) -> None:
    never = Gate()
    google.script(answer("Hel", Hold(never), "lo"))
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    with gateway(google, DRAIN_SECONDS="0.5") as running, httpx.Client(headers=HEADERS) as client:
        url = f"{running.url}{path}{'?alt=sse' * events_wanted}"
        with client.stream("POST", url, json=body) as response:
            reads = response.iter_bytes()
            content = next(reads)
            running.stop()
            content += b"".join(reads)
        assert running.ended()[1] == 0
    if events_wanted:
        last = content.removesuffix(b"\r\n\r\n").rpartition(b"data: ")[2]
        error = msgspec.json.decode(last)["error"]
    else:
        error = msgspec.json.decode(content)[-1]["error"]
    assert (error["code"], error["status"]) == (503, "UNAVAILABLE")
    never.open()


def test_a_client_that_does_not_read_holds_nothing_up(google: Google) -> None:
    never = Gate()
    google.script(answer(*["x" * 100_000] * 200, Hold(never)))
    with gateway(google, DRAIN_SECONDS="0.5") as running:
        running.ask(STREAM)
        began = running.stop()
        ended, status = running.ended()
    assert status == 0
    assert ended - began < 0.5 + 0.5 + BUSY_MACHINE
    never.open()


def test_with_nothing_under_way_it_ends_at_once(google: Google) -> None:
    with gateway(google) as running, httpx.Client(base_url=running.url) as idle:
        assert idle.get("/health").status_code == 200
        running.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        ended, status = running.ended()
    assert status == 0
    assert ended - began < 2


def test_a_second_signal_ends_it_sooner(google: Google) -> None:
    never = Gate()
    google.script(answer("Hel", Hold(never), "lo"))
    with gateway(google) as running:
        (connection,) = running.ask(STREAM)
        while b"Hel" not in connection.recv(1 << 16, socket.MSG_PEEK):
            pass  # until it has begun, it would be refused instead
        began = running.stop()
        running.process.send_signal(signal.SIGTERM)
        assert events(read(connection)[1])[-1]["error"]["code"] == "server_is_overloaded"
        ended, status = running.ended()
    assert status == 0
    assert ended - began < 5
    never.open()
