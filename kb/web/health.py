"""Is the process alive, can it answer: for service managers and load balancers."""

from __future__ import annotations

from ipaddress import ip_address

import structlog
from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from kb.errors import KbError
from kb.store import articles
from kb.store.db import reading
from kb.web.access import public
from kb.web.library import the_library

log = structlog.get_logger("kb.web")
blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """The process answers. Reads nothing, so it stays true while the disk is slow."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """200 when the store can be read and the index can answer, else 503.

    Reasons are for callers on this machine (reliability.md §7.7).
    """
    reasons = _reasons()
    answer: dict[str, object] = {"ready": not reasons}
    if reasons and _is_local(request.remote_addr):
        answer["reasons"] = reasons
    return jsonify(answer), 503 if reasons else 200


def _reasons() -> list[str]:
    reasons = []
    library = the_library()
    try:
        with reading(library.database) as connection:
            articles.latest_seq(connection)
    except (SQLAlchemyError, KbError):
        log.exception("ready.store_unreadable")
        reasons.append("store.unreadable")
    if library.search.problem() is not None:
        reasons.append("index.unavailable")
    return reasons


def _is_local(address: str | None) -> bool:
    return address is not None and ip_address(address).is_loopback
