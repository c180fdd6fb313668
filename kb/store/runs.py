"""What every crawl did: a line for each source of each run, begun before its first page and kept up while it goes on.

A line that was never ended is of a run that is still going on, or of one that was killed or interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from kb.model import NOTHING_HIDDEN, Hidden
from kb.store import moments
from kb.store.tables import runs

Outcome = Literal["running", "interrupted", "stopped", "failures", "done"]
OUTCOMES: tuple[Outcome, ...] = ("running", "interrupted", "stopped", "failures", "done")
COUNTS = ("fetched", "new", "changed", "unchanged", "failed", "skipped", "blocked", "left")
# What an article may lack, as `lacking` of a run counts it; "title" and "body" are of pages that gave none for want of it.
FIELDS = ("title", "body", "date", "author", "unit", "edition_page")


@dataclass(frozen=True, slots=True)
class Run:
    """One run over one source. Times are UTC."""

    id: int
    source: str  # cctv-xwlb
    started_at: str  # 2026-11-22T06:10:00Z
    ended_at: str | None
    fetched: int  # pages that were answered, list pages included
    new: int  # articles
    changed: int
    unchanged: int
    failed: int  # pages
    skipped: int
    blocked: int
    left: int  # pages that wait for the next run
    stopped: str | None  # key of the error that stopped it: fetch.robots_unreachable
    detail: str | None  # its words in Chinese
    pid: int
    lacking: Mapping[
        str, int
    ]  # {"read": 41, "date": 3}: article pages that were read, and how many lacked what

    def outcome(self, holder: int | None) -> Outcome:
        """How it ended, or that it goes on: then its process is the `holder` of the writer's lock."""
        if self.ended_at is None:
            return "running" if holder is not None and self.pid == holder else "interrupted"
        if self.stopped:
            return "stopped"
        return "failures" if self.failed else "done"


def begin(connection: Connection, source: str) -> int:
    """The line of a run that begins now, by this process; returns its id."""
    none = dict.fromkeys(COUNTS, 0)
    values = {"source": source, "started_at": moments.now(), "pid": os.getpid(), "lacking": {}}
    added = connection.execute(insert(runs).values(**none, **values)).inserted_primary_key
    return int(added[0])  # type: ignore[index]  # SQLite gives it


def note(connection: Connection, run_id: int, counts: Mapping[str, int], lacking: Mapping[str, int]) -> None:
    """How far the run is."""
    connection.execute(
        update(runs).where(runs.c.id == run_id).values(**_counts(counts), lacking=dict(lacking))
    )


def end(
    connection: Connection,
    run_id: int,
    counts: Mapping[str, int],
    lacking: Mapping[str, int],
    *,
    stopped: tuple[str, str] | None = None,
) -> None:
    """The run is over; `stopped`: key and words of the error that ended it before its work did."""
    key, words = stopped or (None, None)
    values = {"ended_at": moments.now(), "stopped": key, "detail": words, "lacking": dict(lacking)}
    connection.execute(update(runs).where(runs.c.id == run_id).values(**_counts(counts), **values))


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in COUNTS if name in counts}


def one(connection: Connection, run_id: int) -> Run | None:
    """A run by its number."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def some(
    connection: Connection,
    *,
    source: str | None = None,
    outcome: Outcome | None = None,
    holder: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Run], int]:
    """Runs, the newest first, of one source or with one outcome where asked for; and how many there are."""
    wanted = []
    if source is not None:
        wanted.append(runs.c.source == source)
    if outcome is not None:
        wanted.append(_is(outcome, holder))
    count = connection.scalar(select(func.count()).select_from(runs).where(*wanted)) or 0
    asked = select(runs).where(*wanted).order_by(runs.c.id.desc()).limit(limit).offset(offset)
    return [_run(row) for row in connection.execute(asked)], count


def _is(outcome: Outcome, holder: int | None) -> ColumnElement[bool]:
    """`Run.outcome` in SQL."""
    is_open = runs.c.ended_at.is_(None)
    ended = runs.c.ended_at.is_not(None)
    conditions: dict[Outcome, ColumnElement[bool]] = {
        "running": and_(is_open, runs.c.pid == (-1 if holder is None else holder)),
        "interrupted": and_(is_open, runs.c.pid != (-1 if holder is None else holder)),
        "stopped": and_(ended, runs.c.stopped.is_not(None)),
        "failures": and_(ended, runs.c.stopped.is_(None), runs.c.failed > 0),
        "done": and_(ended, runs.c.stopped.is_(None), runs.c.failed == 0),
    }
    return conditions[outcome]


def last(connection: Connection) -> dict[str, Run]:
    """The newest run of every source that was ever crawled with a line."""
    newest = select(func.max(runs.c.id)).group_by(runs.c.source)
    return {row.source: _run(row) for row in connection.execute(select(runs).where(runs.c.id.in_(newest)))}


def last_ended(connection: Connection, *, hidden: Hidden = NOTHING_HIDDEN) -> str | None:
    """When the last run ended that read a source which may be seen; None where none did."""
    shown = runs.c.source.not_in(hidden.sources)
    ended: str | None = connection.scalar(select(func.max(runs.c.ended_at)).where(shown))
    return ended


def telling(connection: Connection, source: str, limit: int) -> list[Run]:
    """The newest runs of a source that read anything, the newest first."""
    read = runs.c.new + runs.c.changed + runs.c.unchanged + runs.c.failed + runs.c.skipped
    asked = select(runs).where(runs.c.source == source, read > 0)
    ordered = asked.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    return [_run(row) for row in connection.execute(ordered)]


def news(connection: Connection, *, since: str) -> dict[str, list[str]]:
    """The days on which a run brought something new, by source, the first first."""
    day = func.substr(runs.c.started_at, 1, 10).label("day")
    asked = select(runs.c.source, day).where(runs.c.started_at >= since, runs.c.new > 0).distinct()
    found: dict[str, list[str]] = {}
    for row in connection.execute(asked.order_by(runs.c.source, day)):
        found.setdefault(row.source, []).append(row.day)
    return found


def sources(connection: Connection) -> list[str]:
    """Slugs of the sources that have runs, by name."""
    return list(connection.scalars(select(runs.c.source).distinct().order_by(runs.c.source)))


def counts_of(report: Any) -> dict[str, int]:
    """The counts of a kb.crawl.shapes.CrawlReport or of a Run."""
    return {name: getattr(report, name) for name in COUNTS}


_NAMES = tuple(one.name for one in fields(Run))


def _run(row: Row[Any]) -> Run:
    return Run(**{name: row._mapping[name] for name in _NAMES})
