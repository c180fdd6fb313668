"""A library as one file, and back: live backups, restoring into an empty folder, upgrading behind a backup."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, delete, update
from sqlalchemy import Engine as Database
from sqlalchemy.exc import DatabaseError

from kb import __version__
from kb.config import Settings, prepare_data
from kb.errors import BackupError, StoreError
from kb.model import Actor
from kb.store import archive, audit, audit_copy, moments
from kb.store.archive import Unpacked, Writer, chunks_of
from kb.store.backup_folder import (
    PARTIAL,
    alone_in,
    copied,
    free_name,
    in_words,
    remove_beyond,
    same,
    sha256,
    sweep,
    writing_to,
)
from kb.store.db import RESTORING, REVISION, checkpoint, connect, revision, settle, upgrade, writing
from kb.store.inventory import inventory
from kb.store.lock import writer_lock
from kb.store.secret import sync_file, sync_folder
from kb.store.tables import api_tokens, one_time_tokens, sign_ins

FORMAT = 1
PATIENCE_SECONDS = 120.0  # that the record of a backup waits for others who write
DATABASE = "kb.sqlite3"
SPARED_BYTES = 2**30  # of the free space, when a backup is unpacked
READY = "ready"  # in the folder of what is unpacked, once it is whole
SAMPLES = "samples.loaded"  # scripts/up adds none to a library that was restored
PARTS = ("sources", "audit", "pages")  # folders that a backup brings
# What may be in a data folder that counts as empty: backups, keys that were put there first, locks, compiled kernels.
NOTHING = {SAMPLES, "backups", "audit.key", "secret_key", ".writer", ".checkpoint", "kernels", "lost+found"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, checked or restored."""

    path: Path
    bytes: int
    made_at: str  # 2026-11-22T06:10:00Z
    schema: str
    content: str  # hash of the texts of all articles
    counts: dict[str, int]
    pages: int
    removed: tuple[str, ...] = ()  # older backups, as --keep asks
    new_key: bool = False  # the audit log goes on with another key than the backup's


# --- making -------------------------------------------------------------------------------------------------------------


def backup(
    database: Database, settings: Settings, folder: Path, actor: Actor, *, keep: int | None = None
) -> Backup:
    """Write everything that cannot be made anew to one file in `folder`, while the library goes on being used.

    Raises BackupError or LockedError; then nothing is left behind.
    """
    with writing_to(folder), alone_in(folder):
        sweep(folder)
        stamp, path = free_name(folder)
        partial = folder / f".{path.name}{PARTIAL}"
        plain = folder / f".{path.name}.sqlite3{PARTIAL}"
        try:
            made = _written(database, settings, partial, plain, stamp)
            partial.replace(path)
            sync_folder(folder)
        finally:
            sweep(folder)
        removed = tuple(remove_beyond(folder, keep))
    detail: dict[str, Any] = {"bytes": made.bytes, "content": made.content, "removed": list(removed)}
    patient = connect(settings.database, busy_seconds=PATIENCE_SECONDS)
    with writing(patient) as connection:
        audit.record(connection, actor, "backup.made", f"backup:{path.name}", detail=detail)
    patient.dispose()
    return replace(made, path=path, removed=removed)


def _written(database: Database, settings: Settings, partial: Path, plain: Path, stamp: str) -> Backup:
    """The archive, on the disk under its preliminary name."""
    copied(database, settings.data, plain)
    found = inventory(plain)
    size = plain.stat().st_size
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as file:
        writer = Writer(file)
        for path, end in audit_copy.sizes_up_to(settings.audit_copy, found.audited):
            writer.add(f"audit/{path.name}", chunks_of(path, end))
        writer.add(archive.DATABASE, archive.packed(chunks_of(plain)))
        with plain.open("rb") as whole:
            digest = sha256(whole)
        plain.unlink()
        pages = 0
        for path in sorted(settings.pages.glob("??/*.gz")):
            with suppress(FileNotFoundError):  # somebody took it away since
                writer.add(f"pages/{path.parent.name}/{path.name}", chunks_of(path))
                pages += 1
        for path in sorted(settings.own_sources.glob("*.toml")):
            writer.add(f"sources/{path.name}", chunks_of(path))
        manifest = {"format": FORMAT, "kb": __version__, "made_at": stamp, "schema": found.schema}
        manifest |= {"content": found.content, "counts": found.counts, "pages": pages}
        writer.finish({**manifest, "database": {"bytes": size, "sha256": digest}})
        file.flush()
        os.fsync(file.fileno())
    counts = found.counts
    return Backup(partial, partial.stat().st_size, stamp, found.schema, found.content, counts, pages)


