from __future__ import annotations

import errno
import time

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import Engine as Database
from sqlalchemy import select

from kb.config import Settings
from kb.model import Actor
from kb.store import limits, searches, units
from kb.store.db import reading, writing
from kb.store.searches import Report, Searched
from kb.store.tables import search_history
from kb.web import create_app, search_log
from kb.web.library import EXTENSION, Library
from kb.web.search_log import SearchLog
from tests.web import shelf
from tests.web.people import signed_in


@pytest.fixture
def shelved(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Flask:  # type: ignore[no-untyped-def]
    """The application over a library of its own; its log is written when it is told to."""
    monkeypatch.setattr(SearchLog, "_write", lambda _self: None)
    return create_app(shelf.build(tmp_path / "data"))


def logged(database: Database) -> Report:
    with reading(database) as connection:
        return searches.report(connection, 30)


def library(app: Flask) -> Library:
    found = app.extensions[EXTENSION]
    assert isinstance(found, Library)
    return found


def test_a_search_is_logged_once_however_it_is_paged_and_narrowed(shelved: Flask) -> None:
    client = shelved.test_client()
    chosen = ("&sort=newest", "&scope=title", "&copies=1", "&exact=1")
    for more in ("", "&page=2", "&year=2020", "&newspaper=云岭日报", *chosen):
        assert client.get(f"/search?q=三会一课{more}").status_code == 200
    client.get("/search?q=“绝无此语句”")
    client.get("/search?q=三会一课 绝无此语句")
    client.get("/search?q=")
    library(shelved).log.flush()

    said = logged(library(shelved).database)
    assert [(one.query, one.times, one.total) for one in said.frequent] == [
        ("“绝无此语句”", 1, 0),
        ("三会一课", 1, shelf.NOTES),
        ("三会一课 绝无此语句", 1, 0),
    ]


def test_the_log_counts_what_everybody_finds_and_a_persons_history_what_that_one_found(
    shelved: Flask,
) -> None:
    database = library(shelved).database
    with writing(database) as connection:
        unit = units.add(connection, "青溪县人民检察院")
        limits.put(connection, Actor("test"), "article", shelf.FIRST_NOTE, [unit])
    member = signed_in(shelved, name="member", units=[unit])

    assert member.get("/search?q=三会一课").status_code == 200
    library(shelved).log.flush()
    with reading(database) as connection:
        own = connection.execute(select(search_history.c.query, search_history.c.total)).all()

    assert [(one.query, one.total) for one in logged(database).frequent] == [("三会一课", shelf.NOTES - 1)]
    assert [tuple(row) for row in own] == [("三会一课", shelf.NOTES)]


def test_a_page_never_waits_for_a_writer_and_the_log_is_kept_for_later(
    shelved: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_log, "BUSY_SECONDS", 0.05)
    found = library(shelved)
    with writing(found.database):
        assert shelved.test_client().get("/search?q=三会一课").status_code == 200
        assert not found.log.flush()
    assert found.log.flush()

    assert logged(found.database).searches == 1


def test_what_waits_is_written_by_a_thread_of_its_own(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_log, "FLUSH_SECONDS", 0.01)
    log = SearchLog(settings)
    for number in range(300):
        log.note(f"词{number}", 1, 1.0)
    end = time.monotonic() + 60
    while logged(database).searches < 300:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_too_many_waiting_searches_are_dropped_and_counted(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search_log, "WAITING", 3)
    monkeypatch.setattr(SearchLog, "_write", lambda _self: None)
    log = SearchLog(settings)
    for _ in range(5):
        log.note("党建", 1, 1.0)
    log.flush()

    assert logged(database).searches == 3
    assert "searches.dropped" in "".join(capfd.readouterr())


def test_nothing_is_logged_when_nothing_is_kept_and_what_was_is_deleted(
    settings: Settings, database: Database
) -> None:
    with writing(database) as connection:
        searches.record(connection, [searches.Searched("2020-01-01T00:00:00Z", "旧", 1, 1)])
    log = SearchLog(settings.model_copy(update={"search_log_days": 0}))
    log.note("党建", 1, 1.0)
    log.flush()

    with reading(database) as connection:
        assert searches.report(connection, 3650).searches == 0


def test_home_shows_what_many_look_for(shelved: Flask) -> None:
    client = shelved.test_client()
    before = html.document_fromstring(client.get("/").text)
    with writing(library(shelved).database) as connection:
        made = [Searched(f"2026-11-22T{hour:02}:06:00Z", "三会一课", 24, 1) for hour in range(5)]
        searches.record(connection, made)
    library(shelved).log._popular_until = 0.0
    after = html.document_fromstring(client.get("/").text)

    assert not before.cssselect(".popular")
    assert [link.text for link in after.cssselect(".popular a")] == ["三会一课"]


def test_a_checkpoint_that_fails_makes_no_search_be_written_twice(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_args: object) -> bool:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(search_log, "checkpoint", fail)
    monkeypatch.setattr(SearchLog, "_write", lambda _self: None)
    log = SearchLog(settings)
    log.note("党建", 1, 1.0)

    assert log.flush() and log.flush()
    assert logged(database).searches == 1
    assert "searches.no_checkpoint" in "".join(capfd.readouterr())


def test_what_the_disk_refuses_is_kept_for_later(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> Database:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(SearchLog, "_write", lambda _self: None)
    log = SearchLog(settings)
    log.note("党建", 1, 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(search_log, "connect", fail)
        assert not log.flush()

    assert log.flush()
    assert logged(database).searches == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writing_thread_that_died_is_followed_by_another(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_self: SearchLog) -> bool:
        raise MemoryError

    monkeypatch.setattr(search_log, "FLUSH_SECONDS", 0.01)
    log = SearchLog(settings)
    with monkeypatch.context() as broken:
        broken.setattr(SearchLog, "flush", die)
        log.note("党建", 1, 1.0)
        end = time.monotonic() + 60
        while log._thread is not None:
            assert time.monotonic() < end
            time.sleep(0.02)
    log.note("业务", 1, 1.0)
    while logged(database).searches < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
