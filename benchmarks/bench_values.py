"""Values of demonstrations: what predicts them, whether they find damaged rows, what shared beginnings save.

    python benchmarks/bench_values.py selector queries.jsonl --limit 40 --out values.json
    python benchmarks/bench_values.py selector queries.jsonl --part tokens    # reads texts only, no model

Parts:

* gain: Spearman of what is known at selection time against the exact Shapley value: mean of the queries' own, over all
  demonstrations, and over all with each query's mean taken off both sides (queries differ in what there is to gain).
* damage: rationales of a share of the rows that these queries get are exchanged, wherever the rows were chosen. So the
  demonstrations hold them, though a fit would choose such rows last. The AUROC is that of a row's mean value.
* tokens: tokens that the embedded model reads, with shared beginnings read once, against each prompt read alone.

With k = 4, `gain` needs 16 prompts a query. `damage` needs only those that hold a damaged row: about half as many
again at a share of .25. Intervals are percentile bootstrap over queries.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot import Selector  # noqa: E402
from skillshot.bank.corruption import corrupt  # noqa: E402
from skillshot.bank.load import load_queries  # noqa: E402
from skillshot.common.arrays import Doubles, Rows  # noqa: E402
from skillshot.common.io import dump_json, write_json  # noqa: E402
from skillshot.common.params import CorruptionParams, EvaluateParams, default_params  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.evaluation.run import sample  # noqa: E402
from skillshot.evaluation.values import Valuation, demonstration_values, leave_one_out, shapley  # noqa: E402
from skillshot.llm.cache import AnswerCache, default_path  # noqa: E402
from skillshot.llm.cached_engine import CachedEngine  # noqa: E402
from skillshot.llm.engine import Engine  # noqa: E402
from skillshot.llm.open import open_engine  # noqa: E402
from skillshot.runtime.hedge import CANDIDATES, HEDGE  # noqa: E402
from skillshot.runtime.prompt import continuation, render  # noqa: E402
from skillshot.runtime.store import question_key  # noqa: E402
from skillshot.runtime.types import Demonstration  # noqa: E402
from skillshot.selectors.choose import choose  # noqa: E402
from skillshot.selectors.pool import Pool  # noqa: E402

RESAMPLES = 1000
WORST = 0.1  # share of the rows that counts as the worst


class Chosen:
    """A bundle's demonstrations for each query, with what the selector knows of them."""

    def __init__(self, folder: str, queries: Sequence[Record], k: int) -> None:
        self.queries, self.selector, self.pool = queries, Selector.load(folder), Pool(folder)
        asked = [{"question": q.question, "context": q.context, "options": list(q.options)} for q in queries]
        self.sets: list[list[Demonstration]] = self.selector.select_batch(asked, k)
        self.places = {record.id: row for row, record in enumerate(self.pool.records)}
        self.records = [[self.pool.records[self.places[one.id]] for one in chosen] for chosen in self.sets]

    def predictions(self) -> dict[str, list[Doubles]]:
        """Quantity -> for each query one number per demonstration."""
        wording = self.pool.query_vectors("question", self.queries) @ self.pool.vectors("question").T
        found: dict[str, list[Doubles]] = {}
        for i, chosen in enumerate(self.sets):
            rows = np.array([self.places[one.id] for one in chosen], np.intp)
            scores = np.array([one.score for one in chosen])
            covered = self._covered(self.queries[i], rows)
            shares = shapley(covered)
            for name, values in {
                "score": scores,
                "score_minus_mean": scores - scores.mean(),
                "confidence": np.array([one.confidence for one in chosen]),
                "coverage_left_out": leave_one_out(covered),
                "coverage_shapley": shares,
                "objective_shapley": (1 - HEDGE) / len(chosen) * scores + HEDGE * shares,
                "wording": wording[i, rows].astype(np.float64),
            }.items():
                found.setdefault(name, []).append(values)
        return found

    def _covered(self, query: Record, rows: Rows) -> Doubles:
        """Expected similarity of a subset's best member to the true rationale, (2^k,), as `hedge` maximises it."""
        bundle, bank = self.selector._bundle, self.selector._bundle.folder_bank
        near, scores = bank.index.search(bundle.policy([query.text])[0], CANDIDATES + 1)
        others = bank.store.keys[near] != np.uint64(question_key(query.question))
        near, scores = near[others][:CANDIDATES], scores[others][:CANDIDATES]
        likely = np.exp((scores - scores[0]) / bundle.scoring.doubt)
        vectors = bank.vectors[near].astype(np.float32) * bundle.scoring.weights
        similar = np.maximum(vectors @ bank.vectors[rows].astype(np.float32).T, 0)
        subsets = itertools.product((0, 1), repeat=len(rows))  # the first bit is the highest, so rows are reversed
        best = [(similar * np.array(subset[::-1])).max(1) for subset in subsets]
        return np.array([(likely / likely.sum()) @ one for one in best], np.float64)


