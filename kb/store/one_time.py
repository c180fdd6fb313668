"""Tokens that are good once and for a time, stored as their hash alone. One for each purpose."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from kb.store import moments
from kb.store.sign_ins import hashed
from kb.store.tables import one_time_tokens as tokens


def make(connection: Connection, purpose: str, good_for: timedelta) -> str:
    """A new token for a purpose; any before it is worth nothing now."""
    remove(connection, purpose)
    token = secrets.token_urlsafe(32)
    expires_at = moments.moment(datetime.now(UTC) + good_for)
    values = {"purpose": purpose, "token_hash": hashed(token), "expires_at": expires_at}
    connection.execute(insert(tokens).values(values))
    return token


def is_good(connection: Connection, purpose: str, token: str) -> bool:
    """Whether it is the token of that purpose, in time."""
    wanted = select(tokens.c.token_hash, tokens.c.expires_at).where(tokens.c.purpose == purpose)
    row = connection.execute(wanted).one_or_none()
    if row is None or row.expires_at <= moments.now():
        return False
    return hmac.compare_digest(row.token_hash, hashed(token))


def remove(connection: Connection, purpose: str) -> None:
    """Whatever token there was is used up."""
    connection.execute(delete(tokens).where(tokens.c.purpose == purpose))
