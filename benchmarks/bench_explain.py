"""Explanations and the audit record measured: sums, deletion of the words named first, agreement with all orders, cost.

    python benchmarks/bench_explain.py BUNDLE QUESTIONS --out reports/explain.json

QUESTIONS is a file as `skillshot select --questions` reads it, or `storyskills`: new questions of the embedded source,
of which it is known which words are the skill's and which the story's. `--part` measures one part alone. The part
`rivals` needs `pip install shap lime`; 30 to 60 questions are enough. Compare the ratios: times depend on the machine.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # other threads would count as CPU time

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
from explain_fidelity import METHODS, RIVALS, fidelity  # noqa: E402

from skillshot import Selector  # noqa: E402
from skillshot.common.io import dump_json, write_json  # noqa: E402
from skillshot.runtime.attribution import attribute, cut, joined, segments_of  # noqa: E402

ALL = 8  # segments at most where all 256 coalitions are scored
BLOCK = 64  # selections with a record, then as many without


def questions_of(name: str, count: int) -> list[str]:
    """Questions of a file, or new ones of storyskills in English."""
    if name == "storyskills":
        from skillshot.sources.storyskills import generate

        found = [record for record in generate(2 * count, 987) if record.metadata.get("language") != "ko"]
        return [record.question for record in found if record.question.isascii()][:count]
    from skillshot.bank.load import load_questions

    return [record.question for record in load_questions(name).records][:count]


def additivity(selector: Selector, questions: Sequence[str]) -> dict[str, Any]:
    """Largest distance of the words' sum and of the parts' sum from the score."""
    words, parts = 0.0, 0.0
    for question in questions:
        for reason in selector.explain(question).reasons:
            score = reason.demonstration.score
            words = max(words, abs(sum(part.value for part in reason.contributions) - score))
            parts = max(parts, abs(sum(reason.parts.values()) - score))
    return {"questions": len(questions), "words_off_at_most": words, "parts_off_at_most": parts}


def all_orders(selector: Selector, questions: Sequence[str]) -> dict[str, Any]:
    """Segments against Shapley values by all their coalitions."""
    policy, apart, together = selector._bundle.policy, [], []
    for question in questions:
        rows = _rows(selector, [one.id for one in selector.select(question)])
        words, values, _ = attribute(policy, question, policy([question])[0], rows, ALL)
        of = segments_of(words, ALL)
        segments = joined(words, of)
        if len(segments) < 3:
            continue
        found = np.zeros((len(segments), len(rows)))
        np.add.at(found, of, values)
        exact = _shapley(lambda texts, rows=rows: policy(texts).astype(np.float64) @ rows.T, segments)
        apart.append(np.abs(found - exact).mean() / np.abs(exact).mean())
        together.append(np.corrcoef(found.ravel(), exact.ravel())[0, 1])
    return {"questions": len(apart), "mean_error": float(np.mean(apart)), "correlation": float(np.mean(together))}


def _shapley(worth: Callable[[list[str]], Any], segments: Sequence[str]) -> Any:
    count = len(segments)
    sets = list(itertools.product((0, 1), repeat=count))
    places = {one: place for place, one in enumerate(sets)}
    scores = worth(["".join(itertools.compress(segments, one)) for one in sets])
    exact = np.zeros((count, scores.shape[1]))
    for one in sets:
        weight = math.factorial(sum(one)) * math.factorial(count - 1 - sum(one)) if sum(one) < count else 0
        for player in range(count):
            if not one[player]:
                more = places[(*one[:player], 1, *one[player + 1 :])]
                exact[player] += weight / math.factorial(count) * (scores[more] - scores[places[one]])
    return exact


def of_the_skill(selector: Selector, count: int) -> dict[str, Any]:
    """Share of the positive contributions on words of the skill, on questions of storyskills."""
    from skillshot.sources.storyskills import generate

    shares, words_of_skill = [], []
    for record in generate(3 * count, 987):
        if len(words_of_skill) == count or not record.question.isascii():
            continue
        kinds = skill_words(record)
        for reason in selector.explain(record.question).reasons:
            parts = sorted(reason.contributions[:-1], key=lambda part: part.start)
            values = np.maximum([part.value for part in parts], 0)
            if values.sum() > 0:
                shares.append(float(values[kinds].sum() / values.sum()))
        words_of_skill.append(float(np.mean(kinds)))
    return {
        "questions": len(words_of_skill),
        "share_of_positive": float(np.mean(shares)),
        "share_of_words": float(np.mean(words_of_skill)),
    }


def skill_words(record: Any) -> Any:
    """Which words of a storyskills question are the skill's: those of the phrasing, less its slots of the theme."""
    from skillshot.sources.storyskills.skills import SKILLS

    skill, theme = record.metadata["skill"], record.metadata["theme"]
    for ask in SKILLS[skill].ask:
        pieces = re.split(r"(\{[^}]*\})", ask)
        numbers = SKILLS[skill].draw
        pattern = "".join(
            f"(?P<s{place}>.+?)" if piece.startswith("{") else re.escape(piece) for place, piece in enumerate(pieces)
        )
        match = re.search(pattern + "$", record.question, flags=re.IGNORECASE)
        if match:
            kinds, at = np.zeros(len(record.question), bool), match.start()
            kinds[at:] = True
            for place, piece in enumerate(pieces):
                if piece.startswith("{") and piece.strip("{}").split(":")[0] not in numbers:
                    kinds[match.start(f"s{place}") : match.end(f"s{place}")] = False
            of_word, start = [], 0
            for word in cut(record.question):
                end = start + len(word)
                inner = [i for i in range(start, end) if not record.question[i].isspace()]
                of_word.append(np.mean(kinds[inner]) > 0.5)
                start = end
            return np.array(of_word)
    raise SystemExit(f"{record.id}: no phrasing of {skill} in theme {theme} fits")


