"""What is wrong with a body, in OpenAI's words."""

from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.errors import InvalidRequestError
from service.schemas.openai_chat import ChatCompletionRequest

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("param", "value", "code"),
    [
        ("temperature", 2.1, "decimal_above_max_value"),
        ("temperature", -0.1, "decimal_below_min_value"),
        ("temperature", "1", "invalid_type"),
        ("top_p", 1.5, "decimal_above_max_value"),
        ("top_p", -1, "decimal_below_min_value"),
        ("max_tokens", 0, "integer_below_min_value"),
        ("max_tokens", 1.5, "invalid_type"),
        ("max_tokens", True, "invalid_type"),
        ("max_completion_tokens", 0, "integer_below_min_value"),
        ("n", 0, "integer_below_min_value"),
        ("n", 9, "integer_above_max_value"),
        ("n", "2", "invalid_type"),
        ("stream", "true", "invalid_type"),
        ("stream", 1, "invalid_type"),
        ("stream_options", [], "invalid_type"),
        ("stop", 5, "invalid_type"),
        ("presence_penalty", 2.5, "decimal_above_max_value"),
        ("frequency_penalty", -2.5, "decimal_below_min_value"),
        ("top_logprobs", 21, "integer_above_max_value"),
        ("top_logprobs", -1, "integer_below_min_value"),
        ("seed", "x", "invalid_type"),
        ("model", 5, "invalid_type"),
        ("user", 5, "invalid_type"),
        ("store", "yes", "invalid_type"),
        ("metadata", [1], "invalid_type"),
        ("service_tier", 1, "invalid_type"),
        ("parallel_tool_calls", "no", "invalid_type"),
        ("verbosity", "loud", "invalid_value"),
        ("logit_bias", {"1": "x"}, "invalid_type"),
        ("messages", [], "empty_array"),
        ("messages", {}, "invalid_type"),
        ("messages", None, "missing_required_parameter"),
        ("reasoning_effort", "enormous", "invalid_value"),
    ],
)
def test_a_wrong_parameter_is_named(param: str, value: object, code: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        decode(msgspec.json.encode({**HELLO, param: value}), ChatCompletionRequest)
    assert (raised.value.param, raised.value.code) == (param, code)
    assert param in raised.value.message


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("stop[1]", {"stop": ["a", 1]}),
        ("response_format.type", {"response_format": {"type": "yaml"}}),
        ("response_format.type", {"response_format": {}}),
        ("stream_options.include_usage", {"stream_options": {"include_usage": "x"}}),
        ("messages[1].role", {"messages": [*HELLO["messages"], {"role": "wizard"}]}),
        (
            "messages[0].content[0].text",
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        ),
    ],
)
def test_the_path_leads_into_the_parameter(param: str, body: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        decode(msgspec.json.encode({**HELLO, **body}), ChatCompletionRequest)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("body", "wanted", "param"),
    [
        (b'{"metadata":{"a":1e400}}', ChatCompletionRequest, "metadata"),
        (b'{"a":1e400}', dict[str, Any], None),
        (b'{"a":[1e400]}', dict[str, Any], None),
    ],
)
def test_a_number_that_is_out_of_range_is_named_where_its_place_is_known(
    body: bytes, wanted: type[Any], param: str | None
) -> None:
    with pytest.raises(InvalidRequestError, match="out of range") as raised:
        decode(body, wanted)
    assert (raised.value.param, raised.value.code) == (param, "decimal_above_max_value")
    assert "must be a JSON object" not in raised.value.message


def test_the_accepted_values_are_listed() -> None:
    with pytest.raises(InvalidRequestError, match=r"'low', .*'none'"):
        decode(msgspec.json.encode({**HELLO, "reasoning_effort": "x"}), ChatCompletionRequest)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"model": NaN}', b'{"x":' + b"[" * 5000],
    ids=["empty", "cut", "array", "text", "null", "not UTF-8", "NaN", "too deep"],
)
def test_a_body_that_is_no_json_object_is_refused_without_a_param(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        decode(body, ChatCompletionRequest)
    assert raised.value.param is None
    assert raised.value.code is None
    assert "JSON" in raised.value.message


def test_null_is_absent_within_an_object_too() -> None:
    body = msgspec.json.encode({**HELLO, "logit_bias": {"1": None}, "stop": ["a", None]})
    assert decode(body, ChatCompletionRequest).logit_bias == {"1": None}


def test_half_a_character_does_not_make_a_request_unreadable() -> None:
    body = rb'{"model":"m","messages":[{"role":"user","content":"cut \ud83d"}]}'
    (message,) = decode(body, ChatCompletionRequest).messages
    assert message.content == "cut \ufffd"
