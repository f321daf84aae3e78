"""The command line: one module per command, each with `add_parser` and `run`.

Exit code 0 on success, 1 where a gate says no, 2 for bad usage or bad input (a short message, no traceback). argparse
is used on purpose: it needs no package, so the command line starts with the runtime's three dependencies alone.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from skillshot.common.environment import configure
from skillshot.common.errors import ColumnsError, SkillshotError
from skillshot.common.extras import extras_named
from skillshot.common.logs import logging_to_stderr

GROUPS = {
    "use a bank of examples": ("fit", "select", "add", "remove"),
    "evaluate": ("score", "evaluate", "bench", "gate", "verify"),
    "publish": ("push", "pull", "promote", "rollback", "lineage"),
}
COMMANDS = tuple(name for group in GROUPS.values() for name in group)


class Parser(argparse.ArgumentParser):
    """Argument parser whose messages have two lines."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where the help is; exit with 2."""
        self.exit(2, f"{self.prog}: {message}\nsee {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands; none of them imports its libraries before it runs."""
    from skillshot import __version__

    parser = Parser(
        prog="skillshot",
        usage="skillshot [-h] [--version] COMMAND ...",
        description="Choose few-shot demonstrations by the reasoning skill they need.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skillshot {__version__}")
    subparsers = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Parser, prog="skillshot", help=argparse.SUPPRESS
    )
    for name in COMMANDS:
        importlib.import_module(f"skillshot.cli.{name}").add_parser(subparsers)
    width = max(map(len, COMMANDS))
    groups = (
        "\n".join([f"{title}:", *(f"  {name:{width}}  {subparsers.choices[name].description}" for name in names)])
        for title, names in GROUPS.items()
    )
    example = 'skillshot fit bank.jsonl --out selector; skillshot select selector "How many?" --prompt'
    more = f"skillshot COMMAND --help shows arguments and an example.\nexample: {example}"
    parser.epilog = "\n\n".join([*groups, more])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    configure()
    args = build_parser().parse_args(arguments)
    try:
        with logging_to_stderr(), extras_named():
            code: int = importlib.import_module(f"skillshot.cli.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except SkillshotError as error:
        message = error.for_command() if isinstance(error, ColumnsError) else error
        print(f"skillshot {args.command}: {message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader of stdout ended (head, less): no error of this command
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"skillshot {args.command}: interrupted; what was finished is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
