"""The records of the audit log as they are looked at: filtered, newest first on a page, oldest first in an export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select
from sqlalchemy import Engine as Database

from kb.model import Actor
from kb.store import audit as audit_log
from kb.store.db import reading
from kb.store.tables import audit

ROWS = 1000  # read at a time
LOOKED_BACK = 5000  # records among which an earlier reading is looked for
READING_HOLDS = timedelta(hours=1)
EARLIEST, LATEST = (
    date(1970, 1, 2),
    date(9999, 1, 1),
)  # days that every clock can tell; others are taken as these


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; empty: everything. Days are those of the server's own clock, both included."""

    actor: str = ""  # zhangsan
    action: str = ""  # user.locked, or user. for all that begin so
    target: str = ""  # part of it: zhangsan
    outcome: str = ""  # ok, refused, failed
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found = []
        if self.actor:
            found.append(audit.c.actor == self.actor)
        if self.action:
            found.append(
                audit.c.action.startswith(self.action, autoescape=True)
                if self.action.endswith(".")
                else audit.c.action == self.action
            )
        if self.target:
            found.append(audit.c.object.contains(self.target, autoescape=True))
        if self.outcome:
            found.append(audit.c.outcome == self.outcome)
        if self.since:
            found.append(audit.c.at >= _begin(min(self.since, LATEST)))
        if self.until:
            found.append(audit.c.at < _begin(min(self.until, LATEST) + timedelta(days=1)))
        return found

    def named(self) -> dict[str, str]:
        """What is asked for, without what is not: as a record says it."""
        pairs = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: str(value) for name, value in pairs if value}


def page(connection: Connection, asked: Asked, *, before: int | None, limit: int) -> list[Row[Any]]:
    """The newest records with a number under `before`."""
    wanted = select(audit).where(*asked.conditions()).order_by(audit.c.seq.desc()).limit(limit)
    return list(connection.execute(wanted if before is None else wanted.where(audit.c.seq < before)))


def every(database: Database, asked: Asked, *, until: int | None = None) -> Iterator[dict[str, Any]]:
    """All records, the oldest first, up to the number `until`. Between pages no transaction is held: readers may be slow."""
    after: int | None = None
    wanted = select(audit).where(*asked.conditions()).order_by(audit.c.seq).limit(ROWS)
    if until is not None:
        wanted = wanted.where(audit.c.seq <= until)
    while True:
        with reading(database) as connection:
            rows = connection.execute(wanted if after is None else wanted.where(audit.c.seq > after)).all()
        for row in rows:
            yield row._asdict()
        if len(rows) < ROWS:
            return
        after = rows[-1].seq


def has_read(connection: Connection, actor: Actor) -> bool:
    """Whether it is on record that this person read the log within the hour, in the same sign-in."""
    latest = connection.scalar(select(func.max(audit.c.seq))) or 0
    lately = audit_log.moment(datetime.now(UTC) - READING_HOLDS)
    same = audit.c.sign_in == actor.sign_in if actor.sign_in is not None else audit.c.sign_in.is_(None)
    found = select(audit.c.seq).where(
        audit.c.seq > latest - LOOKED_BACK,
        audit.c.action == "audit.read",
        audit.c.actor == actor.name,
        audit.c.at > lately,
        same,
    )
    return connection.execute(found.limit(1)).one_or_none() is not None


def head(connection: Connection) -> tuple[int, str] | None:
    """Number and seal of the last record, to be kept elsewhere."""
    row = connection.execute(
        select(audit.c.seq, audit.c.seal).order_by(audit.c.seq.desc()).limit(1)
    ).one_or_none()
    return None if row is None else (row.seq, row.seal)


def _begin(day: date) -> str:
    """Midnight of a day on the server's clock, as records tell time."""
    return audit_log.moment(datetime.combine(max(EARLIEST, day), time()).astimezone())
