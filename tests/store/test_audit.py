"""The audit log: nothing is done without its record, and whatever is done to the records is found."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine as Database
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from kb import config
from kb.config import Settings
from kb.errors import AuditError
from kb.model import Actor
from kb.store import audit, audit_check, audit_copy
from kb.store.audit_check import Verdict
from kb.store.db import connect, open_database, reading, writing
from kb.store.tables import audit as table
from kb.store.tables import units

RECORDS = 8
MONTH = datetime.now(UTC).strftime("%Y%m")
ZHANG = Actor("zhangsan", "10.1.2.3", 7)
COLUMNS = tuple(column.name for column in table.columns)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without records, and one with some: copied, not made for every test."""
    folder = tmp_path_factory.mktemp("made")
    for name, count in (("empty", 0), ("full", RECORDS)):
        settings = Settings(data=folder / name)
        config.prepare_data(settings)
        database = open_database(settings.database)
        add(database, count)
        database.dispose()
    return folder


@pytest.fixture
def settings(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A data folder whose store has RECORDS records where the test says `full`, else none."""
    name = "full" if request.node.get_closest_marker("usefixtures") else "empty"
    shutil.copytree(made / name, tmp_path / "data")
    return Settings(data=tmp_path / "data")


@pytest.fixture
def full() -> None:
    """Says that the store has records."""


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = connect(settings.database)
    yield database
    database.dispose()


def add(database: Database, count: int = 1, *, action: str = "user.locked") -> None:
    for number in range(count):
        with writing(database) as connection:
            audit.record(connection, ZHANG, action, f"user:李{number}", detail={"role": "editor"})


def verdict(database: Database, **asked: object) -> Verdict:
    with reading(database) as connection:
        return audit_check.verify(connection, **asked)  # type: ignore[arg-type]


def said(database: Database, **asked: object) -> tuple[str, object]:
    problem = verdict(database, **asked).problem
    return (problem.key, problem.facts.get("seq")) if problem else ("", None)


def tamper(settings: Settings, *statements: str) -> None:
    """Change the file behind kb's back: whoever can write it can take the triggers off and put them back."""
    raw = sqlite3.connect(settings.database, isolation_level=None)
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _sql in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        raw.execute(statement)
    for _name, sql in triggers:
        raw.execute(sql)
    raw.close()


def mirror(settings: Settings) -> Path:
    return settings.audit_copy / f"{MONTH}.jsonl"


def copy_of(seq: int, as_seq: int) -> str:
    rest = ", ".join(f'"{name}"' for name in COLUMNS[1:])
    return f"INSERT INTO audit SELECT {as_seq}, {rest} FROM audit WHERE seq = {seq}"


# --- what is recorded ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("full")
def test_a_log_that_was_only_added_to_holds(database: Database, settings: Settings) -> None:

    assert verdict(database) == Verdict(1, RECORDS, RECORDS, None)
    assert len(mirror(settings).read_text(encoding="utf-8").splitlines()) == RECORDS


def test_nothing_recorded_yet_holds_too(database: Database) -> None:
    assert verdict(database) == Verdict(0, 0, 0, None)


def test_an_action_that_is_rolled_back_leaves_no_record_and_the_other_way_round(
    database: Database, settings: Settings
) -> None:
    add(database)
    with pytest.raises(ZeroDivisionError), writing(database) as connection:
        connection.execute(insert(units).values(name="办公室"))
        audit.record(connection, ZHANG, "unit.added", "unit:办公室")
        1 / 0  # noqa: B018

    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(units)) == 0
    assert verdict(database) == Verdict(1, 1, 1, None)
    assert len(mirror(settings).read_text(encoding="utf-8").splitlines()) == 1


def test_the_key_the_copy_and_its_folder_are_private(database: Database, settings: Settings) -> None:
    add(database)

    for path in (settings.data / "audit.key", settings.audit_copy, mirror(settings)):
        assert path.stat().st_mode & 0o077 == 0


