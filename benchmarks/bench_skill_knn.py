"""Cost of a bank and a query in Skill-KNN and skillshot, same language model and run: reports/bench_skill_knn.json.

    ONEDNN_MAX_CPU_ISA=DEFAULT python benchmarks/bench_skill_knn.py --precision bf16      # 4 to 6 CPU minutes

The paper (LaRS, Xu et al. 2024) claims that a bank is processed 4 times faster and selection needs half the calls.
Times are CPU seconds of this process, all threads. Skill-KNN describes every example of the bank by one call, so a bank
of n examples costs n calls; the cost of a larger bank is that product, named "extrapolated". The larger bank of
skillshot is measured.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from skillshot.common.environment import configure

configure()

from sets import DATA, SEED, cut  # noqa: E402

from skillshot.api import fit_bundle  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import Params  # noqa: E402
from skillshot.common.record import Record, write_records  # noqa: E402
from skillshot.llm.local import EmbeddedEngine  # noqa: E402
from skillshot.runtime.selector import Selector  # noqa: E402
from skillshot.selectors import skill_knn  # noqa: E402

REPORT = Path(__file__).resolve().parents[1] / "reports" / "bench_skill_knn.json"
T = TypeVar("T")


def cpu(action: Callable[[], T]) -> tuple[T, float]:
    """Result and CPU seconds."""
    began = time.process_time()
    return action(), time.process_time() - began


def fit(folder: Path, bank: list[Record]) -> float:
    """CPU seconds from a checked bank to a bundle: embedding, training, export, index, without a language model."""
    folder.mkdir()
    write_records(folder / "bank.jsonl", bank)
    return cpu(lambda: fit_bundle(folder / "bank.jsonl", folder / "bundle", Params(seed=SEED)))[1]


def theirs(engine: EmbeddedEngine, bank: list[Record], queries: list[Record]) -> dict[str, Any]:
    """Describe bank and queries. Embedding the descriptions is not counted, which favours Skill-KNN."""
    list(engine.complete(["a"], skill_knn.DECODING))  # the weights are loaded before the clock starts
    (_, bank_cost), bank_seconds = cpu(lambda: skill_knn.describe(engine, bank))
    (_, query_cost), query_seconds = cpu(lambda: skill_knn.describe(engine, queries))
    return {
        "bank_calls": bank_cost.calls,
        "bank_tokens": bank_cost.prompt_tokens + bank_cost.completion_tokens,
        "bank_cpu_seconds": round(bank_seconds, 2),
        "selection_calls_per_query": query_cost.calls / len(queries),
        "selection_cpu_ms_per_query": round(1000 * query_seconds / len(queries), 1),
    }


def ours(folder: Path, seconds: float, queries: list[Record], k: int) -> dict[str, Any]:
    """Select for each query separately, as in a server."""
    out: dict[str, Any] = {"bank_calls": 0, "bank_tokens": 0, "bank_cpu_seconds": round(seconds, 2)}
    out["selection_calls_per_query"] = 0.0
    for mode in ("full", "lite"):
        selector = Selector.load(folder / "bundle", mode)
        selector.select(queries[0].question, k)
        _, spent = cpu(lambda selector=selector: [selector.select(query.question, k) for query in queries])
        out[f"selection_cpu_ms_per_query_{mode}"] = round(1000 * spent / len(queries), 1)
    return out


def main() -> None:
    """Measure both sides and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="cogs", help="one of sets.py (default cogs)")
    parser.add_argument("--bank", type=int, default=150, help="examples that both sides process (default 150)")
    parser.add_argument("--larger", type=int, default=1000, help="bank of the second row (default 1000, the paper's)")
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("-k", type=int, default=4)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--report", type=Path, default=REPORT)
    args = parser.parse_args()
    bank, queries = cut(args.set, args.data)
    queries = queries[: args.queries]
    engine = EmbeddedEngine(args.precision)
    knn = theirs(engine, bank[: args.bank], queries)
    with tempfile.TemporaryDirectory() as work:
        fitted = {size: fit(Path(work) / str(size), bank[:size]) for size in (args.bank, args.larger)}
        mine = ours(Path(work) / str(args.bank), fitted[args.bank], queries, args.k)
    extrapolated = knn["bank_cpu_seconds"] * args.larger / args.bank
    report = {
        "set": args.set,
        "llm": engine.model,
        "machine": platform.machine(),
        "bank": args.bank,
        "queries": len(queries),
        "skill_knn": knn,
        "skillshot": mine,
        "bank_times_faster": round(knn["bank_cpu_seconds"] / fitted[args.bank], 2),
        "calls_per_answered_query": {"skill_knn": 2, "skillshot": 1},
        "larger_bank": {
            "bank": args.larger,
            "skill_knn_cpu_seconds_extrapolated": round(extrapolated, 1),
            "skill_knn_calls_extrapolated": args.larger,
            "skillshot_cpu_seconds": round(fitted[args.larger], 1),
            "times_faster_extrapolated": round(extrapolated / fitted[args.larger], 2),
        },
    }
    write_json(args.report, report)
    print(report, file=sys.stderr)


if __name__ == "__main__":
    main()
