"""`skillshot ui`: a page to work with, on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from skillshot.cli.arguments import add_bundle, add_command, natural
from skillshot.cli.output import print_json

PORT = 8765


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = add_command(
        subparsers, "ui", "a page to ask, browse, edit and compare, on this machine",
        "skillshot ui selector --compare selector2",
    )  # fmt: skip
    add_bundle(parser)
    parser.add_argument("--compare", metavar="BUNDLE", help="a second bundle (folder or address), to compare with")
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="name or address to listen on; who can reach it can read and change the bank (default 127.0.0.1)",
    )  # fmt: skip
    parser.add_argument("--port", type=natural, default=PORT, help=f"0: any free one (default {PORT})")


def run(args: argparse.Namespace) -> int:
    """Print the address and answer until Ctrl-C."""
    import flask  # noqa: F401 - first, so that an error about it names the extra `ui`

    from skillshot.ui.server import make, serve
    from skillshot.ui.workspace import Workspace

    workspace = Workspace(args.bundle)
    other = Workspace(args.compare) if args.compare else None
    server, address = make(workspace, args.host, args.port, other)
    if args.json:
        print_json({"url": address, "bundle": args.bundle})
    else:
        print(f"{args.bundle}: {address}\nend with Ctrl-C")
    sys.stdout.flush()  # a program that started this one waits for the address
    serve(server)
    return 0
