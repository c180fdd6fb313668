"""Browsers that people signed in with before. Guessing elsewhere does not keep these out. Stored as hashes of their cookies."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from kb.store import moments
from kb.store.sign_ins import hashed
from kb.store.tables import devices

KEPT = timedelta(days=400)  # after a device was last used; longer no browser keeps a cookie
MOST = 20  # of one person


def known(connection: Connection, user_id: int, token: str) -> int | None:
    """The number of the browser with this token, if the person signed in with it before."""
    wanted = (devices.c.user_id == user_id) & (devices.c.token_hash == hashed(token))
    recent = devices.c.seen_at > moments.moment(datetime.now(UTC) - KEPT)
    return connection.scalar(select(devices.c.id).where(wanted, recent))


def numbers(connection: Connection, user_id: int) -> list[int]:
    """The numbers of the browsers that a person signed in with."""
    return list(connection.scalars(select(devices.c.id).where(devices.c.user_id == user_id)))


def remember(connection: Connection, user_id: int, token: str) -> str:
    """Know a browser in which a person has just signed in; returns its new token.

    The old one is worth nothing from now on, for nobody: somebody else may have put it there.
    """
    new = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    old = devices.c.token_hash == hashed(token)
    connection.execute(update(devices).where(old).values(token_hash=hashed(new)))
    own = (devices.c.user_id == user_id) & (devices.c.token_hash == hashed(new))
    if not connection.execute(update(devices).where(own).values(seen_at=moments.moment(now))).rowcount:
        values = {"user_id": user_id, "token_hash": hashed(new), "seen_at": moments.moment(now)}
        connection.execute(insert(devices).values(values))
    _forget_old(connection, user_id, now)
    return new


def forget(connection: Connection, user_id: int, *, but: str = "") -> None:
    """Know no browser of a person any more, save the one with this token."""
    others = devices.c.token_hash != hashed(but)
    connection.execute(delete(devices).where(devices.c.user_id == user_id, others))


def _forget_old(connection: Connection, user_id: int, now: datetime) -> None:
    latest = (
        select(devices.c.id)
        .where(devices.c.user_id == user_id)
        .order_by(devices.c.seen_at.desc(), devices.c.id.desc())
        .limit(MOST)
    )
    beyond = (devices.c.user_id == user_id) & devices.c.id.not_in(latest.scalar_subquery())
    connection.execute(delete(devices).where(beyond | (devices.c.seen_at < moments.moment(now - KEPT))))
