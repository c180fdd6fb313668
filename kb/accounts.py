"""Accounts: who may sign in, as what, with which password. Every change is recorded in the transaction that makes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from sqlalchemy import Connection, select
from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.errors import AccountError
from kb.model import ROLES, Actor, Role
from kb.store import api_tokens, audit, devices, guesses, one_time, passwords, sign_ins, tables, users
from kb.store.db import reading
from kb.store.policy import MOST, policy
from kb.store.users import Kept, User

FULL_NAME_CHARS = 64
_NAME = re.compile(r"[\w.@-]{2,64}")


# --- accounts -------------------------------------------------------------------------------------------------------


def add_user(
    connection: Connection,
    actor: Actor,
    settings: Settings,
    *,
    name: str,
    full_name: str,
    role: Role,
    password: str,
    units: Collection[int] = (),
    must_change: bool = True,
    stored: str | None = None,
) -> int:
    """Add an account; returns its id. `stored`: what `hashed` made of the password before. Raises AccountError."""
    name, full_name = users.folded(name), _full_name(full_name)
    if not _NAME.fullmatch(name):
        raise AccountError("account.bad_name", name=name[:64])
    if users.by_name(connection, name):
        raise AccountError("account.name_taken", name=name)
    _check_role(role)
    _check_units(connection, units)
    check_password(settings, password, name=name, full_name=full_name)
    stored = stored or passwords.hashed(settings, password)
    user_id = users.add(connection, name, full_name, role, stored, units=units, must_change=must_change)
    detail = {"id": user_id, "full_name": full_name, "role": role, "units": sorted(set(units))}
    audit.record(connection, actor, "user.added", f"user:{name}", detail=detail)
    return user_id


def change_user(
    connection: Connection,
    actor: Actor,
    user_id: int,
    *,
    full_name: str,
    role: Role,
    units: Collection[int],
) -> None:
    """Change what an account is. Another role ends its sign-ins. Raises AccountError."""
    user, full_name = _wanted(connection, user_id), _full_name(full_name)
    _check_role(role)
    _check_units(connection, units)
    if role != "admin":
        _keep_an_admin(connection, user)
    if role != user.role:
        sign_ins.end_all(connection, user_id)
    users.change(connection, user_id, full_name=full_name, role=role, units=units)
    before = {"full_name": user.full_name, "role": user.role, "units": sorted(user.units)}
    after = {"full_name": full_name, "role": role, "units": sorted(set(units))}
    detail = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    audit.record(connection, actor, "user.changed", f"user:{user.name}", detail=detail)


def lock(connection: Connection, actor: Actor, user_id: int) -> None:
    """Let nobody sign in with an account, and end its sign-ins. Raises AccountError."""
    user = _wanted(connection, user_id)
    _keep_an_admin(connection, user)
    users.set_locked(connection, user_id, locked=True)
    ended = sign_ins.end_all(connection, user_id)
    audit.record(connection, actor, "user.locked", f"user:{user.name}", detail={"sign_ins_ended": ended})


def unlock(connection: Connection, actor: Actor, user_id: int) -> None:
    """Let its person sign in again, at once also after wrong tries. Raises AccountError("account.unknown")."""
    user = _wanted(connection, user_id)
    users.set_locked(connection, user_id, locked=False)
    guesses.forgive(connection, user.name, devices.numbers(connection, user_id))
    audit.record(connection, actor, "user.unlocked", f"user:{user.name}")


def delete_user(connection: Connection, actor: Actor, user_id: int) -> None:
    """Delete an account with what hangs on it; the audit log keeps what was done. Raises AccountError."""
    user = _wanted(connection, user_id)
    _keep_an_admin(connection, user)
    users.remove(connection, user_id)
    audit.record(connection, actor, "user.deleted", f"user:{user.name}", detail={"id": user_id})


def named(connection: Connection, name: str) -> User:
    """The account that somebody means by a name. Raises AccountError("account.unknown")."""
    found = users.by_name(connection, users.folded(name))
    if found is None:
        raise AccountError("account.unknown", name=name[:64])
    return found


# --- the first administrator ----------------------------------------------------------------------------------------

FIRST_ADMIN = "first_admin"
FIRST_ADMIN_HOURS = 24


def first_token(connection: Connection) -> str | None:
    """A new token that makes the first administrator, in place of any before it; None where there is one already."""
    if users.administrators(connection):
        return None
    return one_time.make(connection, FIRST_ADMIN, timedelta(hours=FIRST_ADMIN_HOURS))


def first_is_good(connection: Connection, token: str) -> bool:
    """Whether a token can still make the first administrator."""
    return not users.administrators(connection) and one_time.is_good(connection, FIRST_ADMIN, token)


def add_first(
    connection: Connection,
    actor: Actor,
    settings: Settings,
    token: str,
    *,
    name: str,
    full_name: str,
    password: str,
    stored: str | None = None,
) -> int:
    """Make the first administrator; the token is then used up. `stored`: as in add_user. Raises AccountError."""
    if not first_is_good(connection, token):
        raise AccountError("account.first_over")
    one_time.remove(connection, FIRST_ADMIN)
    who = Actor(users.folded(name), actor.address)
    return add_user(
        connection,
        who,
        settings,
        name=name,
        full_name=full_name,
        role="admin",
        password=password,
        must_change=False,
        stored=stored,
    )


# --- passwords --------------------------------------------------------------------------------------------------------


def set_password(
    connection: Connection,
    actor: Actor,
    settings: Settings,
    user_id: int,
    new: str,
    *,
    must_change: bool,
    device: str = "",
    ready: Ready | None = None,
) -> None:
    """Give an account another password. `ready`: what `new_password` made of it before. Raises AccountError.

    Its sign-ins end, save the one it is done in; no browser is known any more, save the one with this `device` token. Its tokens
    of scripts are taken back: whoever knew the old password may have made one.
    """
    user, kept = _wanted(connection, user_id), users.kept(connection, user_id)
    if ready is None or ready.before != kept:  # changed meanwhile: seldom enough to hash in the transaction
        ready = _ready(settings, user, kept, new)
    users.set_password(connection, user_id, ready.after, must_change=must_change)
    devices.forget(connection, user_id, but=device)
    ended = sign_ins.end_all(connection, user_id, but=actor.sign_in)
    taken_back = api_tokens.remove_all(connection, user_id)
    detail = {"must_change": must_change, "sign_ins_ended": ended, "tokens_taken_back": taken_back}
    audit.record(connection, actor, "password.changed", f"user:{user.name}", detail=detail)


@dataclass(frozen=True, slots=True)
class Ready:
    """Another password of an account, hashed but not stored."""

    before: Kept | None
    after: Kept


def hashed(settings: Settings, password: str, *, name: str, full_name: str) -> str:
    """The password of a new account as it is stored. Hashing takes long: done before a transaction. Raises AccountError."""
    check_password(settings, password, name=users.folded(name), full_name=full_name)
    return passwords.hashed(settings, password)


def new_password(database: Database, settings: Settings, user_id: int, new: str) -> Ready:
    """Another password of an account, for set_password: all the hashing, outside any transaction. Raises AccountError."""
    with reading(database) as connection:
        user, kept = _wanted(connection, user_id), users.kept(connection, user_id)
    return _ready(settings, user, kept, new)


def _ready(settings: Settings, user: User, kept: Kept | None, new: str) -> Ready:
    asked = policy(settings)
    check_password(settings, new, name=user.name, full_name=user.full_name)
    used = [kept.present, *kept.earlier] if kept else []
    if any(passwords.holds(settings, one, new) for one in used[: asked.again]):
        raise AccountError("account.password_used", count=asked.again)
    return Ready(kept, Kept(passwords.hashed(settings, new), tuple(used[: asked.again - 1])))


def check_password(settings: Settings, password: str, *, name: str, full_name: str) -> None:
    """Hold a new password to the policy. Raises AccountError with what is wrong with it."""
    asked = policy(settings)
    if len(password) < asked.least:
        raise AccountError("account.password_short", least=asked.least)
    if len(password) > MOST:
        raise AccountError("account.password_long", most=MOST)
    if _is_name(password, (name, full_name)) or (asked.classes and name in users.folded(password)):
        raise AccountError("account.password_is_name")
    if _is_guessed_first(password):
        raise AccountError("account.password_common")
    if _classes(password) < asked.classes:
        raise AccountError("account.password_classes")


def _is_name(password: str, names: Collection[str]) -> bool:
    """Whether it is a name, perhaps twice, with digits and marks around it."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", users.folded(password))
    halves = {core, core[: len(core) // 2] if core[: len(core) // 2] * 2 == core else core}
    return any(users.folded(name) in (users.folded(password), *halves) for name in names if name)


def _is_guessed_first(password: str) -> bool:
    """On the list, or one that everybody thinks of: aaaaaaaa, 12345678, 87654321, abababab."""
    plain = users.folded(password)
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return plain in _guessed_first() or steps in ({0}, {1}, {-1}) or len(set(plain)) <= 2


@lru_cache(maxsize=1)
def _guessed_first() -> frozenset[str]:
    lines = (config.shipped("corpus") / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _classes(password: str) -> int:
    kinds = (str.isupper, str.islower, str.isdecimal)
    others = any(not any(kind(one) for kind in kinds) for one in password)
    return sum(any(map(kind, password)) for kind in kinds) + others


# --- checks -------------------------------------------------------------------------------------------------------------


def _wanted(connection: Connection, user_id: int) -> User:
    found = users.one(connection, user_id)
    if found is None:
        raise AccountError("account.unknown", name=f"#{user_id}")
    return found


def _keep_an_admin(connection: Connection, user: User) -> None:
    if [one.id for one in users.administrators(connection)] == [user.id]:
        raise AccountError("account.last_admin", name=user.name)


def _full_name(typed: str) -> str:
    name = typed.strip()
    if not 1 <= len(name) <= FULL_NAME_CHARS or any(unicodedata.category(one)[0] == "C" for one in name):
        raise AccountError("account.bad_full_name")
    return name


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError("account.bad_role", role=role[:20], roles=", ".join(ROLES))


def _check_units(connection: Connection, units: Collection[int]) -> None:
    known = set(connection.scalars(select(tables.units.c.id)))
    for unit in units:
        if unit not in known:
            raise AccountError("account.no_unit", unit=unit)
