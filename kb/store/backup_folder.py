"""The folder that backups are written to: one run at a time, nothing half done left, the newest kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine as Database

from kb.errors import BackupError, LockedError
from kb.store.db import copy

PARTIAL = ".partial"
LOCK = ".kb-backup.lock"
BACKUP = re.compile(r"kb-\d{8}T\d{6}Z\.tar")


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """A folder to write to; what its disk refuses, in words."""
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise BackupError("backup.unwritable", path=folder, reason=reason) from error
    except sqlite3.Error as error:
        raise BackupError("backup.unwritable", path=folder, reason=error) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One backup at a time writes to a folder; the kernel frees the lock when its holder dies."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise LockedError("backup.running", path=folder) from error
    try:
        yield
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what this run, or one that was killed, left half written."""
    for path in folder.glob(f".kb-*{PARTIAL}*"):
        path.unlink(missing_ok=True)


def free_name(folder: Path) -> tuple[str, Path]:
    """The moment and the name of a backup that is not there yet."""
    while True:
        now = datetime.now(UTC)
        path = folder / f"kb-{now:%Y%m%dT%H%M%SZ}.tar"
        if not path.exists():
            return f"{now:%Y-%m-%dT%H:%M:%SZ}", path
        time.sleep(0.1)


def remove_beyond(folder: Path, keep: int | None) -> Iterator[str]:
    """Remove all but the newest backups."""
    every = sorted(path for path in folder.glob("kb-*.tar") if BACKUP.fullmatch(path.name))
    for path in every[: len(every) - keep] if keep is not None and len(every) > keep else ():
        path.unlink()
        yield path.name


def copied(database: Database, data: Path, target: Path) -> None:
    """A whole copy of the store. Raises BackupError where the disk refuses it, or the store is damaged."""
    try:
        copy(database, data, target)
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
        if full:
            raise BackupError("backup.unwritable", path=target.parent, reason=error) from error
        raise BackupError("backup.source_damaged", path=database.url.database, reason=error) from error


def sha256(file: BinaryIO) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        return sha256(first) == sha256(second)
