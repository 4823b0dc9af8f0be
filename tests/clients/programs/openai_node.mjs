// OpenAI's own SDK: chat.completions, `parse`, `stream` and `runTools`.
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { apiKey, baseURL, book, getWeather, serve, today } from "./serving.mjs";
import { Booking, City, Nothing, Trip } from "./trips.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const usageToo = { stream: true, stream_options: { include_usage: true } };

async function complete({ streams, ...request }) {
  if (!streams) return client.chat.completions.create(request);
  const stream = client.chat.completions.stream({ ...request, ...usageToo });
  // Of a field that is not OpenAI's the helper keeps the last piece only.
  let thoughts;
  stream.on("chunk", ({ choices: [choice] }) => {
    const piece = choice?.delta.reasoning_content;
    if (piece) thoughts = (thoughts ?? "") + piece;
  });
  const completion = await stream.finalChatCompletion();
  completion.choices[0].message.reasoning_content = thoughts;
  return completion;
}

async function answer({ text, ...request }) {
  const { choices: [choice], usage } = await complete({ ...request, messages: [{ role: "user", content: text }] });
  const { content, reasoning_content: thoughts } = choice.message;
  const tokens = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];
  return { text: content, thoughts, finish: choice.finish_reason, tokens };
}

async function loop({ model, text, streams }) {
  const calls = [];
  const seen = (name, run) => (parameters) => {
    calls.push([name, parameters]);
    return run(parameters);
  };
  const tools = [
    zodFunction({ name: "get_weather", parameters: City, function: seen("get_weather", getWeather) }),
    zodFunction({ name: "book", parameters: Booking, function: seen("book", book) }),
    zodFunction({ name: "today", parameters: Nothing, function: seen("today", today) }),
  ];
  const messages = [{ role: "user", content: text }];
  const runner = client.chat.completions.runTools({ model, messages, tools, ...(streams ? usageToo : {}) });
  const said = await runner.finalContent();
  const completion = await runner.finalChatCompletion();
  return { text: said, calls, finish: completion.choices[0].finish_reason };
}

async function structured({ model, text, mode, streams }) {
  const request = { model, messages: [{ role: "user", content: text }] };
  if (mode === "tool") {
    request.tools = [zodFunction({ name: "Trip", parameters: Trip })];
    request.tool_choice = { type: "function", function: { name: "Trip" } };
  } else {
    request.response_format = zodResponseFormat(Trip, "Trip");
  }
  const completion = streams
    ? await client.chat.completions.stream({ ...request, ...usageToo }).finalChatCompletion()
    : await client.chat.completions.parse(request);
  const { message } = completion.choices[0];
  return { value: mode === "tool" ? message.tool_calls[0].function.parsed_arguments : message.parsed };
}

await serve({ answer, loop, structured });
