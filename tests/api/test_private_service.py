"""Behind Cloud Run's own check: its ID token comes along with the gateway's key."""

import hashlib
import logging
import secrets
from collections.abc import Callable

import httpx
import openai
import pytest

from service import logs
from tests.api.test_signatures import ONE, asked, calls_in, sent, step, weather
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import answer

PATH = "/v1/chat/completions"
KEY_DIGEST = hashlib.sha256(API_KEY.encode()).hexdigest()[:8]


def id_token() -> str:
    """Return something like Google's, as Cloud Run passes it on: without its signature."""
    return f"eyJhbGciOiJSUzI1NiJ9.{secrets.token_urlsafe(20)}.SIGNATURE_REMOVED_BY_GOOGLE"


def of_two_headers(token: str) -> tuple[str, dict[str, str]]:
    """The gateway's key where SDKs put it, and the token where Cloud Run looks first."""
    return API_KEY, {"X-Serverless-Authorization": f"Bearer {token}"}


def of_one_header(token: str) -> tuple[str, dict[str, str]]:
    """The token where SDKs put a key, for what can set no other header than `x-api-key`."""
    return token, {"x-api-key": API_KEY}


WAYS = pytest.mark.parametrize("way", [of_two_headers, of_one_header])


@WAYS
def test_openais_sdk_gets_past_both_checks(
    way: Callable[[str], tuple[str, dict[str, str]]],
    gateway: Gateway,
    google: Google,
    access_log: AccessLog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = id_token()
    key, headers = way(token)
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, default_headers=headers
    ) as client:
        client.chat.completions.create(
            model=HELLO["model"], messages=[{"role": "user", "content": "Hello!"}]
        )
    assert access_log.wait_for(path=PATH)["key"] == KEY_DIGEST
    for call in google.requests:
        assert "x-serverless-authorization" not in call.headers
        assert not any(token in value for value in call.headers.values())
    for record in caplog.records:
        if record.name.startswith("service"):
            assert token not in logs.JsonFormatter().format(record)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer TOKEN", "x-api-key": API_KEY}, 200),
        ({"authorization": "Bearer TOKEN", "x-api-key": "sk-wrong"}, 401),
        ({"authorization": "Bearer TOKEN"}, 401),
        ({"x-serverless-authorization": "Bearer TOKEN", "authorization": f"Bearer {API_KEY}"}, 200),
        ({"x-serverless-authorization": "Bearer TOKEN", "x-api-key": API_KEY}, 200),
        ({"x-serverless-authorization": f"Bearer {API_KEY}"}, 401),
    ],
)
def test_the_token_is_no_key_and_the_key_counts_wherever_it_is(
    stranger: httpx.Client, headers: dict[str, str], status: int
) -> None:
    given = {name: value.replace("TOKEN", id_token()) for name, value in headers.items()}
    assert stranger.get("/v1/models", headers=given).status_code == status


def test_a_new_token_is_still_the_same_caller(stranger: httpx.Client, google: Google) -> None:
    """Signatures are kept for each caller, and ID tokens last for an hour."""
    google.script(answer(parts=[weather(ONE, "c1")]), answer("Rain."))

    def ask(body: dict[str, object]) -> httpx.Response:
        headers = {"authorization": f"Bearer {id_token()}", "x-api-key": API_KEY}
        return stranger.post(PATH, json=body, headers=headers)

    ask(asked(*step(calls_in(ask(asked())))))
    assert sent(google) == [ONE]