def gain(chosen: Chosen, engine: Engine, params: EvaluateParams, seed: int) -> dict[str, Any]:
    """Spearman correlation of each prediction with the exact Shapley value, with intervals over queries."""
    valued = demonstration_values(engine, chosen.queries, chosen.records, params, seed)
    exact = by_query(valued, chosen.queries, "shapley")
    out: dict[str, Any] = {"gain": valued.summary["gain"], "prompts": valued.summary["prompts"], "spearman": {}}
    for name, found in chosen.predictions().items():
        pairs = [(x, y) for x, y in zip(found, exact, strict=True) if len(y) > 1]
        centred = [(x - x.mean(), y - y.mean()) for x, y in pairs]
        within = np.array([spearman(x, y) for x, y in pairs])
        out["spearman"][name] = {
            "within": interval(lambda i, w=within: float(np.nanmean(w[i])), len(pairs), seed),
            "over_all": interval(lambda i, p=pairs: pooled(p, i), len(pairs), seed),
            "over_all_minus_mean": interval(lambda i, p=centred: pooled(p, i), len(pairs), seed),
        }
    return out


def damage(chosen: Chosen, engine: Engine, params: EvaluateParams, seed: int, share: float) -> dict[str, Any]:
    """AUROC of the mean values of rows for telling damaged ones, lowest first, and damaged rows in the worst tenth."""
    rows = {record.id: record for records in chosen.records for record in records}
    changed, counts = corrupt(list(rows.values()), CorruptionParams(wrong_rationales=share), seed)
    if counts["wrong_rationales"] == 0:
        raise SystemExit(
            f"damage: 0 of the {len(rows)} chosen rows can be damaged: give rationales or a larger --share"
        )
    now = {record.id: record for record in changed}
    damaged = {record.id for record in changed if "corruption" in record.metadata}
    sets = [[now[record.id] for record in records] for records in chosen.records]
    valued = demonstration_values(engine, chosen.queries, sets, params, seed)
    names = [[record.id for record in records] for records in sets]
    found = {kind: by_query(valued, chosen.queries, kind) for kind in ("shapley", "leave_one_out")}
    found["shapley_minus_mean"] = [values - values.mean() if len(values) else values for values in found["shapley"]]
    out: dict[str, Any] = {"rows": len(rows), "damaged": counts["wrong_rationales"], "values": {}}
    for kind, values in found.items():

        def measured(i: Sequence[int], values: list[Doubles] = values, what: int = 0) -> float:
            return separation(values, names, damaged, i)[what]

        out["values"][kind] = {
            "auroc": interval(measured, len(names), seed),
            "damaged_in_worst_tenth": interval(lambda i, f=measured: f(i, what=1), len(names), seed),
        }
    return out


def separation(
    values: Sequence[Doubles], names: Sequence[Sequence[str]], damaged: set[str], queries: Sequence[int]
) -> tuple[float, float]:
    """AUROC of low means for damaged rows over some queries, and the share of damaged rows in the worst tenth."""
    from scipy.stats import rankdata

    of: dict[str, list[float]] = {}
    for i in queries:
        for name, value in zip(names[i], values[i], strict=False):  # a query without gold has no values
            of.setdefault(name, []).append(float(value))
    means = np.array([np.mean(found) for found in of.values()])
    bad = np.array([name in damaged for name in of], bool)
    if not bad.any() or bad.all():
        return float("nan"), float("nan")
    ranks, count = rankdata(-means), int(bad.sum())
    area = (ranks[bad].sum() - count * (count + 1) / 2) / (count * (len(bad) - count))
    worst = np.argsort(means, kind="stable")[: max(1, round(WORST * len(means)))]
    return float(area), float(bad[worst].mean())


