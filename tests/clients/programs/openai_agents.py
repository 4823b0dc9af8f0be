"""OpenAI's Agents SDK on its chat completions model."""

import json
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from serving import API_KEY, BASE_URL, serve
from trips import TOOLS, Trip

set_tracing_disabled(disabled=True)


async def run(
    model: str, text: str, *, streams: bool, reasoning_effort: Any = None, **parts: Any
) -> Any:
    reasoning = Reasoning(effort=reasoning_effort) if reasoning_effort else None
    async with AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0) as client:
        agent = Agent(
            name="Traveller",
            instructions="Plan the trip.",
            model=OpenAIChatCompletionsModel(model=model, openai_client=client),
            model_settings=ModelSettings(include_usage=True, reasoning=reasoning),
            **parts,
        )
        if not streams:
            return await Runner.run(agent, text)
        result = Runner.run_streamed(agent, text)
        async for _ in result.stream_events():
            pass
        return result


async def answer(model: str, text: str, *, streams: bool, **more: Any) -> Any:
    result = await run(model, text, streams=streams, **more)
    usage = result.context_wrapper.usage
    tokens = [usage.input_tokens, usage.output_tokens, usage.total_tokens]
    thoughts = [
        summary.text
        for item in result.new_items
        if item.type == "reasoning_item"
        for summary in item.raw_item.summary
    ]
    return {"text": result.final_output, "thoughts": "".join(thoughts) or None, "tokens": tokens}


async def loop(model: str, text: str, *, streams: bool) -> Any:
    tools = [function_tool(tool) for tool in TOOLS.values()]
    result = await run(model, text, streams=streams, tools=tools)
    called = [
        [item.raw_item.name, json.loads(item.raw_item.arguments)]
        for item in result.new_items
        if item.type == "tool_call_item"
    ]
    return {"text": result.final_output, "calls": called}


async def structured(model: str, text: str, mode: str, *, streams: bool) -> Any:
    del mode  # there is one way
    result = await run(model, text, streams=streams, output_type=Trip)
    return {"value": result.final_output.model_dump()}


serve(answer, loop, structured)
