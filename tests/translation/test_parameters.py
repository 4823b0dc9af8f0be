"""Every parameter of a chat completion, row by row, where a golden file would say too little."""

from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.errors import InvalidRequestError
from service.models import find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.request import ignored_params, to_gemini

HI = {"role": "user", "content": "Hi"}
OLD, NEW = "gemini-2.5-flash", "gemini-3.8-flash"


def asked(given: dict[str, Any], model: str = OLD) -> ChatCompletionRequest:
    body = {"messages": [HI], "model": model} | given
    return decode(msgspec.json.encode(body), ChatCompletionRequest)


def sent(given: dict[str, Any], model: str = OLD) -> dict[str, Any]:
    """Return what Gemini gets beside the words."""
    request = to_gemini(asked(given, model), find_model(model))
    body: dict[str, Any] = msgspec.to_builtins(request)
    del body["contents"]
    return body


def ignored(given: dict[str, Any], model: str = OLD) -> list[str]:
    return ignored_params(asked(given, model), find_model(model))


@pytest.mark.parametrize(
    ("given", "config"),
    [
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 2}, {"temperature": 2}),
        ({"top_p": 0}, {"topP": 0}),
        ({"top_k": 100}, {"topK": 64}),
        ({"max_tokens": 5}, {"maxOutputTokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"maxOutputTokens": 6}),
        ({"max_tokens": 10**9}, {"maxOutputTokens": 65_535}),
        ({"stop": "a"}, {"stopSequences": ["a"]}),
        ({"stop": ["a", "", "b"]}, {"stopSequences": ["a", "b"]}),
        ({"stop": list("abcde")}, {"stopSequences": list("abcde")}),
        ({"seed": 7}, {"seed": 7}),
        ({"seed": 2**31 + 7}, {"seed": 7}),
        ({"seed": -1}, {"seed": 2**31 - 1}),
    ],
)
def test_what_is_passed_on(given: dict[str, Any], config: dict[str, Any]) -> None:
    assert sent(given) == {"generationConfig": config}
    assert ignored(given) == []


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": None, "stop": None, "n": None, "tools": None, "stream": None},
        {"stop": []},
        {"stop": ["", None]},
        {"top_k": 0},
        {"presence_penalty": 0, "frequency_penalty": 0.0},
        {"logit_bias": {}},
        {"logprobs": False},
        {"n": 1, "stream_options": {"include_usage": True}},
        {"stream_options": {"include_obfuscation": True}},
        {"response_format": {"type": "text"}},
        {"tools": [], "tool_choice": "auto"},
        {"parallel_tool_calls": False},
        {"verbosity": "high"},
        {"modalities": ["text"]},
        {"modalities": []},
        {"prediction": {"type": "content", "content": "x"}},
        *({"service_tier": tier} for tier in ("auto", "default", "scale", "fast")),
        {"store": True, "metadata": {"k": "v"}},
        {"user": "u", "safety_identifier": "s", "prompt_cache_key": "k"},
        {"prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "x", "ttl": 1}},
        {"moderation": {"model": "m", "policy": {"input": {"mode": "score"}}}},
        {"messages": [HI | {"name": "Ann", "cache_control": {"type": "ephemeral"}}]},
        {"unknown": {"to": ["everyone"]}},
    ],
    ids=str,
)
def test_what_changes_no_answer_is_dropped_without_a_word(given: dict[str, Any]) -> None:
    assert sent(given) == {}
    assert ignored(given) == []


@pytest.mark.parametrize(
    ("given", "model", "names"),
    [
        ({"temperature": 0}, NEW, ["temperature"]),
        ({"top_p": 1, "top_k": 0}, NEW, ["top_k", "top_p"]),
        ({"presence_penalty": 0.1}, OLD, ["presence_penalty"]),
        ({"frequency_penalty": -2}, OLD, ["frequency_penalty"]),
        ({"logit_bias": {"1": 5}}, OLD, ["logit_bias"]),
        ({"audio": {"voice": "Kore", "format": "wav"}}, OLD, ["audio"]),
        ({"image_config": {"aspect_ratio": "1:1"}}, OLD, ["image_config"]),
    ],
)
def test_what_gemini_cannot_do_is_named(
    given: dict[str, Any], model: str, names: list[str]
) -> None:
    assert sent(given, model) == {}
    assert ignored(given, model) == names


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": "Hi"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"stream": "true"}, "stream", "invalid_type"),
        ({"stream": 1}, "stream", "invalid_type"),
        (
            {"stream_options": {"include_usage": "yes"}},
            "stream_options.include_usage",
            "invalid_type",
        ),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
        ({"temperature": "0"}, "temperature", "invalid_type"),
        ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
        ({"top_p": -1}, "top_p", "decimal_below_min_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "integer_below_min_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 9}, "n", "integer_above_max_value"),
        ({"n": "2"}, "n", "invalid_type"),
        ({"n": 1.5}, "n", "invalid_type"),
        ({"n": True}, "n", "invalid_type"),
        ({"stop": list("abcdef")}, "stop", "array_above_max_length"),
        ({"stop": 5}, "stop", "invalid_type"),
        ({"seed": 1.5}, "seed", "invalid_type"),
        ({"presence_penalty": 2.1}, "presence_penalty", "decimal_above_max_value"),
        ({"frequency_penalty": -2.1}, "frequency_penalty", "decimal_below_min_value"),
        ({"logit_bias": [1]}, "logit_bias", "invalid_type"),
        ({"logprobs": 5}, "logprobs", "invalid_type"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"logprobs": True, "top_logprobs": -1}, "top_logprobs", "integer_below_min_value"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"logprobs": False, "top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"reasoning_effort": "much"}, "reasoning_effort", "invalid_value"),
        ({"verbosity": "loud"}, "verbosity", "invalid_value"),
        ({"modalities": ["image"]}, "modalities", "unsupported_value"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_value"),
        ({"modalities": "text"}, "modalities", "invalid_type"),
        ({"audio": "loud"}, "audio", "invalid_type"),
        ({"image_config": "16:9"}, "image_config", "invalid_type"),
        ({"service_tier": 1}, "service_tier", "invalid_type"),
        ({"store": "yes"}, "store", "invalid_type"),
        ({"metadata": "x"}, "metadata", "invalid_type"),
        ({"user": 1}, "user", "invalid_type"),
        (
            {"moderation": {"policy": {"output": {"mode": "block"}}}},
            "moderation",
            "unsupported_parameter",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(given: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        sent(given)
    assert (raised.value.param, raised.value.code) == (param, code)
    assert raised.value.message


def test_what_is_imitated_counts_for_the_strict() -> None:
    request = asked({"tools": [{"type": "custom", "custom": {"name": "f"}}]})
    assert ignored_params(request, find_model(OLD)) == []
    assert ignored_params(request, find_model(OLD), strict=True) == ["tools"]
