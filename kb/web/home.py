"""The home page: the search box, topics, what the library holds, the newest pieces."""

from __future__ import annotations

from flask import Blueprint, render_template

from kb.errors import EngineDownError, TooSlowError
from kb.model import Hidden, Topic
from kb.store import articles, runs, topics
from kb.store.db import reading
from kb.web.access import readers
from kb.web.library import the_library
from kb.web.visitor import the_hidden

NEWEST = 12
CARDS = 12  # topics

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@readers
def page() -> str:
    hidden, library = the_hidden(), the_library()
    with reading(library.database) as connection:
        summary = articles.summary(connection, hidden=hidden)
        newest = articles.newest(connection, NEWEST, hidden=hidden)
        crawled = runs.last_ended(connection, hidden=hidden)
        known = topics.every(connection)
        popular = library.log.popular(connection)
    shown = library.popular.shown(popular, library.search, hidden)
    return render_template(
        "home.html",
        summary=summary,
        crawled=crawled,
        topics=_cards(known, hidden),
        newest=newest,
        popular=shown,
    )


def _cards(known: list[Topic], hidden: Hidden) -> list[tuple[Topic, int | None]]:
    """The first topics of the upper level with their articles; None while the index cannot count them."""
    tops = [topic for topic in known if topic.content.state == "shown" and topic.content.parent is None]
    if not tops:
        return []
    try:
        counts = the_library().search.counts(hidden=hidden)
    except (EngineDownError, TooSlowError):
        return [(topic, None) for topic in tops[:CARDS]]
    return [(topic, counts.get(topic.content.name, 0)) for topic in tops[:CARDS]]
