"""Sign-ins (会话): kept on the server, so that any of them can be ended at once. A token is stored as its hash alone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from kb.store import moments, users
from kb.store.tables import sign_ins
from kb.store.users import User

MINUTE = timedelta(minutes=1)
KEPT = timedelta(days=180)  # that an ended sign-in stays on record
DEVICE_CHARS, ADDRESS_CHARS = 200, 45


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a sign-in holds."""

    idle: timedelta = timedelta(hours=8)
    absolute: timedelta = timedelta(days=7)


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that holds now."""

    id: int
    user: User
    is_due: bool  # it was last noted as seen more than a minute ago


@dataclass(frozen=True, slots=True)
class SignInLine:
    """A sign-in as its person sees it."""

    id: int
    created_at: str  # 2026-11-22T06:10:00Z
    seen_at: str
    address: str  # 10.1.2.3
    device: str  # Mozilla/5.0 …


def begin(connection: Connection, user_id: int, *, address: str = "", device: str = "") -> str:
    """Sign a person in; returns the token for the browser's cookie."""
    token = secrets.token_urlsafe(32)
    now = moments.now()
    values = {"user_id": user_id, "token_hash": hashed(token), "created_at": now, "seen_at": now}
    said = {"address": address[:ADDRESS_CHARS], "device": device[:DEVICE_CHARS]}
    connection.execute(insert(sign_ins).values(values | said))
    return token


def renew(connection: Connection, sign_in_id: int) -> str:
    """Another token for a sign-in, after its person proved to be there; the old one is worth nothing."""
    token = secrets.token_urlsafe(32)
    this = update(sign_ins).where(sign_ins.c.id == sign_in_id)
    connection.execute(this.values(token_hash=hashed(token)))
    return token


def present(
    connection: Connection, token: str, limits: Limits = USUAL, *, now: datetime | None = None
) -> SignIn | None:
    """The sign-in that a token stands for, if it still holds and its account is not locked.

    With a clock that was set back by more than a minute since it was last seen, it does not: nobody knows how old it is.
    """
    at = now or datetime.now(UTC)
    row = connection.execute(
        select(sign_ins.c.id, sign_ins.c.user_id, sign_ins.c.seen_at).where(
            sign_ins.c.token_hash == hashed(token), sign_ins.c.ended_at.is_(None), ~_over(limits, at)
        )
    ).one_or_none()
    user = users.one(connection, row.user_id) if row is not None else None
    if row is None or user is None or user.locked_at:
        return None
    return SignIn(
        row.id, user, row.seen_at <= moments.moment(at - MINUTE) or row.seen_at > moments.moment(at)
    )


def seen(
    connection: Connection, sign_in_id: int, limits: Limits = USUAL, *, now: datetime | None = None
) -> None:
    """Note that a sign-in is in use, and end those that are over: a clock set back later does not revive them."""
    at = now or datetime.now(UTC)
    sweep(connection, limits, now=at)
    holds = (sign_ins.c.id == sign_in_id) & sign_ins.c.ended_at.is_(None)
    connection.execute(update(sign_ins).where(holds).values(seen_at=moments.moment(at)))


def sweep(connection: Connection, limits: Limits = USUAL, *, now: datetime | None = None) -> None:
    """End the sign-ins that are over, and forget those that ended long ago."""
    at = now or datetime.now(UTC)
    over = sign_ins.c.ended_at.is_(None) & _over(limits, at)
    connection.execute(update(sign_ins).where(over).values(ended_at=moments.moment(at)))
    connection.execute(delete(sign_ins).where(sign_ins.c.ended_at < moments.moment(at - KEPT)))


def of_user(connection: Connection, user_id: int) -> list[SignInLine]:
    """The sign-ins of a person that were not ended, the one in use last first."""
    wanted = (
        select(
            sign_ins.c.id, sign_ins.c.created_at, sign_ins.c.seen_at, sign_ins.c.address, sign_ins.c.device
        )
        .where(sign_ins.c.user_id == user_id, sign_ins.c.ended_at.is_(None))
        .order_by(sign_ins.c.seen_at.desc(), sign_ins.c.id.desc())
    )
    return [SignInLine(*row) for row in connection.execute(wanted)]


def end(connection: Connection, sign_in_id: int) -> None:
    """End a sign-in; its cookie is worth nothing from now on."""
    _end(connection, sign_ins.c.id == sign_in_id)


def end_all(connection: Connection, user_id: int, *, but: int | None = None) -> int:
    """End every sign-in of a person, save one; returns how many there were."""
    wanted = sign_ins.c.user_id == user_id
    return _end(connection, wanted if but is None else wanted & (sign_ins.c.id != but))


def hashed(token: str) -> str:
    """As tokens are stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _end(connection: Connection, wanted: ColumnElement[bool]) -> int:
    holds = wanted & sign_ins.c.ended_at.is_(None)
    ended = update(sign_ins).where(holds).values(ended_at=moments.now())
    return connection.execute(ended).rowcount


def _over(limits: Limits, at: datetime) -> ColumnElement[bool]:
    """Those too old, too long unused, or last seen in what is now the future."""
    return or_(
        sign_ins.c.seen_at <= moments.moment(at - limits.idle),
        sign_ins.c.created_at <= moments.moment(at - limits.absolute),
        sign_ins.c.seen_at > moments.moment(at + MINUTE),
    )
