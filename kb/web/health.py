"""Is the process alive, can it answer: for service managers and load balancers."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from kb import vitals
from kb.errors import KbError
from kb.web.access import public
from kb.web.callers import is_local
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
    """200 when the store can be read, the index can answer and there is room to go on, else 503.

    Reasons are for callers on this machine (reliability.md §7.7).
    """
    reasons = _reasons()
    answer: dict[str, object] = {"ready": not reasons}
    if reasons and is_local():
        answer["reasons"] = reasons
    return jsonify(answer), 503 if reasons else 200


def _reasons() -> list[str]:
    library = the_library()
    try:
        return vitals.hindrances(library.settings, library.database, library.search)
    except (SQLAlchemyError, KbError):
        log.exception("ready.store_unreadable")
        return ["store.unreadable"]
