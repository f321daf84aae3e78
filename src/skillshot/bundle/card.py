"""The bundle's model card: README.md next to the manifest, in the layout of a Hugging Face repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.common.io import atomic_write

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
| mode by default | {mode}, encoder in {precision} |
| search | {search} |
| near ties | within {near_tie} of the best score the least similar are taken |

## Measured on the bank's held-out slice, without labels

{metrics}

The documentation of skillshot explains the figures. Measure your own queries with `skillshot score`.

## Limits

* Skills are those of this bank: a question of another domain still gets the nearest four, look at their scores.
* The int8 encoder chooses other demonstrations than fp32 where scores are near ties; `precision="fp32"` gives torch's.
* A text over the encoder's window is cut; the question is read first, its context after.
* The rationales of the bank are not checked for truth or for personal data.

## Licences

{licence}
The demonstrations are inside this folder, readable by whoever has it, and keep the licence of their source.
The networks were trained on them; skillshot itself is Apache-2.0.
"""
_PACKAGED = "Encoder weights: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0 (also quantised to int8)."
_OTHER = "Encoder weights: {model}, under their own licence; look it up before you hand this folder on."


def write_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write README.md from the facts of the manifest."""
    model = str(facts["embed"]["model"])
    below = facts["index"]["exact_below"]
    text = _CARD.format(
        metrics="\n".join(f"* {name}: {value:.4g}" for name, value in sorted(facts["metrics"].items())),
        skillshot=facts["skillshot"], seed=facts["seed"], records=facts["data"]["records"], encoder=model,
        sha256=facts["data"]["sha256"], mode=facts["select"]["mode"], precision=facts["select"]["precision"],
        near_tie=facts["select"]["near_tie"],
        search="exact" if facts["data"]["records"] <= below else "inverted file (faiss), exact scores",
        licence=_PACKAGED if model == "minilm" else _OTHER.format(model=model),
    )  # fmt: skip
    with atomic_write(folder / "README.md") as handle:
        handle.write(text)
