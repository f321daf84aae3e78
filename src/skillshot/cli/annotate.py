"""`skillshot annotate`: rationales for a bank that has none, written by a language model and checked."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.cli.arguments import add_columns, add_command, add_limit, add_set, amount, columns_of, natural, positive
from skillshot.cli.output import print_json, print_next
from skillshot.common.errors import InputError
from skillshot.common.sinks import one_line
from skillshot.common.tables import counted, table

if TYPE_CHECKING:
    from skillshot.common.params import Params

BOUNDS = {"max_calls": "--max-calls", "max_tokens": "--max-tokens", "max_cost": "--max-usd"}


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "annotate", "write the rationales that a bank lacks with an LLM, keep those that reach the answer",
        "skillshot annotate bank.jsonl --out annotated.jsonl --base-url http://127.0.0.1:8000/v1 --llm my-model",
    )  # fmt: skip
    parser.add_argument("bank", help="a bank as `skillshot fit` reads it, with question and answer; it is not changed")
    parser.add_argument(
        "--out", required=True, metavar="BANK2",
        help="new bank, JSON lines with all rows; BANK2.review.html next to it shows what was kept and rejected",
    )  # fmt: skip
    parser.add_argument("--llm", metavar="MODEL", help="name of the model (default: the embedded SmolLM2-135M)")
    parser.add_argument(
        "--base-url", metavar="URL",
        help="OpenAI-compatible endpoint; its key comes from OPENAI_API_KEY. For a chat model add --set llm.api=chat",
    )  # fmt: skip
    parser.add_argument(
        "--samples", type=positive, default=4, metavar="N",
        help="answers for a row at most, the first greedy, the others drawn; the first right one is kept (default 4)",
    )  # fmt: skip
    parser.add_argument(
        "--hint", action="store_true",
        help="one more sample, which shows the answer: more rows get a rationale, some a made-up one",
    )  # fmt: skip
    parser.add_argument(
        "--answer-tokens", type=positive, default=400, metavar="N", help="tokens of one answer at most (default 400)"
    )
    add_limit(parser)
    add_columns(parser)
    parser.add_argument("--max-calls", type=natural, metavar="N", help="calls to the endpoint at most; retries count")
    parser.add_argument("--max-tokens", type=natural, metavar="N", help="tokens read and written at most")
    parser.add_argument("--max-minutes", type=amount, metavar="M", help="ask for no more after M minutes")
    parser.add_argument(
        "--max-usd", type=amount, metavar="USD", help="cost at most, by llm.price_input and llm.price_output"
    )
    parser.add_argument(
        "--cache", "--record", metavar="FILE", help="answer cache (default .cache/skillshot/llm/llm.jsonl)"
    )
    parser.add_argument("--offline", action="store_true", help="fail on a cache miss")
    parser.add_argument("--yes", action="store_true", help="on a terminal: do not ask before calls to an endpoint")
    add_set(parser, "llm.concurrency=8 (sections llm and validate)")


def run(args: argparse.Namespace) -> int:
    """Annotate, write the new bank and its page, print the counts."""
    from skillshot.annotate.files import check_out, quarantine_of, review_of, write_annotation
    from skillshot.annotate.run import CHUNK, WriterSettings, annotate
    from skillshot.bank.examples import log_quarantined
    from skillshot.bank.load import load_bank
    from skillshot.evaluation.run import sample
    from skillshot.llm.cache import AnswerCache, default_path
    from skillshot.llm.open import open_engine

    params, out, cache = _params(args), Path(args.out), Path(args.cache or default_path())
    check_out(out, [Path(args.bank.partition("::")[0]), cache])
    if Path(args.bank).exists() and cache.exists() and cache.samefile(args.bank):
        raise InputError(f"--cache {cache}: is the bank, which is not changed; give another file")
    loaded = load_bank(args.bank, columns=columns_of(args), validate=params.validate)
    log_quarantined(loaded)
    lacking = [record for record in loaded.records if not record.rationale and record.correct]
    wanted = sample(lacking, args.limit, args.seed)
    settings = WriterSettings(args.samples, args.hint, args.answer_tokens, args.max_minutes)
    if wanted and not _agreed(args, params, len(wanted)):
        print("nothing was asked for, and nothing written", file=sys.stderr)
        return 2
    engine = open_engine(params.llm)
    chunk = CHUNK if params.llm.base_url is None else max(CHUNK, 4 * params.llm.concurrency)
    annotation = annotate(
        engine, AnswerCache(cache), loaded.records, wanted, settings, params.validate, args.offline, chunk
    )
    write_annotation(annotation, out, params.llm.model, engine.model, loaded.quarantined)
    report = annotation.to_dict() | {
        "llm": engine.model, "out": str(out), "review": str(review_of(out)), "quarantined": len(loaded.quarantined),
    }  # fmt: skip
    if params.llm.price_input or params.llm.price_output:
        read, written = report["prompt_tokens"], report["completion_tokens"]
        money = (read * params.llm.price_input + written * params.llm.price_output) / 1_000_000
        report["money"] = round(money, 6)
    if args.json:
        print_json(report)
        return 0
    _print(report)
    if loaded.quarantined:
        print(f"rows that could not be used: {one_line(quarantine_of(out))}")
    print_next("skillshot", "fit", out, "--out", "selector")
    return 0


def _params(args: argparse.Namespace) -> Params:
    from skillshot.common.params import default_params

    given = {
        "llm.model": args.llm, "llm.base_url": args.base_url, "llm.max_calls": args.max_calls,
        "llm.max_tokens": args.max_tokens, "llm.max_cost": args.max_usd,
    }  # fmt: skip
    flags = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
    params = default_params([*args.overrides, *flags])
    bounds = [option for name, option in BOUNDS.items() if getattr(params.llm, name) is not None]
    if bounds and params.llm.base_url is None:
        raise InputError(f"{bounds[0]} bounds an endpoint; for the embedded model use --limit and --max-minutes")
    if params.llm.max_cost is not None and not (params.llm.price_input or params.llm.price_output):
        raise InputError(
            "--max-usd needs the prices of a million tokens\n"
            "add --set llm.price_input=0.15 --set llm.price_output=0.6, with your model's numbers"
        )
    return params


def _agreed(args: argparse.Namespace, params: Params, rows: int) -> bool:
    """On a terminal, whether the user wants the calls; elsewhere true."""
    if args.yes or args.json or args.offline or params.llm.base_url is None:
        return True
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    most = rows * (args.samples + args.hint)
    bounds = [f"llm.{name} {value:g}" for name in BOUNDS if (value := getattr(params.llm, name)) is not None]
    print(
        f"{counted(rows, 'row')} to ask {one_line(params.llm.model)} for, at most {counted(most, 'call')} of "
        f"{counted(args.answer_tokens, 'token')} written; bounds: {', '.join(bounds) or 'none'}. Go on? [y/N] ",
        end="", file=sys.stderr, flush=True,
    )  # fmt: skip
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _print(report: dict[str, Any]) -> None:
    counts = ("had_rationale", "annotated", "without_rationale", "quarantined")
    rows = [{"rows": name.replace("_", " "), "count": report[name]} for name in counts]
    rows += [{"rows": f"answers rejected: {reason}", "count": n} for reason, n in report["rejected"].items()]
    print(table(rows, ["rows", "count"]))
    if not report["without_rationale"] and not report["asked"]:
        print("every row has a rationale: nothing was asked for")
    else:
        made = report["timing"]["calls_made"]
        print(f"{report['llm']}: {counted(report['llm_calls'], 'answer')}, {made:,} of them asked for now")
    if report["stopped"]:
        print(f"stopped early: {report['stopped']}\nrun the same command again with a higher bound to go on from here")
    print(f"to review: {one_line(report['review'])}")
