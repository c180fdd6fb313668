"""Units (单位): groups of people that a source or an article can be limited to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kb.errors import AccountError
from kb.store.tables import article_limits, source_limits, units, user_units

NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, and what hangs on it."""

    id: int
    name: str  # 青溪县人民检察院
    people: int  # that belong to it
    sources: int  # that are limited to it
    articles: int

    @property
    def is_used(self) -> bool:
        """Whether something is limited to it, so that it cannot be deleted."""
        return bool(self.sources or self.articles)


def every(connection: Connection) -> list[Unit]:
    """All units by name."""
    rows = connection.execute(_counted().order_by(units.c.name))
    return [Unit(*row) for row in rows]


def one(connection: Connection, unit_id: int) -> Unit | None:
    """The unit with an id."""
    row = connection.execute(_counted().where(units.c.id == unit_id)).one_or_none()
    return None if row is None else Unit(*row)


def add(connection: Connection, name: str) -> int:
    """Store a unit; returns its id. Raises AccountError("account.unit_name"), AccountError("account.unit_taken")."""
    values = {"name": _checked(name)}
    try:
        unit_id: int = connection.execute(insert(units).values(values)).inserted_primary_key[0]  # type: ignore[index]  # one row
    except IntegrityError as error:
        raise AccountError("account.unit_taken", name=values["name"]) from error
    return unit_id


def rename(connection: Connection, unit_id: int, name: str) -> None:
    """Give a unit another name. Raises what `add` raises."""
    name = _checked(name)
    try:
        connection.execute(update(units).where(units.c.id == unit_id).values(name=name))
    except IntegrityError as error:
        raise AccountError("account.unit_taken", name=name) from error


def remove(connection: Connection, unit_id: int) -> None:
    """Forget a unit; its people stay. Raises AccountError("account.unit_used") while something is limited to it."""
    found = one(connection, unit_id)
    if found is not None and found.is_used:
        raise AccountError(
            "account.unit_used", name=found.name, sources=found.sources, articles=found.articles
        )
    connection.execute(delete(units).where(units.c.id == unit_id))


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
        raise AccountError("account.unit_name", limit=NAME_CHARS)
    return name


def _counted() -> Select[Any]:
    return select(
        units.c.id, units.c.name, *(_count(table) for table in (user_units, source_limits, article_limits))
    )


def _count(table: Table) -> ScalarSelect[int]:
    return select(func.count()).where(table.c.unit_id == units.c.id).scalar_subquery()
