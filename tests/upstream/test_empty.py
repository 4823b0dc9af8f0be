"""An answer in good order that says nothing is worth one more call, where nothing is no answer."""

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.faults.ways import settings_of_ways
from tests.gateway import HELLO, Gateway, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks

PATH = "/v1/chat/completions"
NATIVE = "/v1beta/models/gemini-2.5-flash"
END: dict[str, Any] = {"finishReason": "STOP", "content": {"role": "model"}}

NOTHINGS = {
    "no content": {"finishReason": "STOP"},
    "no parts": END,
    "an empty text": END | {"content": {"role": "model", "parts": [{"text": ""}]}},
    "a signature": END | {"content": {"parts": [{"text": "", "thoughtSignature": "AQID"}]}},
}
SILENT = chunks([{"candidates": [END]}])
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture(params=["code_assist", "vertex", "gemini_api"])
def gateway(request: pytest.FixtureRequest, start_gateway: StartGateway, google: Google) -> Gateway:
    return start_gateway(**settings_of_ways(google, upstreams=request.param))


def said(gateway: Gateway, body: dict[str, Any]) -> str | None:
    """Return the text, of a stream or of a whole answer; it must have ended as it should."""
    with gateway.client() as client:
        response = client.post(PATH, json=body)
    assert response.status_code == 200
    if not body.get("stream"):
        (choice,) = response.json()["choices"]
        assert choice["finish_reason"] == "stop"
        return str(choice["message"]["content"])
    *chunked, last = events(response)
    assert last == b"[DONE]"
    assert any(chunk["choices"][0]["finish_reason"] == "stop" for chunk in chunked)
    return text_of(chunked)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("nothing", NOTHINGS.values(), ids=NOTHINGS)
def test_gemini_is_asked_once_more(
    gateway: Gateway, google: Google, nothing: dict[str, Any], *, stream: bool
) -> None:
    google.script(chunks([{"candidates": [nothing]}]), answer("Here I am."))
    assert said(gateway, HELLO | {"stream": stream}) == "Here I am."
    assert len(google.calls("generate")) == 2


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_also_for_googles_own_clients(gateway: Gateway, google: Google, method: str) -> None:
    google.script(SILENT, answer("Here I am."))
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    with gateway.client() as client:
        assert "Here I am." in client.post(f"{NATIVE}:{method}", json=body).text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_empty_twice_is_an_empty_answer(
    gateway: Gateway, google: Google, *, stream: bool
) -> None:
    google.script(*[SILENT] * 3)
    assert said(gateway, HELLO | {"stream": stream}) == ""
    assert len(google.calls("generate")) == 2


ENOUGH: dict[str, dict[str, Any]] = {
    "a stop sequence": {"stop": ["\n"]},
    "a tool's result": {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "done"},
        ]
    },
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("asked", ENOUGH.values(), ids=ENOUGH)
def test_where_nothing_is_an_answer_gemini_is_not_asked_again(
    one_gateway: Gateway, google: Google, asked: dict[str, Any], *, stream: bool
) -> None:
    google.script(SILENT)
    assert said(one_gateway, HELLO | asked | {"stream": stream}) == ""
    assert len(google.calls("generate")) == 1


NATIVE_ENOUGH: dict[str, dict[str, Any]] = {
    "a stop sequence": {"generation_config": {"stop_sequences": ["x"]}},
    "a tool's result": {
        "contents": [
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
        ]
    },
}


@pytest.mark.parametrize("asked", NATIVE_ENOUGH.values(), ids=NATIVE_ENOUGH)
def test_nor_for_googles_own_clients(
    one_gateway: Gateway, google: Google, asked: dict[str, Any]
) -> None:
    google.strict = False
    google.script(SILENT)
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]} | asked
    with one_gateway.client() as client:
        assert client.post(f"{NATIVE}:generateContent", json=body).status_code == 200
    assert len(google.calls("generate")) == 1
