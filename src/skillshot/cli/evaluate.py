"""`skillshot evaluate`: results of a language model with each selector's demonstrations."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.cli.arguments import (
    add_bundle,
    add_columns,
    add_command,
    add_k,
    add_limit,
    add_selectors,
    add_set,
    add_template,
    columns_of,
    template_of,
)
from skillshot.cli.output import print_json, print_next
from skillshot.common.errors import InputError
from skillshot.common.tables import OURS, counted, pairs, table, undecided

if TYPE_CHECKING:
    from skillshot.common.params import Params

SHOTS, ORDERS = (1, 2, 4, 8), 3  # of --vary
EXTREMES = 5  # rows that help most, and that harm most


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "evaluate", "measure accuracy and log-likelihood of an LLM with each selector's demonstrations",
        "skillshot evaluate selector queries.jsonl --selectors random,question,skillshot --limit 20",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("queries", help="file of queries with their answers, and rationales for the log-likelihood")
    add_selectors(
        parser, "such as random,question,skillshot,oracle; docs/reference/selectors explains all (default: "
        "evaluate.selectors of the parameters)",
    )  # fmt: skip
    add_k(parser, "--shots", default=None, shown="4")
    add_limit(parser)
    add_columns(parser)
    add_template(parser)
    parser.add_argument("--llm", metavar="MODEL", help="name of the model (default: the embedded SmolLM2-135M)")
    parser.add_argument(
        "--base-url", metavar="URL",
        help="OpenAI-compatible endpoint; its key comes from OPENAI_API_KEY. For a chat model add --set llm.api=chat, "
        "and --set evaluate.max_tokens=400: 80 tokens, the default, cut its answers",
    )  # fmt: skip
    parser.add_argument("--no-answers", action="store_true", help="only the log-likelihood, which is quicker")
    parser.add_argument(
        "--cache", "--record", metavar="FILE", help="answer cache (default .cache/skillshot/llm/llm.jsonl)"
    )
    parser.add_argument("--offline", action="store_true", help="fail on a cache miss")
    parser.add_argument(
        "--values", action="store_true",
        help="also the Shapley value of each demonstration of skillshot, by all subsets: 2^k prompts a query",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FOLDER", help="also write evaluate.json, evaluate_rows.csv and plots there")
    parser.add_argument(
        "--slice", metavar="FIELD",
        help="also by this field of the queries (of a list: its length), by steps, or by skill_cluster",
    )  # fmt: skip
    parser.add_argument(
        "--vary", choices=("shots", "order"), help="also with 1, 2, 4, 8 demonstrations, or in other orders: more calls"
    )
    add_set(parser, "llm.timeout=30 (sections evaluate and llm)")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table or the document."""
    from skillshot.bank.load import load_queries
    from skillshot.common.io import atomic_write
    from skillshot.evaluation.files import shown, write
    from skillshot.evaluation.pages import markdown
    from skillshot.evaluation.results import Prices
    from skillshot.evaluation.run import evaluate, sample
    from skillshot.evaluation.slices import CLUSTER, by_slice, skill_clusters, variants
    from skillshot.evaluation.values import check, demonstration_values
    from skillshot.llm.cache import AnswerCache, default_path
    from skillshot.llm.cached_engine import CachedEngine
    from skillshot.llm.open import open_engine
    from skillshot.runtime.prompt import PromptTemplate
    from skillshot.selectors.choose import choose_all
    from skillshot.selectors.pool import Pool

    params, template = _params(args), PromptTemplate(**template_of(args))
    settings = params.evaluate
    loaded = load_queries(args.queries, columns=columns_of(args), gold=_gold(settings.answers))
    if loaded.quarantined:
        print(f"{args.queries}: {counted(len(loaded.quarantined), 'row')} left out", file=sys.stderr)
    queries = sample(loaded.records, settings.limit, args.seed)
    most = max(SHOTS) if args.vary == "shots" else settings.shots
    engine, cache = open_engine(params.llm), AnswerCache(args.cache or default_path())
    cached = CachedEngine(engine, cache, args.offline)
    if args.values:
        if OURS not in settings.selectors:
            raise InputError(f"--values: the demonstrations of {OURS} are valued; add {OURS} to --selectors")
        check(cached, settings.shots)
    selection = choose_all(args.bundle, queries, settings.selectors, most, args.seed, cached, settings)
    chosen = {name: made.demonstrations for name, made in selection.items()}
    choices = {name: [rows[: settings.shots] for rows in picked] for name, picked in chosen.items()}
    if args.vary == "shots":
        choices |= variants(chosen, shots=SHOTS)
    elif args.vary == "order":
        choices |= variants(chosen, orders=ORDERS, seed=args.seed)
    priced = params.llm.price_input or params.llm.price_output
    prices = Prices(params.llm.price_input, params.llm.price_output) if priced else None
    evaluation = evaluate(
        engine, cache, queries, choices, settings, args.seed, args.offline, selection=selection, prices=prices,
        template=template,
    )  # fmt: skip
    valuation = (
        demonstration_values(cached, queries, choices[OURS], settings, args.seed, template) if args.values else None
    )
    if args.out:
        texts = shown(queries, choices)
        write(evaluation, Path(args.out), texts=texts)
        with atomic_write(Path(args.out) / "disagreements.md") as handle:
            handle.write(markdown(evaluation, texts))
        if valuation:
            valuation.write(Path(args.out))
    report = evaluation.to_dict() | ({"values": valuation.summary} if valuation else {})
    if args.slice:
        of = skill_clusters(Pool(args.bundle), queries, args.seed) if args.slice == CLUSTER else None
        report["slices"] = {args.slice: by_slice(evaluation.rows, queries, args.slice, of)}
    if args.json:
        print_json(report)
        return 0
    _print(report)
    for sentence in undecided(report, settings.confidence):
        print(sentence)
    if args.out:
        print(f"rows, plots and the answers that differ: {args.out}")
        own = [word for name in ("template", "system") if (file := getattr(args, name)) for word in (f"--{name}", file)]
        print_next("skillshot", "select", args.bundle, "your question", "-k", settings.shots, "--prompt", *own)
    else:
        print_next("skillshot", *args.words, "--out", "evaluation")
    return 0


