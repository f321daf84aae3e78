"""The command line: one module per command, each with `add_parser` and `run`.

Exit code 0 on success, 1 where a gate says no, 2 for bad usage or bad input (a short message, no traceback). argparse
is used on purpose: it needs no package, so the command line starts with the runtime's three dependencies alone.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from skillshot.common.environment import configure
from skillshot.common.errors import ColumnsError, SkillshotError
from skillshot.common.extras import extras_named
from skillshot.common.logs import logging_to_stderr
from skillshot.common.sinks import escaped_output

GROUPS = {
    "use a bank of examples": (
        "inspect", "annotate", "fit", "adapt", "tune", "slim", "select", "ui", "audit", "add", "remove",
    ),
    "evaluate": ("score", "evaluate", "bench", "gate", "verify"),
    "publish": ("push", "pull", "promote", "rollback", "lineage"),
}  # fmt: skip
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
    with escaped_output():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    args = build_parser().parse_args(words, argparse.Namespace(words=words))
    try:
        with logging_to_stderr(), extras_named():
            code: int = importlib.import_module(f"skillshot.cli.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except SkillshotError as error:
        message: object = error.for_command() if isinstance(error, ColumnsError) else error
    except BrokenPipeError:
        # the reader of stdout ended (head, less): no error of this command
        _discard_stdout()
        return 0
    except OSError as error:
        # the machine, not this package: a full disk, a folder that cannot be written
        message = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        _discard_stdout()
    except KeyboardInterrupt:
        print(f"skillshot {args.command}: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    print(f"skillshot {args.command}: {message}", file=sys.stderr)
    return 2


def _discard_stdout() -> None:
    """Let the interpreter's last flush succeed, where stdout is a broken pipe or a full disk."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
