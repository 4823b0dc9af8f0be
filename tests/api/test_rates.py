"""Limits for each API key, as clients meet them."""

import socket
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import httpx
import openai
import pytest

from service.rates import counting
from service.settings import Secret
from tests.conftest import StartGateway
from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import API_KEY, HELLO, AccessLog, events
from tests.simulators.google import Google

PATH = "/v1/chat/completions"
NATIVE = "/v1beta/models/gemini-2.5-flash:generateContent"
SAID = {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}


@pytest.fixture(autouse=True)
def long_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No minute ends in the middle of a test."""
    monkeypatch.setattr(counting, "MINUTE", 10**9)


def test_a_request_too_many_is_refused(
    start_gateway: StartGateway, google: Google, access_log: AccessLog
) -> None:
    gateway = start_gateway(rate_limit_requests_per_minute=2)
    with gateway.client() as client:
        first, second, third = (client.post(PATH, json=HELLO) for _ in range(3))
        assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
        left = [each.headers["x-ratelimit-remaining-requests"] for each in (first, second, third)]
        assert left == ["1", "0", "0"]
        assert client.get("/v1/models").status_code == 200, "it asks Google for nothing"
    error = third.json()["error"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert int(third.headers["retry-after"]) > 0
    assert third.headers["x-ratelimit-limit-requests"] == "2"
    assert "x-ratelimit-limit-tokens" not in third.headers
    line = access_log.wait_for(status=429)
    assert (line["code"], line["route"]) == ("rate_limit_exceeded", PATH)
    assert len(google.calls("generate")) == 2
    assert len([each for each in access_log.lines if each["path"] == PATH]) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_count_when_an_answer_is_there(start_gateway: StartGateway, *, stream: bool) -> None:
    gateway = start_gateway(rate_limit_tokens_per_minute=5)
    with gateway.client() as client:
        body = HELLO | {"stream": stream, "stream_options": {"include_usage": True}}
        first = client.post(PATH, json=body if stream else HELLO)
        answer: Any = events(first)[-2] if stream else first.json()
        assert first.headers["x-ratelimit-remaining-tokens"] == "5"
        assert answer["usage"]["total_tokens"] > 5
        refused = client.post(PATH, json=HELLO)
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "tokens"
    assert refused.headers["x-ratelimit-remaining-tokens"] == "0"


def test_each_key_has_a_limit_of_its_own(start_gateway: StartGateway) -> None:
    gateway = start_gateway(openai_api_key=Secret("one,two"), rate_limit_requests_per_minute=1)
    for key in ("one", "two"):
        with gateway.client(key) as client:
            assert [client.post(PATH, json=HELLO).status_code for _ in range(2)] == [200, 429]
    with gateway.client("wrong") as client:
        refused = client.post(PATH, json=HELLO)
    assert refused.status_code == 401
    assert "x-ratelimit-limit-requests" not in refused.headers


def test_without_keys_everyone_shares_one(start_gateway: StartGateway) -> None:
    gateway = start_gateway(openai_api_key=None, rate_limit_requests_per_minute=2)
    found = []
    for key in ("one", "two", None):
        with gateway.client(key) as client:
            found.append(client.post(PATH, json=HELLO).status_code)
    assert found == [200, 200, 429]


def test_google_says_it_in_its_own_words(start_gateway: StartGateway) -> None:
    with start_gateway(rate_limit_requests_per_minute=1).client() as client:
        assert client.post(NATIVE, json=SAID).status_code == 200
        refused = client.post(NATIVE, json=SAID)
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert error["details"][0]["retryDelay"].endswith("s")


def test_openais_sdk_knows_what_happened(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit_requests_per_minute=1)
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0) as client:
        completions = client.chat.completions
        asked: Any = HELLO
        raw = completions.with_raw_response.create(**asked)
        assert raw.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError) as refused:
            completions.create(**asked)
    assert refused.value.code == "rate_limit_exceeded"


def test_instances_share_their_limits_in_firestore(
    start_gateway: StartGateway, firestore: FirestoreEmulator
) -> None:
    assert firestore.running
    settings: dict[str, Any] = {
        "token_cache": "firestore",
        "google_cloud_project": "sim-project",
        "rate_limit_requests_per_minute": 30,
        "firestore_collection": "rated",
    }
    one, other = (start_gateway(**settings).client() for _ in range(2))
    assert [one.post(PATH, json=HELLO).status_code for _ in range(20)] == [200] * 20
    left = 30
    for _ in range(8):  # it hears of the others after a second at the latest
        left = int(asked(other).headers["x-ratelimit-remaining-requests"])
        if left < 10:
            break
        asked(one)
        sleep(0.3)
    one.close()
    other.close()
    assert left < 10


def asked(client: httpx.Client) -> httpx.Response:
    """Ask what costs nothing, and counts."""
    return client.post("/v1/responses", json={})


@pytest.fixture
def silent_firestore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{host}:{port}")
        yield


@pytest.mark.usefixtures("silent_firestore")
def test_a_silent_firestore_stops_nobody(start_gateway: StartGateway) -> None:
    gateway = start_gateway(
        token_cache="firestore",
        google_cloud_project="sim-project",
        rate_limit_requests_per_minute=5,
    )
    with gateway.client() as client:
        client.post(PATH, json=HELLO)  # waits for the token of others, who may have one
        began = monotonic()
        found = [client.post(PATH, json=HELLO).status_code for _ in range(6)]
        assert monotonic() - began < 1.5
    assert found == [200] * 4 + [429] * 2
