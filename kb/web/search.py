"""Search: the page for people, the same answer as JSON for scripts."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from kb.errors import KbError, QueryError
from kb.export.records import results_record
from kb.model import Results
from kb.rewriting import both
from kb.search import DEPTH
from kb.store import articles, limits
from kb.store.db import reading
from kb.web.access import readers
from kb.web.asked import (
    LIMIT,
    SORTS,
    Asked,
    chips,
    facets,
    page_numbers,
    periods,
    read,
    read_number,
    ways,
)
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor

YEAR_SECONDS = 365 * 24 * 3600

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@readers
def page() -> str | AnyResponse:
    if not request.args.get("q", "").strip():
        return render_template("search.html")
    asked = read(request.args)
    if within := request.args.get("within", "").strip():
        return redirect(asked.url(text=both(asked.text, within)))
    size = the_library().settings.page_size
    results = _find(asked, (asked.page - 1) * size, size)
    _note(asked, results)
    related = the_library().suggester.related(results)
    shown = render_template("results.html", **list_facts(asked, results), related=related, fresh=())
    return _remembering(make_response(shown), asked)


def list_facts(asked: Asked, results: Results) -> dict[str, Any]:
    """What partials/_outcome.html and partials/_found.html show of results, but for `related` and `fresh`."""
    last = max(1, math.ceil(min(results.total, DEPTH) / the_library().settings.page_size))
    return {
        "asked": asked,
        "results": results,
        "earliest": _earliest(results),
        "chips": chips(asked),
        "facets": facets(asked, results.facets),
        "ways": ways(asked, results.relaxed),
        "periods": periods(asked, datetime.now().astimezone().date()),
        "sorts": {sort: words for sort, words in SORTS.items() if asked.text or sort != "relevance"},
        "last": last,
        "page_numbers": page_numbers(min(asked.page, last), last),
        "depth": DEPTH,
    }


@blueprint.get("/search.json")
@readers
def answer() -> Response:
    asked = read(request.args, copies=True)
    size = the_library().settings.page_size
    limit = read_number(request.args, "limit", default=size, least=0, most=LIMIT)
    offset = read_number(request.args, "offset", default=(asked.page - 1) * size, least=0)
    return jsonify(told(_find(asked, offset, limit)))


def told(results: Results) -> dict[str, Any]:
    """Results for scripts. A score weighs words by how many articles have them: from it one could count the hidden ones."""
    record = results_record(results)
    if the_hidden().is_empty:
        return record
    for hit in (*record["hits"], *record["partial"]):
        hit["score"] = None
    return record


def _earliest(results: Results) -> set[int]:
    """The articles that the hits are copies of, as far as they are still shown: in one query for the page."""
    hits = (*results.hits, *results.partial)
    roots = {hit.reprint_of for hit in hits if hit.reprint_of is not None}
    if not roots:
        return set()
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        return articles.shown(connection, roots, hidden=hidden)


def boxed_sort() -> str | None:
    """The order that the search box asks for: the one in the URL, else the one chosen last; None for the usual one."""
    sort = request.args.get("sort") or request.cookies.get(_sort_cookie())
    return sort if sort in SORTS and sort != "relevance" else None


def _sort_cookie() -> str:
    """The cookie that keeps the order chosen last. With TLS under a name that a browser takes from this host alone."""
    return "__Host-sort" if the_library().settings.tls else "sort"


def _note(asked: Asked, results: Results) -> None:
    """Log what people searched for: not their paging, nor what they chose besides words.

    The order that the box asks for again was chosen before.
    """
    kept = request.cookies.get(_sort_cookie(), "relevance")
    if asked.sort in ("relevance", kept) and replace(asked, sort="relevance") == Asked(asked.text):
        user, found = the_visitor().user, 0 if results.fallback else results.articles
        total = found if user is None or not user.units else _found_by_all(asked.text, found)
        the_library().log.note(asked.text, total, results.took_ms, user.id if user else None, found)


def _found_by_all(text: str, found: int) -> int:
    """How many of what somebody found everybody would find: the log is read by people who may not see the rest."""
    library = the_library()
    with reading(library.database) as connection:
        hidden = limits.hidden(connection, ())
    try:
        return found if hidden.is_empty else library.search.count(text, hidden=hidden)
    except KbError:  # the index went away meanwhile
        return 0


def _find(asked: Asked, offset: int, limit: int) -> Results:
    results = found(asked, offset, limit)
    meant = the_library().suggester.meant(results, asked.scope, hidden=the_hidden())
    return replace(results, did_you_mean=meant)


def found(asked: Asked, offset: int, limit: int) -> Results:
    """What the present visitor is shown of what is asked. Raises as Search.find does, and QueryError("query.too_deep")."""
    if offset >= DEPTH:
        raise QueryError("query.too_deep", limit=DEPTH)
    return the_library().search.find(
        asked.text,
        filters=asked.filters,
        sort=asked.sort,
        scope=asked.scope,
        exact=asked.exact,
        grouped=not asked.copies,
        offset=offset,
        limit=limit,
        hidden=the_hidden(),
        topic=asked.topic,
    )


def _remembering(response: Response, asked: Asked) -> Response:
    """With the order that the URL names kept on the visitor's machine, where another one is kept there."""
    if request.args.get("sort") and request.cookies.get(_sort_cookie(), "relevance") != asked.sort:
        secure = the_library().settings.tls
        response.set_cookie(
            _sort_cookie(), asked.sort, max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
    return response
