"""The audit log: who did what, when, from where, to what end. Only ever added to.

Every record is sealed: HMAC-SHA256 over the seal of the record before and all its columns. The two ends of the table are
sealed as well, and how far the copy in files (kb.store.audit_copy) was known to reach. What does not hold is never mended:
a record that is added behind it says so for good, in place of the seal before. kb.store.audit_check looks for all that.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from kb import config
from kb.errors import AuditError
from kb.model import Actor
from kb.store import audit_copy
from kb.store.db import after_commit
from kb.store.secret import secret
from kb.store.tables import audit, audit_ends

log = logging.getLogger("kb.audit")

Outcome = Literal["ok", "refused", "failed"]

FIRST_OF_ALL = "0" * 64  # in place of the seal before the first record
BROKEN = "f" * 64  # … before a record that was added when the ends no longer held
KEY_FILE = "audit.key"


def record(
    connection: Connection,
    actor: Actor,
    action: str,
    target: str,
    *,
    outcome: Outcome = "ok",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a record, in the transaction (kb.store.db.writing) of the action that it is about: neither is without the other.

    `action`: user.locked. `target`: user:zhangsan. `detail`: what changed; never a password, a token or a text that was
    searched for. Raises AuditError("audit.key_missing") when the key of the records so far is gone.
    """
    ends = Ends.read(connection)
    top: int = connection.scalar(select(func.max(audit.c.seq))) or 0
    key = key_of(connection, make=not ends.sealed and not top)
    folder = _folder(connection)
    copied = _copied(folder)
    seq, previous = _place(ends, key, top, copied[0] if copied else 0)
    values: dict[str, Any] = {
        "seq": seq,
        "at": moment(datetime.now(UTC)),
        "actor": _writable(actor.name),
        "address": _writable(actor.address),
        "sign_in": actor.sign_in,
        "action": action,
        "object": _writable(target),
        "outcome": outcome,
        "detail": _writable(
            json.dumps(detail or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        ),
        "key": key_name(key),
        "previous": previous,
    }
    values["seal"] = seal(key, values)
    connection.execute(insert(audit).values(values))
    if previous == FIRST_OF_ALL:
        ends.write(connection, key, "first", seq, previous)
    ends.write(connection, key, "last", seq, values["seal"])
    if copied and ends.copied(key) < copied[0]:
        ends.write(connection, key, "copied", *copied)
    after_commit(connection, audit_copy.catch_up)


def _copied(folder: Path) -> tuple[int, str] | None:
    """Number and seal of the last line of the copy; unknown where it cannot be read, which stops no action."""
    try:
        return audit_copy.last(folder)
    except OSError as error:
        log.error("audit.copy_unread", extra={"folder": str(folder), "reason": str(error)})
        return None


def _place(ends: Ends, key: bytes, top: int, copied: int) -> tuple[int, str]:
    """The number of the next record, and the seal before it. Where records are missing their hole stays."""
    if not ends.sealed and not top and not copied:
        return 1, FIRST_OF_ALL
    last = ends.sealed.get("last")
    if last is None or not ends.hold(key, "last") or top > last.seq:
        return max(top, copied) + 1, BROKEN
    return last.seq + 1, last.seal


def prune(connection: Connection, actor: Actor, before: datetime) -> int:
    """Drop the records from the first on that were made before a time, and record it. Returns how many went.

    What is left can be verified as before. Call it inside `writing`, and audit_copy.prune behind it.
    """
    ends = Ends.read(connection)
    key = key_of(connection)
    kept = select(func.min(audit.c.seq)).where(audit.c.at >= moment(before))
    first = ends.sealed.get("first")
    keep: int = connection.scalar(kept) or connection.scalar(select(func.max(audit.c.seq))) or 0
    if first is None or keep <= first.seq:
        return 0
    if not all(ends.hold(key, name) for name in ("first", "last")):
        raise AuditError("audit.ends_altered", seq=first.seq)
    previous = connection.scalar(select(audit.c.previous).where(audit.c.seq == keep))
    ends.write(connection, key, "first", keep, str(previous))
    gone = connection.execute(delete(audit).where(audit.c.seq < keep)).rowcount
    detail = {"records": gone, "first": keep, "before": moment(before)}
    record(connection, actor, "audit.pruned", f"audit:{first.seq}-{keep - 1}", detail=detail)
    return gone


def take_over(connection: Connection) -> bool:
    """After a backup was restored where its key is not: seal on with the key of this folder. Returns whether it did.

    Records so far can be verified with their own key alone.
    """
    ends = Ends.read(connection)
    key = key_of(connection, make=True)
    last = connection.execute(select(audit.c.key).order_by(audit.c.seq.desc()).limit(1)).scalar()
    if not ends.sealed or last is None or last == key_name(key):
        return False
    for name, end in ends.sealed.items():
        ends.write(connection, key, name, end.seq, end.seal)
    return True


# --- seals ----------------------------------------------------------------------------------------------------------


def moment(when: datetime) -> str:
    """2026-11-22T06:10:00.123Z; sorts by time."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key_file(connection: Connection) -> Path:
    """Where the key is: as the setting says, so that no caller can forget it, else beside the database."""
    return config.load().audit_key_file or _folder(connection).with_name(KEY_FILE)


def key_of(connection: Connection, *, make: bool = False) -> bytes:
    """The key of the log. Raises AuditError("audit.key_missing") when it is not there and none is to be made."""
    path = key_file(connection)
    try:
        return secret(path) if make else path.read_bytes()
    except OSError as error:
        raise AuditError("audit.key_missing", path=path, reason=error.strerror) from error


def key_name(key: bytes) -> str:
    """What tells keys apart and gives none of them away."""
    return hmac.digest(key, b"name of this key", "sha256").hex()[:16]


def seal(key: bytes, values: Mapping[str, Any]) -> str:
    """The seal of a record: of the one before, and all its columns."""
    return _mac(key, str(values["previous"]), {name: values[name] for name in values if name != "seal"})


def _mac(key: bytes, before: str, values: Mapping[str, Any]) -> str:
    said = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)
    return hmac.digest(key, f"{before}{said}".encode("utf-8", "backslashreplace"), "sha256").hex()


def _folder(connection: Connection) -> Path:
    return audit_copy.folder_of(connection)


def _writable(text: str) -> str:
    """What a browser sent may hold half surrogates, which no database takes."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class End:
    """One row of audit_ends."""

    seq: int
    seal: str
    mac: str


@dataclass(frozen=True, slots=True)
class Ends:
    """The sealed ends: of `first` the seal before it; `copied` is the last record known to be in the files."""

    sealed: dict[str, End]

    @classmethod
    def read(cls, connection: Connection) -> Ends:
        rows = connection.execute(select(audit_ends))
        return cls({row.name: End(row.seq, row.seal, row.mac) for row in rows})

    def hold(self, key: bytes, name: str) -> bool:
        """Whether an end is there and as kb wrote it."""
        end = self.sealed.get(name)
        return end is not None and hmac.compare_digest(
            _mac(key, "end", {"name": name, "seq": end.seq, "seal": end.seal}).encode(),
            str(end.mac).encode("utf-8", "backslashreplace"),
        )

    def copied(self, key: bytes) -> float:
        """How far the files were known to reach. What does not hold is not written over."""
        end = self.sealed.get("copied")
        if end is None:
            return 0
        return end.seq if self.hold(key, "copied") else float("inf")

    def write(self, connection: Connection, key: bytes, name: str, seq: int, sealed: str) -> None:
        values = {"name": name, "seq": seq, "seal": sealed}
        values["mac"] = _mac(key, "end", values)
        done = connection.execute(update(audit_ends).where(audit_ends.c.name == name).values(values))
        if not done.rowcount:
            connection.execute(insert(audit_ends).values(values))
