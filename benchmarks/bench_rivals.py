"""Sets and alignments of the literature against skillshot on halves of real data: reports/rivals.json.

    python benchmarks/bench_rivals.py gsm8k spider cogs tabmwp storyskills

hit@4 and any@4; where the label is a list of operations, F1 of the union of the four lists as multisets and their mean
Jaccard. Differences are skillshot minus a rival, paired over the queries of all draws, 95 % bootstrap. It takes 24 CPU
minutes without the sentence embeddings (kept in --work); half are fits, a third are token embeddings.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
from bench_skills import REPORTS, Texts  # noqa: E402
from halves import LABELS, ROWS, SHOTS, best, blind, half, measured  # noqa: E402
from rivals import Floats, Rows, sequence_of, set_bsr, vote_k, warped  # noqa: E402
from skill_slices import DATA, PARTS  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import TrainParams  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.common.structure import learned  # noqa: E402
from skillshot.common.tables import table  # noqa: E402
from skillshot.evaluation.alignment import paired_interval  # noqa: E402
from skillshot.features.channels import QUESTION  # noqa: E402
from skillshot.features.lexical import LexicalView  # noqa: E402
from skillshot.runtime.hedge import CANDIDATES, chosen_rows  # noqa: E402
from skillshot.runtime.index import top_k  # noqa: E402
from skillshot.runtime.scoring import Scoring  # noqa: E402
from skillshot.selectors.sets import dpp, mmr  # noqa: E402
from skillshot.training.axes import nearness  # noqa: E402
from skillshot.training.learned import BUCKETS, RAREST  # noqa: E402
from skillshot.training.steps import learn_steps  # noqa: E402

PENALTY = 0.3  # of the ridge that predicts steps, in mean diagonals of its kernel
BOUND = "bound"


class Tokens:
    """Unit token embeddings of texts, each text once, without the two tokens that the encoder adds."""

    def __init__(self) -> None:
        self.rows: dict[str, Floats] = {}

    def __call__(self, texts: Sequence[str]) -> list[Floats]:
        from skillshot.encoder import load_encoder

        new = sorted({text for text in texts if text not in self.rows}, key=len)
        if new:
            found = load_encoder().encode(new, output_value="token_embeddings", batch_size=64, show_progress_bar=False)
            for text, tokens in zip(new, found, strict=True):
                inner = (tokens[1:-1] if len(tokens) > 2 else tokens).numpy()
                self.rows[text] = (inner / np.linalg.norm(inner, axis=1, keepdims=True)).astype(np.float32)
        return [self.rows[text] for text in texts]


def cosines(asked: Floats, bank: Floats) -> tuple[Floats, list[Rows]]:
    """Scores (q, n) and of each query the `CANDIDATES` best rows, best first."""
    scores = asked @ bank.T
    return scores, [top_k(row, CANDIDATES, np.ones(len(bank), bool)) for row in scores]


def by_wording(bank: list[Record], queries: list[Record], embed: Texts) -> Iterator[tuple[str, list[Rows]]]:
    """Rivals on the sentence encoder: name and the chosen rows of each query."""
    vectors = embed([record.text for record in bank])
    scores, near = cosines(embed([record.text for record in queries]), vectors)
    yield "question", [rows[:SHOTS] for rows in near]
    yield "question, MMR", [mmr(row, vectors, SHOTS, balance=0.7) for row in scores]
    yield "question, DPP", [dpp(row, vectors, SHOTS) for row in scores]
    voted = [rows[vote_k(s[rows], vectors[rows], SHOTS)] for s, rows in zip(scores, near, strict=True)]
    yield "question, vote-k", voted
    tokens = Tokens()
    known, asked = (tokens([record.question for record in side]) for side in (bank, queries))  # no context: it is long
    sets = [set_bsr(query, [known[row] for row in rows], SHOTS) for query, rows in zip(asked, near, strict=True)]
    yield "Set-BSR", [rows[chosen] for rows, chosen in zip(near, sets, strict=True)]


def by_steps(bank: list[Record], queries: list[Record], embed: Texts, seed: int) -> Iterator[tuple[str, list[Rows]]]:
    """Alignment of step sequences, as SALA does it, with a ridge in the place of the LLM; ties by question.

    Two kinds of steps are as far apart as their vectors (1 - cosine). The second row knows the query's own steps.
    """
    questions, rationales = [r.text for r in bank], [learned(r) for r in bank]
    view, _ = learn_steps(rationales, questions, seed)
    if view is None:
        return
    sequences, columns = [view.kinds(text) for text in rationales], view.transform(rationales)
    spans = [(kind, (i + 0.5) / len(found)) for found in sequences for i, kind in enumerate(found)]
    kinds, places = (np.array(part) for part in zip(*spans, strict=True))
    count = view.centres.shape[1]
    place = np.bincount(kinds, places, count) / np.maximum(np.bincount(kinds, minlength=count), 1)
    centres = view.centres / np.maximum(np.linalg.norm(view.centres, axis=0), 1e-9)
    cost = 1 - centres.T @ centres
    vectors, asked = embed(questions), embed([r.text for r in queries])
    words = LexicalView.learn(questions, QUESTION, buckets=BUCKETS, rarest=RAREST)
    rows, new = words.sparse(questions), words.sparse([r.text for r in queries])
    kernel = (rows @ rows.T).toarray() + nearness(vectors, vectors)
    rate, ridge = columns.mean(0), PENALTY * np.trace(kernel) / len(kernel) * np.eye(len(kernel))
    dual = np.linalg.solve(kernel + ridge, columns - rate)
    predicted = np.clip(rate + ((new @ rows.T).toarray() + nearness(asked, vectors)) @ dual, 0, 1)
    assert view.names is not None
    expected = view.names.by_kind(predicted)
    scores = asked @ vectors.T
    for name, sought in (
        ("DTW of steps", [sequence_of(row, place) for row in expected]),
        ("DTW, knows the steps", [view.kinds(learned(record)) for record in queries]),
    ):
        far = [warped(sequence, sequences, cost).round(5) for sequence in sought]
        yield name, [np.lexsort((-s, row))[:SHOTS] for s, row in zip(scores, far, strict=True)]


def by_skill(bank: list[Record], queries: list[Record], embed: Texts, seed: int) -> Iterator[tuple[str, list[Rows]]]:
    """skillshot as it serves, other sets on its scores, and its 64 candidates, best first."""
    from skillshot.model.fitted import run
    from skillshot.training.fit import fit

    fitted = fit(blind(bank), embed([r.text for r in bank]), None, TrainParams(), seed)
    texts = [record.text for record in queries]
    asked = run(fitted.policies["skillshot"], embed(texts), fitted.question_view.transform(texts))
    vectors, how = fitted.vectors["skillshot"], Scoring.of(fitted.score, "full")
    scores, near = cosines(asked, vectors)
    take = partial(chosen_rows, vectors=vectors, weights=how.weights, doubt=how.doubt, k=SHOTS)
    yield "skillshot", [take(scores=s[rows], rows=rows) for s, rows in zip(scores, near, strict=True)]
    yield "skillshot, four best", [rows[:SHOTS] for rows in near]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    yield "skillshot, MMR", [mmr(row, unit, SHOTS, balance=0.9) for row in scores]
    yield "skillshot, DPP", [dpp(row, unit, SHOTS) for row in scores]
    yield BOUND, near


def values(name: str, part: str, seed: int, count: int, data: Path, embed: Texts) -> dict[str, Floats]:
    """Selector -> the two measures of each query, (q, 2), for one draw."""
    bank, queries = half(name, part, seed, count, data)
    have, asked = ([LABELS[name](record) for record in side] for side in (bank, queries))
    draws = np.random.default_rng(seed)
    chosen = {"random": [draws.choice(len(bank), SHOTS, replace=False) for _ in queries]}
    for source in (by_wording(bank, queries, embed), by_steps(bank, queries, embed, seed)):
        chosen |= source
    chosen |= by_skill(bank, queries, embed, seed)
    chosen[BOUND] = [
        rows[best(label, [have[row] for row in rows])] for label, rows in zip(asked, chosen[BOUND], strict=True)
    ]
    return {
        selector: np.array([measured(label, [have[i] for i in row]) for label, row in zip(asked, rows, strict=True)])
        for selector, rows in chosen.items()
    }


def report(draws: Sequence[dict[str, Floats]], measures: tuple[str, str]) -> dict[str, Any]:
    """Means over the queries of all draws, and skillshot minus each other."""
    joined = {selector: np.concatenate([draw[selector] for draw in draws]) for selector in draws[0]}
    ours = joined["skillshot"]
    return {
        "queries": len(ours),
        "selectors": {
            selector: {measure: round(float(rows[:, i].mean()), 4) for i, measure in enumerate(measures)}
            for selector, rows in joined.items()
        },
        "pairs": {
            f"skillshot-{selector}": {
                measure: {key: round(x, 4) for key, x in paired_interval(ours[:, i] - rows[:, i], 0).items()}
                for i, measure in enumerate(measures)
            }
            for selector, rows in joined.items()
            if selector != "skillshot"
        },
    }


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=list(ROWS))
    parser.add_argument("--part", choices=PARTS, default="final")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a draw and a fit each")
    parser.add_argument("--queries", type=int, default=200, help="of a draw, at most")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/rivals"))
    parser.add_argument("--report", type=Path, default=REPORTS / "rivals.json")
    args = parser.parse_args()
    for name in args.sets:
        embed, draws, began = Texts(args.work / f"{name}.npz"), list[dict[str, Floats]](), time.process_time()
        for seed in args.seeds:
            draws.append(values(name, args.part, seed, args.queries, args.data, embed))
            print(f"{name} seed {seed}: {time.process_time() - began:.0f} CPU s", file=sys.stderr)
        measures = ("f1", "jaccard") if name in ("gsm8k", "spider") else ("hit@4", "any@4")
        found = {"part": args.part, "bank": ROWS[name], "seeds": args.seeds} | report(draws, measures)
        whole = json.loads(args.report.read_text(encoding="utf-8")) if args.report.exists() else {}
        write_json(args.report, whole | {name: found})
        print(
            table(
                [{"selector": selector, **row} for selector, row in found["selectors"].items()], ["selector", *measures]
            )
        )


if __name__ == "__main__":
    main()
