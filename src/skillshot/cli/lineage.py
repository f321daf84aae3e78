"""`skillshot lineage`: what made a model version, and how to make it again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from skillshot.cli.output import add_command, print_json


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers,
        "lineage",
        "print what made a model version: data, code, params, machine",
        "skillshot lineage champion",
    )
    parser.add_argument("version", nargs="?", default="challenger", help="number or alias (default challenger)")


def run(args: argparse.Namespace) -> int:
    """Look up and print."""
    from skillshot.cli.promote import open_store
    from skillshot.track.lineage import lineage

    store, _ = open_store()
    found = lineage(store, args.version)
    if args.json:
        print_json(found)
    else:
        print("\n".join(lines(found)))
    return 0


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The lineage as text for people."""
    aliases = f" ({', '.join(found['aliases'])})" if found["aliases"] else ""
    yield f"{found['model']} version {found['version']}{aliases}"
    yield f"  run       {found['run']}  at {found['tracking']}"
    dirt = f" with uncommitted: {', '.join(found['dirty'])}" if found["dirty"] else ""
    yield f"  commit    {found['commit'] or 'none'}{dirt}"
    if found["unrecorded"]:
        yield f"  outputs   not those of the commit: {', '.join(found['unrecorded'])}"
    yield f"  pipeline  {found['pipeline']}"
    yield f"  gate      {found['gate']}"
    for name, data in found["data"].items():
        yield f"  data      {name} {data['digest']}"
    for name, stage in found["stages"].items():
        yield f"  stage {name}: {stage['cmd']}"
        for part, arrow in (("deps", "<-"), ("outs", "->")):
            for path, digest in stage[part].items():
                yield f"    {arrow} {digest[:12]:12}  {path}"
        for file, values in stage["params"].items():
            for key, value in values.items():
                yield f"    =  {file}: {key} {value}"
    for fact, value in found["machine"].items():
        yield f"  machine   {fact} {value}"
    for move in found["history"]:
        change = f"{move['action']} {move['before'] or 'nobody'} -> {move['version']} by {move['by'] or 'somebody'}"
        yield f"  history   {move['at']} {change} {move['note']}".rstrip()
    yield "make it again:"
    for command in found["again"]:
        yield f"  {command}"
