// The same selector in node: questions as JSON lines on stdin (a text, or {"question", "k", "exclude", "where"}), the ids
// of the chosen demonstrations as JSON lines on stdout.
//
//   node select.mjs BUNDLE < questions.jsonl

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Selector } from "./selector.js";

const [folder] = process.argv.slice(2);
const selector = await Selector.load((name) => readFile(join(folder, name)));
const text = await readFile("/dev/stdin", "utf8");
const asked = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
const start = process.hrtime.bigint();
const found = asked.map((one) => {
  const { question, ...options } = typeof one === "string" ? { question: one } : one;
  return selector.select(question, options).map(({ id, score, confidence }) => [id, score, confidence]);
});
const milliseconds = Number(process.hrtime.bigint() - start) / 1e6 / Math.max(1, asked.length);
for (const ids of found) console.log(JSON.stringify(ids));
console.error(`${milliseconds.toFixed(2)} ms per question`);