def cost(selector: Selector, questions: Sequence[str]) -> dict[str, Any]:
    """CPU time of an explanation, in selections."""
    selector.explain(questions[0])
    start = time.process_time()
    for question in questions:
        selector.select(question)
    middle = time.process_time()
    for question in questions:
        selector.explain(question)
    end = time.process_time()
    one = (middle - start) / len(questions)
    return {"selection_ms": 1000 * one, "explanation_in_selections": (end - middle) / len(questions) / one}


def audit(bundle: str, mode: str, questions: Sequence[str], count: int, size: int) -> dict[str, Any]:
    """CPU time of selections with a record over that without, `size` at once, in blocks that take turns."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Selector.load(bundle, mode)
        written = Selector.load(bundle, mode, audit=Path(folder) / "audit.jsonl")
        spent = {"plain": 0.0, "written": 0.0}
        asked = list(itertools.islice(itertools.cycle(questions), count))
        for at in range(0, count, BLOCK):
            for name, selector in (("plain", plain), ("written", written)):
                start = time.process_time()
                for first in range(at, min(at + BLOCK, count), size):
                    selector.select_batch(asked[first : first + size])
                spent[name] += time.process_time() - start
    return {
        "selections": count,
        "ms": 1000 * spent["plain"] / count,
        "record_ms": 1000 * (spent["written"] - spent["plain"]) / count,
        "ratio": spent["written"] / spent["plain"],
    }


def _rows(selector: Selector, ids: Sequence[str]) -> Any:
    known = {selector.record(row).id: row for row in range(len(selector))}
    return selector.vectors[[known[one] for one in ids]].astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("questions")
    parser.add_argument("--mode", default="full", choices=("full", "lite"))
    parser.add_argument("--limit", type=int, default=1000, help="questions")
    parser.add_argument(
        "--part",
        action="append",
        help="additivity, deletion, all_orders, skill, cost, audit, audit_batches; rivals (with shap and lime)",
    )
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    selector, questions = Selector.load(args.bundle, args.mode), questions_of(args.questions, args.limit)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "additivity": lambda: additivity(selector, questions),
        "deletion": lambda: fidelity(selector, questions, METHODS),
        "all_orders": lambda: all_orders(selector, questions),
        "cost": lambda: cost(selector, questions),
        "audit": lambda: audit(args.bundle, args.mode, questions, args.limit, 1),
        "audit_batches": lambda: audit(args.bundle, args.mode, questions, args.limit, BLOCK),
    }
    if args.questions == "storyskills":
        parts["skill"] = lambda: of_the_skill(selector, args.limit)
    measured = args.part or list(parts)  # rivals take seconds for a question: only where they are asked for
    parts["rivals"] = lambda: fidelity(selector, questions, {**METHODS, **RIVALS})
    found = {"mode": args.mode} | {name: parts[name]() for name in measured}
    print(dump_json(found), end="")
    if args.out:
        write_json(args.out, found)


if __name__ == "__main__":
    main()
