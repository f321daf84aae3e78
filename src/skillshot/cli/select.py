"""`skillshot select`: demonstrations for a question, or for a file of questions."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from skillshot.cli.arguments import (
    add_bank,
    add_bundle,
    add_columns,
    add_command,
    add_k,
    add_template,
    columns_of,
    template_of,
)
from skillshot.cli.output import print_json, print_text
from skillshot.common.errors import InputError
from skillshot.common.sinks import one_line

BATCH = 64  # questions in one pass of the encoder


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "select", "choose demonstrations for a question, best first",
        'skillshot select selector "How many apples are left?" -k 4 --prompt',
    )  # fmt: skip
    add_bundle(parser, fetched=True)
    add_bank(parser)
    parser.add_argument("question", nargs="?", help="the question")
    parser.add_argument(
        "--questions", metavar="FILE", help="many questions: a file as `fit` reads it, or text with one a line"
    )
    add_columns(parser)
    add_k(parser, default=None, shown="select.k of the bundle, 4 unless set")
    parser.add_argument("--mode", choices=("full", "lite", "auto"), help="default: the bundle's own")
    parser.add_argument("--precision", choices=("int8", "fp32"), help="of the text encoder; default: the bundle's own")
    parser.add_argument("--prompt", action="store_true", help="print the ready prompt")
    add_template(parser)
    parser.add_argument("--explain", action="store_true", help="print why each was chosen, word by word")
    parser.add_argument("--html", action="store_true", help="with --explain: print it as a page for a browser")
    parser.add_argument("--audit", metavar="FILE", help="append a line for each selection to this audit record")
    parser.add_argument("--exclude", nargs="+", action="extend", default=[], metavar="ID", help="ids not to choose")
    parser.add_argument(
        "--where", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="only such demonstrations"
    )
    parser.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="leave out what is less likely to fit, from 0 to 1; perhaps all",
    )


def run(args: argparse.Namespace) -> int:
    """Select and print."""
    from skillshot.runtime.prompt import PromptTemplate
    from skillshot.runtime.selector import Selector

    if (args.question is None) == (args.questions is None):
        raise InputError("give either a question or --questions FILE")
    if args.columns and args.questions is None:
        raise InputError("--columns names the columns of --questions FILE")
    if (args.template or args.system) and not args.prompt:
        raise InputError("--template and --system belong to --prompt")
    if args.html and (not args.explain or args.questions is not None):
        raise InputError("--html belongs to --explain of one question")
    template = PromptTemplate(**template_of(args))
    selector = Selector.load(args.bundle, args.mode, precision=args.precision, audit=args.audit, bank=args.bank)
    filters = {
        "exclude": args.exclude,
        "where": dict(_pair(text) for text in args.where),
        "min_confidence": args.min_confidence,
    }
    if args.questions is not None:
        return _batch(selector, args, filters, template)
    if args.explain:
        why = selector.explain(args.question, args.k, **filters)
        print_json(why.to_dict()) if args.json else print_text(why.to_html()) if args.html else print(why)
        return 0
    chosen = selector.select(args.question, args.k, **filters)
    if not chosen:
        print("no demonstration is left; a prompt without any is zero-shot", file=sys.stderr)
    if args.prompt:
        text = template.render(chosen, args.question)
        print_json({"prompt": text}) if args.json else print_text(text)
    elif args.json:
        print_json([demonstration.to_dict() for demonstration in chosen])
    else:
        for place, demonstration in enumerate(chosen, 1):
            print(
                f"{place}. {one_line(demonstration.id)}  score {demonstration.score:.3f}"
                f"  confidence {demonstration.confidence:.2f}"
            )
            print(f"   {one_line(demonstration.question)}")
    return 0


def _batch(selector: Any, args: argparse.Namespace, filters: dict[str, Any], template: Any) -> int:
    from skillshot.bank.load import load_questions

    loaded = load_questions(args.questions, columns=columns_of(args))
    for row in loaded.quarantined:
        print(one_line(f"{row.place}: left out: {row.reason}"), file=sys.stderr)
    for start in range(0, len(loaded.records), BATCH):
        part = loaded.records[start : start + BATCH]
        asked = [{"question": r.question, "context": r.context, "options": r.options} for r in part]
        whys = [selector.explain(one, args.k, **filters) for one in asked if args.explain]
        if args.explain:
            batch = [[reason.demonstration for reason in why.reasons] for why in whys]
        else:
            batch = selector.select_batch(asked, args.k, **filters)
        for place, (record, chosen) in enumerate(zip(part, batch, strict=True)):
            line: dict[str, Any] = {"question": record.question, "demonstrations": [d.to_dict() for d in chosen]}
            if args.prompt:
                line["prompt"] = template.render(chosen, record.question, record.context, record.options)
            if args.explain:
                line["reasons"] = whys[place].to_dict()["reasons"]
            print(json.dumps(line, ensure_ascii=False))
    return 0


def _pair(text: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--where {text}: expected field=value")
    try:
        return field, json.loads(value)
    except ValueError:
        return field, value
