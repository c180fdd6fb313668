"""Accounts and the units (单位) that people belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from kb.model import Role
from kb.store.tables import user_units, users


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
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
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
    if units:
        connection.execute(insert(user_units), [{"user_id": user_id, "unit_id": one} for one in units])
    return user_id


def one(connection: Connection, user_id: int) -> User | None:
    """The account with an id."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else _user(connection, row)


def by_name(connection: Connection, name: str) -> User | None:
    """The account with a name."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _user(connection, row)


def _user(connection: Connection, row: Row[Any]) -> User:
    belongs = select(user_units.c.unit_id).where(user_units.c.user_id == row.id)
    return User(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=row.role,
        units=frozenset(connection.scalars(belongs)),
        must_change=row.must_change,
        locked_at=row.locked_at,
        created_at=row.created_at,
        password_set_at=row.password_set_at,
        preferences=row.preferences,
    )
