"""Pydantic AI on its chat completions model."""

from collections.abc import AsyncIterable
from typing import Any

from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from serving import API_KEY, BASE_URL, serve
from trips import TOOLS, Trip

OUTPUTS: dict[str, Any] = {
    "tool": ToolOutput(Trip),
    "native": NativeOutput(Trip),
    "prompted": PromptedOutput(Trip),
}


async def read(_: Any, events: AsyncIterable[Any]) -> None:
    async for _event in events:
        pass


async def run(model: str, text: str, *, streams: bool, **parts: Any) -> Any:
    async with AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0) as client:
        provider = OpenAIProvider(openai_client=client)
        agent: Any = Agent(OpenAIChatModel(model, provider=provider), **parts)
        return await agent.run(text, event_stream_handler=read if streams else None)


async def answer(model: str, text: str, *, streams: bool, reasoning_effort: Any = None) -> Any:
    settings = OpenAIChatModelSettings()
    if reasoning_effort:
        settings["openai_reasoning_effort"] = reasoning_effort
    result = await run(model, text, streams=streams, model_settings=settings)
    usage = result.usage
    return {
        "text": result.output,
        "thoughts": result.response.thinking,
        "finish": result.response.finish_reason,
        "tokens": [usage.input_tokens, usage.output_tokens, usage.total_tokens],
    }


async def loop(model: str, text: str, *, streams: bool) -> Any:
    result = await run(model, text, streams=streams, tools=list(TOOLS.values()))
    called = [
        [part.tool_name, part.args_as_dict()]
        for message in result.all_messages()
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]
    finish = result.response.finish_reason
    return {"text": result.output, "calls": called, "finish": finish}


async def structured(model: str, text: str, mode: str, *, streams: bool) -> Any:
    result = await run(model, text, streams=streams, output_type=OUTPUTS[mode])
    return {"value": result.output.model_dump()}


serve(answer, loop, structured)
