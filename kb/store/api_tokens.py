"""Tokens that scripts sign in with (令牌): each of one person, shown once, stored as its hash alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from kb.errors import AccountError
from kb.store import moments, users
from kb.store.sign_ins import hashed
from kb.store.tables import api_tokens as tokens
from kb.store.users import User

PREFIX = "kb_"  # by which people, and programs that look for leaked secrets, know one
MOST = 20  # of one person
NAME_CHARS = 80
DAY = len("2026-11-22")


@dataclass(frozen=True, slots=True)
class Holder:
    """A token that holds now, and whose it is."""

    id: int
    user: User
    is_due: bool  # it was not noted today that it is in use


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token as its person sees it."""

    id: int
    name: str  # 周报脚本
    created_at: str  # 2026-11-22T06:10:00Z
    expires_at: str | None  # None: until it is taken back
    seen_at: str | None  # last used, to the day; None: never

    @property
    def is_over(self) -> bool:
        return self.expires_at is not None and self.expires_at <= moments.now()


def make(connection: Connection, user_id: int, name: str, good_for: timedelta | None) -> tuple[int, str]:
    """A new token of a person: its id and itself, which is nowhere else. `good_for` None: until it is taken back.

    Raises AccountError: token.bad_name, token.too_many.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
        raise AccountError("token.bad_name", limit=NAME_CHARS)
    count = select(func.count()).select_from(tokens).where(tokens.c.user_id == user_id)
    if connection.execute(count).scalar_one() >= MOST:
        raise AccountError("token.too_many", limit=MOST)
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at = None if good_for is None else moments.moment(datetime.now(UTC) + good_for)
    values = {"user_id": user_id, "name": name, "token_hash": hashed(token), "created_at": moments.now()}
    made = connection.execute(insert(tokens).values(**values, expires_at=expires_at)).inserted_primary_key
    return int(made[0]), token  # type: ignore[index]  # an insert has one


def of_user(connection: Connection, user_id: int) -> list[TokenLine]:
    """The tokens of a person, the newest first."""
    columns = (tokens.c[name] for name in ("id", "name", "created_at", "expires_at", "seen_at"))
    asked = select(*columns).where(tokens.c.user_id == user_id).order_by(tokens.c.id.desc())
    return [TokenLine(*row) for row in connection.execute(asked)]


def remove(connection: Connection, user_id: int, token_id: int) -> bool:
    """Take a token of a person back; whether there was one."""
    mine = (tokens.c.id == token_id) & (tokens.c.user_id == user_id)
    return connection.execute(delete(tokens).where(mine)).rowcount > 0


def remove_all(connection: Connection, user_id: int) -> int:
    """Take all tokens of a person back; how many there were."""
    return connection.execute(delete(tokens).where(tokens.c.user_id == user_id)).rowcount


def present(connection: Connection, token: str) -> Holder | None:
    """Whose a token is, if it still holds and the account is not locked."""
    now = moments.now()
    in_time = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    asked = select(tokens).where(tokens.c.token_hash == hashed(token), in_time)
    row = connection.execute(asked).one_or_none()
    user = users.one(connection, row.user_id) if row is not None else None
    if row is None or user is None or user.locked_at:
        return None
    return Holder(row.id, user, (row.seen_at or "")[:DAY] != now[:DAY])


def seen(connection: Connection, token_id: int) -> None:
    """Note that a token is in use."""
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(seen_at=moments.now()))
