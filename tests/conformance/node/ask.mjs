// Makes one call with the official SDK and prints what its user would see, as one line of JSON.
// node ask.mjs BASE_URL API_KEY CALL BODY
import OpenAI from "openai";

const [baseURL, apiKey, call, body] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const request = JSON.parse(body);
let text = "";

async function chunks() {
  const stream = await client.chat.completions.create({ ...request, stream: true });
  let reason = null;
  let usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  return { text, reason, usage };
}

async function helper() {
  const stream = client.chat.completions.stream({ ...request, stream: true });
  stream.on("content", (delta) => (text += delta));
  const completion = await stream.finalChatCompletion();
  return { text, reason: completion.choices[0].finish_reason, role: completion.choices[0].message.role };
}

async function whole() {
  const completion = await client.chat.completions.create(request);
  const [choice] = completion.choices;
  return { text: choice.message.content, reason: choice.finish_reason, usage: completion.usage };
}

async function models() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return { ids, one: (await client.models.retrieve(ids[0])).id };
}

const calls = { chunks, helper, whole, models };
try {
  console.log(JSON.stringify(await calls[call]()));
} catch (error) {
  const { status, code, type, param, message, requestID } = error;
  const name = error.constructor.name;
  console.log(JSON.stringify({ text, error: { name, status, code, type, param, message, requestID } }));
}
