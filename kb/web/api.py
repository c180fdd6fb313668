"""/api/v1: the library for scripts, as docs/openapi.yaml describes it. Reading only; every answer has an ETag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, json, jsonify, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from kb import formulations
from kb.config import shipped
from kb.errors import TopicError
from kb.export.records import article_record
from kb.model import SHOWN_STATUSES, Found, Results, StoredArticle, Topic
from kb.search import DEPTH
from kb.store import articles, topics
from kb.store.db import reading
from kb.web import api_parameters as parameters
from kb.web.access import public, readers
from kb.web.addresses import absolute
from kb.web.article import wanted
from kb.web.asked import read_filters
from kb.web.conditional import conditional
from kb.web.library import the_library
from kb.web.search import told
from kb.web.visitor import the_hidden

NDJSON = "application/x-ndjson"

blueprint = Blueprint("api", __name__)


# --- what it is -----------------------------------------------------------------------------------------------------


@blueprint.get("/api")
@public
def about() -> AnyResponse:
    """For people."""
    return redirect(url_for("help.page", name="api"))


@blueprint.get("/openapi.yaml")
@public
def description() -> Response:
    """For programs (OpenAPI 3.1); its media type is that of RFC 9512."""
    return conditional(Response(_description(shipped("docs") / "openapi.yaml"), mimetype="application/yaml"))


@lru_cache(maxsize=1)
def _description(path: Path) -> bytes:
    return path.read_bytes()


# --- searching ------------------------------------------------------------------------------------------------------


@blueprint.get("/api/v1/search")
@readers
def search() -> Response:
    """One page of results, as /search.json gives it; how long it took is told in a header, so that equal answers are equal."""
    asked = parameters.read(request.args, parameters.SEARCH)
    results = the_library().search.find(
        asked["q"],
        filters=read_filters(request.args),
        sort=asked["sort"],
        scope=asked["scope"],
        exact=bool(asked["exact"]),
        grouped=not asked["copies"],
        offset=asked["offset"],
        limit=asked["limit"],
        hidden=the_hidden(),
    )
    response = conditional(jsonify(_results(results, asked["offset"], asked["limit"])))
    response.headers["Server-Timing"] = f"search;dur={results.took_ms}"
    return response


def _results(results: Results, offset: int, limit: int) -> dict[str, Any]:
    record = told(results)
    del record["took_ms"], record["did_you_mean"]
    for hit in (*record["hits"], *record["partial"]):
        hit["page"] = _page(hit["id"])
    beyond = offset + limit
    has_next = limit > 0 and beyond < min(results.total, DEPTH)
    return record | {"offset": offset, "next": _next(offset=beyond) if has_next else None}


# --- articles -------------------------------------------------------------------------------------------------------


@blueprint.get("/api/v1/articles/<id:article_id>")
@readers
def article(article_id: int) -> Response:
    asked = parameters.read(request.args, parameters.VERSION)
    with reading(the_library().database) as connection:
        stored = wanted(connection, article_id, the_hidden(), version=asked["version"])
    return conditional(jsonify(_record(stored)))


@blueprint.get("/api/v1/export")
@readers
def export() -> Response:
    """Whole articles in the order in which they came, from any depth on: JSON, or a line of JSON for each."""
    found, stored = _articles(None)
    records = [_record(one) for one in stored]
    kinds = ("application/json", NDJSON)
    if request.accept_mimetypes.best_match(kinds, kinds[0]) == NDJSON:
        lines = "".join(f"{json.dumps(record)}\n" for record in records)
        response = Response(lines, mimetype=NDJSON)
    else:
        response = jsonify({"articles": records, **_onward(found)})
    response.vary.add("Accept")
    return conditional(_linked(response, found))


# --- topics ---------------------------------------------------------------------------------------------------------


@blueprint.get("/api/v1/topics")
@readers
def every_topic() -> Response:
    parameters.read(request.args, ())
    with reading(the_library().database) as connection:
        shown = _shown(connection)
    counts, slugs = the_library().search.counts(hidden=the_hidden()), {topic.slug for topic in shown}
    return conditional(jsonify(topics=[_topic(topic, counts, slugs) for topic in shown]))


@blueprint.get("/api/v1/topics/<topic_slug>")
@readers
def one_topic(topic_slug: str) -> Response:
    """A topic with its introduction and rule, must-reads and the topics below it."""
    parameters.read(request.args, ())
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        shown = _shown(connection)
        topic = _wanted(shown, topic_slug)
        pinned = articles.many(connection, topic.content.pinned, hidden=hidden)
    counts, slugs = the_library().search.counts(hidden=the_hidden()), {one.slug for one in shown}
    below = [_topic(one, counts, slugs) for one in shown if one.content.parent == topic.slug]
    must_reads = [
        _brief(pinned[one]) for one in topic.content.pinned if one in pinned and _is_shown(pinned[one])
    ]
    content = {"introduction": topic.content.introduction, "rule": topic.content.rule}
    return conditional(
        jsonify(_topic(topic, counts, slugs) | content | {"must_reads": must_reads, "topics": below})
    )


@blueprint.get("/api/v1/topics/<topic_slug>/articles")
@readers
def topic_articles(topic_slug: str) -> Response:
    """What a topic has, in the order in which it came into the library, from any depth on."""
    with reading(the_library().database) as connection:
        topic = _wanted(_shown(connection), topic_slug)
    found, stored = _articles(topic)
    return conditional(
        _linked(jsonify({"articles": [_brief(one) for one in stored], **_onward(found)}), found)
    )


def _shown(connection: Connection) -> list[Topic]:
    return [topic for topic in topics.every(connection) if topic.content.state == "shown"]


def _wanted(shown: Iterable[Topic], slug: str) -> Topic:
    """Raises TopicError("topic.unknown"); a draft is none."""
    found = next((topic for topic in shown if topic.slug == slug), None)
    if found is None:
        raise TopicError("topic.unknown", slug=slug)
    return found


def _topic(topic: Topic, counts: Mapping[str, int], slugs: set[str]) -> dict[str, Any]:
    parent = topic.content.parent
    return {
        "slug": topic.slug,
        "name": topic.content.name,
        "parent": parent if parent in slugs else None,
        "articles": counts.get(topic.content.name, 0),
        "version": topic.version,
        "changed_at": topic.changed_at,
        "page": absolute(url_for("topics.page", topic_slug=topic.slug)),
    }


# --- formulations ---------------------------------------------------------------------------------------------------


@blueprint.get("/api/v1/formulations")
@readers
def wordings() -> Response:
    """Where and when wordings stand in the library, side by side."""
    parameters.read(request.args, parameters.WORDINGS)
    traced = formulations.trace(the_library().search, request.args.getlist("q"), hidden=the_hidden())
    record = formulations.record(traced)
    del record["took_ms"]
    response = conditional(jsonify(record))
    response.headers["Server-Timing"] = f"formulations;dur={traced.took_ms}"
    return response


# --- many articles --------------------------------------------------------------------------------------------------


def _articles(topic: Topic | None) -> tuple[Found, Sequence[StoredArticle]]:
    """The next articles that the request asks for, by id, with how many there are from there on."""
    asked, hidden = parameters.read(request.args, parameters.EXPORT), the_hidden()
    found = the_library().search.matches(
        asked["q"],
        filters=read_filters(request.args),
        scope=asked["scope"],
        exact=bool(asked["exact"]),
        topic=topic,
        hidden=hidden,
        sort="added",
        after=asked["after"],
        limit=asked["limit"],
    )
    with reading(the_library().database) as connection:
        stored = articles.many(connection, found.ids, hidden=hidden)
    # What was withdrawn since the index was made is no longer given.
    return found, [stored[one] for one in found.ids if one in stored and _is_shown(stored[one])]


def _onward(found: Found) -> dict[str, Any]:
    left = found.total - len(found.ids)
    last = found.ids[-1] if found.ids else None
    return {"last": last, "left": left, "next": _next(after=last) if left and last else None}


def _linked(response: Response, found: Found) -> Response:
    """With the address of what comes next in a header too (RFC 8288): lines of JSON have no other place for it."""
    onward = _onward(found)["next"]
    if onward:
        response.headers["Link"] = f'<{onward}>; rel="next"'
    return response


def _next(**changes: Any) -> str:
    """The address of the present request with something changed."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    query = urlencode([*kept, *changes.items()])
    # Not the host that the request names: a script sends its token where this leads.
    return f"{request.path}?{query}"


def _is_shown(stored: StoredArticle) -> bool:
    return stored.status in SHOWN_STATUSES


def _record(stored: StoredArticle) -> dict[str, Any]:
    return article_record(stored) | {"stored_at": stored.stored_at, "page": _page(stored.id)}


def _brief(stored: StoredArticle) -> dict[str, Any]:
    """An article without its text."""
    record = _record(stored)
    del record["blocks"], record["quotations"]
    return record


def _page(article_id: int) -> str:
    """Where people read it."""
    return absolute(url_for("article.show", article_id=article_id))
