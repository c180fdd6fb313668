"""Atom feeds: what was added to the library, to a source, to a topic, to what a search finds."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort, request, url_for

from kb.model import Filters
from kb.store import topics
from kb.store.db import reading
from kb.web import asked, atom
from kb.web.access import readers
from kb.web.library import the_library

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.atom")
@readers
def newest() -> Response:
    """What was added last, whatever it is."""
    ids = atom.newest()
    return atom.feed("feed/newest", "最新入库", url_for("home.page"), url_for("feeds.newest"), ids)


@blueprint.get("/feed/source/<slug>.atom")
@readers
def source(slug: str) -> Response:
    """What was added last of one source; one that the asker may see nothing of is not there."""
    ids = atom.newest(filters=Filters({"source": (slug,)}))
    if not ids:
        abort(404)
    page = url_for("search.page", q=f"来源:{slug}", sort="newest")
    return atom.feed(f"feed/source/{slug}", f"来源 {slug}", page, url_for("feeds.source", slug=slug), ids)


@blueprint.get("/t/<topic_slug>.atom")
@readers
def topic(topic_slug: str) -> Response:
    """What was added last of what a topic has. Drafts and removed topics have no feed."""
    with reading(the_library().database) as connection:
        found = topics.one(connection, topic_slug)
    if found is None or found.content.state != "shown":
        abort(404)
    path = url_for("feeds.topic", topic_slug=topic_slug)
    page = path.removesuffix(".atom")
    return atom.feed(
        f"feed/topic/{found.id}", f"专题：{found.content.name}", page, path, atom.newest(topic=found)
    )


@blueprint.get("/search.atom")
@readers
def search() -> Response:
    """What was added last of what a search finds: its parameters, of which order and page mean nothing here.

    Every copy is an entry, unless copies=0 asks for one of each text.
    """
    return of_search(asked.read(request.args, copies=True))


def of_search(wanted: asked.Asked, name: str = "", title: str = "", path: str = "") -> Response:
    """The feed of a search, known by what it asks for where it is given no name. Raises QueryError."""
    ids = atom.newest(
        text=wanted.text,
        filters=wanted.filters,
        scope=wanted.scope,
        exact=wanted.exact,
        collapse=not wanted.copies,
    )
    own = wanted.feed_url() + ("" if wanted.copies else "&copies=0")
    return atom.feed(
        name or f"feed{own}",
        title or f"检索：{wanted.text}",
        replace(wanted, sort="newest").url(page=1),
        path or own,
        ids,
    )
