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
const times = [];
for (const one of asked) {
  const { question, ...options } = typeof one === "string" ? { question: one } : one;
  const before = process.cpuUsage();
  const found = selector.select(question, options);
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / 1000);
  console.log(JSON.stringify(found.map(({ id, score, confidence }) => [id, score, confidence])));
}
const median = times.sort((one, other) => one - other)[times.length >> 1] ?? 0;
console.error(`${median.toFixed(2)} CPU ms per question (median)`);
