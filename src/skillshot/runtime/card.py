"""The bundle's model card: README.md beside the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.io import atomic_write

_CARD = """---
library_name: skillshot
license: apache-2.0
tags: [few-shot, chain-of-thought, retrieval, onnx]
---
# skillshot selector

Picks the demonstrations of this bank that need the same reasoning skill as a question.

```python
from skillshot import Selector

selector = Selector.load("{folder}")
print(selector.prompt("a new question", k=4))
```

| | |
|---|---|
| made by | skillshot {skillshot}, seed {seed} |
| demonstrations | {records} |
| bank sha256 | `{sha256}` |
| sentence encoder | {encoder} |
| mode by default | {mode} |

## Measured on the bank's held-out slice, without labels

{metrics}

## Limits

Skills are those of this bank: a question of another domain still gets the nearest four, look at their scores.
The texts of the bank are inside the bundle and keep their own licence. The packaged MiniLM weights are Apache-2.0.
"""


def write_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write README.md from the facts of the manifest."""
    metrics = "\n".join(f"* {name}: {value:.4g}" for name, value in sorted(facts["metrics"].items()))
    text = _CARD.format(
        folder="path/to/this/folder", metrics=metrics, skillshot=facts["skillshot"], seed=facts["seed"],
        records=facts["data"]["records"], sha256=facts["data"]["sha256"], encoder=facts["embed"]["model"],
        mode=facts["select"]["mode"],
    )  # fmt: skip
    with atomic_write(folder / "README.md") as handle:
        handle.write(text)
