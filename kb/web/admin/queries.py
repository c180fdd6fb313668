"""The search log: what people search for, and in vain."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, render_template, request

from kb.errors import QueryError
from kb.export import audit_table
from kb.store import searches
from kb.store.db import reading
from kb.store.searches import SLOW_MS, Asked
from kb.web.access import only
from kb.web.library import the_library

blueprint = Blueprint("admin_queries", __name__)

DAYS = (7, 30, 180)
EXPORTED = 10_000  # lines of an export
COLUMNS = {
    "query": "检索式",
    "times": "次数",
    "total": "最近一次的篇数",
    "longest_ms": "最慢毫秒",
    "last_asked_at": "最近一次(UTC)",
}


@blueprint.get("/admin/queries")
@only("editor", "operator", "admin")
def page() -> str:
    """What was searched for most, in vain and slowly."""
    library, days = the_library(), _days()
    with reading(library.database) as connection:
        report = searches.report(connection, days)
    return render_template(
        "admin_queries.html",
        report=report,
        choices=DAYS,
        kept_days=library.settings.search_log_days,
        slow_seconds=SLOW_MS / 1000,
    )


@blueprint.get("/admin/queries.csv")
@only("editor", "operator", "admin")
def export() -> Response:
    """Every query of those days, the most frequent first, for a spreadsheet."""
    days = _days()
    with reading(the_library().database) as connection:
        asked = searches.report(connection, days, lines=EXPORTED).frequent
    lines = audit_table.table(list(COLUMNS.values()), map(_record, asked))
    answer = Response("".join(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=searches-{days}.csv"
    return answer


def _record(asked: Asked) -> dict[str, object]:
    values = asdict(asked)
    return {words: values[name] for name, words in COLUMNS.items()}


def _days() -> int:
    """One of DAYS. Raises QueryError("query.bad_parameter")."""
    text = request.args.get("days", "30")
    for days in DAYS:
        if text == str(days):
            return days
    raise QueryError("query.bad_parameter", name="days", value=text[:40])
