"""Search: the page for people, the same answer as JSON for scripts."""

from __future__ import annotations

import math

from flask import Blueprint, Response, jsonify, render_template, request

from kb.errors import QueryError
from kb.export.records import results_record
from kb.model import Filters, Results
from kb.web.access import public
from kb.web.asked import DEPTH, FACETS, LIMIT, SORTS, Asked, choices, page_numbers, read, read_number
from kb.web.library import the_library

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@public
def page() -> str:
    if "q" not in request.args:
        return render_template("search.html")
    asked = read(request.args)
    size = the_library().settings.page_size
    results = _find(asked, (asked.page - 1) * size, size)
    _note(asked, results)
    last = max(1, math.ceil(min(results.total, DEPTH) / size))
    return render_template(
        "results.html",
        asked=asked,
        results=results,
        facets={name: choices(asked, name, results.facets.get(name, ())) for name in FACETS},
        facet_names=FACETS,
        sorts=SORTS,
        last=last,
        page_numbers=page_numbers(min(asked.page, last), last),
        depth=DEPTH,
    )


@blueprint.get("/search.json")
@public
def answer() -> Response:
    asked = read(request.args)
    size = the_library().settings.page_size
    limit = read_number(request.args, "limit", default=size, least=0, most=LIMIT)
    offset = read_number(request.args, "offset", default=(asked.page - 1) * size, least=0)
    return jsonify(results_record(_find(asked, offset, limit)))


def _note(asked: Asked, results: Results) -> None:
    """Log what people searched for: not their paging, nor their choices among what was found."""
    if asked.page == 1 and asked.filters == Filters():
        total = 0 if results.fallback else results.total
        the_library().log.note(asked.text, total, results.took_ms)


def _find(asked: Asked, offset: int, limit: int) -> Results:
    if offset >= DEPTH:
        raise QueryError("query.too_deep", limit=DEPTH)
    limit = min(limit, DEPTH - offset)
    return the_library().search.find(
        asked.text, filters=asked.filters, sort=asked.sort, offset=offset, limit=limit
    )