def test_the_key_may_be_kept_elsewhere(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_AUDIT_KEY_FILE", str(tmp_path / "auditor.key"))
    add(database, 2)

    assert not (settings.data / "audit.key").exists()
    assert verdict(database).problem is None
    monkeypatch.delenv("KB_AUDIT_KEY_FILE")
    assert said(database)[0] == "audit.key_missing"


def test_text_that_no_database_takes_is_recorded_all_the_same(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        audit.record(
            connection, Actor("\ud800"), "sign_in.failed", "user:\udfff\0", detail={"\ud800": "\u202e"}
        )

    assert verdict(database).problem is None


def test_a_line_of_the_copy_moves_no_cursor_and_turns_no_text(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        audit.record(
            connection, Actor("a\r\nb\x1b[2J\u202e\u2028\x9b"), "sign_in.failed", "user:\u2066\U000e0041"
        )
    text = mirror(settings).read_text(encoding="utf-8")

    assert [one for one in text[:-1] if not one.isprintable()] == []
    assert json.loads(text)["actor"] == "a\r\nb\x1b[2J\u202e\u2028\x9b"


# --- what is done to the table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'lisi' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit",
        copy_of(1, 2).replace("INSERT", "INSERT OR REPLACE"),
        copy_of(2, -5),
    ],
)
def test_the_table_refuses_to_be_changed(database: Database, settings: Settings, statement: str) -> None:
    add(database, 3)
    with pytest.raises(IntegrityError, match="only added to"), writing(database) as connection:
        connection.exec_driver_sql(statement)

    assert verdict(database).problem is None


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("column", COLUMNS[1:])
@pytest.mark.parametrize("seq", [1, 4, RECORDS])
def test_an_edit_of_any_column_is_found_with_its_number(
    database: Database, settings: Settings, column: str, seq: int
) -> None:
    tamper(settings, f"UPDATE audit SET \"{column}\" = 'x' WHERE seq = {seq}")
    key, number = said(database)

    assert (key, number) == ("audit.other_key" if column == "key" else "audit.altered", seq)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["DELETE FROM audit WHERE seq = 1"], ("audit.missing", 1)),
        (["DELETE FROM audit WHERE seq = 4"], ("audit.missing", 4)),
        (["DELETE FROM audit WHERE seq IN (3, 6)"], ("audit.missing", 3)),
        ([f"DELETE FROM audit WHERE seq = {RECORDS}"], ("audit.missing", RECORDS)),
        (["DELETE FROM audit WHERE seq <= 3"], ("audit.missing", 1)),
        (["DELETE FROM audit WHERE seq >= 6"], ("audit.missing", 6)),
        (["DELETE FROM audit"], ("audit.missing", 1)),
        (["DELETE FROM audit", "DELETE FROM audit_ends"], ("audit.missing", 1)),
        (["DELETE FROM audit_ends"], ("audit.ends_altered", 1)),
        (["DELETE FROM audit_ends WHERE name = 'last'"], ("audit.ends_altered", 1)),
        (["DELETE FROM audit_ends WHERE name = 'first'"], ("audit.ends_altered", 1)),
        (["UPDATE audit_ends SET seq = 3 WHERE name = 'copied'"], ("audit.ends_altered", 3)),
        # Truncated, and the end set to where it was cut: of the seal of the end only the key knows.
        (
            [
                "DELETE FROM audit WHERE seq > 5",
                "UPDATE audit_ends SET seq = 5, seal = (SELECT seal FROM audit WHERE seq = 5) WHERE name = 'last'",
            ],
            ("audit.ends_altered", 5),
        ),
        (
            ["DELETE FROM audit WHERE seq < 4", "UPDATE audit_ends SET seq = 4 WHERE name = 'first'"],
            ("audit.ends_altered", 4),
        ),
        # Swapped, duplicated, inserted, moved up.
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 99",
            ],
            ("audit.altered", 3),
        ),
        ([copy_of(3, RECORDS + 1)], ("audit.altered", RECORDS + 1)),
        ([copy_of(3, 0)], ("audit.added", 0)),
        ([copy_of(3, -7)], ("audit.added", -7)),
        (["DELETE FROM audit WHERE seq = 4", copy_of(3, 4)], ("audit.altered", 4)),
        (
            [
                "DELETE FROM audit WHERE seq = 4",
                *(f"UPDATE audit SET seq = {n - 1} WHERE seq = {n}" for n in range(5, RECORDS + 1)),
            ],
            ("audit.altered", 4),
        ),
    ],
)
def test_what_was_deleted_moved_or_slipped_in_is_found_with_the_first_number(
    database: Database, settings: Settings, statements: list[str], found: tuple[str, int]
) -> None:
    tamper(settings, *statements)

    assert said(database) == found


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit WHERE seq >= 6",
        "DELETE FROM audit WHERE seq = 1",
        "UPDATE audit SET actor = 'x' WHERE seq = 8",
        "DELETE FROM audit_ends WHERE name = 'last'",
        "DELETE FROM audit_ends",
        "UPDATE audit_ends SET seq = 5, seal = 'x' WHERE name = 'last'",
        copy_of(3, 9),
        copy_of(3, 12),
    ],
)
def test_records_that_come_later_cover_nothing_up(
    database: Database, settings: Settings, statement: str
) -> None:
    tamper(settings, statement)
    found = said(database)
    add(database, 3)

    assert found[0]
    assert said(database)[0]


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_changed_anywhere_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    settings, database = _shared(tmp_path_factory)
    column = data.draw(st.sampled_from(COLUMNS[1:]))
    seq = data.draw(st.integers(1, RECORDS))
    value = data.draw(st.one_of(st.text("ab0\n", max_size=4), st.integers(-3, 10**6), st.binary(max_size=4)))
    raw = sqlite3.connect(settings.database)
    (before,) = raw.execute(f'SELECT "{column}" FROM audit WHERE seq = ?', (seq,)).fetchone()
    with _untriggered(raw):
        raw.execute(f'UPDATE audit SET "{column}" = ? WHERE seq = ?', (value, seq))
    (after,) = raw.execute(f'SELECT "{column}" FROM audit WHERE seq = ?', (seq,)).fetchone()
    found = said(database)
    with _untriggered(raw):
        raw.execute(f'UPDATE audit SET "{column}" = ? WHERE seq = ?', (before, seq))
    raw.close()

    assert found[1] == (seq if after != before else None)
    assert said(database) == ("", None)


