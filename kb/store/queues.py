"""What waits to be done, for monitoring: articles to be indexed, pages to be fetched, readings to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from kb.model import SHOWN_STATUSES
from kb.store.tables import articles, frontier, reviews

UNFETCHED = ("queued", "leased")  # states of the frontier


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many wait."""

    unindexed: int  # articles
    unfetched: int  # pages
    unreviewed: int  # readings


def lengths(connection: Connection, indexed_seq: int) -> Lengths:
    """How much waits when the index has got to a sequence number."""
    asked = (
        select(func.count()).where(articles.c.seq > indexed_seq),
        select(func.count()).where(frontier.c.state.in_(UNFETCHED)),
        select(func.count()).where(reviews.c.state == "waiting"),
    )
    return Lengths(*(connection.execute(one).scalar_one() for one in asked))


def oldest_unindexed(connection: Connection, indexed_seq: int) -> str | None:
    """When the article was stored that has waited longest to be indexed; None when none waits."""
    oldest: str | None = connection.execute(
        select(func.min(articles.c.stored_at)).where(articles.c.seq > indexed_seq)
    ).scalar_one()
    return oldest


def last_stored(connection: Connection) -> str | None:
    """When the article that changed last was stored; None when there is none."""
    stored: str | None = connection.execute(
        select(articles.c.stored_at).order_by(articles.c.seq.desc()).limit(1)
    ).scalar()
    return stored


def last_indexed(connection: Connection, indexed_seq: int) -> int | None:
    """The shown article that changed last of those that are in the index; None when there is none."""
    return connection.execute(
        select(articles.c.id)
        .where(articles.c.seq <= indexed_seq, articles.c.status.in_(SHOWN_STATUSES))
        .order_by(articles.c.seq.desc())
        .limit(1)
    ).scalar()
