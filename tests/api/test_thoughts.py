"""Thoughts, over a socket: where they go, and when they are asked for."""

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, events
from tests.simulators.google import Google
from tests.simulators.replies import Reset, answer

PATH = "/v1/chat/completions"
THOUGHT: dict[str, Any] = {"text": "Plan", "thought": True}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"content": "Hi", "reasoning_content": "Plan", "reasoning": "Plan"}),
        ({"reasoning_field": "reasoning"}, {"content": "Hi", "reasoning": "Plan"}),
        ({"reasoning_field": "reasoning_content"}, {"content": "Hi", "reasoning_content": "Plan"}),
        ({"reasoning_field": "tags"}, {"content": "<thinking>Plan</thinking>Hi"}),
        ({"stream_thinking_as_content": True}, {"content": "<thinking>Plan</thinking>Hi"}),
        ({"reasoning_field": "none", "stream_thinking_as_content": True}, {"content": "Hi"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_go_where_the_operator_says(
    start_gateway: StartGateway,
    google: Google,
    settings: dict[str, Any],
    expected: dict[str, str],
    *,
    stream: bool,
) -> None:
    google.script(answer(parts=[THOUGHT, {"text": "Hi"}]))
    with start_gateway(**settings).client() as client:
        response = client.post(PATH, json=HELLO | {"reasoning_effort": "low", "stream": stream})
    said: dict[str, str] = {}
    if stream:
        for event in events(response)[:-1]:
            for key, value in event["choices"][0]["delta"].items():
                said[key] = said.get(key, "") + value
    else:
        said = response.json()["choices"][0]["message"]
        said.pop("refusal")
    assert said == {"role": "assistant", **expected}
    (call,) = google.calls("generate")
    hidden = settings.get("reasoning_field") == "none"
    thinking = {"thinkingBudget": 1024} | ({} if hidden else {"includeThoughts": True})
    assert call.request["generationConfig"]["thinkingConfig"] == thinking


def test_thoughts_are_asked_for_where_the_operator_says(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(answer("Hi"))
    with start_gateway(enable_real_thinking=True).client() as client:
        client.post(PATH, json=HELLO)
    (call,) = google.calls("generate")
    assert call.request["generationConfig"]["thinkingConfig"] == {"includeThoughts": True}


def test_a_tag_is_closed_before_an_error(start_gateway: StartGateway, google: Google) -> None:
    google.script(answer([THOUGHT], Reset(), "never"))
    with start_gateway(reasoning_field="tags").client() as client:
        response = client.post(PATH, json=HELLO | {"reasoning_effort": "low", "stream": True})
    *_, opened, closed, last, done = events(response)
    said = [event["choices"][0]["delta"]["content"] for event in (opened, closed)]
    assert said == ["<thinking>Plan", "</thinking>"]
    assert (list(last), done) == (["error"], b"[DONE]")
