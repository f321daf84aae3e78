"""`skillshot select`: demonstrations for a question, or for a file of questions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from skillshot.cli.output import add_command, print_json
from skillshot.common.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "select", "demonstrations for a question, best first",
        'skillshot select selector "How many apples are left?" -k 4 --prompt',
    )  # fmt: skip
    parser.add_argument("bundle", help="bundle folder")
    parser.add_argument("question", nargs="?", help="the question")
    parser.add_argument("--questions", metavar="FILE", help="one question a line, or JSON lines with `question`")
    parser.add_argument("-k", type=int, default=4, help="demonstrations per question (default 4)")
    parser.add_argument("--mode", choices=("full", "lite", "auto"), help="default: the bundle's own")
    parser.add_argument("--precision", choices=("int8", "fp32"), help="of the text encoder; default: the bundle's own")
    parser.add_argument("--prompt", action="store_true", help="print the ready prompt")
    parser.add_argument("--explain", action="store_true", help="print what each score rests on")
    parser.add_argument("--exclude", nargs="+", action="extend", default=[], metavar="ID", help="ids not to choose")
    parser.add_argument(
        "--where", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="only such demonstrations"
    )


def run(args: argparse.Namespace) -> int:
    """Select and print."""
    from skillshot.runtime.selector import Selector

    if (args.question is None) == (args.questions is None):
        raise InputError("give either a question or --questions FILE")
    selector = Selector.load(args.bundle, args.mode, precision=args.precision)
    filters = {"exclude": args.exclude, "where": dict(_pair(text) for text in args.where)}
    if args.questions is not None:
        return _batch(selector, args, filters)
    if args.explain:
        why = selector.explain(args.question, args.k, **filters)
        print_json(why.to_json()) if args.json else print(why)
    elif args.prompt:
        text = selector.prompt(args.question, args.k, **filters)
        print_json({"prompt": text}) if args.json else print(text)
    else:
        chosen = selector.select(args.question, args.k, **filters)
        if args.json:
            print_json([demonstration.to_json() for demonstration in chosen])
        for place, demonstration in enumerate([] if args.json else chosen, 1):
            print(f"{place}. {demonstration.id}  score {demonstration.score:.3f}\n   {demonstration.question}")
    return 0


def _batch(selector: Any, args: argparse.Namespace, filters: dict[str, Any]) -> int:
    questions = list(_read(Path(args.questions)))
    for start in range(0, len(questions), 64):
        part = questions[start : start + 64]
        for question, chosen in zip(part, selector.select_batch(part, args.k, **filters), strict=True):
            text = question if isinstance(question, str) else question["question"]
            row: dict[str, Any] = {"question": text, "demonstrations": [d.to_json() for d in chosen]}
            if args.prompt:
                from skillshot.runtime.prompt import render

                given = {} if isinstance(question, str) else question
                row["prompt"] = render(chosen, text, str(given.get("context") or ""), given.get("options") or ())
            print(json.dumps(row, ensure_ascii=False))
    return 0


def _read(path: Path) -> Any:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--questions {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("{"):
            yield line.strip()
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(row.get("question"), str):
            raise InputError(f"{path}:{number}: no text under `question`")
        yield row


def _pair(text: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--where {text}: expected field=value")
    try:
        return field, json.loads(value)
    except ValueError:
        return field, value
