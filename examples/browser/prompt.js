// The default few-shot prompt, as skillshot.runtime.prompt writes it.

const CUE = "The answer is";
const OPENING =
  /(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])(?=[\u200b-\u200f\u2060\ufeff]{0,9}(?:question|answer)[ \t]{0,9}[:\uff1a])/gi;

const closed = (text) => text.replace(OPENING, " ");
const bare = (text) => text.split(/\s+/u).filter(Boolean).join(" ").replace(/[ ;.]+$/u, "");
const choices = (options) => options.map((choice, i) => `(${String.fromCharCode(65 + i)}) ${choice}`).join(" ");

function ask(question, context = "", options = []) {
  const body = [context, question, choices(options)].filter(Boolean).join("\n");
  return `Question: ${closed(body)}\nAnswer:`;
}

// What a perfect model would write after "Answer:".
export function continuation({ rationale = "", answer = "" }) {
  if (!rationale.trim() || bare(rationale) === bare(answer)) rationale = "";
  const opening = /^\s/u.test(rationale) ? "\n" : " ";
  const gap = answer.includes("\n") ? "\n" : " ";
  const end = answer.includes("\n") || /[;}\]]$/.test(answer) ? "" : ".";
  return `${opening}${rationale}${rationale && "\n"}${CUE}${gap}${answer}${end}`;
}

// Demonstrations come best first and are written best last, next to the question.
export function prompt(demonstrations, question) {
  const blocks = [...demonstrations].reverse().map((one) => ask(one.question, one.context, one.options) + closed(continuation(one)));
  return [...blocks, ask(question)].join("\n\n");
}
