"""Headers of every answer, whatever its status (DESIGN.md §5): one set, and one header more with TLS."""

from __future__ import annotations

import secrets
import time

import structlog
from flask import Flask, Response, g, request, session

from kb.web.visitor import Visitor

log = structlog.get_logger("kb.web")

ALWAYS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TWO_YEARS = 2 * 365 * 24 * 3600
WITH_TLS = {"Strict-Transport-Security": f"max-age={TWO_YEARS}"}
PERSONAL = "private, no-store"
ASKED_ANEW = "private, no-cache"
LONGEST_PATH = 200  # characters of one that are logged


def new_id() -> str:
    """A number for a request. Always our own: one sent by a client could forge a line of the log."""
    return secrets.token_hex(8)


def install(app: Flask, *, tls: bool) -> None:
    """Number every request, send the headers with every answer, and log it: what was asked, never by whom."""
    headers = {**ALWAYS, **(WITH_TLS if tls else {})}

    @app.before_request
    def number_request() -> None:
        # Flask keeps `g` while an answer is still being streamed in this thread; nothing of that one, above all not
        # who it was for, may reach this one.
        for name in list(g):
            g.pop(name)
        g.request_id = new_id()
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.update(headers)
        response.headers["X-Request-Id"] = g.request_id
        _say_who_may_keep(response)
        g.seconds = time.perf_counter() - g.started
        # The path without the query string: what somebody searched for is personal.
        log.info(
            "request.done",
            request_id=g.request_id,
            method=request.method,
            path=request.path[:LONGEST_PATH],
            status=response.status_code,
            ms=round(g.seconds * 1000, 1),
        )
        return response


def _say_who_may_keep(response: Response) -> None:
    """No browser and no proxy keeps what was made for one person, or hands it to another."""
    if request.endpoint == "static":
        return
    response.vary.add("Cookie")
    response.vary.add("Authorization")
    if _is_personal(response):
        response.headers["Cache-Control"] = PERSONAL
    else:
        response.headers.setdefault("Cache-Control", ASKED_ANEW)


def _is_personal(response: Response) -> bool:
    """Made for somebody who signed in, or with a cookie (the session's is written after this)."""
    visitor: Visitor | None = g.get("visitor")  # None: the answer is the same whoever asks
    # A script keeps what it was given and asks anew whether it still holds.
    signed_in = visitor is not None and visitor.user is not None and visitor.bearer == "none"
    return signed_in or "Set-Cookie" in response.headers or session.modified
