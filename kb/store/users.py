"""Accounts and the units (单位) that people belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kb.model import Role
from kb.store import moments
from kb.store.tables import user_units, users

SALT_AND_HASH = 67  # characters at the end of an encoded hash; before them stands what it costs


@dataclass(frozen=True, slots=True)
class User:
    """One account."""

    id: int
    name: str  # zhangsan, typed at sign-in
    full_name: str  # 张三
    role: Role
    units: frozenset[int]
    must_change: bool  # the password, before anything else
    locked_at: str | None  # 2026-11-22T06:10:00Z; None: may sign in
    created_at: str
    password_set_at: str
    preferences: Mapping[str, Any]  # what /me keeps


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of somebody's passwords."""

    present: str  # Argon2id, encoded
    earlier: tuple[str, ...]  # the last first


def add(
    connection: Connection,
    name: str,
    full_name: str,
    role: Role,
    password_hash: str,
    *,
    units: Collection[int] = (),
    must_change: bool = False,
) -> int:
    """Store an account; returns its id."""
    now = moments.now()
    values = {
        "name": name,
        "full_name": full_name,
        "role": role,
        "password_hash": password_hash,
        "old_hashes": [],
        "password_set_at": now,
        "must_change": must_change,
        "created_at": now,
        "preferences": {},
    }
    user_id: int = connection.execute(insert(users).values(values)).inserted_primary_key[0]  # type: ignore[index]  # one row
    _join(connection, user_id, units)
    return user_id


def one(connection: Connection, user_id: int) -> User | None:
    """The account with an id."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else _user(row, _units(connection, row.id))


def by_name(connection: Connection, name: str) -> User | None:
    """The account with a name."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _user(row, _units(connection, row.id))


def every(connection: Connection) -> list[User]:
    """All accounts, by name."""
    belongs: dict[int, set[int]] = {}
    for user_id, unit_id in connection.execute(select(user_units.c.user_id, user_units.c.unit_id)):
        belongs.setdefault(user_id, set()).add(unit_id)
    rows = connection.execute(select(users).order_by(users.c.name))
    return [_user(row, belongs.get(row.id, ())) for row in rows]


def change(
    connection: Connection, user_id: int, *, full_name: str, role: Role, units: Collection[int]
) -> None:
    """Store what may change of an account beside its password."""
    _set(connection, user_id, full_name=full_name, role=role)
    connection.execute(delete(user_units).where(user_units.c.user_id == user_id))
    _join(connection, user_id, units)


def kept(connection: Connection, user_id: int) -> Kept | None:
    """What is kept of the passwords of an account."""
    wanted = select(users.c.password_hash, users.c.old_hashes).where(users.c.id == user_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else Kept(row.password_hash, tuple(row.old_hashes))


def usual_hash(connection: Connection) -> str | None:
    """One of the stored hashes that cost as most of them do; None while there is none."""
    costs = func.substr(users.c.password_hash, 1, func.length(users.c.password_hash) - SALT_AND_HASH)
    wanted = select(func.min(users.c.password_hash)).group_by(costs).order_by(func.count().desc(), costs)
    found: str | None = connection.scalar(wanted.limit(1))
    return found


def set_password(connection: Connection, user_id: int, kept: Kept, *, must_change: bool) -> None:
    """Store a new password, and what is kept of earlier ones."""
    values = {
        "password_hash": kept.present,
        "old_hashes": list(kept.earlier),
        "password_set_at": moments.now(),
    }
    _set(connection, user_id, must_change=must_change, **values)


def rehash(connection: Connection, user_id: int, old: str, new: str) -> None:
    """Store the same password under another hash, unless it was changed meanwhile."""
    same = (users.c.id == user_id) & (users.c.password_hash == old)
    connection.execute(update(users).where(same).values(password_hash=new))


def set_locked(connection: Connection, user_id: int, *, locked: bool) -> None:
    """Lock an account, or let its person in again."""
    _set(connection, user_id, locked_at=moments.now() if locked else None)


def set_preferences(connection: Connection, user_id: int, values: Mapping[str, Any]) -> None:
    """Store what /me keeps."""
    _set(connection, user_id, preferences=dict(values))


def remove(connection: Connection, user_id: int) -> None:
    """Delete an account with all that hangs on it: sign-ins, devices, units, search history."""
    connection.execute(delete(users).where(users.c.id == user_id))


def count(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.scalar(select(func.count()).select_from(users)) or 0


def administrators(connection: Connection) -> list[User]:
    """The administrators who can sign in, by name."""
    wanted = select(users).where(users.c.role == "admin", users.c.locked_at.is_(None)).order_by(users.c.name)
    return [_user(row, _units(connection, row.id)) for row in connection.execute(wanted)]


def folded(name: str) -> str:
    """A name as it is stored and looked for: ＺｈａｎｇSan and zhangsan are one."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _set(connection: Connection, user_id: int, **values: Any) -> None:
    connection.execute(update(users).where(users.c.id == user_id).values(values))


def _join(connection: Connection, user_id: int, units: Collection[int]) -> None:
    if units:
        rows = [{"user_id": user_id, "unit_id": unit} for unit in sorted(set(units))]
        connection.execute(insert(user_units), rows)


def _units(connection: Connection, user_id: int) -> list[int]:
    return list(connection.scalars(select(user_units.c.unit_id).where(user_units.c.user_id == user_id)))


def _user(row: Row[Any], units: Collection[int]) -> User:
    return User(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=row.role,
        units=frozenset(units),
        must_change=row.must_change,
        locked_at=row.locked_at,
        created_at=row.created_at,
        password_set_at=row.password_set_at,
        preferences=row.preferences,
    )
