"""Answers by a schema, in every way that a client has of asking for them."""

from typing import Any

import msgspec
import pytest

from tests.clients.conftest import StartClient
from tests.simulators.calls import Call
from tests.simulators.google import Google
from tests.simulators.replies import answer, function_call
from tests.simulators.wire import Reply

TRIP = {
    "city": "Zürich",
    "nights": 2,
    "guests": [{"name": "Ann", "age": None}, {"name": "Bo", "age": 7}],
}
TEXT = msgspec.json.encode(TRIP).decode()

#: Of a client and a way of asking: what Google is asked for.
WAYS = {
    ("openai-python", "parse"): "schema",
    ("openai-python", "tool"): "any tool",
    ("openai-node", "parse"): "schema",
    ("openai-node", "tool"): "Trip",
    ("ai-sdk", "object"): "schema",
    ("ai-sdk", "output"): "schema",
    ("langchain", "json_schema"): "schema",
    ("langchain", "function_calling"): "Trip",
    ("langchain", "json_mode"): "json",
    ("openai-agents", "output_type"): "schema",
    ("pydantic-ai", "tool"): "any tool",
    ("pydantic-ai", "native"): "schema",
    ("pydantic-ai", "prompted"): "json",
    ("instructor", "TOOLS"): "Trip",
    ("instructor", "TOOLS_STRICT"): "Trip",
    ("instructor", "JSON"): "json",
    ("instructor", "JSON_SCHEMA"): "schema",
    ("instructor", "MD_JSON"): "text",
}


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-flash-preview"])
@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_an_answer_by_a_schema(
    way: tuple[str, str], model: str, start_client: StartClient, google: Google, *, streams: bool
) -> None:
    wanted, (name, mode) = WAYS[way], way
    if wanted in {"schema", "json"}:
        google.script(answer(TEXT[:20], TEXT[20:]))
    elif wanted == "text":
        google.script(answer("```json\n", TEXT, "\n```"))
    else:
        google.script(call_the_tool)
    got = start_client(name).ask(
        "structured", model=model, text="As JSON: a trip.", mode=mode, streams=streams
    )
    assert got == {"value": TRIP}
    (call,) = google.calls("generate")
    assert call.stream is streams
    # Instructor reads streams into a class of its own, and names the tool after it.
    assert asked_for(call.request).removeprefix("Partial") == wanted


def call_the_tool(call: Call) -> Reply:
    (tool,) = call.recorded.request["tools"]
    (declared,) = tool["functionDeclarations"]
    return answer(function_call(declared["name"], TRIP))(call)


def asked_for(request: dict[str, Any]) -> str:
    """Return what Google was asked for, in the words of `WAYS`."""
    config = request.get("generationConfig", {})
    if calling := request.get("toolConfig", {}).get("functionCallingConfig"):
        assert calling["mode"] == "ANY"
        (tool,) = request["tools"]
        (declared,) = tool["functionDeclarations"]
        assert complete(declared["parametersJsonSchema"])
        return declared["name"] if "allowedFunctionNames" in calling else "any tool"
    if schema := config.get("responseJsonSchema"):
        assert config["responseMimeType"] == "application/json"
        assert complete(schema)
        return "schema"
    return "json" if config.get("responseMimeType") == "application/json" else "text"


def complete(schema: dict[str, Any]) -> bool:
    """Whether nothing of the model was lost on the way: down to a guest's age."""
    return {"city", "nights", "guests"} == set(schema["properties"]) and "age" in str(schema)
