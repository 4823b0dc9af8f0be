"""What looks odd, but Google takes."""

import pytest

from tests.simulators.asking import ask, model, user
from tests.simulators.google import Google
from tests.simulators.request_pieces import (
    CALL,
    FLASH,
    HI,
    JSON,
    PRO,
    RESPONSE,
    SEARCH,
    THREE,
    F,
    config,
    contents,
    tools,
)

ACCEPTED = {
    "snake_case": (
        "gemini_api",
        FLASH,
        {
            "contents": [user({"inline_data": {"mime_type": "image/png", "data": "AAAA"}})],
            "system_instruction": {"parts": [{"text": "Be brief."}]},
            "generation_config": {
                "max_output_tokens": 10,
                "thinking_config": {"thinking_budget": 0},
            },
        },
    ),
    "nulls": ("vertex", FLASH, HI | {"cachedContent": None, "tools": None}),
    "numbers as text": ("gemini_api", FLASH, config(maxOutputTokens="17", topK=40.0)),
    "URL-safe base64 without padding": (
        "gemini_api",
        FLASH,
        contents(user({"inlineData": {"mimeType": "image/png", "data": "_-8"}})),
    ),
    "a lone content without a role": ("gemini_api", FLASH, contents({"parts": [{"text": "hi"}]})),
    "two user turns": ("vertex", FLASH, contents(user("a"), user("b"))),
    "labels": ("code_assist", FLASH, HI | {"labels": {"a": "b"}}),
    "functions, search and JSON on Gemini 3": (
        "vertex",
        THREE,
        HI | {"tools": [{"functionDeclarations": [F]}, SEARCH], "generationConfig": JSON},
    ),
    "a bypass instead of a signature": (
        "code_assist",
        THREE,
        contents(
            user("hi"),
            model(CALL | {"thoughtSignature": "skip_thought_signature_validator"}),
            user(RESPONSE),
        ),
    ),
    "an unsigned call of an earlier turn": (
        "code_assist",
        THREE,
        contents(user("hi"), model(CALL), user(RESPONSE), model("Done."), user("Thanks.")),
    ),
    "prefill before Gemini 3.6": ("gemini_api", FLASH, contents(user("hi"), model("{"))),
    "penalties of 0": ("gemini_api", FLASH, config(presencePenalty=0, frequencyPenalty=0.0)),
    "a dynamic budget": ("gemini_api", PRO, config(thinkingConfig={"thinkingBudget": -1})),
    "a level in lower case": (
        "gemini_api",
        THREE,
        config(thinkingConfig={"thinkingLevel": "minimal"}),
    ),
    "JSON Schema proper": (
        "code_assist",
        FLASH,
        tools(
            {
                "name": "f",
                "parametersJsonSchema": {
                    "type": ["object", "null"],
                    "properties": {"$ref": {"type": "string"}, "a": {"$ref": "#/$defs/a"}},
                    "$defs": {"a": {"enum": [1]}},
                    "additionalProperties": False,
                },
            }
        ),
    ),
    "a schema in the OpenAPI dialect": (
        "gemini_api",
        FLASH,
        config(
            **JSON,
            responseSchema={
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "string", "enum": ["x"]}}},
                "required": ["a"],
                "propertyOrdering": ["a"],
            },
        ),
    ),
    "two candidates of 2.5": ("gemini_api", FLASH, config(candidateCount=2)),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_google_takes_is_taken(google: Google, name: str) -> None:
    upstream, model_id, request = ACCEPTED[name]

    got = ask(google, request, upstream=upstream, model_id=model_id)

    assert got.status == 200, got.content
