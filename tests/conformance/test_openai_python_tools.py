"""A loop with tools in the official OpenAI SDK for Python, against the running server."""

from collections.abc import Iterator
from typing import Any

import msgspec
import openai
import pytest

from tests.gateway import API_KEY, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import answer, function_call

SIGNATURE = "c2lnLW9uZS0tLS0t"
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get/weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
ASKED: dict[str, Any] = {"model": "gemini-3-flash-preview", "tools": [WEATHER]}


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0) as client:
        yield client


def ask(sdk: openai.OpenAI, messages: list[Any], *, streams: bool) -> Any:
    if not streams:
        return sdk.chat.completions.create(messages=messages, **ASKED).choices[0]
    with sdk.chat.completions.stream(messages=messages, **ASKED) as stream:
        return stream.get_final_completion().choices[0]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("keeps", [True, False], ids=["keeps extra_content", "drops it"])
def test_a_loop_with_parallel_calls(
    sdk: openai.OpenAI, google: Google, *, streams: bool, keeps: bool
) -> None:
    google.script(
        answer(
            function_call("get_weather", {"city": "Oslo"}, signature=SIGNATURE),
            function_call("get_weather", {"city": "Rome"}),
        ),
        answer("Dry ", "in Rome."),
    )
    messages: list[Any] = [{"role": "user", "content": "Oslo or Rome?"}]
    first = ask(sdk, messages, streams=streams)
    assert first.finish_reason == "tool_calls"
    assert first.message.content is None or streams
    calls = first.message.tool_calls
    assert [call.function.name for call in calls] == ["get/weather"] * 2
    arguments = [msgspec.json.decode(call.function.arguments) for call in calls]
    assert arguments == [{"city": "Oslo"}, {"city": "Rome"}]
    assert len({call.id for call in calls}) == 2
    assert all(len(call.id) <= 64 for call in calls)

    kept = {"extra_content"} if keeps else set()
    echoed = [
        call.to_dict()
        | {"function": {"name": call.function.name, "arguments": call.function.arguments}}
        for call in calls
    ]
    keys = {"id", "type", "function"} | kept
    echoed = [{key: value for key, value in call.items() if key in keys} for call in echoed]
    messages.append({"role": "assistant", "content": None, "tool_calls": echoed})
    results = {"Oslo": "rain", "Rome": "dry"}
    for call, result in reversed(list(zip(calls, results.values(), strict=True))):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    second = ask(sdk, messages, streams=streams)
    assert (second.message.content, second.finish_reason) == ("Dry in Rome.", "stop")

    _, model, user = google.calls("generate")[-1].request["contents"]
    assert [part.get("thoughtSignature") for part in model["parts"]] == [SIGNATURE, None]
    assert [part["functionResponse"] for part in user["parts"]] == [
        {"name": "get_weather", "response": {"output": "rain"}},
        {"name": "get_weather", "response": {"output": "dry"}},
    ]