def _gold(answers: bool) -> tuple[str, ...]:
    """The fields of which a query must have one to be measured at all."""
    return ("answer",) if answers else ("rationale", "answer")


def _params(args: argparse.Namespace) -> Params:
    from skillshot.common.params import default_params

    given = {
        "evaluate.selectors": args.selectors, "evaluate.shots": args.k, "evaluate.limit": args.limit,
        "evaluate.answers": False if args.no_answers else None, "llm.model": args.llm, "llm.base_url": args.base_url,
    }  # fmt: skip
    flags = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
    return default_params(["evaluate.limit=null", *args.overrides, *flags])


def _print(report: dict[str, Any]) -> None:
    columns = ["accuracy", "nll", "format_valid", "llm_calls", "prompt_tokens", "seconds"]
    if any(row.get("recomputed") is not None for row in report["selectors"].values()):
        columns.insert(1, "recomputed")
    for extra in ("selection_calls", "bank_calls", "money"):
        if any(row.get(extra) for row in report["selectors"].values()):
            columns.append(extra)
    seconds = report["timing"]["seconds"]
    rows = [{"selector": name, **row, "seconds": seconds[name]} for name, row in report["selectors"].items()]
    print(f"{report['llm']}: {counted(report['queries'], 'query')}, {counted(report['shots'], 'shot')}")
    print(table(rows, ["selector", *columns]))
    for first, second, metrics in pairs(report):
        for metric, pair in metrics.items():
            if pair:
                interval = f"[{pair['low']:+.3f}, {pair['high']:+.3f}]"
                print(f"{first}-{second}: {metric} {pair['diff']:+.3f} {interval} p {pair['p']:.3g}")
    for field, slices in report.get("slices", {}).items():
        for value, part in slices.items():
            print(f"\n{field} {value}: {counted(part['queries'], 'query')}")
            print(
                table([{"selector": n, **row} for n, row in part["selectors"].items()], ["selector", "accuracy", "nll"])
            )
    if "values" in report:
        _print_values(report["values"])
    for name, why in (report.get("missing", {}) | report.get("notes", {})).items():
        print(f"{name}: {why}")
    print(f"{100 * report['timing']['share_in_engine']:.0f} % of the time was spent in the language model")


def _print_values(report: dict[str, Any]) -> None:
    from skillshot.evaluation.values import ENOUGH

    gain, rows = report["gain"], report["rows"]
    print(f"\nvalues: {counted(report['queries'], 'query')}, {counted(report['prompts'], 'prompt')}; {report['unit']}")
    print(f"all demonstrations against none: {gain['mean']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]")
    columns = ["demonstration", "queries", "shapley", "low", "high", "leave_one_out"]
    for title, part in (
        ("help most", [row for row in rows if row["sum"] > 0][:EXTREMES]),
        ("harm most", [row for row in reversed(rows) if row["sum"] < 0][:EXTREMES]),
    ):
        print(f"rows that {title}, by the sum over their queries:{'' if part else ' none'}")
        if part:
            print(table(part, columns))
    if any(row["low"] is None for row in rows):
        print(f"without an interval: chosen for fewer than {ENOUGH} queries, little evidence")
