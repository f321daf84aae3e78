"""The bundle's model card: README.md next to the manifest, in the layout of a Hugging Face repository.

The card is made from the manifest alone. It is written after the manifest, made again for every copy, and never
checked: a kill between the two files leaves an old card and a sound bundle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skillshot.common.io import atomic_write
from skillshot.common.verdict import RIVALS, FitVerdict, interval_text
from skillshot.runtime.layout import CARD, NO_MODEL

_CARD = """---
library_name: skillshot
license: apache-2.0
tags: [few-shot, chain-of-thought, retrieval, onnx]
---
# skillshot selector

Picks the demonstrations of this bank that need the same reasoning skill as a question.

```python
from skillshot import Selector

selector = Selector.load("path/to/this/folder")  # or "hf:OWNER/NAME"
print(selector.prompt("a new question", k=4))
```

| | |
|---|---|
| made by | skillshot {skillshot}, seed {seed} |
| demonstrations | {records} |
| bank sha256 | `{sha256}` |
| sentence encoder | {encoder} |
| mode by default | {mode} |
| search | {search} |

{verdict}{tuned}{slim}## Measured on examples of the bank that were held out, without labels

{metrics}

All figures are in `manifest.json`. Measure your own queries with `skillshot score`.

## Limits

* Skills are those of this bank. A question of another domain gets four demonstrations too, with a low confidence.
{limits}* The rationales of the bank are not checked for truth or for personal data.

## Licences

{licence}{prior}The demonstrations are inside this folder, readable by whoever has it, and keep the licence of their
source. The networks were trained on them; skillshot itself is Apache-2.0.
"""
_VERDICT = """## Verdict

**{verdict}**

| selector | similarity of its demonstrations: {measured} | skillshot minus it, 95 %, paired |
|---|---|---|
| skillshot | {skillshot:.3f} | |
{rows}

* {basis}.
* What helps: {advice}

"""
_TUNED = """## Tuned

The weights of the score come from {calls} answers of {llm} to {queries} questions of the bank.
On questions that they were not learned from, {k} demonstrations in mode {mode} have a gold NLL of {interval} nats per
token against the weights of the fit (95 %, paired; negative is better).

| | structure | latent | sentence | words |
|---|---|---|---|---|
| before | {before} |
| after | {after} |

"""
_SLIM = """## Slim

Made by `skillshot slim`: what lite selection reads, in 8 bits and compressed. It selects, explains and removes; add
demonstrations to the bundle that it was made from. Of {questions} questions of the bank, both choose the same
demonstrations for {same:.0%}; {overlap:.0%} of the choices are common.

"""
_MEASURED = {  # metric of the manifest -> what it means
    "agreement": "mean similarity (at most 1) of a held-out rationale's structure to those of its four demonstrations",
    "step_share": "part of the structure that is which kinds of steps a rationale has; 0: its skeleton is all",
    "prior_share": "part of the structure that a prior of other banks expects of a question, see Licences",
    "learned_rows": "examples that were learned from, a random sample; the others are only encoded",
    "shuffled_z_gap": "relative increase of the decoder's error with another example's latent; 0: the latent is empty",
    "active_units": "dimensions of the latent that carry information",
}
_LIMITS = """\
* The int8 encoder chooses other demonstrations than fp32 where scores are near ties; `precision="fp32"` gives torch's.
* A text over the encoder's window is cut; the question is read first, its context after.
"""
_PACKAGED = "Encoder weights: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0 (also quantised to int8).\n"
_OTHER = "Encoder weights: {model}, under their own licence; look it up before you hand this folder on.\n"


def write_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write README.md from the facts of the manifest."""
    with atomic_write(folder / CARD) as handle:
        handle.write(card(facts))


def card(facts: Mapping[str, Any]) -> str:
    """Text of the card; texts of the manifest cannot add Markdown or HTML to it."""
    model, mode = _plain(facts["embed"]["model"]), str(facts["select"]["mode"])
    encoder = model != NO_MODEL and "slim" not in facts
    licence = _PACKAGED if model == "minilm" else _OTHER.format(model=model)
    below = facts["index"]["exact_below"]
    return _CARD.format(
        metrics=_measured(facts["metrics"]), verdict=_verdict(facts.get("verdict")),
        tuned=_tuned(facts.get("tuned")), slim=_SLIM.format(**facts["slim"]) if "slim" in facts else "",
        skillshot=_plain(facts["skillshot"]), seed=facts["seed"], records=facts["data"]["records"],
        encoder=model if encoder else NO_MODEL,
        sha256=facts["data"]["sha256"], mode=f"{mode}, encoder in {facts['select']['precision']}" if encoder else mode,
        search="exact" if facts["data"]["records"] <= below else "inverted file (faiss), exact scores",
        licence=licence if encoder else "", limits=_LIMITS if encoder else "",
        prior=_prior(facts.get("prior"), bool(facts.get("adapted"))) + _adapted(facts.get("adapted")),
    )  # fmt: skip


def _measured(metrics: Mapping[str, Any]) -> str:
    shown = {name: meaning for name, meaning in _MEASURED.items() if name in metrics}
    return "\n".join(f"* `{name}` {_number(metrics[name])}: {meaning}" for name, meaning in shown.items()) or "Nothing."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _prior(banks: Sequence[Mapping[str, str]] | None, adapted: bool) -> str:
    """Where the knowledge of a bank without rationales came from; nothing for any other bank."""
    if not banks:
        return ""
    named = "; ".join(_plain(f"{bank['name']} ({bank['origin']}, {bank['licence']})") for bank in banks)
    share = "Four fifths" if adapted else "Half"
    return f"{share} of the skill is a prior, learned from other banks: {named}.\n"


def _adapted(teacher: Mapping[str, Any] | None) -> str:
    """Which bundle's examples taught along with the bank's own; nothing for a bundle of `skillshot fit`."""
    if not teacher:
        return ""
    name, records, digest = _plain(teacher["bundle"]), teacher["records"], teacher["sha256"]
    return (
        f"Learned together with the {records} examples of the bundle {name} (bank sha256 `{digest}`), "
        "which are not in this folder; their\nlicence holds for what was learned from them.\n"
    )


def _verdict(values: Mapping[str, Any] | None) -> str:
    """The section of the verdict; nothing for a bundle that was fitted before there was one."""
    if values is None:
        return ""
    verdict = FitVerdict.from_dict(values)
    pairs = {verdict.shown(rival): (getattr(verdict, rival), interval_text(verdict.pair(rival))) for rival in RIVALS}
    rows = "\n".join(f"| {name} | {mean:.3f} | {interval} |" for name, (mean, interval) in pairs.items())
    return _VERDICT.format(
        verdict=_plain(verdict.verdict), measured=_plain(verdict.measured()), skillshot=verdict.skillshot, rows=rows,
        basis=_plain(verdict.basis()), advice=_plain(verdict.advice),
    )  # fmt: skip


def _tuned(values: Mapping[str, Any] | None) -> str:
    """The section of `skillshot tune`; nothing for the weights of a fit."""
    if values is None:
        return ""
    rows = {name: " | ".join(f"{share:.3f}" for share in values[name]) for name in ("before", "after")}
    found = values["nll"]
    return _TUNED.format(
        calls=values["calls"], queries=values["queries"], k=values["k"], mode=values["mode"], **rows,
        llm=_plain(values["llm"]), interval=f"{found['diff']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]",
    )  # fmt: skip


def _plain(text: str) -> str:
    return re.sub(r"[\\`*<>\[\]|&#!(){}\x00-\x1f]", lambda sign: f"&#{ord(sign[0])};", str(text))
