"""Fifteen cases that other gateways get wrong, each with a test or a golden file named for it.

Here are the ones about HTTP, and a count; requests and answers have files of their own, and what is
of the translation alone is among the golden files.
"""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import HELLO, AccessLog, Gateway, credential, events, send, text_of
from tests.simulators.google import Google
from tests.simulators.replies import (
    Gate,
    Hold,
    Play,
    answer,
    by_method,
    document,
    error,
    hold,
    rewritten,
)

PATH = "/v1/chat/completions"
TESTS = Path(__file__).parent.parent


def test_each_of_the_fifteen_has_one() -> None:
    golden = [path.stem for path in TESTS.glob("golden/*/e*.json")]
    functions = [
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def test_(e\d+_\w+)\(", path.read_text())
    ]
    named = [re.match(r"e(\d+)_", name) for name in golden + functions]
    found = {int(match[1]) for match in named if match}
    assert found >= set(range(1, 16))


@pytest.mark.parametrize("body", [{}, {"stream": None}], ids=["absent", "null"])
def test_e1_stream_omitted(body: dict[str, Any], client: httpx.Client) -> None:
    hi = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hi"}]}
    response = client.post(PATH, json=hi | body)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["object"] == "chat.completion"


def test_e1_stream_of_the_wrong_type(client: httpx.Client) -> None:
    response = client.post(PATH, json=HELLO | {"stream": "true"})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "stream")


def test_e1_stream_by_accept_or_by_setting(
    client: httpx.Client, start_gateway: StartGateway
) -> None:
    assert events(client.post(PATH, json=HELLO, headers={"accept": "text/event-stream"}))
    with start_gateway(stream_by_default=True).client() as other:
        assert events(other.post(PATH, json=HELLO))


def detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


RESETS = {"quotaResetTimeStamp": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (error(429, details=[detail("RetryInfo", retryDelay="53s")]), (53, 53)),
        (error(429, message="Your capacity is exhausted. It will reset after 53s."), (53, 53)),
        # This one comes nearer while the tests run.
        (error(429, details=[detail("ErrorInfo", reason="NEW", metadata=RESETS)]), (600, 3600)),
    ],
    ids=["RetryInfo", "in the text", "quotaResetTimeStamp"],
)
def test_e8_google_refuses_a_stream_before_its_first_byte(
    refusal: Play, seconds: tuple[int, int], client: httpx.Client, google: Google
) -> None:
    google.script(refusal)
    response = client.post(PATH, json=HELLO | {"stream": True})
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/json"
    least, most = seconds
    assert least <= int(response.headers["retry-after"]) <= most
    told = response.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert told["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    "broken",
    [
        answer("Hel", finish=None, then=error(503)),
        answer("Hel", finish=None),
    ],
    ids=["an error event", "no finish reason"],
)
def test_e8_google_fails_after_the_first_byte(
    broken: Play, client: httpx.Client, google: Google
) -> None:
    google.script(by_method(stream=broken, unary=broken))
    *before, failure, done = events(client.post(PATH, json=HELLO | {"stream": True}))
    assert text_of(before) == "Hel"
    assert {chunk["choices"][0]["finish_reason"] for chunk in before} == {None}
    assert failure["error"]["message"]
    assert done == b"[DONE]"


@pytest.mark.parametrize(
    "expiry_date", [4_000_000_000_000, 4_000_000_000, "4000000000000", None], ids=repr
)
def test_e9_fifty_requests_meet_a_401_with_a_token_that_looks_valid(
    expiry_date: object, start_gateway: StartGateway, google: Google
) -> None:
    given = msgspec.json.decode(credential(google)) | {"access_token": "ya29.dead"}
    given |= {} if expiry_date is None else {"expiry_date": expiry_date}
    inline = Secret(msgspec.json.encode(given).decode())
    with (
        start_gateway(gcp_service_account=inline).client() as client,
        ThreadPoolExecutor(50) as pool,
    ):
        found = list(pool.map(lambda _: client.post(PATH, json=HELLO).status_code, range(50)))
    assert found == [200] * 50
    assert len(google.calls("token")) == 1


def test_e9_a_credential_that_was_revoked(start_gateway: StartGateway, google: Google) -> None:
    google.script(document({"error": "invalid_grant"}, 400), on="token")
    with start_gateway().client() as client:
        told = [client.post(PATH, json=HELLO) for _ in range(3)]
        ready = client.get("/ready")
    # peers.md says 503; the contract 500, which its row for the token endpoint names
    assert {(one.status_code, one.json()["error"]["code"]) for one in told} == {
        (500, "credentials_revoked")
    }
    assert "login" in told[0].json()["error"]["message"]
    assert ready.status_code == 503
    assert len(google.calls("token")) == 1, "no hammering"


def test_e15_the_client_goes_away_after_two_chunks(
    gateway: Gateway, google: Google, access_log: AccessLog
) -> None:
    google.script(answer("Hel", "lo", Hold(Gate()), "!"))
    with (
        gateway.client() as client,
        client.stream("POST", PATH, json=HELLO | {"stream": True}) as response,
    ):
        content = b""
        for piece in response.iter_raw():
            content += piece
            if b"lo" in content.replace(b"Hello", b""):
                break
    (call,) = google.calls("generate")
    assert call.left.wait(1)
    assert access_log.wait_for(status=499)["code"] == "client_disconnected"


def test_e15_the_client_goes_away_before_the_first_byte(gateway: Gateway, google: Google) -> None:
    google.script(hold(Gate(), answer("late")))
    with socket.create_connection(gateway.address) as connection:
        send(connection, HELLO)
        google.wait_for("generate")
    (call,) = google.calls("generate")
    assert call.left.wait(1)


def test_e15_silence_is_bridged(start_gateway: StartGateway, google: Google) -> None:
    go = Gate()
    google.script(hold(go, answer("Hello")))
    content = b""
    with (
        start_gateway(sse_keepalive_seconds=0.05).client() as client,
        client.stream("POST", PATH, json=HELLO | {"stream": True}) as response,
    ):
        for piece in response.iter_raw():
            content += piece
            if content.count(b": keepalive\n\n") >= 2:
                go.open()
    assert b"Hello" in content
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert "connection" not in response.headers


def test_e15_bytes_are_cut_anywhere(client: httpx.Client, google: Google) -> None:
    def odd(steps: tuple[Any, ...]) -> list[bytes]:
        wire = b"".join(step for step in steps if isinstance(step, bytes))
        wire = wire.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"data: ", b"data:")
        wire, split = wire.replace(b',"traceId"', b'\r\ndata:,"traceId"').rstrip(), wire
        assert wire.count(b"data:") > split.count(b"data:"), "no event has several lines"
        return [wire[at : at + 1] for at in range(len(wire))]

    google.script(rewritten(answer("Troms\u00f8 ", "\N{GRINNING FACE}"), odd))
    found = events(client.post(PATH, json=HELLO | {"stream": True}))
    assert text_of(found) == "Troms\u00f8 \N{GRINNING FACE}"
