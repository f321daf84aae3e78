"""One planted regression, and the ways to plant it that are more than an edit of code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Action = Callable[[Path], None]


@dataclass(frozen=True)
class Sabotage:
    """One planted regression.

    code: file under src/skillshot -> what is appended; params: settings of params.yaml; before, after: what is done to
    the repository before and after the run; force: a stage that runs though nothing changed; by: who must stop it
    (`stage`, `gate`, `register`), or `nobody` for a sound change, `healed` where the run must repair it;
    message: a pattern of what is then logged.
    """

    name: str
    by: str
    message: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    before: Action = lambda _: None
    after: Action = lambda _: None
    force: str = ""


def report(stage: str, change: Callable[[Any], None]) -> Action:
    """Edit a report by hand."""

    def action(root: Path) -> None:
        path = root / "reports" / f"{stage}.json"
        tree = json.loads(path.read_text())
        change(tree)
        path.write_text(json.dumps(tree))

    return action


def replaced(path: str, old: str, new: str) -> Action:
    """Edit a text file by hand."""

    def action(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text, f"{path} holds no {old!r}: fix the sabotage"
        (root / path).write_text(text.replace(old, new, 1))

    return action


def stale_bundle(root: Path) -> None:
    """An older bundle is in the place of the new one."""
    for path in (root / "models/selector").rglob("skillshot.npy"):
        data = bytearray(path.read_bytes())
        data[-400:] = bytes(400)
        path.chmod(0o644)
        path.unlink()
        path.write_bytes(bytes(data))


def edited_answers(root: Path) -> None:
    """The answers of the language model, made better by hand."""
    path = root / ".record" / "llm.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "logprobs" in line["answer"]:
            line["answer"]["logprobs"] = [value / 2 for value in line["answer"]["logprobs"]]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def blunt_encoder(root: Path) -> None:
    """Another sentence encoder: the packaged one with its last layers zeroed, as `embed.model`."""
    from safetensors.numpy import load_file, save_file

    from skillshot.encoder import packaged_model_path

    folder = root / ".encoder"
    shutil.copytree(packaged_model_path(), folder, dirs_exist_ok=True)
    path = next(folder.rglob("*.safetensors"))
    path.chmod(0o644)
    weights = load_file(path)
    for name, values in weights.items():
        if ".layer.4." in name or ".layer.5." in name or "word_embeddings" in name:
            values[::2] = 0
    save_file(weights, path, metadata={"format": "pt"})
