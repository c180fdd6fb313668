"""Titles of the articles that people may see, for suggestions."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from kb.model import NOTHING_HIDDEN, SHOWN_STATUSES, Hidden
from kb.store.limits import visible
from kb.store.tables import articles

ROWS = 1000  # read at a time


def by_length(
    connection: Connection, limit: int, *, hidden: Hidden = NOTHING_HIDDEN
) -> Iterator[tuple[int, str]]:
    """(article id, title) of the `limit` articles stored last: short titles first, of one length the newest first."""
    title = articles.c.content["title"].as_string().label("title")
    newest = (
        select(articles.c.id, title)
        .where(articles.c.status.in_(SHOWN_STATUSES), *visible(hidden))
        .order_by(articles.c.id.desc())
        .limit(limit)
        .subquery()
    )
    asked = select(newest).order_by(func.length(newest.c.title), newest.c.id.desc())
    rows = connection.execution_options(yield_per=ROWS).execute(asked)
    return ((row[0], row[1]) for row in rows)
