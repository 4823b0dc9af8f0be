"""Instructor. It has a loop of its own, too: an answer that is not valid goes back with what is
wrong, as often as `retries` says."""

import json
from typing import Any

import instructor
import openai
from serving import API_KEY, BASE_URL, serve
from trips import DECLARED, TOOLS, Trip

client = openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0)


def complete(*, streams: bool, **request: Any) -> tuple[Any, str, Any]:
    """Return the message as a dictionary, as a program keeps it that knows no more than OpenAI's
    own fields, why it ended, and the usage."""
    patched: Any = instructor.from_openai(client)
    if not streams:
        completion = patched.create(response_model=None, **request)
        choice = completion.choices[0]
        message = {"role": "assistant", "content": choice.message.content}
        if choice.message.tool_calls:
            message["tool_calls"] = [plain(call) for call in choice.message.tool_calls]
        return message, choice.finish_reason, completion.usage
    chunks = patched.create(
        response_model=None, stream=True, stream_options={"include_usage": True}, **request
    )
    text, calls, finish, usage = "", [], "", None
    for chunk in chunks:
        usage = chunk.usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            calls += [plain(call) for call in choice.delta.tool_calls or []]  # each comes whole
            finish = choice.finish_reason or finish
    message = {"role": "assistant", "content": text}
    return message | ({"tool_calls": calls} if calls else {}), finish, usage


def plain(call: Any) -> Any:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": call.type, "function": function}


def answer(model: str, text: str, *, streams: bool) -> Any:
    messages = [{"role": "user", "content": text}]
    message, finish, usage = complete(model=model, messages=messages, streams=streams)
    tokens = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens]
    return {"text": message["content"], "finish": finish, "tokens": tokens}


def loop(model: str, text: str, *, streams: bool) -> Any:
    messages: list[Any] = [{"role": "user", "content": text}]
    called: list[Any] = []
    while True:
        message, finish, _ = complete(
            model=model, messages=messages, tools=DECLARED, streams=streams
        )
        if "tool_calls" not in message:
            return {"text": message["content"], "calls": called, "finish": finish}
        messages.append(message)
        for call in message["tool_calls"]:
            name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
            called.append([name, arguments])
            result = TOOLS[name](**arguments)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def structured(model: str, text: str, mode: str, *, streams: bool, retries: int = 0) -> Any:
    patched = instructor.from_openai(client, mode=instructor.Mode[mode])
    request: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "response_model": Trip,
        "max_retries": retries,
    }
    if streams:
        return {"value": list(patched.create_partial(**request))[-1].model_dump()}
    return {"value": patched.create(**request).model_dump()}


serve(answer, loop, structured)
