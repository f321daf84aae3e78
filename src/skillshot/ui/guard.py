"""Who may ask the server, and what a browser may do with its pages.

A page of another site can send requests to a local server. Three checks stop it: the request names this server (a
name that another site pointed here does not), a change comes from a page of this server (Origin), and it carries the
token of this start. The policy of content keeps a browser from running or loading what a bank contains.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Iterator

from flask import Flask, Response, request

from skillshot.common.errors import InputError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def hosts_of(host: str, port: int) -> frozenset[str]:
    """The `Host` headers that name the server.

    Raises:
        InputError: the address stands for all addresses of the machine, so that no name could be checked.
    """
    names = set(_names(host))
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())


def _names(host: str) -> Iterator[str]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        yield host.lower()
        if host.lower() == "localhost":
            yield from LOOPBACK
        return
    if address.is_unspecified:
        raise InputError(f"--host {host}: stands for every address; give the one that browsers will open")
    yield f"[{address}]" if address.version == 6 else str(address)
    if address.is_loopback:
        yield from LOOPBACK


class Guard:
    """Checks each request of an app and adds `HEADERS` to each answer. token: of this start, in every form."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self.hosts, self.token = hosts, secrets.token_urlsafe(24)

    def protect(self, app: Flask) -> None:
        """Add the headers to every answer, errors included."""

        @app.after_request
        def headers(response: Response) -> Response:
            response.headers.update(HEADERS)
            return response

    def refusal(self) -> str:
        """Name of the text that says why the request at hand is refused; empty where it is not."""
        host = request.headers.get("Host", "").lower()
        if host not in self.hosts:
            return "refused_site"
        if request.method in ("GET", "HEAD"):
            return ""
        if request.headers.get("Origin", "").lower() != f"http://{host}":
            return "refused_site"
        given = request.form.get("token", "").encode("utf-8", "replace")
        return "" if hmac.compare_digest(given, self.token.encode()) else "refused_token"
