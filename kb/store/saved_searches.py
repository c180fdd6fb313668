"""Searches that people saved by name. What one holds is its address; its code names its feed and is of 128 random bits."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kb.errors import StoreError
from kb.model import Filters
from kb.store import moments
from kb.store.tables import saved_searches

MOST = 100  # of one person
NAME_CHARS = 80
ASKED_CHARS = 4000
NOT = "not_"  # not_newspaper names the newspapers that are left out
_BESIDE = ("q", "since", "until", "scope", "sort", "copies", "exact", "page")  # parameters that are no facet


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved search."""

    id: int
    user_id: int
    name: str  # 本周党建
    asked: str  # q=党建&newspaper=…, as kb.web.asked.Asked.pairs gives it
    code: str
    created_at: str
    seen_id: int  # the last article that its owner was shown as new

    def question(self) -> dict[str, Any]:
        """What it asks kb.search.Search.matches for: text, filters, scope, exact."""
        pairs = parse_qsl(self.asked)
        values = {name: value for name, value in pairs if name in _BESIDE}
        only: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(self.asked, keep_blank_values=True):
            if name not in _BESIDE:
                only[name] = (*only.get(name, ()), value)
        without = {name.removeprefix(NOT): only.pop(name) for name in list(only) if name.startswith(NOT)}
        filters = Filters(only, without, values.get("since"), values.get("until"))
        scope = values.get("scope", "all")
        return {"text": values.get("q", ""), "filters": filters, "scope": scope, "exact": "exact" in values}


def add(connection: Connection, user_id: int, name: str, asked: str, last: int) -> Saved:
    """Save a search; articles up to the id `last`, the last that can be found now, are not new to its owner.

    Raises StoreError("saved.bad_name"), StoreError("saved.taken"), StoreError("saved.too_many").
    """
    name = _free(connection, user_id, name)
    if len(asked) > ASKED_CHARS:
        raise StoreError("saved.too_long", limit=ASKED_CHARS)
    mine = select(func.count()).where(saved_searches.c.user_id == user_id)
    if (connection.scalar(mine) or 0) >= MOST:
        raise StoreError("saved.too_many", limit=MOST)
    values = {
        "user_id": user_id,
        "name": name,
        "asked": asked,
        "code": base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower(),
        "created_at": moments.now(),
        "seen_id": last,
    }
    made = connection.execute(insert(saved_searches).values(values))
    return Saved(int(made.inserted_primary_key[0]), **values)  # type: ignore[index,arg-type]  # an insert has one


def of_user(connection: Connection, user_id: int) -> list[Saved]:
    """The searches of one person, the last saved first."""
    asked = select(saved_searches).where(saved_searches.c.user_id == user_id)
    return [_saved(row) for row in connection.execute(asked.order_by(saved_searches.c.id.desc()))]


def by_code(connection: Connection, code: str) -> Saved | None:
    """The search of a code, whoever saved it."""
    row = connection.execute(select(saved_searches).where(saved_searches.c.code == code)).one_or_none()
    return None if row is None else _saved(row)


def rename(connection: Connection, saved: Saved, name: str) -> None:
    """Give it another name. Raises StoreError("saved.bad_name") or StoreError("saved.taken")."""
    if name.strip() != saved.name:
        _set(connection, saved, name=_free(connection, saved.user_id, name))


def seen(connection: Connection, saved: Saved, last: int) -> None:
    """Articles up to the id `last`, the last that can be found now, are not new to its owner any more.

    An older index that answers for a while makes nothing new again.
    """
    _set(connection, saved, seen_id=max(last, saved.seen_id))


def remove(connection: Connection, saved: Saved) -> None:
    """Forget it, and its feed."""
    connection.execute(delete(saved_searches).where(saved_searches.c.id == saved.id))


def _set(connection: Connection, saved: Saved, **values: Any) -> None:
    connection.execute(update(saved_searches).where(saved_searches.c.id == saved.id).values(values))


def _free(connection: Connection, user_id: int, name: str) -> str:
    """The name, if it can be one and the person has no other search of that name."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
        raise StoreError("saved.bad_name", limit=NAME_CHARS)
    taken = select(saved_searches.c.id).where(
        saved_searches.c.user_id == user_id, saved_searches.c.name == name
    )
    if connection.execute(taken).first() is not None:
        raise StoreError("saved.taken", name=name)
    return name


def _saved(row: Row[Any]) -> Saved:
    return Saved(**row._mapping)
