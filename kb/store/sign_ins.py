"""Sign-ins (会话): kept on the server, so that any of them can be ended at once. A token is stored as its hash alone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from kb.store import users
from kb.store.tables import sign_ins
from kb.store.users import User


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that holds now."""

    id: int
    user: User


def begin(connection: Connection, user_id: int, *, address: str = "", device: str = "") -> str:
    """Sign a person in; returns the token for the browser's cookie."""
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    values = {"user_id": user_id, "token_hash": hashed(token), "created_at": now, "seen_at": now}
    connection.execute(insert(sign_ins).values(values | {"address": address, "device": device}))
    return token


def present(connection: Connection, token: str) -> SignIn | None:
    """The sign-in that a token stands for, if it still holds and its account is not locked."""
    row = connection.execute(
        select(sign_ins.c.id, sign_ins.c.user_id).where(
            sign_ins.c.token_hash == hashed(token), sign_ins.c.ended_at.is_(None)
        )
    ).one_or_none()
    user = users.one(connection, row.user_id) if row is not None else None
    return None if row is None or user is None or user.locked_at else SignIn(row.id, user)


def hashed(token: str) -> str:
    """As tokens are stored."""
    return hashlib.sha256(token.encode()).hexdigest()
