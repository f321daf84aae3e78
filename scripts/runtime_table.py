"""The figures of docs/runtime.md from reports/. `python scripts/runtime_table.py` writes them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MARKS = re.compile(r"(<!--table-->\n).*(<!--/table-->)", re.DOTALL)


def render(text: str, select: dict[str, Any], precision: dict[str, Any]) -> str:
    """The page with its tables written anew."""
    peers = select["peers"]
    lines = [
        f"Bank of {peers['bank']:,}, every side on the same questions:",
        "",
        "| | p50 | p95 | p99 |",
        "|---|---|---|---|",
    ]
    for name, row in sorted(peers["sides"].items(), key=lambda item: item[1]["cpu_ms"]["p50"]):
        lines.append(f"| {name} | " + " | ".join(f"{row['cpu_ms'][q]:.2f}" for q in ("p50", "p95", "p99")) + " |")
    lines += ["", *(f"* {name}: {value:.2f}" for name, value in peers["ratios"].items()), ""]
    floor = select["floor"]
    lines += [
        f"Floor: tokenizer {floor['tokenizer_ms']:.2f} ms; the encoder's {floor['encoder_gflop']:.2f} GFLOP in fp32 "
        f"at this machine's {floor['fp32_gflops']:.0f} GFLOP/s {floor['encoder_fp32_ms']:.1f} ms; "
        f"one read of 1,000,000 vectors {floor['read_1000000_vectors_ms']:.0f} ms.", "",
        "| demonstrations | mode | p50 | p95 | search alone, p50 | load, CPU s | unchecked | resident MB | recall@4 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for size, bank in sorted(select["banks"].items(), key=lambda item: int(item[0])):
        for mode, run in sorted(bank["modes"].items()):
            if not mode.endswith("1 thread"):
                continue
            recall = f"{run['recall@4']:.4f}" if "recall@4" in run else "exact"
            cells = [f"{int(size):,}", mode.split(",")[0], *(f"{run['cpu_ms'][q]:.2f}" for q in ("p50", "p95"))]
            cells += [f"{run['search_cpu_ms']['p50']:.2f}", *(f"{load['cpu_s']:.2f}" for load in run["load"].values())]
            lines.append(f"| {' | '.join([*cells, str(round(run['resident_mb']))])} | {recall} |")
    for size, bank in select["banks"].items():
        if "index" in bank["build_cpu_s"]:
            exact = next(run["exact_search_cpu_ms"]["p50"] for run in bank["modes"].values())
            seconds, size_mb = bank["build_cpu_s"]["index"], bank["files_mb"]["skillshot.faiss"]
            lines += ["", f"At {int(size):,} the index takes {seconds:.0f} CPU seconds to build and {size_mb:.0f} MB; "
                          f"exact search takes {exact:.1f} ms."]  # fmt: skip
    lines += [
        "",
        "| set | full fp32 | full int8 | lite | int8 - fp32 | torch's top 4 in fp32 | in int8 (overlap) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in precision["sets"].items():
        hit, diff, same = found["alignment@4"], found["against full fp32"]["full int8"], found["parity with torch"]
        lines.append(
            f"| {name} | {hit['full fp32']:.3f} | {hit['full int8']:.3f} | {hit['lite']:.3f} "
            f"| {diff['diff']:+.3f} [{diff['low']:+.3f}, {diff['high']:+.3f}] "
            f"| {same['fp32']['same_top_4']:.4f} of {same['questions']} "
            f"| {same['int8']['same_top_4']:.3f} ({same['int8']['overlap@4']:.3f}) |"
        )
    lines += ["", "Alignment is hit@4 on held-out queries of sets the bundles were fitted on (development slices)."]
    table = "\n".join(lines) + "\n"
    return MARKS.sub(lambda match: match[1] + table + match[2], text)


def main() -> None:
    """Write the page."""
    page = ROOT / "docs/runtime.md"
    reports = [json.loads((ROOT / f"reports/{name}.json").read_text()) for name in ("bench_select", "bench_precision")]
    page.write_text(render(page.read_text(), *reports))


if __name__ == "__main__":
    main()
