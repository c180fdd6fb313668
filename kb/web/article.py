"""One article: to read, to print, as JSON for scripts."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from sqlalchemy import Connection

from kb.errors import KbError, StoreError
from kb.export.records import article_record
from kb.model import SHOWN_STATUSES, Article, Hidden, StoredArticle, Topic
from kb.search import Search
from kb.store import articles, issues, limits
from kb.store.db import reading
from kb.web.access import readers
from kb.web.asked import read_number
from kb.web.library import the_library
from kb.web.reading import Reading, read, safe_url
from kb.web.visitor import the_hidden

SIMILAR = 5

blueprint = Blueprint("article", __name__)


@blueprint.get("/a/<id:article_id>")
@readers
def show(article_id: int) -> str:
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        stored = wanted(connection, article_id, hidden, version=_version())
        versions = articles.versions(connection, article_id)
        reprints = articles.reprints(connection, article_id, hidden=hidden)
        place = issues.place(connection, stored, hidden=hidden)
        units = limits.readers(connection, article_id, stored.article.source)
    query, search = request.args.get("q", ""), the_library().search
    return render_template(
        "article.html",
        stored=stored,
        article=stored.article,
        reading=_marked(search, stored.article, query),
        original=safe_url(stored.article.url),
        versions=versions,
        present=versions[0].version,
        reprints=reprints,
        similar=search.like(stored, SIMILAR, hidden=hidden),
        query=query,
        results=_results_before(),
        printed=datetime.now().astimezone(),
        place=place,
        units=units,
        topics=_topics(search, article_id, hidden),
    )


@blueprint.get("/a/<id:article_id>.json")
@readers
def answer(article_id: int) -> Response:
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        return jsonify(article_record(wanted(connection, article_id, hidden, version=_version())))


def _version() -> int | None:
    """The version that the URL names. Raises QueryError."""
    return read_number(request.args, "version", default=0, least=1) or None


def wanted(
    connection: Connection, article_id: int, hidden: Hidden, *, version: int | None = None
) -> StoredArticle:
    """The article, in a version of it, else the present one. Raises StoreError when there is none to show.

    One that is hidden from who asks is not there.
    """
    stored = articles.one(connection, article_id, hidden=hidden)
    if stored is None:
        raise StoreError("store.no_article", article_id=article_id)
    if stored.status not in SHOWN_STATUSES:
        _refuse(stored)
    if version in (None, stored.version):
        return stored
    older = articles.version(connection, article_id, version, hidden=hidden)
    if older is None:
        raise StoreError("store.no_version", article_id=article_id, version=version)
    return older


def _topics(search: Search, article_id: int, hidden: Hidden) -> list[Topic]:
    """The shown topics that have the article; none while the index is away, which never hides an article."""
    try:
        return search.topics.called(search.topics_of(article_id, hidden=hidden))
    except KbError:
        return []


def _refuse(stored: StoredArticle) -> NoReturn:
    key = "store.withdrawn" if stored.status == "withdrawn" else "store.gone"
    raise StoreError(key, article_id=stored.id)


def _results_before() -> str | None:
    """The page of results that led here, with its filters, order and page; None when something else did."""
    came_from = (request.referrer or "").partition("://")[2]
    is_ours = came_from.startswith(f"{request.host}{url_for('search.page')}?")
    return came_from.removeprefix(request.host) if is_ours else None


def _marked(search: Search, article: Article, query: str) -> Reading:
    """With what was asked for; where nothing of it stands there, with its parts.

    A query that cannot be read, or an index that is away, never hides an article.
    """
    try:
        found = read(article, search.marks(query) if query.strip() else ())
        return found if found.hits or not query.strip() else read(article, search.marks(query, match="any"))
    except KbError:
        return read(article, ())
