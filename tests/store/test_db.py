from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect
from sqlalchemy import Engine as Database

import kb.store.db
from kb.config import Settings
from kb.errors import BusyError, LockedError, StoreError
from kb.store.db import check, checkpoint, connect, open_database, reading, revision, upgrade, writing
from kb.store.lock import writer_lock
from kb.store.tables import metadata


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    with database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


def test_the_known_revision_is_the_newest_migration(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(kb.store.db.__file__).parent / "migrations"))

    assert ScriptDirectory.from_config(config).get_current_head() == kb.store.db.REVISION
    assert revision(database) == kb.store.db.REVISION


@pytest.mark.parametrize(("found", "key"), [("9999", "store.newer_schema"), ("0000", "store.older_schema")])
def test_a_store_of_another_revision_is_refused_untouched(
    database: Database, settings: Settings, found: str, key: str
) -> None:
    with writing(database) as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{found}'")

    with pytest.raises(StoreError) as caught:
        open_database(settings.database)

    assert caught.value.key == key
    assert revision(connect(settings.database)) == found


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    upgrade(database)

    assert check(database) == []


def test_the_database_file_is_private(database: Database, settings: Settings) -> None:
    assert settings.database.stat().st_mode & 0o077 == 0


def test_connections_write_through_and_never_checkpoint_by_themselves(database: Database) -> None:
    with database.connect() as connection:
        said = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        ]

    assert said == ["wal", 2, 1, 0]


def test_a_checkpoint_empties_a_grown_wal_and_leaves_a_small_one(
    database: Database, settings: Settings
) -> None:
    with writing(database) as connection:
        connection.exec_driver_sql("UPDATE sequence SET value = 7 WHERE name = 'seq'")
    wal = Path(f"{settings.database}-wal")

    assert not checkpoint(database, settings.data)
    assert checkpoint(database, settings.data, at_least=1)
    assert wal.stat().st_size == 0


def _hold(data: Path, ready, done) -> None:  # type: ignore[no-untyped-def]
    with writer_lock(data):
        ready.set()
        done.wait(30)


def test_a_second_writer_is_told_who_holds_the_lock_and_gets_it_after_a_kill(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(settings.data, ready, done))
    holder.start()
    assert ready.wait(30)

    with pytest.raises(LockedError) as caught, writer_lock(settings.data):
        pass
    holder.kill()
    holder.join()

    assert (caught.value.facts["pid"], caught.value.exit_code) == (str(holder.pid), 4)
    with writer_lock(settings.data):
        pass


def test_a_write_that_finds_another_one_going_on_is_told_so_and_may_be_tried_again(
    database: Database, settings: Settings
) -> None:
    other = connect(settings.database, busy_seconds=0.02)
    with writing(database), pytest.raises(BusyError) as caught, writing(other):
        pass

    assert (caught.value.key, caught.value.exit_code) == ("store.busy", 4)


def test_a_write_that_is_not_to_wait_leaves_the_patience_of_its_connection(
    database: Database, settings: Settings
) -> None:
    other = connect(settings.database, busy_seconds=7)
    with writing(database), pytest.raises(BusyError), writing(other, patience=0.02):
        pass
    with writing(other, patience=0.02) as connection:
        usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()

    assert usual == 7000


def test_a_store_of_the_first_schema_gains_what_the_pages_of_issues_need(settings: Settings) -> None:
    database = connect(settings.database)
    upgrade(database, "0001")
    content = '{"title": "一", "newspaper": "清河日报", "edition_page": null}'
    rows = ", ".join(
        f"({number}, 'k{number}', {number}, 1, 'normal', 's', 'h', 'b', 0, 1, 't', '{content}')"
        for number in (1, 6000, 12000)
    )
    columns = "id, key, seq, version, status, source, content_hash, body_hash, simhash, body_chars, stored_at, content"
    with writing(database) as connection:
        connection.exec_driver_sql(f"INSERT INTO articles ({columns}) VALUES {rows}")

    with pytest.raises(StoreError, match="kb db upgrade"):
        open_database(settings.database)
    upgrade(database)

    with open_database(settings.database).connect() as connection:
        said = connection.exec_driver_sql("SELECT newspaper, edition_page FROM articles").all()
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert (said, differences, check(database)) == ([("清河日报", None)] * 3, [], [])


def test_an_upgrade_that_is_broken_off_leaves_the_old_schema_and_can_be_repeated(settings: Settings) -> None:
    database = connect(settings.database)
    upgrade(database, "0001")

    def fail(*told: Any) -> None:
        if told[2].lstrip().startswith("CREATE TABLE searches"):
            raise KeyboardInterrupt

    event.listen(database, "before_cursor_execute", fail)
    with pytest.raises(KeyboardInterrupt):
        upgrade(database)
    event.remove(database, "before_cursor_execute", fail)
    columns = {column["name"] for column in inspect(database).get_columns("articles")}

    assert (revision(database), "newspaper" in columns) == ("0001", False)
    upgrade(database)
    assert (revision(database), check(database)) == (kb.store.db.REVISION, [])


@pytest.mark.parametrize("opened", [reading, writing])
def test_an_interrupt_in_the_middle_of_a_statement_stays_an_interrupt(
    database: Database, opened: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    def interrupt(*told: Any) -> None:
        if "latest" in told[2]:
            raise KeyboardInterrupt

    event.listen(database, "before_cursor_execute", interrupt)
    with pytest.raises(KeyboardInterrupt), opened(database) as connection:
        connection.exec_driver_sql("SELECT max(seq) AS latest FROM articles")

    with writing(database) as connection:
        connection.exec_driver_sql("UPDATE sequence SET value = 1 WHERE name = 'seq'")
