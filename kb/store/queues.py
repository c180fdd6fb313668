"""What waits to be done, for monitoring: articles to be indexed, pages to be fetched, readings to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from kb.model import NOTHING_HIDDEN, SHOWN_STATUSES, Hidden
from kb.store import reviews
from kb.store.tables import articles, frontier

UNFETCHED = ("queued", "leased")  # states of the frontier


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many wait."""

    unindexed: int  # articles
    unfetched: int  # pages
    unreviewed: int  # readings


def lengths(connection: Connection, indexed_seq: int, *, hidden: Hidden = NOTHING_HIDDEN) -> Lengths:
    """How much waits when the index has got to a sequence number; of readings, those that are not hidden."""
    unindexed = select(func.count()).where(articles.c.seq > indexed_seq)
    unfetched = select(func.count()).where(frontier.c.state.in_(UNFETCHED))
    return Lengths(
        unindexed=connection.execute(unindexed).scalar_one(),
        unfetched=connection.execute(unfetched).scalar_one(),
        unreviewed=reviews.count(connection, hidden=hidden),
    )


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
