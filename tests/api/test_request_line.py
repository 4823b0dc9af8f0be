"""What the load of `test_request_log` does not come to, and lines for other readers."""

import asyncio
import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from service import logs
from service.api.edge import Edge
from service.draining import Drain
from service.limits import Load
from service.sse import KEEPALIVE
from tests.conftest import StartGateway
from tests.gateway import HELLO, AccessLog
from tests.processes import environment, free_port, process, wait_for_health
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, error, hold
from tests.ways import by

PATH = "/v1/chat/completions"
TRACED = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that the service logs from now on, as it would be written for Cloud Logging."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    logger = logging.getLogger("service")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def events_in(written: io.StringIO, name: str) -> list[dict[str, object]]:
    lines = [msgspec.json.decode(line) for line in written.getvalue().splitlines()]
    return [line for line in lines if line.get("event") == name]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_request_that_takes_too_long(
    start_gateway: StartGateway, google: Google, access_log: AccessLog, *, stream: bool
) -> None:
    never = Gate()
    google.script(answer("Hel", Hold(never), "lo") if stream else hold(never, answer("late")))
    with start_gateway(request_deadline_seconds=0.5).client() as client:
        client.post(PATH, json=HELLO | {"stream": stream})
    line = access_log.wait_for(path=PATH)
    assert (line["code"], line["status"]) == ("upstream_timeout", 200 if stream else 504)
    assert line["total_ms"] >= 450, "the loop's clock stands still during a turn"
    assert (line["first_byte_ms"] < 450) == stream
    never.open()


def test_a_comment_that_bridges_a_silence_is_no_first_byte(
    start_gateway: StartGateway, google: Google, access_log: AccessLog
) -> None:
    gate = Gate()
    google.script(hold(gate, answer("Hello")))
    gateway = start_gateway(sse_keepalive_seconds=0.05)
    with (
        gateway.client() as client,
        client.stream("POST", PATH, json=HELLO | {"stream": True}) as response,
    ):
        received = b""
        for piece in response.iter_raw():
            received += piece
            if received.count(KEEPALIVE) >= 3:
                gate.open()
    line = access_log.wait_for(path=PATH)
    assert line["total_ms"] - line["first_byte_ms"] < 90, "three comments take twice fifty"


async def test_requests_that_end_in_the_same_turn_have_lines_of_their_own(
    written: io.StringIO,
) -> None:
    async def app(*_: Any) -> Any: ...

    edge = Edge(app, Drain(), Load(bytes_=1), project=lambda: "p")
    scopes: list[Any] = [
        {
            "type": "http",
            "method": "POST",
            "path": f"/{digit}",
            "headers": [
                (b"x-request-id", digit.encode()),
                (b"traceparent", f"00-{digit * 32}-{digit * 16}-00".encode()),
            ],
        }
        for digit in "123"
    ]
    await asyncio.gather(*[edge(scope, app, app) for scope in scopes])
    await asyncio.sleep(0)
    told = [
        (line["message"], line["request_id"], line["logging.googleapis.com/trace"])
        for line in events_in(written, "request")
    ]
    assert told == [(f"POST /{one} 500", one, f"projects/p/traces/{one * 32}") for one in "123"]


