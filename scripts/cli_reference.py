"""docs/reference/cli.md from the commands' own parsers: `python -m scripts.cli_reference`."""

from __future__ import annotations

import argparse

from scripts.pages import ROOT, table
from skillshot.cli.main import GROUPS, build_parser

PAGE = "docs/reference/cli.md"
START = """# Command line

This page is written by `python -m scripts.cli_reference` from `skillshot COMMAND --help`.

Every command takes `--json`: one JSON document on stdout, everything else on stderr.

Exit codes: 0 success, 1 a gate refuses, 2 bad usage or bad input, with a message of one to three lines.
"""


def arguments(parser: argparse.ArgumentParser) -> list[list[str]]:
    """What a command takes: as it is written, and its help."""
    made = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction) or action.dest == "json":
            continue
        formatter = parser._get_formatter()
        if action.option_strings:
            value = "" if action.nargs == 0 else " " + formatter._format_args(action, action.dest.upper())
            written = ", ".join(f"`{name}{value}`" for name in action.option_strings)
        else:
            written = f"`{formatter._format_args(action, str(action.metavar or action.dest))}`"
        shown = formatter._expand_help(action) if action.help else ""
        made.append([cell.replace("|", "\\|") for cell in (written, shown)])
    return made


def command(name: str, parser: argparse.ArgumentParser) -> str:
    """The section of one command."""
    example = (parser.epilog or "").removeprefix("example: ")
    does = parser.description or ""
    lines = [f"## skillshot {name}", "", f"{does[:1].upper()}{does[1:]}.", "", "```bash", example, "```", ""]
    return "\n".join([*lines, table(["argument", "meaning"], arguments(parser)), ""])


def render() -> str:
    """The page."""
    parser = build_parser()
    (commands,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    contents = [[title, ", ".join(f"[{name}](#skillshot-{name})" for name in names)] for title, names in GROUPS.items()]
    sections = [command(name, found) for name, found in commands.choices.items()]
    return "\n".join([START, table(["to", "commands"], contents), "", *sections])


if __name__ == "__main__":
    (ROOT / PAGE).write_text(render(), encoding="utf-8")
