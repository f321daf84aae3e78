// The page: loads the bundle, asks the selector, shows what it chose and why.

import { prompt, continuation } from "./prompt.js";
import { Selector } from "./selector.js";

const PARTS = {
  structure: "Structure of the solution",
  latent: "Learned skill",
  sentence: "Meaning of the question",
  words: "Words of the question",
};
const at = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search).get("bundle") ?? "bundle/";

function element(name, content, className = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...[content].flat());
  return made;
}

function fail(error) {
  at("error").textContent = error.message;
  at("error").hidden = false;
}

function shownPart(name, share) {
  const bar = element("i", []);
  bar.style.setProperty("--part", `var(--${name})`);
  bar.style.setProperty("--share", `${Math.max(0, 100 * share)}%`);
  bar.title = `${PARTS[name]}: ${share.toFixed(3)}`;
  return bar;
}

function card(one) {
  const parts = Object.entries(one.parts);
  const bar = element("div", parts.map(([name, share]) => shownPart(name, share)), "bar");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", parts.map(([name, share]) => `${PARTS[name]} ${share.toFixed(3)}`).join(", "));
  const figures = `score ${one.score.toFixed(3)} · confidence ${Math.round(100 * one.confidence)} %`;
  const solution = element("details", [element("summary", "Solution"), element("p", continuation(one).trim(), "solution")]);
  const question = [one.context, one.question].filter(Boolean).join("\n");
  return element("li", [
    element("div", [element("b", one.id), element("span", figures)], "top"),
    bar,
    element("p", question, "text"),
    solution,
  ]);
}

function select(selector) {
  at("error").hidden = true;
  const question = at("question").value;
  try {
    const start = performance.now();
    const chosen = selector.select(question, { k: Math.max(1, Math.min(16, at("k").valueAsNumber || 4)) });
    const time = performance.now() - start;
    const size = selector.count.toLocaleString("en");
    at("summary").textContent = `${chosen.length} of ${size} examples, best first, in ${time.toFixed(1)} ms. The bar is the score, by what is compared.`;
    const names = Object.keys(chosen[0]?.parts ?? {});
    at("legend").replaceChildren(
      ...names.map((name) => {
        const entry = element("li", PARTS[name]);
        entry.style.setProperty("--part", `var(--${name})`);
        return entry;
      }),
    );
    at("chosen").replaceChildren(...chosen.map(card));
    at("prompt").textContent = prompt(chosen, question);
    at("results").hidden = false;
  } catch (error) {
    at("results").hidden = true;
    fail(error);
  }
}

async function main() {
  const selector = await Selector.load(address, (share) => {
    at("loaded").value = share;
    at("state").textContent = `Loading the bundle: ${Math.round(100 * share)} %`;
  });
  at("loading").hidden = true;
  at("form").hidden = false;
  at("k").value = selector.manifest.select.k ?? 4;
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    select(selector);
  });
  at("question").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
  });
  at("sample").addEventListener("click", () => {
    at("question").value = selector.record(Math.floor(Math.random() * selector.count)).question;
    at("form").requestSubmit();
  });
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("prompt").textContent);
      at("copy").textContent = "Copied";
    } catch {
      at("copy").textContent = "Select the text to copy it";
    }
    setTimeout(() => (at("copy").textContent = "Copy"), 2000);
  });
  const asked = new URLSearchParams(location.search).get("q");
  if (asked) {
    at("question").value = asked;
    select(selector);
  }
  document.documentElement.dataset.ready = "";
}

main().catch((error) => {
  at("loading").hidden = true;
  fail(error);
});
