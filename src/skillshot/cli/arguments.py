"""The arguments that several commands share; each is declared here once, with one meaning."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from skillshot.common.errors import InputError

FIELDS = "question, rationale, answer, id, context, options, unit, answer_type, group"


def add_command(subparsers: Any, name: str, help: str, example: str) -> argparse.ArgumentParser:
    """A command's parser: one line of help, an example, and `--json`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(name, description=help, epilog=f"example: {example}")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, everything else on stderr")
    return parser


def add_bundle(parser: argparse.ArgumentParser, fetched: bool = False) -> None:
    """The first positional of most commands; `fetched`: the command takes an address as well."""
    other = "or an address (hf:OWNER/NAME, models:/NAME@ALIAS), fetched anew by each call; `skillshot pull` keeps it"
    parser.add_argument("bundle", help=f"bundle folder, {other}" if fetched else "bundle folder")


def add_bank(parser: argparse.ArgumentParser) -> None:
    """`--bank`, where the rows are in a database."""
    parser.add_argument(
        "--bank", metavar="ADDRESS",
        help="database that holds the rows, postgresql://USER@HOST/DATABASE (default: the bundle's folder)",
    )  # fmt: skip


def add_k(parser: argparse.ArgumentParser, *other: str, default: int | None = 4, shown: str = "4") -> None:
    """`-k`; `other` are further names of the same thing, `shown` is the default as the help gives it."""
    parser.add_argument(
        "-k", *other, dest="k", metavar="K", type=positive, default=default,
        help=f"demonstrations per question (default {shown})",
    )  # fmt: skip


def add_limit(parser: argparse.ArgumentParser) -> None:
    """`--limit` and the `--seed` that draws its queries or rows."""
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="N queries or rows, drawn with the seed (default: all)"
    )
    add_seed(parser)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """`--seed` alone."""
    parser.add_argument("--seed", type=natural, default=0, help="of every draw and interval (default 0)")


def add_selectors(parser: argparse.ArgumentParser, more: str) -> None:
    """`--selectors`, as comma-separated names."""
    parser.add_argument("--selectors", type=names, metavar="A,B", help=f"comma-separated; {more}")


def add_columns(parser: argparse.ArgumentParser) -> None:
    """`--columns`, for a file whose columns are named otherwise."""
    parser.add_argument(
        "--columns", type=column_map, action="append", metavar="FIELD=COLUMN,...",
        help=f"columns of the file that hold the fields ({FIELDS}), e.g. question=problem,rationale=solution; "
        "repeatable; FIELD= drops a field",
    )  # fmt: skip


def columns_of(args: argparse.Namespace) -> dict[str, str]:
    """All that `--columns` named, as one map."""
    return {field: column for part in args.columns or () for field, column in part.items()}


def add_set(parser: argparse.ArgumentParser, example: str) -> None:
    """`--set`, for any parameter."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help=f"override a parameter, such as {example}; repeatable",
    )  # fmt: skip


def add_accept(parser: argparse.ArgumentParser) -> None:
    """`--accept`, where the gate judges."""
    parser.add_argument(
        "--accept", action="append", default=[], metavar="NAME",
        help="a changed definition or rule that is intended; repeatable",
    )  # fmt: skip


def add_version(parser: argparse.ArgumentParser) -> None:
    """A registered model version."""
    parser.add_argument("version", nargs="?", default="challenger", help="number or alias (default challenger)")


def add_markdown(parser: argparse.ArgumentParser) -> None:
    """`--markdown`, for verdicts."""
    parser.add_argument(
        "--markdown", action="store_true", help="print a Markdown table, for a pull request or a job summary"
    )


def add_template(parser: argparse.ArgumentParser) -> None:
    """`--template` and `--system`, the user's own prompt."""
    parser.add_argument(
        "--template", metavar="FILE", help="jinja2 text of the prompt, with demonstrations, question, context, options"
    )
    parser.add_argument("--system", metavar="FILE", help="jinja2 text that stands before the prompt")


def template_of(args: argparse.Namespace) -> dict[str, str | None]:
    """The texts of `--template` and `--system`, as `PromptTemplate` takes them."""
    return {"text": _read(args.template, "--template"), "system": _read(args.system, "--system")}


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def amount(text: str) -> float:
    """A number of at least 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected a number of at least 0")
    return number


def names(text: str) -> tuple[str, ...]:
    """Comma-separated names."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: expected names, separated by commas")
    return found


def column_map(text: str) -> dict[str, str]:
    """`field=column,...`; a comma inside a column's name is kept."""
    pairs = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", text)]
    if not all(equals and field.strip() for field, equals, _ in pairs):
        raise argparse.ArgumentTypeError(f"{text!r}: expected FIELD=COLUMN, such as question=problem,answer=target")
    return {field.strip(): column.strip() for field, _, column in pairs}


def _read(path: str | None, option: str) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it is the text of {option}") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{path}: {why}; it is the text of {option}") from error


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number of at least {least}")
    return number
