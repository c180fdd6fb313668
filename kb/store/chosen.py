"""Articles that people chose by hand, as lists of them tell: leanly, whatever became of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kb.model import SHOWN_STATUSES, Hidden
from kb.store.limits import visible
from kb.store.tables import articles


@dataclass(frozen=True, slots=True)
class Chosen:
    """One article."""

    id: int
    title: str
    newspaper: str | None
    source: str
    published: str | None
    is_shown: bool  # False: it was withdrawn, or is gone at its source


def of(connection: Connection, ids: Collection[int], *, hidden: Hidden) -> dict[int, Chosen]:
    """Those of these articles that are not hidden from who asks."""
    asked = select(
        articles.c.id,
        articles.c.content["title"].as_string().label("title"),
        articles.c.newspaper,
        articles.c.source,
        articles.c.published,
        articles.c.status,
    ).where(articles.c.id.in_(ids), *visible(hidden))
    return {
        row.id: Chosen(*row[:5], is_shown=row.status in SHOWN_STATUSES) for row in connection.execute(asked)
    }
