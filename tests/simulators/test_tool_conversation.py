"""The two-step conversation with tools: right as it is, wrong in each of its mutations."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.asking import Json, ask, model, user
from tests.simulators.google import Google

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def calls(name: str, call_id: str, city: str, signature: str | None = None) -> Json:
    call = {"functionCall": {"id": call_id, "name": name, "args": {"city": city}}}
    return call | ({"thoughtSignature": signature} if signature else {})


def returns(name: str, call_id: str, **response: str) -> Json:
    return {"functionResponse": {"id": call_id, "name": name, "response": response}}


CONVERSATION: Json = {
    "systemInstruction": user("Be brief."),
    "contents": [
        user("Umbrella in Oslo or Bergen today? Then book a taxi in the dry one."),
        model(calls("get_weather", "c1", "Oslo", "QUFBQQ=="), calls("get_weather", "c2", "Bergen")),
        user(
            returns("get_weather", "c1", output="dry"), returns("get_weather", "c2", output="rain")
        ),
        model(calls("book_taxi", "c3", "Oslo", "QkJCQg==")),
        user(returns("book_taxi", "c3", error="no cars")),
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "get_weather", "parametersJsonSchema": CITY},
                {"name": "book_taxi", "parametersJsonSchema": CITY},
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {
        "maxOutputTokens": 2048,
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
    },
}


def unsign(turn: int) -> Callable[[Json], Any]:
    return lambda request: request["contents"][turn]["parts"][0].pop("thoughtSignature")


def drop_response(position: int) -> Callable[[Json], Any]:
    return lambda request: request["contents"][2]["parts"].pop(position)


def interrupt(request: Json) -> None:
    request["contents"].insert(2, user("Hurry up."))


def swap_responses(request: Json) -> None:
    request["contents"][2]["parts"].reverse()


MUTATIONS = {
    "no signature in step 1": (unsign(1), "missing a thought_signature"),
    "no signature in step 2": (unsign(3), "missing a thought_signature"),
    "no response to the first call": (drop_response(0), "number of function response parts"),
    "no response to the second call": (drop_response(1), "number of function response parts"),
    "text between call and response": (interrupt, "number of function response parts"),
    "responses swapped": (swap_responses, "in the order of the calls"),
}


@pytest.mark.parametrize("upstream", ["code_assist", "gemini_api", "vertex"])
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_the_conversation_passes(google: Google, upstream: str, method: str) -> None:
    got = ask(
        google, CONVERSATION, upstream=upstream, model_id="gemini-3.1-pro-preview", method=method
    )

    assert got.status == 200, got.content


@pytest.mark.parametrize("name", MUTATIONS)
def test_its_mutations_fail(google: Google, name: str) -> None:
    mutate, message = MUTATIONS[name]
    request = copy.deepcopy(CONVERSATION)
    mutate(request)

    got = ask(google, request, upstream="code_assist", model_id="gemini-3.1-pro-preview")

    assert got.status == 400
    assert message in got.error["message"]


def test_older_models_need_no_signature(google: Google) -> None:
    request = copy.deepcopy(CONVERSATION)
    unsign(1)(request)
    request["generationConfig"] = {}

    assert ask(google, request, model_id="gemini-2.5-pro").status == 200
