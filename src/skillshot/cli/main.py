"""The command line: one module per command, each with `add_parser` and `run`.

Exit code 0 on success, 1 where a gate says no, 2 for bad usage or bad input (a short message, no traceback).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from skillshot.common.environment import configure
from skillshot.common.errors import SkillshotError

COMMANDS = (
    "fit", "select", "score", "evaluate", "bench", "add", "remove", "push", "pull",
    "gate", "verify", "promote", "rollback", "lineage",
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    """Argument parser whose complaints are two lines."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and where to read on; exit with 2."""
        self.exit(2, f"{self.prog}: {message}\nsee {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands; none of them imports its libraries before it runs."""
    from skillshot import __version__

    parser = Parser(
        prog="skillshot",
        description="Pick few-shot demonstrations by the reasoning skill they need.",
        epilog='example: skillshot fit bank.jsonl --out selector; skillshot select selector "How many?" --prompt',
    )
    parser.add_argument("--version", action="version", version=f"skillshot {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS:
        importlib.import_module(f"skillshot.cli.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    configure()
    args = build_parser().parse_args(arguments)
    try:
        code: int = importlib.import_module(f"skillshot.cli.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except SkillshotError as error:
        print(f"skillshot {args.command}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("skillshot"):
            raise
        print(
            f"skillshot {args.command}: needs the package {error.name}\ninstall skillshot[pipeline,llm]",
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:
        # the reader of stdout went away (head, less): not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"skillshot {args.command}: interrupted; what was finished is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
