"""The tables of docs/results/runtime.md from reports/: `python -m scripts.runtime_table`."""

from __future__ import annotations

from typing import Any

from scripts.pages import ROOT, interval, put, report, table

PAGE = "docs/results/runtime.md"


def peers(select: dict[str, Any]) -> str:
    """Every library on the same questions, the ratios, and what no code can be quicker than."""
    rows, floor = [], select["floor"]
    for name, row in sorted(select["peers"]["sides"].items(), key=lambda item: item[1]["cpu_ms"]["p50"]):
        rows.append([name, *(f"{row['cpu_ms'][q]:.2f}" for q in ("p50", "p95", "p99"))])
    lines = [
        f"Bank of {select['peers']['bank']:,}, all on the same questions:",
        "",
        table(["", "p50", "p95", "p99"], rows),
        "",
        *(f"* {name}: {value:.2f}" for name, value in select["peers"]["ratios"].items()),
        "",
        f"Floor: tokenizer {floor['tokenizer_ms']:.2f} ms; the encoder's {floor['encoder_gflop']:.2f} GFLOP in fp32 "
        f"at this machine's {floor['fp32_gflops']:.0f} GFLOP/s {floor['encoder_fp32_ms']:.1f} ms; "
        f"one read of 1,000,000 vectors {floor['read_1000000_vectors_ms']:.0f} ms.",
    ]
    return "\n".join(lines)


def banks(select: dict[str, Any]) -> str:
    """Latency by size of the bank, then loading and memory."""
    latency, loading, index = [], [], []
    for size, bank in sorted(select["banks"].items(), key=lambda item: int(item[0])):
        for mode, run in sorted(bank["modes"].items()):
            if not mode.endswith("1 thread"):
                continue
            recall = f"{run['recall@4']:.4f}" if "recall@4" in run else "exact"
            first = [f"{int(size):,}", mode.split(",")[0]]
            times = [*(run["cpu_ms"][q] for q in ("p50", "p95")), run["search_cpu_ms"]["p50"]]
            latency.append([*first, *(f"{value:.2f}" for value in times), recall])
            loads = [f"{load['cpu_s']:.2f}" for load in run["load"].values()]
            loading.append([*first, *loads, str(round(run["resident_mb"]))])
        if "index" in bank["build_cpu_s"]:
            exact = next(run["exact_search_cpu_ms"]["p50"] for run in bank["modes"].values())
            seconds, size_mb = bank["build_cpu_s"]["index"], bank["files_mb"]["skillshot.faiss"]
            index += [
                "",
                f"At {int(size):,} the index takes {seconds:.0f} CPU seconds to build and {size_mb:.0f} MB; "
                f"exact search takes {exact:.1f} ms.",
            ]
    head = ["demonstrations", "mode"]
    times = table([*head, "p50", "p95", "search alone, p50", "recall@4"], latency)
    loads = table([*head, "load, CPU s", "load unchecked, CPU s", "resident MB"], loading)
    return "\n".join(["Latency by size of the bank:", "", times, *index, "", "Loading and memory:", "", loads])


def precisions(precision: dict[str, Any]) -> str:
    """Skill alignment of full fp32, full int8 and lite."""
    rows = []
    for name, part in precision["sets"].items():
        hit, parity = part["alignment@4"], part["parity with torch"]
        rows.append(
            [
                name,
                *(f"{hit[mode]:.3f}" for mode in ("full fp32", "full int8", "lite")),
                interval(part["against full fp32"]["full int8"]),
                f"{parity['fp32']['same_top_4']:.4f} of {parity['questions']}",
                f"{parity['int8']['same_top_4']:.3f} ({parity['int8']['overlap@4']:.3f})",
            ]
        )
    header = ["data set", "full fp32", "full int8", "lite", "int8 - fp32", "torch's top 4 in fp32", "in int8 (overlap)"]
    return (
        table(header, rows)
        + "\n\nAlignment is hit@4 on held-out queries of data sets the bundles were fitted on (development slices)."
    )


def render(text: str, select: dict[str, Any], precision: dict[str, Any]) -> str:
    """The page with its tables made anew."""
    return put(text, "table", "\n\n".join([peers(select), banks(select), precisions(precision)]))


def main() -> None:
    """Write the page."""
    path = ROOT / PAGE
    text = path.read_text(encoding="utf-8")
    path.write_text(render(text, report("bench_select"), report("bench_precision")), encoding="utf-8")


if __name__ == "__main__":
    main()
