"""What most requests do not say is decided once for all of them, and leaks from none to another."""

from typing import Any

import msgspec
import pytest

from service.models import find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.options import NO_OPTIONS, options_of
from service.translation.request import ignored_params, to_gemini

MODEL = find_model("gemini-2.5-flash")
#: Of an operator who has set something.
OPERATORS = Defaults(think=True, safety=(("HARM_CATEGORY_HARASSMENT", "BLOCK_NONE"),))
HELLO = {"messages": [{"role": "user", "content": "Hi"}]}
#: A value for each of the fields that are no options.
SAID: dict[str, Any] = {
    "model": "gemini-2.5-flash",
    "stream": True,
    "stream_options": {"include_usage": True},
    "n": 2,
    "max_completion_tokens": 7,
    "max_tokens": 7,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "stop": ["."],
    "seed": 5,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "logit_bias": {"1": 1},
    "metadata": {"a": "b"},
    "prediction": {"type": "content", "content": ""},
    "prompt_cache_key": "key",
    "safety_identifier": "me",
    "store": True,
    "user": "me",
    "verbosity": "low",
}


def request(**said: Any) -> ChatCompletionRequest:
    return msgspec.convert(HELLO | said, ChatCompletionRequest)


def test_each_field_that_is_no_option_is_known_here() -> None:
    assert {*SAID, "messages"} == NO_OPTIONS


@pytest.mark.parametrize("model", ["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.6-flash"])
@pytest.mark.parametrize("name", SAID)
def test_what_is_no_option_changes_none(name: str, model: str) -> None:
    """`logprobs: false` says nothing, too, but has to be looked at."""
    looked_at = options_of(
        request(**{name: SAID[name]}, logprobs=False), find_model(model), OPERATORS
    )
    assert looked_at == options_of(request(), find_model(model), OPERATORS)
    assert looked_at is not options_of(request(), find_model(model), OPERATORS)


def test_it_is_decided_once_for_a_model_and_defaults() -> None:
    once = options_of(request(temperature=1), MODEL, Defaults())
    assert options_of(request(seed=1), MODEL, Defaults()) is once
    assert options_of(request(), MODEL, OPERATORS) != once


def test_nothing_of_one_request_is_in_the_next() -> None:
    before = msgspec.json.encode(to_gemini(request(), MODEL, defaults=OPERATORS))
    call = {"id": "a", "type": "function", "function": {"name": "no such", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]
    said = request(**SAID, messages=messages)
    assert msgspec.json.encode(to_gemini(said, MODEL, defaults=OPERATORS)) != before
    assert "logit_bias" in ignored_params(said, MODEL, OPERATORS, strict=True)
    assert msgspec.json.encode(to_gemini(request(), MODEL, defaults=OPERATORS)) == before
    assert ignored_params(request(), MODEL, OPERATORS) == []
    assert options_of(request(), MODEL, OPERATORS).names is None


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "gemini-2.5-flash-preview-tts"])
def test_who_draws_or_speaks_tells_no_logprobs(model: str) -> None:
    said = request(logprobs=True, top_logprobs=2)
    assert ignored_params(said, find_model(model)) == ["logprobs", "top_logprobs"]
    assert ignored_params(said, MODEL) == []
