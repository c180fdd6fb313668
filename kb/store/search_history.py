"""Search history: what people searched for, each for himself or herself alone. Every query stands once, with its last time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from kb.store import moments
from kb.store.tables import search_history, users


@dataclass(frozen=True, slots=True)
class Line:
    """One query of a person."""

    id: int
    query: str  # 党建 业务 融合
    total: int  # articles found the last time
    asked_at: str  # 2026-11-22T06:10:00Z


@dataclass(frozen=True, slots=True)
class Searching:
    """One search of a person, to be kept."""

    user_id: int
    query: str
    total: int
    asked_at: str


def record(connection: Connection, items: Iterable[Searching]) -> None:
    """Keep searches, as far as their people still have an account and want it.

    What waited while a person switched the history off, or cleared it, is not written.
    """
    wanted: dict[int, str | None] = {}  # person -> what is older than this is not; None: nothing is
    for item in items:
        if item.user_id not in wanted:
            wanted[item.user_id] = _since(connection, item.user_id)
        since = wanted[item.user_id]
        if since is None or item.asked_at < since:
            continue
        mine = search_history.c.user_id == item.user_id
        connection.execute(delete(search_history).where(mine, search_history.c.query == item.query))
        values = {"user_id": item.user_id, "asked_at": item.asked_at}
        connection.execute(insert(search_history).values(**values, query=item.query, total=item.total))


def of_user(connection: Connection, user_id: int, limit: int | None = None) -> list[Line]:
    """What a person searched for, the last first."""
    columns = (search_history.c[name] for name in ("id", "query", "total", "asked_at"))
    mine = select(*columns).where(search_history.c.user_id == user_id)
    return [Line(*row) for row in connection.execute(mine.order_by(search_history.c.id.desc()).limit(limit))]


def count(connection: Connection, user_id: int) -> int:
    """How many queries of a person are kept."""
    mine = select(func.count()).where(search_history.c.user_id == user_id)
    return connection.scalar(mine) or 0


def remove(connection: Connection, user_id: int, line_id: int) -> bool:
    """Forget one query of a person; False when the person has no such line."""
    line = (search_history.c.user_id == user_id) & (search_history.c.id == line_id)
    return bool(connection.execute(delete(search_history).where(line)).rowcount)


def clear(connection: Connection, user_id: int) -> int:
    """Forget everything that a person searched for; returns how many queries."""
    return connection.execute(delete(search_history).where(search_history.c.user_id == user_id)).rowcount


def forget(connection: Connection, days: int) -> int:
    """Delete what is older than `days`; returns how many."""
    return connection.execute(
        delete(search_history).where(search_history.c.asked_at < moments.now(days))
    ).rowcount


def _since(connection: Connection, user_id: int) -> str | None:
    """From when on a person's searches are kept; None when they are not."""
    preferences = connection.scalar(select(users.c.preferences).where(users.c.id == user_id))
    if preferences is None or preferences.get("history") == "off":
        return None
    return str(preferences.get("history_since", ""))
