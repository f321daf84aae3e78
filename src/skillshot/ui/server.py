"""Starts the server and keeps it until it is interrupted."""

from __future__ import annotations

import contextlib
import logging
import socket

from werkzeug.serving import BaseWSGIServer, make_server

from skillshot.common.errors import InputError
from skillshot.ui.app import create_app
from skillshot.ui.guard import Guard, hosts_of
from skillshot.ui.workspace import Workspace


def make(workspace: Workspace, host: str, port: int, other: Workspace | None = None) -> tuple[BaseWSGIServer, str]:
    """A server that listens, one thread a request, and its address.

    Args:
        port: 0 for any free one.
        other: a second bundle, to compare with.

    Raises:
        InputError: the address cannot be used; names the reason.
    """
    hosts_of(host, port)  # refuses an address before anything listens on it
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as listening:
            port = int(listening.getsockname()[1])
            app = create_app(workspace, Guard(hosts_of(host, port)), other)
            server = make_server(host, port, app, threaded=True, fd=listening.fileno())
    except (OSError, OverflowError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is no port"
        raise InputError(f"cannot listen on {host}:{port}: {reason}; give another --port or --host") from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request would hide what matters
    return server, f"http://{f'[{host}]' if family == socket.AF_INET6 else host}:{port}/"


def serve(server: BaseWSGIServer) -> None:
    """Answer requests until Ctrl-C."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    finally:
        server.server_close()
