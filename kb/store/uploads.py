"""Files that editors sent, and what became of each: what the page of an upload shows, whenever it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from kb.store import moments
from kb.store.tables import uploads

TOLD = 20  # articles and failures of one file that are named; the rest is counted


@dataclass(slots=True)
class UploadedFile:
    """One file of an upload."""

    name: str  # as shown: without folders and control characters
    sha256: str
    size: int  # bytes
    is_done: bool = False  # False: it is being read, or whoever read it was stopped
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    queued: int = 0
    failed: int = 0
    ids: list[int] = field(default_factory=list)  # of the first articles
    reasons: list[str] = field(default_factory=list)  # of the first failures, in Chinese


@dataclass(frozen=True, slots=True)
class Upload:
    """Files that were sent together."""

    id: int
    at: str
    by: str
    files: tuple[UploadedFile, ...]


def begin(connection: Connection, by: str, files: Sequence[UploadedFile]) -> int:
    """Note files that have come; returns the id."""
    values = {
        "at": moments.now(),
        "by": by,
        "files": [asdict(one) for one in files],
    }
    made = connection.execute(insert(uploads).values(values)).inserted_primary_key
    return int(made[0])  # type: ignore[index]  # an insert has one


def note(connection: Connection, upload_id: int, files: Sequence[UploadedFile]) -> None:
    """Note what has become of them so far."""
    kept = [asdict(one) for one in files]
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(files=kept))


def one(connection: Connection, upload_id: int) -> Upload | None:
    row = connection.execute(select(uploads).where(uploads.c.id == upload_id)).one_or_none()
    return None if row is None else _upload(row)


def latest(connection: Connection, limit: int) -> list[Upload]:
    """The last uploads, the newest first."""
    rows = connection.execute(select(uploads).order_by(uploads.c.id.desc()).limit(limit))
    return [_upload(row) for row in rows]


def _upload(row: Row[Any]) -> Upload:
    return Upload(row.id, row.at, row.by, tuple(UploadedFile(**one) for one in row.files))
