"""LangChain's ChatOpenAI. What comes back in a tool loop is a message that it wrote itself."""

from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from serving import API_KEY, BASE_URL, serve
from trips import TOOLS, Trip


def chat(model: str, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=model, base_url=BASE_URL, api_key=API_KEY, max_retries=0, stream_usage=True, **more
    )


def complete(runnable: Any, messages: Any, *, streams: bool) -> Any:
    if not streams:
        return runnable.invoke(messages)
    whole: Any = None
    for chunk in runnable.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


def answer(model: str, text: str, *, streams: bool, **more: Any) -> Any:
    message = complete(chat(model, **more), text, streams=streams)
    usage = message.usage_metadata
    return {
        "text": message.content,
        "finish": message.response_metadata["finish_reason"],
        "tokens": [usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]],
    }


def loop(model: str, text: str, *, streams: bool) -> Any:
    runnable = chat(model).bind_tools(list(TOOLS.values()))
    messages: list[Any] = [HumanMessage(text)]
    called: list[Any] = []
    while True:
        message = complete(runnable, messages, streams=streams)
        if not message.tool_calls:
            finish = message.response_metadata["finish_reason"]
            return {"text": message.content, "calls": called, "finish": finish}
        messages.append(message)
        for call in message.tool_calls:
            called.append([call["name"], call["args"]])
            result = TOOLS[call["name"]](**call["args"])
            messages.append(ToolMessage(result, tool_call_id=call["id"]))


def structured(model: str, text: str, mode: str, *, streams: bool) -> Any:
    runnable = chat(model).with_structured_output(Trip, method=mode)
    value = list(runnable.stream(text))[-1] if streams else runnable.invoke(text)
    return {"value": value.model_dump()}


serve(answer, loop, structured)
