"""The second copy of the audit log: `$KB_DATA/audit/YYYYMM.jsonl`, a line a record, on the disk before the next is made.

Lines are added behind the commit, in the order of their numbers, whoever made the records. A crash between leaves the copy
behind, and the next record catches up. What was once there and is gone is never written again: its hole is evidence.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from kb.store.secret import sync_folder
from kb.store.tables import audit, audit_ends
from kb.text.visible import visible

log = logging.getLogger("kb.audit")

FOLDER = "audit"
TAIL_BYTES = 4096  # read first from the end of a file, for its last line


def folder_of(connection: Connection) -> Path:
    """The folder of the copy, beside the database."""
    return Path(str(connection.engine.url.database)).with_name(FOLDER)


def catch_up(connection: Connection) -> bool:
    """Append what the copy lacks. Where it cannot be written the records stay, and `kb doctor` says so."""
    folder = folder_of(connection)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with _alone(folder):
            after = last(folder)
            noted = connection.scalar(select(audit_ends.c.seq).where(audit_ends.c.name == "copied")) or 0
            behind = select(audit).where(audit.c.seq > max(noted, after[0] if after else 0))
            _append(folder, (row._asdict() for row in connection.execute(behind.order_by(audit.c.seq))))
        return True
    except (OSError, SQLAlchemyError) as error:
        log.error("audit.not_copied", extra={"folder": str(folder), "reason": str(error)})
        return False


def line(values: Mapping[str, Any]) -> str:
    """A record as one line of JSON; nothing in it moves the cursor of a terminal."""
    return visible(json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"), default=repr)) + "\n"


def last(folder: Path) -> tuple[int, str] | None:
    """Number and seal of the last whole line; None when there is none that can be read."""
    for path in reversed(files(folder)):
        found = _last_line(path)
        if found:
            try:
                values = json.loads(found)
                return int(values["seq"]), str(values["seal"])
            except (ValueError, TypeError, KeyError):
                return None
    return None


def files(folder: Path) -> list[Path]:
    """The files of the copy, the earliest first."""
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdecimal() and len(path.stem) == 6)


def lines(folder: Path) -> Iterator[bytes]:
    """Every whole line, without its end. What a crash left half written at the end of a file is none."""
    for path in files(folder):
        with path.open("rb") as file:
            for one in file:
                if one.endswith(b"\n"):
                    yield one[:-1]


def sizes_up_to(folder: Path, seq: int) -> Iterator[tuple[Path, int]]:
    """Each file, and how many of its bytes hold the records up to a number: what belongs to a store of that moment."""
    for path in files(folder):
        size = 0
        with path.open("rb") as file:
            for one in file:
                if not one.endswith(b"\n") or _seq(one) > seq:
                    break
                size += len(one)
        if size:
            yield path, size


def prune(folder: Path, first: int) -> int:
    """Remove the files all of whose records come before number `first`. Returns how many went."""
    with _alone(folder):
        every = files(folder)
        gone = 0
        for path, following in pairwise(every):
            if not 0 < _first_seq(following) <= first:
                break
            path.unlink()
            gone += 1
        sync_folder(folder)
    return gone


def _append(folder: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Each to the file of its month, but never to an earlier file than the newest: the clock may have been set back."""
    newest = max((path.stem for path in files(folder)), default="")
    parts: dict[str, list[str]] = {}
    for values in records:
        newest = max(newest, str(values["at"])[:7].replace("-", ""))
        parts.setdefault(newest, []).append(line(values))
    for month, some in parts.items():
        path = folder / f"{month}.jsonl"
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+b") as file:
            file.seek(_whole(path))
            file.truncate()
            file.write("".join(some).encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _whole(path: Path) -> int:
    """The size of a file up to the end of its last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(end - TAIL_BYTES, 0)
            file.seek(begin)
            at = file.read(end - begin).rfind(b"\n")
            if at >= 0:
                return begin + at + 1
            end = begin
    return 0


def _last_line(path: Path) -> bytes:
    """The last whole line of a file without its end; empty when there is none."""
    end = _whole(path)
    with path.open("rb") as file:
        reach = TAIL_BYTES
        while end:
            begin = max(end - reach, 0)
            file.seek(begin)
            tail = file.read(end - 1 - begin)
            at = tail.rfind(b"\n")
            if at >= 0 or begin == 0:
                return tail[at + 1 :]
            reach *= 4
    return b""


def _seq(one: bytes) -> int:
    """The number of a line; 0 where it cannot be read."""
    try:
        return int(json.loads(one)["seq"])
    except (ValueError, TypeError, KeyError):
        return 0


def _first_seq(path: Path) -> int:
    with path.open("rb") as file:
        return _seq(file.readline())
