"""The official OpenAI SDK for Node, against the running server."""

import subprocess
from typing import Any

import msgspec
import pytest

from tests.gateway import API_KEY, HELLO, Gateway
from tests.programs import NODE, need_the_sdk_for_node
from tests.simulators.google import Google
from tests.simulators.replies import Play, answer, error

SAID = 'Hello from the simulated Google! You said: "Hello!".'


@pytest.fixture(autouse=True)
def node() -> None:
    need_the_sdk_for_node()


def ask(gateway: Gateway, call: str, body: dict[str, Any], key: str = API_KEY) -> Any:
    done = subprocess.run(
        ["node", "ask.mjs", f"{gateway.url}/v1", key, call, msgspec.json.encode(body)],  # noqa: S607
        cwd=NODE,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return msgspec.json.decode(done.stdout)


@pytest.mark.parametrize("call", ["whole", "chunks", "helper"])
def test_an_answer(call: str, gateway: Gateway) -> None:
    got = ask(gateway, call, HELLO)
    assert (got["text"], got["reason"]) == (SAID, "stop")
    assert got.get("role", "assistant") == "assistant"


def test_usage_of_a_stream(gateway: Gateway) -> None:
    got = ask(gateway, "chunks", HELLO | {"stream_options": {"include_usage": True}})
    assert got["usage"]["total_tokens"] > 0


def test_models(gateway: Gateway) -> None:
    got = ask(gateway, "models", {})
    assert "gemini-2.5-flash" in got["ids"]
    assert got["one"] == got["ids"][0]


ERRORS: dict[str, tuple[str, int, str, list[Play]]] = {
    "400": ("BadRequestError", 400, "invalid_argument", [error(400)]),
    "403": ("PermissionDeniedError", 403, "permission_denied", [error(403)]),
    "404": ("NotFoundError", 404, "model_not_found", [error(404)]),
    "429": ("RateLimitError", 429, "rate_limit_exceeded", [error(429)] * 2),
    "500": ("InternalServerError", 500, "server_error", [error(500)] * 2),
    "503": ("InternalServerError", 503, "server_is_overloaded", [error(503)] * 2),
}


@pytest.mark.parametrize("call", ["whole", "chunks"])
@pytest.mark.parametrize("expected", ERRORS.values(), ids=list(ERRORS))
def test_an_error_is_its_own_class(
    call: str, expected: tuple[str, int, str, list[Play]], gateway: Gateway, google: Google
) -> None:
    name, status, code, replies = expected
    google.script(*replies)
    got = ask(gateway, call, HELLO)["error"]
    assert (got["name"], got["status"], got["code"]) == (name, status, code)
    assert got["requestID"].startswith("req_")


def test_a_wrong_key(gateway: Gateway) -> None:
    got = ask(gateway, "whole", HELLO, key="wrong")["error"]
    assert (got["name"], got["code"]) == ("AuthenticationError", "invalid_api_key")


def test_a_wrong_request(gateway: Gateway) -> None:
    got = ask(gateway, "whole", HELLO | {"temperature": 3})["error"]
    assert (got["name"], got["param"]) == ("BadRequestError", "temperature")


@pytest.mark.parametrize("call", ["chunks", "helper"])
def test_an_error_in_mid_stream_is_raised(call: str, gateway: Gateway, google: Google) -> None:
    google.script(answer("Hel", "lo", finish=None, then=error(503)))
    got = ask(gateway, call, HELLO)
    assert got["text"] == "Hello"
    assert got["error"]["name"] == "APIError"
    assert got["error"]["code"] == "server_is_overloaded"
