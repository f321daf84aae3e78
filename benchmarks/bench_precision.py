"""Loss of the int8 encoder and the lite policy: agreement with torch, and skill alignment on labelled queries.

    python benchmarks/bench_precision.py NAME=BUNDLE=QUERIES=LABEL ...

LABEL is a field, or `opening`: the rationale's first three words with numbers masked (TabMWP has no labels).
For each bundle: hit@4 (or Jaccard@4 where the label is a list) of full fp32, full int8 and lite, with a paired
bootstrap interval of int8 and lite against fp32. Parity: the share of up to 2,000 bank questions for which ONNX chooses
the same four other demonstrations as torch, whose embeddings are in the bundle.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.bank.load import load_queries  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.evaluation.alignment import multiset_jaccard, paired_interval  # noqa: E402
from skillshot.features.lexical import LexicalView  # noqa: E402
from skillshot.runtime.index import top_k  # noqa: E402
from skillshot.runtime.layout import MODEL, QUESTION_VIEW  # noqa: E402
from skillshot.runtime.manifest import read_manifest  # noqa: E402
from skillshot.runtime.onnx import Session, TextEncoder  # noqa: E402
from skillshot.runtime.selector import Selector  # noqa: E402
from skillshot.runtime.store import BankStore  # noqa: E402

SIDES = {"full fp32": ("full", "fp32"), "full int8": ("full", "int8"), "lite": ("lite", "int8")}
MOST = 2000


def hits(bundle: Path, queries: list[Any], label: str) -> dict[str, Any]:
    """Alignment of each variant, and how often int8 makes the choices of fp32."""
    rows, chosen = {}, {}
    asked = [{"question": q.question, "context": q.context, "options": q.options} for q in queries]
    for side, (mode, precision) in SIDES.items():
        found = Selector.load(bundle, mode, precision=precision).select_batch(asked)
        chosen[side] = [[d.id for d in row] for row in found]
        rows[side] = np.array(
            [np.mean([_similarity(_label(q, label), _label(d, label)) for d in row])
             for q, row in zip(queries, found, strict=True)]
        )  # fmt: skip
    report: dict[str, Any] = {
        "queries": len(queries),
        "alignment@4": {side: float(v.mean()) for side, v in rows.items()},
    }
    report["against full fp32"] = {
        side: paired_interval(rows[side] - rows["full fp32"], 0) for side in ("full int8", "lite")
    }
    overlap = [len(set(a) & set(b)) / 4 for a, b in zip(chosen["full fp32"], chosen["full int8"], strict=True)]
    report["int8 and fp32"] = {
        "same_four": float(np.mean(np.array(overlap) == 1)),
        "overlap@4": float(np.mean(overlap)),
    }
    report["lite over full int8"] = float(rows["lite"].mean() / rows["full int8"].mean())
    return report


def _label(example: Any, name: str) -> Any:
    if name == "opening":
        return " ".join(re.sub(r"\d+", "0", example.rationale).split()[:3])
    return example.metadata.get(name)


def _similarity(one: Any, other: Any) -> float:
    return multiset_jaccard(one, other or []) if isinstance(one, list) else float(one == other)


def parity(bundle: Path) -> dict[str, Any]:
    """Share of bank questions for which torch's embeddings and each export choose the same four others."""
    manifest, model = read_manifest(bundle), bundle / MODEL
    store, policy = BankStore(bundle / manifest["bank"]), Session(model / "skillshot.onnx")
    rows = np.sort(np.random.default_rng(0).permutation(len(store))[:MOST])
    texts = [store[int(row)].text for row in rows]
    bank = bundle / manifest["bank"]
    lexical = LexicalView.load(model / QUESTION_VIEW).transform(texts)
    vectors = np.load(bank / "skillshot.npy", allow_pickle=False)

    def top(embedding: Any) -> list[set[int]]:
        z = policy.run({"sentence_embedding": embedding, "lexical": lexical})
        others = np.arange(len(vectors))
        return [set(top_k(vectors @ query, 4, others != row).tolist()) for query, row in zip(z, rows, strict=True)]

    torch_top = top(np.load(bank / "question.npy", allow_pickle=False)[rows])
    report: dict[str, Any] = {"questions": len(texts)}
    for precision in ("fp32", "int8"):
        mine = top(TextEncoder(model, precision=precision).encode(texts))
        overlap = np.array([len(a & b) / 4 for a, b in zip(mine, torch_top, strict=True)])
        report[precision] = {"same_top_4": float((overlap == 1).mean()), "overlap@4": float(overlap.mean())}
    return report


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=BUNDLE=QUERIES=LABEL")
    parser.add_argument("--out", default="reports/bench_precision.json")
    options = parser.parse_args()
    report: dict[str, Any] = {"sets": {}}
    for text in options.sets:
        name, bundle, queries, label = text.split("=")
        report["sets"][name] = hits(Path(bundle), load_queries(queries).records, label)
        report["sets"][name]["parity with torch"] = parity(Path(bundle))
        print(name, report["sets"][name], file=sys.stderr)
    write_json(options.out, report)


if __name__ == "__main__":
    main()
