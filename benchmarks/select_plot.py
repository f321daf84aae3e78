"""Figure of bench_select: latency by bank size, and every peer at 10,000."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LABELS = {"full int8": "full, int8", "full fp32": "full, fp32", "lite int8": "lite"}


def plot(report: dict[str, Any], path: Path) -> None:
    """Write the PNG."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    sizes = sorted(report["banks"], key=int)
    for mode, label in LABELS.items():
        points = [report["banks"][size]["modes"][f"{mode}, 1 thread"]["cpu_ms"] for size in sizes]
        line = left.plot([int(s) for s in sizes], [p["p50"] for p in points], "o-", label=label)[0]
        left.fill_between(
            [int(s) for s in sizes],
            [p["p50"] for p in points],
            [p["p95"] for p in points],
            alpha=0.15,
            color=line.get_color(),
        )
    lite = {int(size): report["banks"][size]["modes"]["lite int8, 1 thread"] for size in sizes}
    exact = [(size, run["exact_search_cpu_ms"]["p50"]) for size, run in lite.items() if "exact_search_cpu_ms" in run]
    if exact:
        left.plot(*zip(*exact, strict=True), "k*", markersize=9, label="exact search alone, for comparison")
    left.set(xscale="log", yscale="log", xlabel="demonstrations", ylabel="CPU ms per question, one thread")
    left.set_ylim(bottom=left.get_ylim()[0] / 6)  # room for the legend
    left.set_title("p50 (line) to p95 (band)")
    left.grid(True, which="both", alpha=0.2)
    left.legend()
    if "peers" in report:
        table = sorted(report["peers"]["sides"].items(), key=lambda item: -item[1]["cpu_ms"]["p50"])
        names, values = [n for n, _ in table], [row["cpu_ms"]["p50"] for _, row in table]
        ours = [name.startswith(("full", "lite")) for name in names]
        bars = right.barh(names, values, color=["tab:green" if mine else "0.6" for mine in ours])
        right.bar_label(bars, [f"{value:.2f}" for value in values], padding=3)
        right.set(xscale="log", xlabel="CPU ms per question, p50, one thread", xlim=(min(values) / 2, max(values) * 3))
        right.set_title(f"bank of {report['peers']['bank']:,}, same questions in turn")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
