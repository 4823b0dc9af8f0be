// What the Node programs share: questions come in and what was seen goes out, as lines of JSON.
import net from "node:net";
import { createInterface } from "node:readline";

export const [baseURL, apiKey, ...more] = process.argv.slice(2);

const weather = { Oslo: "rain", Rome: "dry" };
export const getWeather = ({ city }) => weather[city];
export const book = ({ city, nights }) => JSON.stringify({ booked: city, nights });
export const today = () => "2026-11-22";

// Refuse every address but loopback, and tell the test of it, whatever becomes of the error.
const strays = [];
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  if (options.host !== "127.0.0.1") {
    strays.push(String(options.host));
    throw new Error(`Refused: ${options.host}`);
  }
  return connect.apply(this, given);
};

export async function serve(functions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, ...question } = JSON.parse(line);
    let said;
    try {
      said = await functions[call](question);
    } catch (error) {
      console.error(error);
      const status = error.status ?? error.statusCode ?? null;
      said = { error: { class: error.constructor.name, name: error.name, status, message: error.message } };
    }
    console.log(JSON.stringify({ ...said, strays }));
  }
}
