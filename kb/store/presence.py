"""Which articles are there to be seen, by id, without their texts: for lists of all of them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from kb.model import HIDDEN_STATUSES, NOTHING_HIDDEN, Hidden
from kb.store.limits import visible
from kb.store.tables import articles


def last_shown(connection: Connection, *, hidden: Hidden = NOTHING_HIDDEN) -> int:
    """The id of the article added last among those that people may see; 0 where there is none."""
    asked = select(articles.c.id).where(articles.c.status.not_in(HIDDEN_STATUSES), *visible(hidden))
    return connection.scalar(asked.order_by(articles.c.id.desc()).limit(1)) or 0


def changes(
    connection: Connection, after: int, until: int, *, hidden: Hidden = NOTHING_HIDDEN
) -> list[tuple[int, str]]:
    """Ids later than `after` and no later than `until` that people may see, each with when its present version was stored."""
    between = (articles.c.id > after, articles.c.id <= until, articles.c.status.not_in(HIDDEN_STATUSES))
    asked = select(articles.c.id, articles.c.stored_at).where(*between, *visible(hidden))
    return [(row.id, row.stored_at) for row in connection.execute(asked.order_by(articles.c.id))]
