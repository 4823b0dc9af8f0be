"""Large requests: what they cost grows with their size, and not with its square.

Each of these took minutes when something was looked for in a list, or a list made anew, each time.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.errors import InvalidRequestError
from service.models import find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.request import to_gemini

USER = {"role": "user", "content": "u"}
MODEL = find_model("gemini-3-flash-preview")


def call(number: int, name: str = "f") -> dict[str, Any]:
    return {"id": f"c{number}", "function": {"name": name, "arguments": "{}"}}


def result(number: int) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": "x"}


def names(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def tool(**parameters: Any) -> dict[str, Any]:
    function = {"name": "f", "parameters": {"type": "object", **parameters}}
    return {"messages": [USER], "tools": [{"type": "function", "function": function}]}


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "neighbours": lambda: {"messages": [USER] * 100_000},
    "results that no call asked for": lambda: {
        "messages": [{"role": "tool", "name": "f", "content": "x"}] * 50_000
    },
    "results in another order": lambda: {
        "messages": [
            USER,
            {"role": "assistant", "tool_calls": [call(number) for number in range(20_000)]},
            *[result(number) for number in reversed(range(20_000))],
        ]
    },
    "calls in messages of their own": lambda: {
        "messages": [
            USER,
            *[{"role": "assistant", "tool_calls": [call(number)]} for number in range(20_000)],
            *[result(number) for number in range(20_000)],
        ]
    },
    "properties": lambda: tool(
        properties={name: {"type": "string"} for name in names(40_000)}, required=names(40_000)
    ),
    "schemas in allOf": lambda: tool(
        allOf=[{"properties": {name: {}}, "required": [name]} for name in names(40_000)]
    ),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_large_request_is_soon_translated_or_refused(body: Callable[[], dict[str, Any]]) -> None:
    request = decode(msgspec.json.encode(body()), ChatCompletionRequest)
    try:
        assert to_gemini(request, MODEL).contents
    except InvalidRequestError as error:
        assert "too large" in error.message  # noqa: PT017  (either will do)