class _untriggered:
    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def __enter__(self) -> None:
        self.triggers = self.raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _sql in self.triggers:
            self.raw.execute(f"DROP TRIGGER {name}")

    def __exit__(self, *_: object) -> None:
        for _name, sql in self.triggers:
            self.raw.execute(sql)
        self.raw.commit()


_made: list[tuple[Settings, Database]] = []


def _shared(factory: pytest.TempPathFactory) -> tuple[Settings, Database]:
    if not _made:
        settings = Settings(data=factory.mktemp("audit"))
        database = open_database(settings.database)
        add(database, RECORDS)
        _made.append((settings, database))
    return _made[0]


def test_triggers_that_were_taken_off_are_missed(database: Database, settings: Settings) -> None:
    add(database)
    with sqlite3.connect(settings.database) as raw:
        raw.execute("DROP TRIGGER audit_is_not_cut")
    raw.close()

    assert said(database) == ("audit.unguarded", 1)


# --- keys and heads ----------------------------------------------------------------------------------------------------


def test_without_its_key_the_log_says_so_and_takes_no_record(database: Database, settings: Settings) -> None:
    add(database, 2)
    key = settings.data / "audit.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(AuditError) as caught, writing(database) as connection:
        connection.execute(insert(units).values(name="办公室"))
        audit.record(connection, ZHANG, "unit.added", "unit:办公室")

    assert caught.value.key == said(database)[0] == "audit.key_missing"
    assert not key.exists()
    key.write_bytes(kept)
    assert verdict(database) == Verdict(1, 2, 2, None)


def test_a_new_key_does_not_pass_for_the_old_one(database: Database, settings: Settings) -> None:
    add(database, 2)
    (settings.data / "audit.key").write_bytes(os.urandom(32))
    found = said(database)
    add(database)

    assert found == ("audit.ends_altered", 1)
    assert said(database) == ("audit.ends_altered", 1)


