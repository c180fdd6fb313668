"""Signing in and out. A try counts as a wrong one before it is checked; an unknown name is treated as a known one is.

What is answered, what is stored and what is hashed is the same for both, and so is the time it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.errors import AccountError
from kb.model import Actor
from kb.store import audit, devices, guesses, moments, passwords, sign_ins, users
from kb.store.db import writing
from kb.store.guesses import Bucket
from kb.store.policy import ADDRESS, limits, policy
from kb.store.users import Kept, User

NOBODY = 0  # in place of the id of an account
FAILED, LOCKED = "account.sign_in_failed", "account.locked"
REASONS = {FAILED: "password", LOCKED: "locked"}  # as the audit log says it
NAME_CHARS = 200  # of what was typed that are looked at


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to sign in."""

    name: str  # as typed
    password: str
    address: str  # 10.1.2.3
    device: str  # token of the device cookie; "" without one
    browser: str  # Mozilla/5.0 …


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody has signed in."""

    user: User
    token: str  # for the cookie of the sign-in
    device: str  # for the cookie of the device, a new one


def enter(database: Database, settings: Settings, attempt: Attempt) -> Entered:
    """Sign somebody in. Raises AccountError: account.sign_in_failed, .wait, .locked, .busy."""
    name = users.folded(attempt.name[:NAME_CHARS])
    with writing(database) as connection:
        user = users.by_name(connection, name)
        kept = users.kept(connection, user.id if user else NOBODY)
        usual = users.usual_hash(connection)
        buckets = _buckets(connection, settings, user, name, attempt)
        until = _count(connection, buckets)
        if until:
            _failed(connection, user, attempt, "refused", {"reason": "wait", "until": moments.moment(until)})
    if until:
        raise _wait(until)
    right = _checked(database, settings, buckets, kept, attempt.password, usual)
    stronger = _stronger(settings, kept, attempt.password) if right else None
    with writing(database) as connection:
        entered = _begun(connection, settings, user, kept, attempt, buckets) if right else FAILED
        if isinstance(entered, str):
            _failed(connection, user, attempt, "failed", {"reason": REASONS[entered]})
        elif stronger and kept:
            users.rehash(connection, entered.user.id, kept.present, stronger)
    if isinstance(entered, str):
        raise AccountError(entered)
    return entered


def confirm(
    database: Database, settings: Settings, actor: Actor, user: User, password: str, *, action: str
) -> None:
    """Whoever is signed in knows the password, too. `action`: what for, as the audit log names it.

    Raises AccountError: account.password_wrong, .wait, .busy.
    """
    buckets = [guesses.of_confirming(user.id, policy(settings).guesses)]
    with writing(database) as connection:
        kept = users.kept(connection, user.id)
        until = _count(connection, buckets)
    if until:
        raise _wait(until)
    right = _checked(database, settings, buckets, kept, password)
    with writing(database) as connection:
        if right:
            guesses.clear(connection, buckets[0])
        else:
            detail = {"reason": "password"}
            target = f"user:{user.name}"
            audit.record(connection, actor, action, target, outcome="failed", detail=detail)
    if not right:
        raise AccountError("account.password_wrong")


def leave(database: Database, actor: Actor) -> None:
    """End the sign-in that somebody acts in."""
    if actor.sign_in is None:
        return
    with writing(database) as connection:
        sign_ins.end(connection, actor.sign_in)
        audit.record(connection, actor, "sign_in.ended", f"user:{actor.name}")


# --- tries --------------------------------------------------------------------------------------------------------------


def _buckets(
    connection: Connection, settings: Settings, user: User | None, name: str, attempt: Attempt
) -> list[Bucket]:
    """What a try counts at: a device that its person is known by, alone; else the name and the address."""
    rule = policy(settings).guesses
    known = devices.known(connection, user.id if user else NOBODY, attempt.device)
    if known is not None:
        return [guesses.of_device(known, rule)]
    return [guesses.of_name(name, rule), guesses.of_address(attempt.address, ADDRESS)]


def _count(connection: Connection, buckets: Sequence[Bucket]) -> datetime | None:
    """Count a try, unless one must wait: then until when."""
    now = datetime.now(UTC)
    until = guesses.locked_until(connection, buckets, now)
    if until is None:
        guesses.count(connection, buckets, now)
    return until


def _checked(
    database: Database,
    settings: Settings,
    buckets: Sequence[Bucket],
    kept: Kept | None,
    password: str,
    usual: str | None = None,
) -> bool:
    """Whether the password is right. When there is no time to look, the try was none."""
    try:
        return passwords.holds(settings, kept.present if kept else None, password, usual)
    except AccountError:
        with writing(database) as connection:
            guesses.take_back(connection, buckets, datetime.now(UTC), was_right=False)
        raise


def _stronger(settings: Settings, kept: Kept | None, password: str) -> str | None:
    """The hash that the settings ask for now, where the stored one costs less."""
    if kept is None or not passwords.is_weaker(settings, kept.present):
        return None
    with suppress(AccountError):  # too busy: another time
        return passwords.hashed(settings, password)
    return None


def _begun(
    connection: Connection,
    settings: Settings,
    user: User | None,
    kept: Kept | None,
    attempt: Attempt,
    buckets: Sequence[Bucket],
) -> Entered | str:
    """The sign-in; or why there is none: the account is locked, or was deleted or given another password meanwhile."""
    now = datetime.now(UTC)
    found = users.one(connection, user.id) if user else None
    guesses.clear(connection, buckets[0])
    guesses.take_back(connection, buckets[1:], now, was_right=True)
    if found is None or users.kept(connection, found.id) != kept:
        return FAILED
    if found.locked_at:
        return LOCKED
    sign_ins.sweep(connection, limits(settings), now=now)
    token = sign_ins.begin(connection, found.id, address=attempt.address, device=attempt.browser)
    device = devices.remember(connection, found.id, attempt.device)
    held = sign_ins.present(connection, token, limits(settings))
    actor = Actor(found.name, attempt.address, held.id if held else None)
    audit.record(connection, actor, "sign_in.begun", f"user:{found.name}")
    return Entered(found, token, device)


def _failed(
    connection: Connection,
    user: User | None,
    attempt: Attempt,
    outcome: audit.Outcome,
    detail: dict[str, str],
) -> None:
    """Record it. A name that is no account's may be a password typed into the wrong box."""
    target = f"user:{user.name}" if user else "user:?"
    actor = Actor("", attempt.address)
    audit.record(connection, actor, "sign_in.failed", target, outcome=outcome, detail=detail)


def _wait(until: datetime) -> AccountError:
    seconds = max(round((until - datetime.now(UTC)).total_seconds()), 1)
    words = f"{seconds} 秒" if seconds < 120 else f"{-(-seconds // 60)} 分钟"
    time = until.astimezone().strftime("%H:%M:%S")
    return AccountError("account.wait", time=time, wait=words, seconds=seconds)
