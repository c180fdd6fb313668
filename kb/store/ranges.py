"""The store cut into ranges of sequence numbers, each of which can be read in another process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from kb.model import StoredArticle
from kb.store.articles import changed_between
from kb.store.db import connect, reading
from kb.store.tables import articles


@dataclass(frozen=True, slots=True)
class Range:
    """Articles of any status, in order of change, read from the store whenever they are gone through."""

    path: Path  # of the database
    after: int
    until: int  # sequence numbers: the last change came later than `after`, and no later than this
    count: int  # of articles, when the range was made

    def __iter__(self) -> Iterator[StoredArticle]:
        database = connect(self.path)
        try:
            with reading(database) as connection:
                yield from changed_between(connection, self.after, self.until)
        finally:
            database.dispose()


def ranges(connection: Connection, path: Path, after: int, *, chars: int, count: int) -> list[Range]:
    """All articles changed later than `after`, some `chars` characters or `count` articles in each range."""
    rows = connection.execute(
        select(articles.c.seq, articles.c.body_chars).where(articles.c.seq > after).order_by(articles.c.seq)
    )
    found: list[Range] = []
    size = held = 0
    for seq, body_chars in rows:
        if not found or held == count or size + body_chars > chars:
            found.append(Range(path, found[-1].until if found else after, seq, 0))
            size = held = 0
        size, held = size + body_chars, held + 1
        found[-1] = Range(path, found[-1].after, seq, held)
    return found
