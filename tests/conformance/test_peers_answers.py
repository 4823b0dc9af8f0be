"""The peers' cases of answers, whole and streamed: how they end and what they cost."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gateway import HELLO, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks

PATH = "/v1/chat/completions"

Ask = Callable[..., tuple[dict[str, Any], str | None, dict[str, Any]]]


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def ask(request: pytest.FixtureRequest, client: httpx.Client) -> Ask:
    """Ask in one piece or streamed; return the message, its finish reason and the usage."""

    def in_one_piece(**body: Any) -> Any:
        found = client.post(PATH, json=HELLO | body).json()
        (choice,) = found["choices"]
        return choice["message"], choice["finish_reason"], found["usage"]

    def streamed(**body: Any) -> Any:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        *found, usage, done = events(client.post(PATH, json=HELLO | body | options))
        assert done == b"[DONE]"
        assert usage["choices"] == []
        assert all(chunk["usage"] is None for chunk in found)
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in found]
        assert reasons[:-1] == [None] * (len(found) - 1)
        assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        return {"content": text_of(found)}, reasons[-1], usage["usage"]

    return streamed if request.param else in_one_piece


CUT_OFF = {
    "candidates": [{"finishReason": "MAX_TOKENS"}],
    "usageMetadata": {"promptTokenCount": 5, "thoughtsTokenCount": 13, "totalTokenCount": 18},
}


def test_e6_the_limit_is_hit_before_any_text(ask: Ask, google: Google) -> None:
    google.script(chunks([CUT_OFF]))
    message, reason, usage = ask(max_tokens=16)
    assert (message["content"], reason) == ("", "length")
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5, 13)
    assert usage["total_tokens"] == 18
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 13


BLOCKED = {
    "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
    "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
}


def test_e7_the_prompt_is_blocked(ask: Ask, google: Google) -> None:
    google.script(chunks([BLOCKED]))
    message, reason, usage = ask()
    assert (message["content"], reason) == ("", "content_filter")
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5, 0)


@pytest.mark.parametrize(
    "native",
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "OTHER",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
    ],
)
def test_e7_the_answer_is_blocked(native: str, ask: Ask, google: Google) -> None:
    google.script(chunks([{"candidates": [{"finishReason": native}]}]))
    message, reason, _ = ask()
    assert (message["content"], reason) == ("", "content_filter")


@pytest.mark.parametrize(
    "native",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_e7_nothing_was_produced(
    native: str, client: httpx.Client, google: Google, *, stream: bool
) -> None:
    failed = chunks([{"candidates": [{"finishReason": native}]}])
    google.script(failed, answer("Hello"))
    assert client.post(PATH, json=HELLO | {"stream": stream}).status_code == 200
    google.script(failed, failed)
    response = client.post(PATH, json=HELLO | {"stream": stream})
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_malformed_response"
    assert len(google.calls("generate")) == 4


COUNTED = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "toolUsePromptTokenCount": 10,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 160,
}


def test_e10_usage(ask: Ask, google: Google) -> None:
    google.script(answer("Hel", "lo", usage=COUNTED))
    _, _, usage = ask()
    assert usage["prompt_tokens"] == 110
    assert usage["completion_tokens"] == 50
    assert usage["total_tokens"] == 160
    assert usage["prompt_tokens_details"]["cached_tokens"] == 40
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 30


def test_e10_candidates_that_include_the_thoughts(ask: Ask, google: Google) -> None:
    google.script(answer("Hello", usage=COUNTED | {"totalTokenCount": 120}))
    assert ask()[2]["completion_tokens"] == 20


def test_e10_usage_that_nobody_asked_for(client: httpx.Client, google: Google) -> None:
    google.script(answer("Hello", usage=COUNTED))
    found = events(client.post(PATH, json=HELLO | {"stream": True}))[:-1]
    assert all("usage" not in chunk and chunk["choices"] for chunk in found)
