"""Opening the store: connections, transactions, checkpoints, schema revision."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from kb.errors import BusyError, StoreError
from kb.store.secret import sync_file

REVISION = "0004"  # of the newest migration; tests compare it with kb/store/migrations/versions

# reliability.md §7.5. wal_autocheckpoint=0: SQLite 3.7.0–3.51.2 can lose a WAL reset when two connections
# checkpoint at once, so kb checkpoints under a lock of its own (see `checkpoint`).
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA secure_delete=ON",
    "PRAGMA cell_size_check=ON",
    "PRAGMA wal_autocheckpoint=0",
)
REFUSALS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
BUSY_SECONDS = 10.0  # that a connection waits for the write lock
RESTORING = ".restoring"  # folder beside the database while a backup is unpacked
BEHIND = "kb.after_commit"  # what is to be done behind a transaction, in `info` of its connection
CHECKPOINT_BYTES = 16 * 1024 * 1024  # of WAL, before a checkpoint is worth its lock


def open_database(path: Path) -> Engine:
    """The store at `path`, created with the newest schema when the file does not exist.

    Raises StoreError("store.newer_schema"), StoreError("store.older_schema") or StoreError("store.unwritable").
    """
    database = connect(path)
    with _refusals(database):
        found = revision(database)
    if found is None:
        upgrade(database)
    elif found < REVISION:
        raise StoreError("store.older_schema", found=found, known=REVISION)
    elif found > REVISION:
        raise StoreError("store.newer_schema", found=found, known=REVISION)
    return database


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """The database at `path` as it is, whatever its schema; an empty one when the file does not exist."""
    if not path.exists():
        if path.with_name(RESTORING).exists():
            raise StoreError("backup.not_restored", path=path.parent)
        path.touch(mode=0o600)
    database = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,  # of a statement that failed: the log would have what people typed
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    )

    @event.listens_for(database, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun by kb, not by the driver
        for pragma in (*PRAGMAS, f"PRAGMA busy_timeout={round(busy_seconds * 1000)}"):
            connection.execute(pragma)

    return database


def revision(database: Engine) -> str | None:
    """The schema revision of the store, None for an empty one."""
    with database.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(
    database: Engine, to: str = "head", *, finish: Callable[[Connection], object] | None = None
) -> None:
    """Bring the schema to a revision, the newest by default, in one transaction: killed, it leaves the old schema.

    `finish` is done in that transaction too, at its end.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if finish is not None:
            finish(connection)


@contextmanager
def reading(database: Engine) -> Iterator[Connection]:
    """A connection whose reads all see one moment of the store."""
    with database.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            if not connection.invalidated:  # by an interrupt in the middle of a statement
                connection.exec_driver_sql("ROLLBACK")


@contextmanager
def writing(database: Engine, *, patience: float | None = None) -> Iterator[Connection]:
    """A transaction that holds the write lock from its start; rolled back on any error.

    `patience`: seconds to wait for the lock, where not as long as the connection does. Raises StoreError("store.unwritable")
    when the disk is full or refuses, BusyError when somebody else holds the lock all the while.
    """
    with _refusals(database), database.connect() as connection:
        connection.info.pop(BEHIND, None)  # of a transaction that was rolled back
        _begin(connection, patience)
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            # Interrupted in the middle of a statement SQLAlchemy has closed the connection, and with it the transaction.
            if not connection.invalidated and connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]  # SQLite has not ended it
                connection.exec_driver_sql("ROLLBACK")
            raise
        for work in connection.info.pop(BEHIND, {}):
            work(connection)


def _begin(connection: Connection, patience: float | None) -> None:
    """Take the write lock."""
    if patience is None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={round(patience * 1000)}").close()
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={usual}").close()


def after_commit(connection: Connection, work: Callable[[Connection], object]) -> None:
    """Have `work` done when the transaction of `writing` is committed, once however often asked; else not at all.

    What it does can no longer undo the transaction, so it must not raise.
    """
    connection.info.setdefault(BEHIND, {})[work] = True


@contextmanager
def _refusals(database: Engine) -> Iterator[None]:
    """What the disk or another writer refuses SQLite, in words."""
    try:
        yield
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the rest tells which file operation it was
        if code == sqlite3.SQLITE_BUSY:
            raise BusyError("store.busy", path=database.url.database) from error
        if code not in REFUSALS:
            raise
        raise StoreError("store.unwritable", path=database.url.database, reason=error.orig) from error


def checkpoint(database: Engine, data: Path, *, at_least: int = CHECKPOINT_BYTES) -> bool:
    """Move a WAL of `at_least` bytes into the database file, unless somebody else is doing so."""
    wal = Path(f"{database.url.database}-wal")
    if not wal.exists() or wal.stat().st_size < at_least:
        return False
    lock = os.open(data / ".checkpoint", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with database.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(lock)


def copy(database: Engine, data: Path, target: Path) -> None:
    """Write the store as it is at one moment to `target`: one private file without a WAL, checked, on the disk.

    Readers and writers go on meanwhile; only checkpoints wait. Raises sqlite3.Error, also when the copy is not whole.
    """
    target.touch(mode=0o600)
    lock = os.open(data / ".checkpoint", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(
            lock, fcntl.LOCK_EX
        )  # a checkpoint would wait for this reader with the write lock in its hands
        with closing(sqlite3.connect(target)) as out, database.connect() as connection:
            source = connection.connection.dbapi_connection
            cast(sqlite3.Connection, source).backup(out)
    finally:
        os.close(lock)
    with closing(sqlite3.connect(target)) as out:
        out.execute("PRAGMA journal_mode=DELETE")
        found = [str(row[0]) for row in out.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise sqlite3.DatabaseError(found[0])
    sync_file(target)


def settle(path: Path) -> None:
    """Make a closed database one file without a WAL, on the disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sync_file(path)


def check(database: Engine) -> list[str]:
    """What SQLite's integrity_check has to say; empty when all is well."""
    with database.connect() as connection:
        lines = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        lines += [str(tuple(row)) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    return [line for line in lines if line != "ok"]
