"""How often each selector finds the right skill on held-out slices of the real data sets: reports/skills.json.

    python benchmarks/bench_skills.py tabmwp cogs gsm8k spider            # final slices, whole banks, 3 seeds
    python benchmarks/bench_skills.py cogs --what damage --size 1000      # wrong rationales, small and skewed banks

The score is the mean label agreement of the k = 4 chosen (hit@4; multiset Jaccard where the label is a list), and that
of the best of the four (any@4), with a paired bootstrap over queries of the mean over seeds. It takes about 2 CPU
minutes per data set and seed, without the embedding (kept in --work).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from skill_slices import DATA, FILES, PARTS, Slice, slices  # noqa: E402

from skillshot.bank.corruption import corrupt  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import CorruptionParams, TrainParams  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.common.structure import learned  # noqa: E402
from skillshot.evaluation.alignment import paired_interval  # noqa: E402
from skillshot.features.bm25 import BM25  # noqa: E402
from skillshot.runtime.hedge import CANDIDATES, chosen_rows  # noqa: E402
from skillshot.runtime.index import top_k  # noqa: E402
from skillshot.runtime.scoring import BLOCKS, Scoring  # noqa: E402

Floats = npt.NDArray[np.float32]

REPORTS = Path(__file__).resolve().parents[1] / "reports"
AGAINST = ("question", "ridge", "lars", "oracle")
DAMAGES = {
    "whole": CorruptionParams(),
    "wrong 10 %": CorruptionParams(wrong_rationales=0.1),
    "wrong 30 %": CorruptionParams(wrong_rationales=0.3),
    "wrong 50 %": CorruptionParams(wrong_rationales=0.5),
    "300 examples": CorruptionParams(keep=300),
    "100 examples": CorruptionParams(keep=100),
    "skewed skills": CorruptionParams(skew=1.0),
}


class Texts:
    """Sentence embeddings of texts, each computed once and cached in a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, dict[str, Floats]()
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                self.rows = dict(zip(kept["keys"].tolist(), kept["rows"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Floats:
        from skillshot.encoder import embed_texts, load_encoder

        keys = [hashlib.sha256(text.encode()).hexdigest()[:20] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self.rows}
        if new:
            self.rows.update(zip(new, embed_texts(load_encoder(), list(new.values())).vectors, strict=True))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self.path, keys=np.array(list(self.rows)), rows=np.stack(list(self.rows.values())))
        return np.stack([self.rows[key] for key in keys])


def best(scores: Floats, part: Slice, k: int = 4) -> Floats:
    """Label agreement of the k best allowed demonstrations of each query, (q, k)."""
    rows = np.argsort(-np.where(part.allowed, scores, -np.inf), axis=1, kind="stable")[:, :k]
    return np.take_along_axis(part.truth, rows, 1)


def served(query: Floats, rows: Floats, part: Slice, scoring: Scoring, k: int = 4) -> Floats:
    """The same for the rows that a Selector would choose, a hedged set."""
    out, scores = np.zeros((len(query), k), np.float32), query @ rows.T
    for i in range(len(query)):
        near = top_k(scores[i], CANDIDATES, part.allowed[i])
        taken = chosen_rows(scores[i][near], rows, near, scoring.weights, scoring.doubt, k)
        out[i] = part.truth[i, taken]
    return out


def selectors(part: Slice, embed: Texts, seed: int) -> Iterator[tuple[str, Floats]]:
    """Selector name and label agreement of the chosen, (q, 4), for every selector fitted with one seed."""
    from skillshot.model.fitted import run
    from skillshot.training.fit import fit

    q, r = embed([x.text for x in part.bank]), embed([learned(x) for x in part.bank])
    asked, known = embed([x.text for x in part.queries]), embed([learned(x) for x in part.queries])
    # expected value of a random choice
    expected = (part.truth * part.allowed).sum(1) / part.allowed.sum(1)
    yield "random", np.repeat(expected[:, None], 4, 1)
    yield "bm25", best(BM25([x.text for x in part.bank]).scores([x.text for x in part.queries]), part)
    alone = [embed([x.question for x in side]) for side in (part.queries, part.bank)]
    yield "question alone", best(alone[0] @ alone[1].T, part)
    yield "question", best(asked @ q.T, part)
    fitted = fit(part.bank, q, r, TrainParams(min_gap=-1.0), seed)
    texts = [x.text for x in part.queries]
    words, structure = fitted.question_view.transform(texts), fitted.rationale_view.transform(
        [learned(x) for x in part.queries]
    )  # fmt: skip
    policies, rows = fitted.policies, fitted.vectors
    yield "ridge", best(run(policies["ridge"], asked) @ rows["ridge"].T, part)
    yield "lars", best(run(policies["lars"], asked) @ rows["lars"].T, part)
    full, lite = (Scoring.of(fitted.score, mode) for mode in ("full", "lite"))
    yield "lite", served(run(policies["lite"], words), rows["skillshot"], part, lite)
    chosen, bank = run(policies["skillshot"], asked, words), rows["skillshot"]
    yield "skillshot", served(chosen, bank, part, full)
    yield "skillshot, by score alone", best(chosen @ bank.T, part)
    start = 0
    for block, width in zip(BLOCKS, full.widths, strict=True):
        place = slice(start, start := start + width)
        yield f"{block} alone", best(chosen[:, place] @ bank[:, place].T, part)
    yield "oracle", best(known @ r.T, part)
    own = run(fitted.posteriors["skillshot"], asked, words, structure) * full.weights
    yield "oracle, same features", best(own @ rows["skillshot"].T, part)


def table(name: str, args: argparse.Namespace, embed: Texts) -> dict[str, Any]:
    """All selectors on all slices of a data set; values are means over seeds, intervals are over queries."""
    parts = slices(name, args.part, args.size, args.data)
    found: dict[str, list[Floats]] = {}
    by_seed: dict[str, list[float]] = {}
    began = time.process_time()
    for seed in args.seeds:
        once: dict[str, list[Floats]] = {}
        for part in parts:
            for selector, values in selectors(part, embed, seed):
                once.setdefault(selector, []).append(values)
            print(f"{name} seed {seed}: {part.name} {time.process_time() - began:.0f} CPU s", file=sys.stderr)
        for selector, lists in once.items():
            joined = np.concatenate(lists)
            found.setdefault(selector, []).append(joined)
            by_seed.setdefault(selector, []).append(round(float(joined.mean()), 4))
    means = {selector: np.mean(rows, axis=(0, 2), dtype=np.float64) for selector, rows in found.items()}
    tops = {selector: np.max(rows, axis=2).mean(0, dtype=np.float64) for selector, rows in found.items()}
    possible = [np.sort(np.where(p.allowed, p.truth, 0), 1)[:, -4:].mean(1) for p in parts]
    return {
        "part": args.part,
        "bank": [len(part.bank) for part in parts],
        "queries": sum(len(part.queries) for part in parts),
        "seeds": list(args.seeds),
        "possible": round(float(np.concatenate(possible).mean()), 4),
        "selectors": {selector: round(float(values.mean()), 4) for selector, values in means.items()},
        "any": {selector: round(float(values.mean()), 4) for selector, values in tops.items() if selector != "random"},
        "by_seed": {selector: by_seed[selector] for selector in ("lars", "skillshot", "lite")},
        "pairs": {f"skillshot-{other}": _pair(means, other) for other in AGAINST},
        "any_pairs": {"skillshot-question": _pair(tops, "question")},
    }


def _pair(values: Mapping[str, npt.NDArray[np.float64]], other: str) -> dict[str, float]:
    """`skillshot` minus another selector, with its interval."""
    return {key: round(value, 4) for key, value in paired_interval(values["skillshot"] - values[other], 0).items()}


def damaged(name: str, args: argparse.Namespace, embed: Texts) -> dict[str, Any]:
    """The same with a corrupted bank, one seed and the first slice."""
    whole = slices(name, args.part, args.size, args.data)[0]
    place = {record.id: row for row, record in enumerate(whole.bank)}
    out: dict[str, Any] = {"bank": len(whole.bank), "queries": len(whole.queries), "seed": args.seeds[0]}
    for how, settings in DAMAGES.items():
        bank, _ = corrupt(whole.bank, settings, args.seeds[0])
        rows = [place[record.id] for record in bank]
        # training must not know which rationales are wrong, so the mark is removed
        blind = [_unmarked(record) for record in bank]
        part = Slice(how, blind, whole.queries, whole.truth[:, rows], whole.allowed[:, rows])
        out[how] = {n: round(float(v.mean()), 4) for n, v in selectors(part, embed, args.seeds[0])}
        print(f"{name} {how}: {out[how]['skillshot']}", file=sys.stderr)
    return out


def _unmarked(record: Record) -> Record:
    import dataclasses

    return dataclasses.replace(record, metadata={k: v for k, v in record.metadata.items() if k != "correct"})


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=list(FILES))
    parser.add_argument("--what", choices=("table", "damage"), default="table")
    parser.add_argument("--part", choices=PARTS, default="final")
    parser.add_argument("--size", type=int, help="of the bank at most (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/skills"))
    parser.add_argument("--report", type=Path, help="default reports/skills.json, reports/skills_damage.json")
    args = parser.parse_args()
    report = args.report or REPORTS / ("skills.json" if args.what == "table" else "skills_damage.json")
    for name in args.sets:
        found = (table if args.what == "table" else damaged)(name, args, Texts(args.work / f"{name}.npz"))
        whole = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        write_json(report, whole | {name: found})


if __name__ == "__main__":
    main()
