"""`skillshot fit`: a bank file to a bundle, without DVC."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from skillshot.cli.arguments import add_columns, add_command, add_set, columns_of
from skillshot.cli.output import print_json, print_next
from skillshot.common.sinks import one_line
from skillshot.common.tables import table
from skillshot.common.verdict import FitVerdict

SHOWN = 3  # suspicious rows on the terminal


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "fit", "check, embed, train, export and index a bank file",
        "skillshot fit bank.jsonl --out selector --columns question=problem,rationale=solution",
    )  # fmt: skip
    parser.add_argument(
        "bank",
        help="jsonl, ndjson, csv or tsv (each also .gz) or parquet file with question, answer and, where there is "
        "one, rationale, or a folder of such files",
    )
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="bundle to write; an old bundle there is replaced at the end"
    )
    parser.add_argument(
        "--baselines", action="store_true", help="also fit ridge and lars, for `skillshot score` and `evaluate`"
    )
    parser.add_argument(
        "--lite", action="store_true",
        help="without a text encoder and without torch, by words alone; the bundle has mode lite only",
    )  # fmt: skip
    parser.add_argument(
        "--prior", metavar="none|packaged|FOLDER",
        help="what a bank without rationales leans on: a prior learned on other banks; short for --set train.prior=...",
    )  # fmt: skip
    add_columns(parser)
    add_set(parser, "train.latent_dim=64")


def run(args: argparse.Namespace) -> int:
    """Fit, and print what became of the rows, the verdict in five lines, and the next command."""
    from skillshot.api import fit_bundle
    from skillshot.common.params import default_params

    columns = columns_of(args)
    overrides = [*args.overrides, f"ingest.columns={json.dumps(columns)}"] if columns else args.overrides
    if args.prior is not None:
        overrides = [*overrides, f"train.prior={json.dumps(args.prior)}"]
    params = default_params(overrides)
    report = fit_bundle(args.bank, Path(args.out), params, baselines=args.baselines, lite=args.lite)
    show(report, args.out, params.select.k, as_json=args.json)
    return 0


def show(report: dict[str, Any], out: str, k: int, *, as_json: bool) -> None:
    """Print the report of a fit: rows, verdict, next command."""
    if as_json:
        print_json(report)
        return
    rows = [{"rows": "accepted", "count": report["accepted"]}]
    rows += [{"rows": f"quarantined: {reason}", "count": n} for reason, n in sorted(report["reasons"].items())]
    if sampled := report["diagnostics"].get("learned_rows"):
        rows.append({"rows": "learned from, a random sample", "count": int(sampled)})
    print(table(rows, ["rows", "count"]))
    if report["quarantined"]:
        print(f"quarantined rows: {out}.quarantine.jsonl")
    for suspect in report["suspicious"]["worst"][:SHOWN]:
        print(one_line(f"suspicious: {suspect['id']}: {suspect['reason']}"))
    if (count := report["suspicious"]["rows"]) > SHOWN:
        print(f"suspicious rows: {count:,}, all in {out}.suspicious.jsonl")
    if verdict := report.get("verdict"):
        print("\n".join(map(one_line, FitVerdict.from_dict(verdict).lines())))
    print_next("skillshot", "select", out, "your question", "-k", k, "--prompt")
