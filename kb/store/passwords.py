"""Passwords as they are kept: Argon2id (RFC 9106). A process hashes two at once and no more: each takes its memory."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from kb.config import Settings
from kb.errors import AccountError

AT_ONCE = 2
PATIENCE_SECONDS = 4.0  # that one waits for its turn
LONGEST = 1024  # characters that are looked at: longer than any password may be
_turns = threading.BoundedSemaphore(AT_ONCE)


def hashed(settings: Settings, password: str) -> str:
    """As a password is stored. Raises AccountError("account.busy") when too many are hashed now."""
    with _turn():
        return _hasher(settings).hash(password)


def holds(settings: Settings, stored: str | None, password: str, usual: str | None = None) -> bool:
    """Whether a password is the stored one. Nobody's (None) is not, and takes as long to find out as the `usual` hash.

    Raises AccountError("account.busy").
    """
    hasher = _hasher(settings)
    wanted = (
        stored if stored is not None and _parameters(stored) is not None else _nobodys(_like(usual, hasher))
    )
    with _turn():
        try:
            hasher.verify(wanted, password[:LONGEST])
            return wanted == stored
        except VerificationError:
            return False


def is_weaker(settings: Settings, stored: str) -> bool:
    """Whether a stored hash costs less than the settings ask for now."""
    found, wanted = _parameters(stored), _hasher(settings)
    return found is None or found[0] < wanted.memory_cost or found[1] < wanted.time_cost


def _parameters(stored: str) -> tuple[int, int] | None:
    """KiB and passes of a stored hash; None for what is none."""
    try:
        found = extract_parameters(stored)
    except InvalidHashError:
        return None
    return found.memory_cost, found.time_cost


def _like(usual: str | None, hasher: PasswordHasher) -> PasswordHasher:
    """What hashes as a stored hash was made, which may have been before the settings asked for more."""
    if usual is None or _parameters(usual) is None:
        return hasher
    found = extract_parameters(usual)
    return _made(found.memory_cost, found.time_cost, found.parallelism)


def _hasher(settings: Settings) -> PasswordHasher:
    return _made(settings.password_memory_kib, settings.password_passes, settings.password_lanes)


@lru_cache(maxsize=8)
def _made(memory_kib: int, passes: int, lanes: int) -> PasswordHasher:
    return PasswordHasher(passes, max(memory_kib, 8 * lanes), lanes)  # Argon2 needs 8 KiB a lane


@lru_cache(maxsize=8)
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe())


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise AccountError("account.busy")
    try:
        yield
    finally:
        _turns.release()
