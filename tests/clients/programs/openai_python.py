"""OpenAI's own SDK: chat.completions, `.parse` and `.stream`."""

import json
from typing import Any

import openai
from serving import API_KEY, BASE_URL, serve
from trips import DECLARED, TOOLS, Trip

client = openai.OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0)


def complete(*, streams: bool, **request: Any) -> Any:
    if not streams:
        return client.chat.completions.create(**request)
    with client.chat.completions.stream(
        stream_options={"include_usage": True}, **request
    ) as stream:
        return stream.get_final_completion()


def answer(model: str, text: str, *, streams: bool, **more: Any) -> Any:
    messages = [{"role": "user", "content": text}]
    completion = complete(model=model, messages=messages, streams=streams, **more)
    choice, usage = completion.choices[0], completion.usage
    return {
        "text": choice.message.content,
        "thoughts": getattr(choice.message, "reasoning_content", None),
        "finish": choice.finish_reason,
        "tokens": [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
    }


def loop(model: str, text: str, *, streams: bool) -> Any:
    messages: list[Any] = [{"role": "user", "content": text}]
    called: list[Any] = []
    while True:
        completion = complete(model=model, messages=messages, tools=DECLARED, streams=streams)
        message = completion.choices[0].message
        if not message.tool_calls:
            finish = completion.choices[0].finish_reason
            return {"text": message.content, "calls": called, "finish": finish}
        messages.append(message)
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            called.append([call.function.name, arguments])
            result = TOOLS[call.function.name](**arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def structured(model: str, text: str, mode: str, *, streams: bool) -> Any:
    wanted: dict[str, Any] = {"response_format": Trip}
    if mode == "tool":
        wanted = {"tools": [openai.pydantic_function_tool(Trip)], "tool_choice": "required"}
    messages: Any = [{"role": "user", "content": text}]
    if streams:
        with client.chat.completions.stream(model=model, messages=messages, **wanted) as stream:
            completion: Any = stream.get_final_completion()
    else:
        completion = client.chat.completions.parse(model=model, messages=messages, **wanted)
    message = completion.choices[0].message
    if mode == "tool":
        return {"value": message.tool_calls[0].function.parsed_arguments.model_dump()}
    return {"value": message.parsed.model_dump()}


serve(answer, loop, structured)