def test_a_library_that_moves_on_with_a_new_key_is_verified_with_both(
    database: Database, settings: Settings
) -> None:
    add(database, 3)
    key = settings.data / "audit.key"
    old = key.read_bytes()
    key.unlink()
    with writing(database) as connection:
        assert audit.take_over(connection)
        audit.record(connection, ZHANG, "backup.restored", "backup:kb.tar")
    with writing(database) as connection:
        assert not audit.take_over(connection)

    assert said(database) == ("audit.other_key", 1)
    assert verdict(database, keys=[old]) == Verdict(1, 4, 4, None)


@pytest.mark.usefixtures("full")
def test_a_log_that_was_rewritten_with_the_key_is_found_by_the_head_kept_elsewhere(
    database: Database, settings: Settings
) -> None:
    head = _head(database)
    assert said(database, head=head) == ("", None)
    tamper(settings, "DELETE FROM audit", "DELETE FROM audit_ends")
    mirror(settings).unlink()
    add(database, RECORDS + 3)

    assert said(database) == ("", None)
    assert said(database, head=head) == ("audit.head_differs", RECORDS)


def test_a_log_that_was_deleted_whole_is_missed_by_its_key(database: Database, settings: Settings) -> None:
    add(database, 3)
    tamper(settings, "DELETE FROM audit", "DELETE FROM audit_ends")
    mirror(settings).unlink()

    assert said(database) == ("audit.wiped", 1)
    assert said(database, head=(3, "x")) == ("audit.wiped", 1)


def _head(database: Database) -> tuple[int, str]:
    with reading(database) as connection:
        row = connection.execute(
            select(table.c.seq, table.c.seal).order_by(table.c.seq.desc()).limit(1)
        ).one()
        return row.seq, row.seal


# --- the copy in files -----------------------------------------------------------------------------------------------


def cut(count: int) -> Callable[[Path], None]:
    """Take so many lines off the end."""

    def change(path: Path) -> None:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-count]))

    return change


def changed(old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(path.read_bytes().replace(old, new, 1)) and None  # type: ignore[func-returns-value]


def without(number: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True)
        del lines[number]
        path.write_bytes(b"".join(lines))

    return change


def again(number: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True)
        lines.insert(number, lines[number])
        path.write_bytes(b"".join(lines))

    return change


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (cut(1), None),  # as far as a crash between commit and copy may leave it
        (cut(2), ("audit.copy_missing", RECORDS - 1)),
        (cut(RECORDS), ("audit.copy_missing", 1)),
        (Path.unlink, ("audit.copy_missing", 1)),
        (without(0), ("audit.copy_missing", 1)),
        (without(3), ("audit.copy_missing", 4)),
        (again(3), ("audit.copy_altered", 5)),
        (changed("李3".encode(), "李4".encode()), ("audit.copy_altered", 4)),
        (
            changed(
                b"{",
                b"[",
            ),
            ("audit.copy_altered", 1),
        ),
        (changed(b"\n", b"\nx\n"), ("audit.copy_altered", 2)),
    ],
)
@pytest.mark.parametrize("later", [0, 2])
def test_what_is_done_to_the_copy_is_found_and_stays_found(
    database: Database,
    settings: Settings,
    change: Callable[[Path], None],
    found: tuple[str, int] | None,
    later: int,
) -> None:
    change(mirror(settings))
    add(database, later)

    assert said(database) == (found or ("", None))


def test_a_table_that_was_cut_with_the_key_is_found_by_the_copy(
    database: Database, settings: Settings
) -> None:
    add(database, 5)
    before = Path(settings.database).read_bytes(), Path(f"{settings.database}-wal").read_bytes()
    add(database, 3)
    database.dispose()
    settings.database.write_bytes(before[0])
    Path(f"{settings.database}-wal").write_bytes(before[1])
    Path(f"{settings.database}-shm").unlink(missing_ok=True)
    older = open_database(settings.database)

    assert said(older) == ("audit.copy_ahead", 6)
    older.dispose()


def test_a_copy_that_cannot_be_written_loses_neither_action_nor_record(
    database: Database, settings: Settings
) -> None:
    settings.audit_copy.write_text("a file where the folder should be", encoding="utf-8")
    add(database, 3)
    behind = verdict(database)
    settings.audit_copy.unlink()
    add(database)

    assert behind == Verdict(1, 3, 0, None)
    assert verdict(database) == Verdict(1, 4, 4, None)


