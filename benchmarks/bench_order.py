"""What the order of demonstrations is worth: the gold NLL of all orders of a set, and how much of it is recovered.

    python benchmarks/bench_order.py selector queries.jsonl --limit 30 --out order.json

Each query's set is skillshot's, k = 4: 24 prompts a query. They share beginnings, which the embedded model reads once.

* variance: mean over queries of the variance over the 24 orders, against that over the sets of several selectors, each
  written best last.
* orders: the mean NLL of each rule minus the mean over all orders, and the share of the oracle's gain that it recovers.
  The gain of a rule is the mean over all orders minus its NLL; the oracle takes the best order of each query.
* `best_fixed` is the order of ranks with the lowest mean NLL on the other queries (leave one out), so no query helps
  to choose its own order. `best_fixed_seen` is the same on all queries: it has seen them.

Intervals are percentile bootstrap over queries, 95 %.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.bank.load import load_queries  # noqa: E402
from skillshot.common.arrays import Doubles, Floats, Rows  # noqa: E402
from skillshot.common.io import dump_json, write_json  # noqa: E402
from skillshot.common.params import default_params  # noqa: E402
from skillshot.common.progress import tracked  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.evaluation.run import sample  # noqa: E402
from skillshot.llm.cache import AnswerCache, default_path  # noqa: E402
from skillshot.llm.cached_engine import CachedEngine  # noqa: E402
from skillshot.llm.engine import Engine  # noqa: E402
from skillshot.llm.open import open_engine  # noqa: E402
from skillshot.runtime.prompt import continuation, render  # noqa: E402
from skillshot.selectors.choose import choose_rows  # noqa: E402
from skillshot.selectors.pool import Pool  # noqa: E402

RESAMPLES = 2000
RIVALS = ("random", "bm25", "question")  # whose sets, with skillshot's, are the choices
Order = tuple[int, ...]  # ranks as they are written, first to last; rank 0 is the selector's best


def orders_of(k: int) -> list[Order]:
    """All orders of k ranks."""
    return list(itertools.permutations(range(k)))


def scored(engine: Engine, query: Record, sets: Sequence[Sequence[Record]]) -> Doubles:
    """Gold NLL after each set as it is written, first to last, in nats per token."""
    prompts = [render(list(reversed(one)), query.question, query.context, query.options) for one in sets]
    found = np.zeros(len(sets))
    for place, answer in engine.score(prompts, [continuation(query)] * len(prompts)):
        found[place] = answer.nll
    return found


def rules(records: Sequence[Record], vectors: Floats) -> dict[str, Order]:
    """Orders that are known at selection time, of demonstrations that come best first.

    Args:
        vectors: unit sentence embeddings (k, d).
    """
    k = len(records)
    length = [len(record.text + continuation(record)) for record in records]
    near, chain = vectors @ vectors.T, [0]
    while len(chain) < k:  # from the end: the best is last, and each stands before the one it is most similar to
        chain.append(max((i for i in range(k) if i not in chain), key=lambda i: float(near[i, chain[-1]])))
    return {
        "best_last": tuple(reversed(range(k))),
        "best_first": tuple(range(k)),
        "short_to_long": tuple(sorted(range(k), key=lambda i: (length[i], -i))),
        "long_to_short": tuple(sorted(range(k), key=lambda i: (-length[i], -i))),
        "similar_to_next": tuple(reversed(chain)),
    }


def summary(nll: Doubles, choices: Doubles, picked: dict[str, Rows], seed: int) -> dict[str, Any]:
    """The figures of the report.

    Args:
        nll: (n, orders) of each query. choices: (n, sets). picked: rule -> the order that it takes of each query, (n,).
    """
    count, every = len(nll), np.arange(len(nll))
    totals = nll.sum(0)
    picked = picked | {
        "best_fixed": np.array([int((totals - nll[i]).argmin()) for i in every]),
        "best_fixed_seen": np.full(count, int(totals.argmin())),
        "oracle": nll.argmin(1),
        "worst": nll.argmax(1),
    }
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    by_order, by_choice = nll.var(1, ddof=1), choices.var(1, ddof=1)
    middle = nll.mean(1)
    best = middle - nll.min(1)
    found = {}
    for name, places in picked.items():
        gain = middle - nll[every, places]
        found[name] = {
            "nll_minus_mean": interval(-gain[drawn].mean(1), float(-gain.mean())),
            "share_of_oracle": interval(gain[drawn].sum(1) / best[drawn].sum(1), float(gain.sum() / best.sum())),
        }
    return {
        "queries": count,
        "mean_nll": round(float(middle.mean()), 4),
        "variance": {
            "by_order": interval(by_order[drawn].mean(1), float(by_order.mean())),
            "by_choice": interval(by_choice[drawn].mean(1), float(by_choice.mean())),
            "ratio": interval(
                by_order[drawn].sum(1) / by_choice[drawn].sum(1), float(by_order.sum() / by_choice.sum())
            ),
        },
        "orders": found,
    }  # fmt: skip


def interval(drawn: Doubles, mean: float) -> dict[str, float]:
    """A figure with the 95 % interval of its resamples."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"mean": round(mean, 6), "low": round(float(low), 6), "high": round(float(high), 6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("queries")
    parser.add_argument("--limit", type=int, default=30, help="queries, drawn with the seed (default 30)")
    parser.add_argument("-k", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="answer cache (default: that of skillshot evaluate)")
    parser.add_argument("--offline", action="store_true", help="fail on a cache miss")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    params = default_params(args.overrides)
    queries = sample(load_queries(args.queries).records, args.limit, args.seed)
    pool = Pool(args.bundle, args.seed)
    engine = CachedEngine(open_engine(params.llm), AnswerCache(args.cache or default_path()), args.offline)
    sets = {name: choose_rows(pool, queries, name, args.k) for name in ("skillshot", *RIVALS)}
    orders, nll, choices, picked = orders_of(args.k), [], [], []
    for i, query in enumerate(tracked(queries, "orders", "query", len(queries))):
        shown = {name: [pool.records[row] for row in rows[i]] for name, rows in sets.items()}
        ours = shown["skillshot"]
        nll.append(scored(engine, query, [[ours[rank] for rank in order] for order in orders]))
        own = nll[-1][orders.index(tuple(reversed(range(args.k))))]
        choices.append([own, *scored(engine, query, [shown[name][::-1] for name in RIVALS])])
        found = rules(ours, pool.vectors("question")[sets["skillshot"][i]])
        picked.append({name: orders.index(order) for name, order in found.items()})
    by_rule = {name: np.array([one[name] for one in picked]) for name in picked[0]}
    out = {"llm": engine.model, "k": args.k, **summary(np.array(nll), np.array(choices), by_rule, args.seed)}
    out["fixed"] = list(orders[int(np.array(nll).sum(0).argmin())])
    out["choices"] = dict(zip(sets, np.array(choices).mean(0).round(4).tolist(), strict=True))
    print(dump_json(out), end="")
    if args.out:
        write_json(args.out, out)


if __name__ == "__main__":
    main()
