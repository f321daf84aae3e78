"""`skillshot lineage`: what made a model version, and how to make it again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skillshot.cli.arguments import add_command, add_version
from skillshot.cli.output import print_json

SHOWN = 3  # entries of a list without --full; all in all at most twenty lines


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "lineage", "print what made a model version: data, code, params, machine",
        "skillshot lineage champion --full",
    )  # fmt: skip
    add_version(parser)
    parser.add_argument("--full", action="store_true", help="also every dependency, output and parameter")


def run(args: argparse.Namespace) -> int:
    """Look up and print."""
    from skillshot.cli.promote import open_store
    from skillshot.track.lineage import lineage

    store, _ = open_store()
    found = lineage(store, args.version)
    if args.json:
        print_json(found)
    else:
        print("\n".join(lines(found, full=args.full)))
    return 0


def lines(found: Mapping[str, Any], *, full: bool = True) -> Iterator[str]:
    """The lineage as text for people; without `full` at most twenty lines."""
    most = None if full else SHOWN
    aliases = f" ({', '.join(found['aliases'])})" if found["aliases"] else ""
    yield f"{found['model']} version {found['version']}{aliases}"
    yield f"  run       {found['run']}  at {found['tracking']}"
    dirt = f" with uncommitted: {_listed(found['dirty'], most)}" if found["dirty"] else ""
    yield f"  commit    {found['commit'] or 'none'}{dirt}"
    if found["unrecorded"]:
        yield f"  outputs   not those of the commit: {_listed(found['unrecorded'], most)}"
    yield f"  pipeline  {found['pipeline']}"
    yield f"  gate      {found['gate']}"
    for name, data in list(found["data"].items())[:most]:
        yield f"  data      {name} {data['digest']}"
    if found["tuned"]:
        yield f"  weights   {found['tuned']}"
    yield from _stages(found["stages"]) if full else _summary(found["stages"])
    if full:
        for fact, value in found["machine"].items():
            yield f"  machine   {fact} {value}"
    else:
        yield f"  machine   {'; '.join(f'{fact} {value}' for fact, value in found['machine'].items())}"[:160]
    for move in found["history"] if full else found["history"][-SHOWN:]:
        change = f"{move['action']} {move['before'] or 'none'} -> {move['version']} by {move['by'] or 'unknown'}"
        yield f"  history   {move['at']} {change} {move['note']}".rstrip()
    yield "make it again:"
    for command in found["again"]:
        yield f"  {command}"


def _stages(stages: Mapping[str, Any]) -> Iterator[str]:
    for name, stage in stages.items():
        yield f"  stage {name}: {stage['cmd']}"
        for part, arrow in (("deps", "<-"), ("outs", "->")):
            for path, digest in stage[part].items():
                yield f"    {arrow} {digest[:12]:12}  {path}"
        for file, values in stage["params"].items():
            for key, value in values.items():
                yield f"    =  {file}: {key} {value}"


def _summary(stages: Mapping[str, Any]) -> Iterator[str]:
    params = sum(len(values) for stage in stages.values() for values in stage["params"].values())
    files = sum(len(stage["deps"]) + len(stage["outs"]) for stage in stages.values())
    yield f"  stages    {', '.join(stages)}"
    yield f"            {files} dependencies and outputs, {params} parameters: --full lists them"


def _listed(items: Sequence[str], most: int | None) -> str:
    more = f" and {len(items) - most} more" if most is not None and len(items) > most else ""
    return ", ".join(items[:most]) + more
