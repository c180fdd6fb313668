"""The search log: what was searched for, how much was found, how long it took. Nothing about who searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Connection, case, delete, func, insert, select

from kb.errors import QueryError
from kb.model import Word
from kb.query import parse
from kb.store import moments
from kb.store.tables import searches

LINES = 20  # of each list of a report
SLOW_MS = 1000
TEXT_CHARS = 200  # of a query; the language has no longer ones
POPULAR_AMONG = 5000  # last searches that are looked at for what many look for
POPULAR_LEAST = 5  # times: what fewer searched for is nobody else's business
POPULAR_HOURS = 3  # different ones: one person at one go puts nothing before everybody
POPULAR_CHARS = 20  # of a query: words, not messages


@dataclass(frozen=True, slots=True)
class Searched:
    """One search."""

    asked_at: str  # 2026-11-22T06:10:00Z
    query: str  # 党建 业务 融合, white space made even
    total: int  # articles that have all that was asked for
    took_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One query with its searches."""

    query: str
    times: int
    total: int  # found the last time
    longest_ms: int
    last_asked_at: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the log says about the last days."""

    days: int
    searches: int
    without_result: int  # searches
    frequent: tuple[Asked, ...]  # most frequent first
    in_vain: tuple[Asked, ...]  # what found nothing the last time, most frequent first
    slow: tuple[Asked, ...]  # what took SLOW_MS and more, slowest first


def searched(text: str, total: int, took_ms: float) -> Searched:
    """A search that was just answered."""
    return Searched(moments.now(), " ".join(text.split())[:TEXT_CHARS], total, round(took_ms))


def record(connection: Connection, items: Sequence[Searched]) -> None:
    """Keep searches, in one statement."""
    if items:
        connection.execute(insert(searches), [asdict(item) for item in items])


def forget(connection: Connection, days: int) -> int:
    """Delete what is older than `days`; returns how many."""
    return connection.execute(delete(searches).where(searches.c.asked_at < moments.now(days))).rowcount


def report(connection: Connection, days: int, *, lines: int = LINES) -> Report:
    """The log of the last `days` days, `lines` of each list."""
    recent = searches.c.asked_at >= moments.now(days)
    last = (
        select(func.max(searches.c.id).label("id"), func.count().label("times"))
        .add_columns(func.max(searches.c.took_ms).label("longest_ms"))
        .where(recent)
        .group_by(searches.c.query)
        .subquery()
    )
    found = select(
        searches.c.query, last.c.times, searches.c.total, last.c.longest_ms, searches.c.asked_at
    ).join(last, last.c.id == searches.c.id)
    often = (last.c.times.desc(), searches.c.query)

    def some(which: object) -> tuple[Asked, ...]:
        return tuple(Asked(*row) for row in connection.execute(which.limit(lines)))  # type: ignore[attr-defined]

    none = func.coalesce(func.sum(case((searches.c.total == 0, 1), else_=0)), 0)
    count, in_vain = connection.execute(select(func.count(), none).where(recent)).one()
    return Report(
        days=days,
        searches=count,
        without_result=in_vain,
        frequent=some(found.order_by(*often)),
        in_vain=some(found.where(searches.c.total == 0).order_by(*often)),
        slow=some(found.where(last.c.longest_ms >= SLOW_MS).order_by(last.c.longest_ms.desc())),
    )


def popular(connection: Connection, limit: int) -> list[str]:
    """Plain words that several people lately found something with, most frequent first."""
    lately = (
        select(searches.c.query, searches.c.total, func.substr(searches.c.asked_at, 1, 13).label("hour"))
        .order_by(searches.c.id.desc())
        .limit(POPULAR_AMONG)
        .subquery()
    )
    rows = connection.execute(
        select(lately.c.query)
        .where(func.length(lately.c.query) <= POPULAR_CHARS)
        .group_by(lately.c.query)
        .having(
            func.count() >= POPULAR_LEAST,
            func.count(lately.c.hour.distinct()) >= POPULAR_HOURS,
            func.min(lately.c.total) > 0,
        )
        .order_by(func.count().desc(), lately.c.query)
    )
    return list(islice((row.query for row in rows if _is_plain(row.query)), limit))


def _is_plain(text: str) -> bool:
    """Whether a query is words alone: no operators, quotation marks or fields."""
    try:
        query = parse(text, datetime.now(UTC).date())
    except QueryError:
        return False
    return not query.is_strict and all(isinstance(one, Word) and one.field is None for one in query.clauses)