def tokens(folder: str, queries: Sequence[Record], k: int) -> dict[str, Any]:
    """Tokens read, as a share of those that the prompts have: subsets and orders of one set, two selectors."""
    chosen = choose(folder, queries, ("question", "skillshot"), k, 0)
    sets: dict[str, Callable[[int], list[list[Record]]]] = {
        "subsets": lambda i: [
            [record for j, record in enumerate(chosen["skillshot"][i]) if subset >> j & 1] for subset in range(2**k)
        ],
        "orders": lambda i: [list(order) for order in itertools.permutations(chosen["skillshot"][i])],
        "two_selectors": lambda i: [chosen[name][i] for name in chosen],
    }
    out: dict[str, Any] = {}
    for name, of in sets.items():
        engine, counter = counting()
        for i, query in enumerate(queries):
            prompts = [render(one, query.question, query.context, query.options) for one in of(i)]
            for _ in engine.score(prompts, [continuation(query)] * len(prompts)):
                pass
        out[name] = {**counter, "share": round(counter["read"] / counter["tokens"], 4)}
    return out


def counting() -> tuple[Engine, dict[str, int]]:
    """The embedded engine with a model that only counts."""
    import torch

    from skillshot.llm.local import EmbeddedEngine

    counter = {"tokens": 0, "read": 0}

    class Counting:
        context, end = 10**9, 0

        def prefill(self, ids: Any, keep: int, known: Any = None) -> tuple[Any, Any]:
            counter["tokens"] += len(ids)
            counter["read"] += len(ids) - (0 if known is None else known.shape[3])
            return torch.zeros(1, 1).expand(keep, 50_000), torch.zeros(1, 2, 1, len(ids), 1)

    engine = EmbeddedEngine()
    engine.__dict__["_model"] = Counting()
    return engine, counter


def by_query(valued: Valuation, queries: Sequence[Record], kind: str) -> list[Doubles]:
    """The values of each query's demonstrations, best first; none where it has no gold text."""
    of: dict[str, list[float]] = {query.id: [] for query in queries}
    for one in valued.values:
        of[one.query].append(getattr(one, kind))
    return [np.array(values) for values in of.values()]


def spearman(x: Doubles, y: Doubles) -> float:
    """Spearman's rank correlation; nan where one side is constant."""
    from scipy.stats import rankdata

    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def pooled(pairs: Sequence[tuple[Doubles, Doubles]], queries: Sequence[int]) -> float:
    """Spearman's correlation over all demonstrations of some queries."""
    return spearman(*(np.concatenate([pairs[i][side] for i in queries]) for side in (0, 1)))


def interval(measure: Callable[[Any], float], queries: int, seed: int) -> dict[str, float]:
    """A figure over queries (by their positions) with its 95 % percentile bootstrap interval."""
    rng = np.random.default_rng(seed)
    drawn = [measure(rng.integers(0, queries, queries)) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return {"mean": round(measure(np.arange(queries)), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("queries")
    parser.add_argument("--limit", type=int, default=40, help="queries, drawn with the seed (default 40)")
    parser.add_argument("-k", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.25, help="of the chosen rows that are damaged (default .25)")
    parser.add_argument("--part", action="append", choices=("gain", "damage", "tokens"), help="default: gain, damage")
    parser.add_argument("--cache", type=Path, help="answer cache (default: that of skillshot evaluate)")
    parser.add_argument("--offline", action="store_true", help="fail on a cache miss")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    params = default_params(args.overrides)
    queries = sample(load_queries(args.queries).records, args.limit, args.seed)
    out: dict[str, Any] = {"queries": len(queries), "k": args.k, "llm": params.llm.model}
    measured = args.part or ["gain", "damage"]
    if "tokens" in measured:
        out["tokens"] = tokens(args.bundle, queries, args.k)
    if {"gain", "damage"} & set(measured):
        engine = CachedEngine(open_engine(params.llm), AnswerCache(args.cache or default_path()), args.offline)
        chosen = Chosen(args.bundle, queries, args.k)
        parts: Mapping[str, Callable[[], dict[str, Any]]] = {
            "gain": lambda: gain(chosen, engine, params.evaluate, args.seed),
            "damage": lambda: damage(chosen, engine, params.evaluate, args.seed, args.share),
        }
        out |= {name: part() for name, part in parts.items() if name in measured}
    print(dump_json(out), end="")
    if args.out:
        write_json(args.out, out)


if __name__ == "__main__":
    main()
