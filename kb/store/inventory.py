"""What a closed copy of the store holds, whatever its schema: for the manifest of a backup."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Inventory:
    schema: str  # 0003
    counts: dict[str, int]  # rows of every table
    content: str  # SHA-256 over the texts of all articles and their earlier versions
    audited: int  # number of the last record of the audit log


def inventory(path: Path) -> Inventory:
    """Read all of it once. The file must have no WAL."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = sorted(name for name in names if not name.startswith("sqlite_"))
        counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608  # names of its own tables
        (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        last = connection.execute("SELECT max(seq) FROM audit").fetchone()[0] if "audit" in tables else 0
        return Inventory(str(schema), counts, _content(connection), last or 0)


def _content(connection: sqlite3.Connection) -> str:
    digest = hashlib.sha256()
    for statement in (
        "SELECT id, key, seq, version, status, content FROM articles ORDER BY id",
        "SELECT article_id, version, content FROM article_versions ORDER BY article_id, version",
    ):
        for row in connection.execute(statement):
            digest.update(repr(row).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