def test_a_copy_that_cannot_be_read_stops_no_action_and_is_said(
    database: Database, settings: Settings
) -> None:
    add(database)
    (settings.audit_copy / "209901.jsonl").mkdir()
    add(database, 2)
    found = verdict(database)

    assert found.problem and found.problem.key == "audit.copy_unreadable" and found.last == 3
    (settings.audit_copy / "209901.jsonl").rmdir()
    add(database)
    assert verdict(database) == Verdict(1, 4, 4, None)


def test_half_a_line_at_the_end_is_what_a_crash_leaves_and_is_written_again(
    database: Database, settings: Settings
) -> None:
    add(database, 3)
    whole = mirror(settings).read_bytes()
    mirror(settings).write_bytes(whole[:-40])
    behind = verdict(database)
    add(database)

    assert behind == Verdict(1, 3, 2, None)
    assert verdict(database) == Verdict(1, 4, 4, None)
    assert mirror(settings).read_bytes().startswith(whole)


def test_a_clock_that_is_set_back_does_not_split_the_copy(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in (11, 12, 10, 12):
        _record_at(database, monkeypatch, datetime(2030, month, 3, tzinfo=UTC))

    assert [path.name for path in audit_copy.files(settings.audit_copy)] == ["203011.jsonl", "203012.jsonl"]
    assert verdict(database) == Verdict(1, 4, 4, None)


def _record_at(database: Database, monkeypatch: pytest.MonkeyPatch, when: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return when

    with monkeypatch.context() as patch:
        patch.setattr(audit, "datetime", Clock)
        add(database)


# --- pruning ---------------------------------------------------------------------------------------------------------


def test_what_is_kept_after_pruning_holds_and_says_who_pruned(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for days in (400, 399, 300, 100, 1):
        _record_at(database, monkeypatch, now - timedelta(days=days))
    with writing(database) as connection:
        gone = audit.prune(connection, ZHANG, now - timedelta(days=200))
    audit_copy.prune(settings.audit_copy, 4)

    assert gone == 3
    assert verdict(database) == Verdict(4, 6, 6, None)
    with reading(database) as connection:
        last = connection.execute(select(table).where(table.c.seq == 6)).one()
    assert (last.action, last.object) == ("audit.pruned", "audit:1-3")
    assert json.loads(last.detail)["records"] == 3


def test_pruning_again_does_nothing_and_the_last_record_always_stays(
    database: Database, settings: Settings
) -> None:
    add(database, 3)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with writing(database) as connection:
        assert audit.prune(connection, ZHANG, datetime.now(UTC) - timedelta(days=180)) == 0
        assert audit.prune(connection, ZHANG, tomorrow) == 2

    assert verdict(database).problem is None
    assert verdict(database).first == 3


@pytest.mark.usefixtures("full")
def test_pruning_by_hand_is_found(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        connection.exec_driver_sql("UPDATE audit_ends SET seq = 5 WHERE name = 'first'")
        connection.exec_driver_sql("DELETE FROM audit WHERE seq < 5")

    assert said(database) == ("audit.ends_altered", 5)


# --- several at once, and kills ------------------------------------------------------------------------------------------


def _many(data: Path, count: int) -> None:
    database = open_database(Settings(data=data).database)
    threads = [threading.Thread(target=add, args=(database, count)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_processes_and_threads_that_record_at_once_make_one_chain(
    database: Database, settings: Settings
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_many, args=(settings.data, 15)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    add(database)

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert verdict(database) == Verdict(1, 61, 61, None)


def _killed_before_the_copy(data: Path) -> None:
    audit_copy._append = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    add(open_database(Settings(data=data).database))


def test_killed_between_commit_and_copy_the_next_record_catches_up(
    database: Database, settings: Settings
) -> None:
    add(database, 2)
    child = multiprocessing.get_context("spawn").Process(
        target=_killed_before_the_copy, args=(settings.data,)
    )
    child.start()
    child.join(60)
    behind = verdict(database)
    add(database)

    assert child.exitcode == -signal.SIGKILL
    assert behind == Verdict(1, 3, 2, None)
    assert verdict(database) == Verdict(1, 4, 4, None)
