"""`kb audit`: what it prints, what it exits with, and that looking is itself on record."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine as Database

from kb import diagnose
from kb.cli import main
from kb.config import Settings
from kb.model import Actor
from kb.store import audit
from kb.store.db import open_database, writing

Run = Callable[..., Result]


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.database)
    for number in range(3):
        with writing(database) as connection:
            audit.record(
                connection, Actor("zhangsan", "10.1.2.3"), "user.locked", f"user:{number}\n\x1b[2J\u202e"
            )
    yield database
    database.dispose()


@pytest.fixture
def run(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KB_DATA", str(settings.data))
    return lambda *arguments: CliRunner().invoke(main, ["audit", *arguments])


def test_a_log_that_holds_says_so_and_gives_its_head_for_a_second_place(run: Run) -> None:
    verified, head = run("verify"), run("head").stdout.strip()

    assert (verified.exit_code, verified.stdout) == (0, "audit ok: records 1-3, copy to 3\n")
    assert head.startswith("3:")
    assert run("verify", "--head", head).exit_code == 0
    assert "第 3 条与另存的封印不符" in run("verify", "--head", f"3:{'0' * 64}").stderr
    assert "读不懂" in run("verify", "--head", "三").stderr


def test_a_log_that_was_altered_exits_with_1_and_the_first_number(run: Run, settings: Settings) -> None:
    with sqlite3.connect(settings.database) as raw:
        raw.execute("DROP TRIGGER audit_is_not_changed")
        raw.execute("UPDATE audit SET outcome = 'failed' WHERE seq >= 2")
    raw.close()
    found = run("verify")

    assert found.exit_code == 1
    assert "第 2 条记录被改动过" in found.stderr
    assert "Record 2 was altered" in found.stderr


def test_without_the_key_it_says_where_it_should_be(run: Run, settings: Settings) -> None:
    (settings.data / "audit.key").unlink()
    found = run("verify")

    assert found.exit_code == 1
    assert "audit.key" in found.stderr
    assert not (settings.data / "audit.key").exists()


def test_records_are_shown_one_a_line_and_move_no_cursor(run: Run) -> None:
    shown = run("show", "--actor", "zhangsan").stdout

    assert len(shown.splitlines()) == 3
    assert not set("\x1b\u202e") & set(shown)
    assert run("show", "--action", "user.", "--limit", "1").stdout.splitlines() == shown.splitlines()[2:]
    assert run("show", "--until", "2020-01-01").stdout == ""


def test_showing_is_recorded_once_an_hour_and_exporting_every_time(run: Run, tmp_path: Path) -> None:
    run("show")
    run("show")
    run("export", "-o", str(tmp_path / "a.jsonl"))
    run("export", "-o", str(tmp_path / "b.jsonl"), "--since", "2020-01-01")
    found = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()]

    assert [one["action"] for one in found[3:]] == ["audit.read", "audit.exported", "audit.exported"]
    assert found[4]["actor"].startswith("cli:")
    assert json.loads(found[5]["detail"]) == {"format": "jsonl", "since": "2020-01-01"}


def test_pruning_keeps_what_the_setting_says_and_can_be_verified(
    run: Run, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run("prune").stdout

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=200)

    monkeypatch.setenv("KB_AUDIT_DAYS", "180")
    monkeypatch.setattr("kb.commands.audit.datetime", Later)
    gone = run("prune").stdout

    assert kept.startswith("prune ok: 0 records")
    assert gone.startswith("prune ok: 2 records")
    assert run("verify").stdout == "audit ok: records 3-4, copy to 4\n"
    monkeypatch.setenv("KB_AUDIT_DAYS", "179")
    assert run("prune").exit_code == 3


def test_the_doctor_tells_of_a_copy_that_cannot_be_written_and_of_a_log_that_does_not_hold(
    database: Database, settings: Settings
) -> None:
    whole = diagnose._audit(database, settings)
    settings.audit_copy.rename(settings.data / "gone")
    settings.audit_copy.write_text("in the way", encoding="utf-8")
    (behind,) = [diagnose._audit(database, settings)]

    assert whole == diagnose.Finding("audit", True, "完好,3 条记录")
    assert (behind.ok, "副本" in behind.says) == (False, True)
