"""USE CASE  How this installation is: what hinders it from answering, how much there is and how much waits."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.engine import generations
from kb.errors import EngineDownError, TooSlowError
from kb.model import NOTHING_HIDDEN, Hidden
from kb.search import Search
from kb.store import articles, queues
from kb.store.db import reading

# reliability.md §7.7
LEAST_FREE_SHARE = 0.10
LEAST_FREE_BYTES = 2**30
MOST_WAL_BYTES = 64 * 2**20
MOST_LAG_SECONDS = 60.0
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before it was never set
AHEAD_SECONDS = 300.0  # that what is stored may be ahead of the clock: another machine stored it

_WORDS = re.compile("[\u4e00-\u9fff]{2,8}")


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is."""

    indexed: int  # articles that can be found; 0 where the index cannot answer
    waiting: queues.Lengths
    generation: int  # of the index; 0: none
    generation_seconds: float  # since it was published
    free_bytes: int  # of the disk with the data
    wal_bytes: int


def figures(
    settings: Settings, database: Database, search: Search, *, hidden: Hidden = NOTHING_HIDDEN
) -> Figures:
    """What monitoring draws; readings that are `hidden` from who looks at it do not count."""
    indexed = seq = 0
    with suppress(EngineDownError):
        indexed, seq = search.engine.count(), search.engine.indexed_seq()
    with reading(database) as connection:
        waiting = queues.lengths(connection, seq, hidden=hidden)
    return Figures(
        indexed=indexed,
        waiting=waiting,
        generation=_generation(settings.index),
        generation_seconds=_published_seconds(settings.index),
        free_bytes=shutil.disk_usage(settings.data).free,
        wal_bytes=_wal_bytes(settings),
    )


def hindrances(settings: Settings, database: Database, search: Search) -> list[str]:
    """Why this installation should not be asked now: keys like "index.behind", none when all is well.

    Raises what the store raises when it cannot be read.
    """
    with reading(database) as connection:
        return [
            *_of_index(connection, settings, search),
            *_of_disk(settings),
            *_of_clock(connection),
        ]


def _of_index(connection: Connection, settings: Settings, search: Search) -> Iterator[str]:
    articles.latest_seq(connection)
    try:
        seq = search.engine.indexed_seq()
        if not _finds(connection, search, seq):
            yield "index.wrong"
    except (EngineDownError, TooSlowError):
        yield "index.unavailable"
        return
    oldest = queues.oldest_unindexed(connection, seq)
    # While new generations are published it is being worked at, however much was added at once.
    if oldest and min(_age(oldest), _published_seconds(settings.index)) > MOST_LAG_SECONDS:
        yield "index.behind"


def _finds(connection: Connection, search: Search, seq: int) -> bool:
    """Whether a search finds what is known to be there: the article indexed last, by words of its title."""
    known = queues.last_indexed(connection, seq)
    stored = articles.one(connection, known) if known is not None else None
    words = _WORDS.search(stored.article.title) if stored else None
    return words is None or search.count(f"标题:“{words[0]}”") > 0


def _of_disk(settings: Settings) -> Iterator[str]:
    disk = shutil.disk_usage(settings.data)
    if disk.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total):
        yield "disk.full"
    if _wal_bytes(settings) >= MOST_WAL_BYTES:
        yield "wal.large"


def _of_clock(connection: Connection) -> Iterator[str]:
    stored = queues.last_stored(connection)
    if datetime.now(UTC) < EARLIEST or (stored and _age(stored) < -AHEAD_SECONDS):
        yield "clock.wrong"


def _age(moment: str) -> float:
    """Seconds since 2023-08-02T09:30:00Z."""
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


def _wal_bytes(settings: Settings) -> int:
    return _size(settings.database.with_name(f"{settings.database.name}-wal"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _generation(index: Path) -> int:
    """gen-0007 -> 7"""
    try:
        folder = generations.current(index)
    except EngineDownError:
        return 0
    return int(folder.name.partition("-")[2]) if folder else 0


def _published_seconds(index: Path) -> float:
    try:
        return max(0.0, time.time() - (index / generations.CURRENT).stat().st_mtime)
    except FileNotFoundError:
        return 0.0
