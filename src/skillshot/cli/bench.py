"""`skillshot bench`: latency, throughput and recall of selection on this machine."""

from __future__ import annotations

import argparse
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command, add_k, positive
from skillshot.cli.output import print_json
from skillshot.common.tables import table


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "bench", "measure latency and throughput of selection, and recall against exact search",
        "skillshot bench selector --queries 200",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("--queries", type=positive, default=100, help="questions drawn from the bank (default 100)")
    parser.add_argument("--threads", type=positive, default=1, help="of encoder and policy (default 1)")
    add_k(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from skillshot.runtime.bench import bench

    report = bench(args.bundle, args.queries, args.k, args.threads)
    if args.json:
        print_json(report)
        return 0
    print(f"bank {report['bank']}, {report['queries']} questions, k = {report['k']}, {report['threads']} thread(s)")
    columns = ["mode", "p50_ms", "p95_ms", "p99_ms", "cpu_p50_ms", "per_second", "load_s", "recall"]
    print(table([{"mode": mode, **row} for mode, row in report["modes"].items()], columns))
    floor = (f"{name.removesuffix('_ms')} {value:.3f} ms" for name, value in report["floor"].items())
    print(f"floor: {', '.join(floor)}")
    return 0
