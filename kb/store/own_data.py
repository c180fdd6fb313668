"""Everything that the store holds about one person, for that person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from kb.store.tables import (
    api_tokens,
    audit,
    devices,
    lexicon_words,
    reviews,
    saved_searches,
    search_history,
    sign_ins,
    source_states,
    synonym_groups,
    units,
    user_units,
    users,
)
from kb.store.users import User

# What of a row is not the person's to have: what stands for a password or a cookie.
SECRETS = {"password_hash", "old_hashes", "token_hash", "user_id"}
SEALS = {"previous", "seal", "sign_in"}
# Where a name stands beside what somebody did: table -> columns that name people with those that say when, columns that
# say what it was. A name may have been another person's before: what is older than the account is not of this one.
WORK: dict[Table, tuple[dict[str, str], tuple[str, ...]]] = {
    reviews: (
        {"created_by": "created_at", "decided_by": "decided_at"},
        ("name", "source", "state", "created_at", "decided_at", "note"),
    ),
    lexicon_words: ({"changed_by": "changed_at"}, ("word", "is_removed", "changed_at")),
    synonym_groups: ({"changed_by": "changed_at"}, ("names", "changed_at")),
    source_states: ({"changed_by": "changed_at"}, ("source", "is_paused", "changed_at")),
}


def of_user(connection: Connection, user: User) -> dict[str, Any]:
    """All of it by kind, as JSON can hold it: account, units, sign-ins, devices, searches, tokens, work, audit records.

    Of audit records those that the person made, and those about the person's account without who made them.
    """
    mine = user_units.c.user_id == user.id
    belongs = select(units.c.name).join(user_units).where(mine).order_by(units.c.name)
    [account] = _rows(connection, users, users.c.id == user.id)
    return {
        "account": account,
        "units": list(connection.scalars(belongs)),
        **{
            table.name: _rows(connection, table, table.c.user_id == user.id)
            for table in (sign_ins, devices, search_history, saved_searches, api_tokens)
        },
        "work": {table.name: _work(connection, table, user) for table in WORK},
        "audit": _audit(connection, user),
    }


def _rows(connection: Connection, table: Table, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    return [_shown(row) for row in connection.execute(select(table).where(which).order_by(table.c.id))]


def _shown(row: Row[Any], without: set[str] = SECRETS) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in without}


def _work(connection: Connection, table: Table, user: User) -> list[dict[str, Any]]:
    people, said = WORK[table]
    by = or_(*((table.c[who] == user.name) & (table.c[at] >= user.created_at) for who, at in people.items()))
    return [_shown(row) for row in connection.execute(select(*(table.c[one] for one in said)).where(by))]


def _audit(connection: Connection, user: User) -> list[dict[str, Any]]:
    since = audit.c.at >= user.created_at.removesuffix("Z")  # the log tells milliseconds: 08:00:00.250Z
    about = or_(audit.c.actor == user.name, audit.c.object == f"user:{user.name}")
    rows = connection.execute(select(audit).where(about, since).order_by(audit.c.seq))
    return [_shown(row, SEALS if row.actor == user.name else SEALS | {"actor", "address"}) for row in rows]