# --- checking and restoring ---------------------------------------------------------------------------------------------


def check(path: Path) -> Backup:
    """Verify every byte of a backup. Raises BackupError("backup.damaged"), ("backup.unreadable"), or of a newer kb StoreError."""
    whole = Unpacked(None)
    manifest = archive.read(path, lambda name: whole if name == archive.DATABASE else None)
    return _believed(path, manifest, whole)


def _believed(path: Path, manifest: dict[str, Any], database: Unpacked) -> Backup:
    """What the manifest of a whole archive says, when it fits the database inside."""
    try:
        expected = manifest["database"]["bytes"], manifest["database"]["sha256"]
        said = {name: manifest[name] for name in ("made_at", "schema", "content", "counts", "pages")}
        known = manifest["format"] == FORMAT
        said["counts"] = {str(name): int(count) for name, count in said["counts"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupError("backup.damaged", path=path, reason="清单不全") from error
    if database.finish() != expected:
        raise BackupError("backup.damaged", path=path, reason="数据库与清单不符")
    if not known or str(said["schema"]) > REVISION:
        raise StoreError("store.newer_schema", found=said["schema"], known=REVISION)
    return Backup(path, path.stat().st_size, **said)


def restore(settings: Settings, path: Path, actor: Actor) -> Backup:
    """Unpack a backup into the empty data folder, upgraded to this version's schema, all sign-ins ended.

    Killed at any moment, the same again does it; the database is put in place last. Raises BackupError, StoreError.
    """
    data, staging = settings.data, settings.data / RESTORING
    with writing_to(data), writer_lock(data):
        if staging.exists() and not settings.database.exists():
            _undo(data)
        elif staging.exists() and not (staging / DATABASE).exists():
            is_whole = (staging / READY).exists()
            shutil.rmtree(staging)
            if is_whole:  # the run before was killed when everything was in place
                return check(path)
        _refuse_what_is_there(data)
        staging.mkdir(mode=0o700)
        try:
            found = _unpack(path, staging)
            new_key = _made_current(staging, data, found, actor)
            os.sync()  # a hundred thousand files at once, where an fsync for each would take minutes
            _put_in_place(staging, data)
        except BaseException:
            if not settings.database.exists():
                _undo(data)
            raise
        prepare_data(settings)
    return replace(found, new_key=new_key)


def _refuse_what_is_there(data: Path) -> None:
    """Only a folder without any file of a library counts as empty."""
    for one in sorted(data.iterdir()):
        if one.name in NOTHING:
            continue
        if one.is_symlink() or not one.is_dir() or any(not inner.is_dir() for inner in one.rglob("*")):
            raise BackupError("backup.not_empty", path=data, name=one.name)


def _undo(data: Path) -> None:
    """Take away what an unfinished run brought: the folder was empty before it."""
    for name in (*PARTS, RESTORING):
        shutil.rmtree(data / name, ignore_errors=True)


class _Unpacking:
    """Writes the members of an archive below a folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: BinaryIO | None = None
        self.database: Unpacked | None = None

    def opened(self, name: str) -> archive.Sink:
        self.close()
        is_database = name == archive.DATABASE
        target = self.folder / (DATABASE if is_database else name)
        with in_words(self.folder):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file = os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        if is_database:
            self.database = Unpacked(self, shutil.disk_usage(self.folder).free - SPARED_BYTES)
            return self.database
        return self

    def write(self, data: bytes, /) -> None:
        assert self.file is not None  # noqa: S101  # opened() came first
        with in_words(self.folder):
            self.file.write(data)

    def close(self) -> None:
        if self.file is not None:
            with in_words(self.folder):
                self.file.close()


def _unpack(path: Path, staging: Path) -> Backup:
    unpacking = _Unpacking(staging)
    try:
        manifest = archive.read(path, unpacking.opened)
        return _believed(path, manifest, unpacking.database or Unpacked(None))
    finally:
        unpacking.close()


def _made_current(staging: Path, data: Path, found: Backup, actor: Actor) -> bool:
    """Upgrade the unpacked store, end its sign-ins and record that it was restored. Returns whether the key is new."""
    key = staging / audit.KEY_FILE
    if (data / audit.KEY_FILE).exists():
        os.link(data / audit.KEY_FILE, key)
    database = connect(staging / DATABASE)
    try:
        if revision(database) != found.schema:
            raise BackupError("backup.damaged", path=found.path, reason="数据库的结构版本与清单不符")
        upgrade(database)
        with writing(database) as connection:
            new_key = audit.take_over(connection)
            _end_sign_ins(connection)
            detail = {
                "made_at": found.made_at,
                "schema": found.schema,
                "content": found.content,
                "new_key": new_key,
            }
            audit.record(connection, actor, "backup.restored", f"backup:{found.path.name}", detail=detail)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = getattr(error, "orig", error)
        raise BackupError("backup.damaged", path=found.path, reason=reason) from error
    finally:
        database.dispose()
    settle(staging / DATABASE)
    return new_key


def _end_sign_ins(connection: Connection) -> None:
    now = moments.now()
    connection.execute(update(sign_ins).where(sign_ins.c.ended_at.is_(None)).values(ended_at=now))
    connection.execute(delete(one_time_tokens))
    connection.execute(delete(api_tokens))  # one that was taken back since would hold again


def _put_in_place(staging: Path, data: Path) -> None:
    """The database last: where it is, everything is."""
    (staging / READY).touch()
    for name in PARTS:
        if (staging / name).exists():
            shutil.rmtree(data / name, ignore_errors=True)  # empty, as was seen
            (staging / name).rename(data / name)
    with suppress(FileExistsError, FileNotFoundError):
        os.link(staging / audit.KEY_FILE, data / audit.KEY_FILE)
    (data / SAMPLES).touch(mode=0o600)
    sync_folder(data)
    (staging / DATABASE).rename(data / DATABASE)
    sync_folder(data)
    shutil.rmtree(staging)


# --- upgrading ------------------------------------------------------------------------------------------------------------


def upgrade_store(settings: Settings, actor: Actor) -> tuple[str, Path | None]:
    """Bring the schema to this version, behind a copy of the database. Returns the revision, and where the copy is.

    Killed at any moment, the old schema is there or the new one, and the same again does it.
    """
    with writer_lock(settings.data):
        database = connect(settings.database)
        found = revision(database)
        if found is not None and found > REVISION:
            raise StoreError("store.newer_schema", found=found, known=REVISION)
        kept = None if found in (None, REVISION) else _kept(database, settings, str(found))

        def finish(connection: Connection) -> None:
            detail = {"from": found, "to": REVISION, "backup": str(kept)}
            audit.record(connection, actor, "store.upgraded", "store:kb.sqlite3", detail=detail)

        upgrade(database, finish=finish if kept else None)
        checkpoint(database, settings.data)
        database.dispose()
    return REVISION, kept


def _kept(database: Database, settings: Settings, found: str) -> Path:
    """A copy of the database before its upgrade. The same again, after a kill, is kept once."""
    folder = settings.backups or settings.data / "backups"
    with writing_to(folder), alone_in(folder):
        sweep(folder)
        now = datetime.now(UTC)
        path = folder / f"kb-schema-{found}-{now:%Y%m%dT%H%M%SZ}.sqlite3"
        partial = folder / f".{path.name}{PARTIAL}"
        try:
            copied(database, settings.data, partial)
            for earlier in folder.glob(f"kb-schema-{found}-*.sqlite3"):
                if same(earlier, partial):
                    return earlier
            sync_file(partial)
            partial.replace(path)
            sync_folder(folder)
        finally:
            sweep(folder)
    return path
