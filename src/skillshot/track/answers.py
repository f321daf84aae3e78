"""The evaluated queries side by side: question, demonstrations and answer of each selector."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.common.record import Record, read_records
from skillshot.track.baseline import BANK, QUERIES
from skillshot.track.headline import OURS, RIVAL, ROWS


@dataclass(frozen=True)
class Answer:
    """What one selector chose for a query, and what the language model made of it; None where it was not measured."""

    demonstrations: tuple[Record, ...]
    answer: str
    correct: bool | None
    nll: float | None


@dataclass(frozen=True)
class Asked:
    """A query of the evaluation with its gold answer; `answers` by selector."""

    id: str
    question: str
    gold: str
    answers: Mapping[str, Answer]


def read_answers(root: Path) -> list[Asked]:
    """The evaluated queries of the repository in `root`; none where the rows name no demonstrations.

    Raises:
        TrackError: the rows name a query or a demonstration that is not in the data.
    """
    path = root / ROWS
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or "demonstrations" not in rows[0]:
        return []
    queries = _chosen(root / QUERIES, {row["query"] for row in rows})
    bank = {record.id: record for record in _records(root / BANK)}
    found: dict[str, dict[str, Answer]] = {}
    for row in rows:
        found.setdefault(row["query"], {})[row["selector"]] = Answer(
            tuple(bank[name] for name in _named(row["demonstrations"], bank)),
            row.get("found", ""),
            row["correct"] == "1" if row.get("correct") else None,
            float(row["nll"]) if row.get("nll") else None,
        )
    return [Asked(name, queries[name].text, queries[name].answer, _ours_first(found[name])) for name in found]


def table(asked: Sequence[Asked]) -> dict[str, list[Any]]:
    """Columns of an evaluation table, a row per query; demonstrations of our selector and of question similarity."""
    selectors = list(dict.fromkeys(name for one in asked for name in one.answers))
    columns: dict[str, list[Any]] = {
        "query": [one.id for one in asked],
        "question": [one.question for one in asked],
        "gold": [one.gold for one in asked],
    }
    for name in selectors:
        answers = [one.answers.get(name) for one in asked]
        columns[f"{name} answer"] = [found.answer if found else "" for found in answers]
        columns[f"{name} correct"] = [found.correct if found else None for found in answers]
        columns[f"{name} nll"] = [found.nll if found else None for found in answers]
    for name in (OURS, RIVAL):
        if f"{name} answer" in columns:
            chosen = [one.answers[name].demonstrations if name in one.answers else () for one in asked]
            columns[f"{name} demonstrations"] = ["\n\n".join(_text(record) for record in found) for found in chosen]
    return columns


def documents(found: Answer) -> list[dict[str, Any]]:
    """Demonstrations in the form in which MLflow shows what a retriever returned."""
    return [{"page_content": _text(record), "metadata": {"doc_uri": record.id}} for record in found.demonstrations]


def _ours_first(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    return {name: answers[name] for name in dict.fromkeys([OURS, RIVAL, *answers]) if name in answers}


def _text(record: Record) -> str:
    return "\n".join(filter(None, (record.text, record.rationale, f"Answer: {record.answer}")))


def _named(text: str, known: Mapping[str, Record]) -> Iterator[str]:
    """The ids of which `text` is made, with blanks between them; an id may have blanks itself: the longest is taken."""
    words = text.split(" ") if text else []
    while words:
        ends = range(len(words), 0, -1)
        end = next((end for end in ends if " ".join(words[:end]) in known), None)
        if end is None:
            raise TrackError(f"{ROWS}: {words[0]} is not in {Path(BANK).name}\nrun `dvc repro evaluate`")
        yield " ".join(words[:end])
        words = words[end:]


def _chosen(path: Path, names: set[str]) -> dict[str, Record]:
    found = {record.id: record for record in _records(path) if record.id in names}
    if lacking := sorted(names - found.keys()):
        raise TrackError(f"{ROWS}: {lacking[0]} is not in {path.name}\nrun `dvc repro evaluate`")
    return found


def _records(path: Path) -> Iterator[Record]:
    return read_records(path) if path.is_file() else iter(())
