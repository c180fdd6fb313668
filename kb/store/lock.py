"""The single-writer lock: flock on `$KB_DATA/.writer`, freed by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import LockedError


@contextmanager
def writer_lock(data: Path) -> Iterator[None]:
    """Hold the lock of add, crawl, reparse and index work. Raises LockedError("run.locked") when taken.

    The file also holds the holder's process id, for people who look; the lock is the flock alone.
    """
    lock = os.open(data / ".writer", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip() or "?"
            raise LockedError("run.locked", pid=holder) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)