def test_what_is_refused_while_the_process_goes_away_is_told(google: Google) -> None:
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(**environment(google, port)) as running:
        wait_for_health(url, running)
        with (
            httpx.Client(headers={"x-api-key": "sk-test"}, timeout=20) as client,
            client.stream("POST", url + PATH, json=HELLO | {"stream": True}) as response,
        ):
            reads = response.iter_raw()
            next(reads)
            running.terminate()
            while httpx.get(f"{url}/ready").status_code == 200:
                pass
            gate.open()
            list(reads)
        output, _ = running.communicate(timeout=20)
    lines = [msgspec.json.decode(line) for line in output.splitlines()]
    refused = [line for line in lines if line.get("status") == 503]
    assert refused
    for line in refused:
        assert (line["code"], line["severity"]) == ("server_is_overloaded", "ERROR")
        assert line["message"] == "GET /ready 503"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_probe_that_is_told_that_all_is_well_is_no_news(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/v1/token-test")
    client.get(path)
    found: list[logging.LogRecord] = []
    while not found:
        found = [one for one in caplog.records if one.getMessage() == f"GET {path} 200"]
    (record,) = found
    assert record.levelno == logging.DEBUG


def test_a_refused_credential_is_an_event(
    start_gateway: StartGateway, google: Google, written: io.StringIO
) -> None:
    google.revoked_refresh_tokens.add("1//sim-refresh")
    google.tokens.reset()
    google.refresh_tokens.clear()
    with start_gateway().client() as client:
        client.post(PATH, json=HELLO)
    (line,) = events_in(written, "credentials_refused")
    assert (line["severity"], line["code"]) == ("ERROR", "credentials_revoked")


def test_a_refused_key_is_an_event_once(
    start_gateway: StartGateway, google: Google, written: io.StringIO
) -> None:
    google.api_keys.clear()
    with start_gateway(**by(google, "gemini_api")).client() as client:
        for _ in range(3):
            client.post(PATH, json=HELLO)
    (line,) = events_in(written, "credentials_refused")
    assert (line["severity"], line["code"]) == ("ERROR", "upstream_authentication_error")


def test_a_closed_way_is_an_event_once_while_it_is_closed(
    start_gateway: StartGateway, google: Google, written: io.StringIO
) -> None:
    google.script(*[error(429)] * 6)
    with start_gateway().client() as client:
        for _ in range(3):
            client.post(PATH, json=HELLO)
    (line,) = events_in(written, "upstream_closed")
    assert (line["severity"], line["upstream"]) == ("WARNING", "code_assist")
    assert (line["model"], line["code"]) == ("gemini-2.5-flash", "rate_limit_exceeded")
    assert line["seconds"] == 60


def test_the_project_of_a_trace_comes_from_the_metadata_server(
    start_gateway: StartGateway, google: Google, access_log: AccessLog
) -> None:
    gateway = start_gateway(gce_metadata_host=google.metadata_host)
    with gateway.client() as client:
        client.post(PATH, json=HELLO)
        google.wait_for("metadataValue")
        while True:
            access_log.lines.clear()
            client.get("/v1/nothing", headers=TRACED)
            line = access_log.wait_for(path="/v1/nothing")
            if "logging.googleapis.com/trace" in line:
                break
    trace = f"projects/{google.project}/traces/4bf92f3577b34da6a3ce929d0e0e4736"
    assert line["logging.googleapis.com/trace"] == trace
    assert line["logging.googleapis.com/trace_sampled"] is False


def test_without_a_project_no_trace_is_named(client: httpx.Client, access_log: AccessLog) -> None:
    client.get("/v1/nothing", headers=TRACED)
    line = access_log.wait_for(path="/v1/nothing")
    assert not [name for name in line if name.startswith("logging.")]


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("/v1/AIzaSyA1234567890", "x"),
        ("/v1/nothing?key=AIzaSyA1234567890", "x"),
        ("/v1/nothing", "me AIzaSyA1234567890"),
    ],
)
def test_a_secret_in_a_strange_place_is_not_logged(
    client: httpx.Client, written: io.StringIO, path: str, agent: str
) -> None:
    client.get(path, headers={"user-agent": agent})
    while not events_in(written, "request"):
        pass
    assert "AIza" not in written.getvalue()


def test_a_terminal_shows_one_readable_line(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/v1/not%0Ahing")
    client.post(PATH, json=HELLO)
    records: list[logging.LogRecord] = []
    while len(records) < 2:
        records = [record for record in caplog.records if record.name == "service.access"]
    strange, ordinary = map(logs.TextFormatter().format, records)
    assert strange.startswith(r"warning GET /v1/not\nhing 404 request_id=")
    assert re.fullmatch(
        rf"info POST {PATH} 200 request_id=\S+ model=gemini-2\.5-flash upstream=code_assist "
        r"prompt_tokens=1 completion_tokens=13 reasoning_tokens=0 cached_tokens=0 "
        r"first_byte_ms=[\d.]+ total_ms=[\d.]+ key=[0-9a-f]{8}",
        ordinary,
    )
