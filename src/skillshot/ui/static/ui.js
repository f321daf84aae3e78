"use strict";
// Everything works without this file, but for the copy button and the keys. It sends nothing to another address.

const POLL = 5000; // milliseconds between two questions whether the bundle has changed

async function showReasons() {
  const place = document.getElementById("why");
  if (!place) return;
  const button = place.firstElementChild;
  place.textContent = place.dataset.wait;
  try {
    const form = new URLSearchParams(new FormData(document.getElementById("ask")));
    const answer = await fetch("/why", {method: "POST", body: form, headers: {"X-Part": "1"}});
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    // the server has escaped every text of the bank
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    place.dataset.ready = "1";
  } catch (error) {
    place.replaceChildren(`${place.dataset.failed} ${error.message}`, button);
  }
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // over http from another machine there is no clipboard API
  }
  document.getElementById("copied").textContent = button.dataset.done;
}

async function watch() {
  if (document.hidden) return;
  try {
    const {version} = await (await fetch("/state")).json();
    document.getElementById("changed").hidden = version === document.body.dataset.version;
  } catch {
    // the server has ended; the next send says so
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=checkbox]), textarea:not([readonly]), select");
  if (field && event.key === "Enter" && event.ctrlKey && field.form) field.form.requestSubmit();
  if (field && event.key === "Escape") field.blur();
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  const wanted = event.key === "/" ? document.querySelector("[data-first]")
    : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!wanted) return;
  event.preventDefault();
  event.key === "/" ? wanted.focus() : wanted.click();
});

document.addEventListener("visibilitychange", watch);
setInterval(watch, POLL);
showReasons();
