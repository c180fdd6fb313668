"""The single-writer lock: flock on `$KB_DATA/.writer`, freed by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import LockedError

BRIEF_SECONDS = 60.0  # how long others wait for a holder that says that it takes turns
_PAUSE_SECONDS = 0.02  # between two tries
_BRIEF = "indexer"  # written behind the process id


@contextmanager
def writer_lock(data: Path, *, brief: bool = False) -> Iterator[None]:
    """Hold the lock of add, crawl, reparse and index work. Raises LockedError("run.locked") when taken.

    `brief`: held for moments, by the indexer of the web service; who meets it waits for its turn. The file also holds
    the holder's process id, for people who look; the lock is the flock alone.
    """
    lock = os.open(data / ".writer", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + BRIEF_SECONDS
        while not _taken(lock):
            pid, _, kind = (os.pread(lock, 40, 0).decode("ascii", "replace").strip() or "?").partition(" ")
            if brief or kind != _BRIEF or time.monotonic() > until:
                raise LockedError("run.locked", pid=pid)
            time.sleep(_PAUSE_SECONDS)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}{' ' + _BRIEF if brief else ''}".encode(), 0)
        yield
    finally:
        os.close(lock)


def holder(data: Path) -> int | None:
    """The process that holds the lock, None when nobody does. Only looks: a try for the lock would be in somebody's way."""
    try:
        file, pid = (data / ".writer").stat().st_ino, (data / ".writer").read_text("ascii").partition(" ")[0]
        lines = Path("/proc/locks").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines.splitlines():  # 1: FLOCK  ADVISORY  WRITE 13593 fe:00:5423623 0 EOF
        kind, *_rest, process, place, _start, _end = line.split()[1:]
        if kind == "FLOCK" and process == pid and place.rpartition(":")[2] == str(file):
            return int(pid)
    return None


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
