"""What goes past Litestar's routing gets the answer that it would get by it."""

from typing import Any

import httpx
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import error

PATH = "/v1/chat/completions"
#: A browser's requests go by Litestar, for its CORS.
LONG = {"origin": "https://chat.example"}
#: Of each answer its own.
VARIES = {"id", "created"}
HEADERS = {"x-request-id", "openai-processing-ms", "date", "vary", "content-length"}

REQUESTS: dict[str, dict[str, Any]] = {
    "an answer": {"json": HELLO},
    "what is ignored": {"json": HELLO | {"logit_bias": {"1": 1}}},
    "no JSON": {"content": b"{"},
    "a form": {"data": {"model": "gemini-3.5-flash"}},
    "nothing": {},
    "a model that is none": {"json": HELLO | {"model": "nonsense"}},
    "a wrong type": {"json": HELLO | {"temperature": "hot"}},
    "too large": {"content": b" " * 2_000_000},
    "no key": {"json": HELLO, "headers": {"authorization": ""}},
    "another key": {"json": HELLO, "headers": {"authorization": "Bearer sk-other"}},
    "its own id": {"json": HELLO, "headers": {"x-request-id": "mine"}},
}


@pytest.fixture
def small(start_gateway: StartGateway) -> Gateway:
    return start_gateway(openai_api_key=Secret(API_KEY), max_request_bytes=1_000_000)


def shown(answer: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    body = {name: value for name, value in answer.json().items() if name not in VARIES}
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in HEADERS and not name.startswith("access-control-")
    }
    return answer.status_code, body, headers


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_both_ways_say_the_same(small: Gateway, request_: dict[str, Any]) -> None:
    with small.client() as client:
        short = client.post(PATH, **request_)
        headers = LONG | request_.get("headers", {})
        long = client.post(PATH, **request_ | {"headers": headers})
    assert shown(short) == shown(long)
    assert "access-control-allow-origin" not in short.headers
    assert "access-control-allow-origin" in long.headers


def test_both_ways_log_the_same(small: Gateway, google: Google, access_log: AccessLog) -> None:
    google.script(error(400), error(400))
    with small.client() as client:
        for headers in ({"x-request-id": "short"}, LONG | {"x-request-id": "long"}):
            client.post(PATH, json=HELLO | {"stream": True}, headers=headers)
    short, long = access_log.wait_for(request_id="short"), access_log.wait_for(request_id="long")
    for name in ("route", "status", "code", "model", "key", "stream", "client_gone"):
        assert short[name] == long[name], name
    assert short["route"] == PATH
