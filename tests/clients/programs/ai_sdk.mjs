// Vercel's AI SDK on @ai-sdk/openai-compatible. It keeps signatures if its provider is called "google".
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateObject, generateText, stepCountIs, streamObject, streamText, tool } from "ai";
import { apiKey, baseURL, book, getWeather, more, serve, today } from "./serving.mjs";
import { Booking, City, Nothing, Trip } from "./trips.mjs";

const [name] = more;
const provider = createOpenAICompatible({
  name,
  baseURL,
  apiKey,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const tools = {
  get_weather: tool({ inputSchema: City, execute: getWeather }),
  book: tool({ inputSchema: Booking, execute: book }),
  today: tool({ inputSchema: Nothing, execute: today }),
};

// Its streams hand errors to a callback, and end as if nothing had happened.
async function streamed(start, read) {
  let failure;
  const result = start({ onError: ({ error }) => (failure = error) });
  try {
    const seen = await read(result);
    if (failure) throw failure;
    return seen;
  } catch (error) {
    throw failure ?? error;
  }
}

async function run({ streams, ...request }) {
  const asked = { ...request, maxRetries: 0, stopWhen: stepCountIs(5) };
  if (!streams) return generateText(asked);
  return streamed(
    (listening) => streamText({ ...asked, ...listening }),
    async (result) => {
      await result.consumeStream();
      return {
        text: await result.text,
        reasoningText: await result.reasoningText,
        finishReason: await result.finishReason,
        usage: await result.usage,
        steps: await result.steps,
        output: request.output && (await result.output),
      };
    },
  );
}

async function answer({ model, text, streams, reasoning_effort: reasoningEffort }) {
  const providerOptions = { [name]: { reasoningEffort } };
  const result = await run({ model: provider(model), prompt: text, providerOptions, streams });
  const { inputTokens, outputTokens, totalTokens } = result.usage;
  return {
    text: result.text,
    thoughts: result.reasoningText,
    finish: result.finishReason,
    tokens: [inputTokens, outputTokens, totalTokens],
  };
}

async function loop({ model, text, streams }) {
  const result = await run({ model: provider(model), prompt: text, tools, streams });
  const calls = result.steps.flatMap((step) => step.toolCalls).map((call) => [call.toolName, call.input]);
  return { text: result.text, calls, finish: result.finishReason };
}

async function structured({ model, text, mode, streams }) {
  if (mode === "output") {
    const result = await run({
      model: provider(model), prompt: text, output: Output.object({ schema: Trip }), streams,
    });
    return { value: result.output };
  }
  const asked = { model: provider(model), prompt: text, schema: Trip, maxRetries: 0 };
  if (!streams) return { value: (await generateObject(asked)).object };
  return streamed(
    (listening) => streamObject({ ...asked, ...listening }),
    async (result) => {
      for await (const _ of result.partialObjectStream);
      return { value: await result.object };
    },
  );
}

await serve({ answer, loop, structured });
