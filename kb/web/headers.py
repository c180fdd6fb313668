"""Headers of every answer, whatever its status (DESIGN.md §5): one set, and one header more with TLS."""

from __future__ import annotations

import secrets
import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("kb.web")

ALWAYS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TWO_YEARS = 2 * 365 * 24 * 3600
WITH_TLS = {"Strict-Transport-Security": f"max-age={TWO_YEARS}"}


def install(app: Flask, *, tls: bool) -> None:
    """Number every request, and send the headers with every answer."""
    headers = {**ALWAYS, **(WITH_TLS if tls else {})}

    @app.before_request
    def number_request() -> None:
        # Always our own number: one sent by a client could forge a line of the log.
        g.request_id = secrets.token_hex(8)
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.update(headers)
        response.headers["X-Request-Id"] = g.request_id
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # The path without the query string: what somebody searched for is personal.
        log.info(
            "request.done",
            request_id=g.request_id,
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - g.started) * 1000, 1),
        )
        return response
