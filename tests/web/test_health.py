from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from kb import vitals
from kb.config import Settings
from kb.search import Search
from kb.store import articles, tables
from kb.store.articles import NewArticle
from kb.store.db import writing
from kb.text.fingerprint import Fingerprints
from kb.web import create_app
from kb.web.library import library_of
from tests.making import article
from tests.web import shelf


def test_alive_reads_nothing(settings: Settings) -> None:
    app = create_app(settings)
    app.extensions.clear()

    assert app.test_client().get("/healthz").text == "ok\n"


def test_ready_when_store_and_index_answer(client: FlaskClient) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.json) == (200, {"ready": True})


def test_not_ready_without_an_index(empty_client: FlaskClient) -> None:
    response = empty_client.get("/readyz")

    assert response.status_code == 503
    assert response.json == {"ready": False, "reasons": ["index.unavailable"]}


def test_not_ready_when_the_store_cannot_be_read(settings: Settings) -> None:
    client = create_app(settings).test_client()
    client.application.extensions["kb"].database.dispose()
    settings.database.write_bytes(b"not a database" * 1000)

    assert "store.unreadable" in client.get("/readyz").json["reasons"]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_reasons_are_for_this_machine_only(empty_client: FlaskClient, address: str) -> None:
    response = empty_client.get("/readyz", environ_base={"REMOTE_ADDR": address})

    assert (response.status_code, response.json) == (503, {"ready": False})


# --- room to go on --------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> FlaskClient:
    """A library that a test may spoil."""
    return create_app(shelf.build(tmp_path / "data")).test_client()


def reasons(client: FlaskClient) -> list[str]:
    response = client.get("/readyz")
    assert response.status_code == (200 if response.json["ready"] else 503)
    return response.json.get("reasons", [])


@pytest.mark.parametrize(
    ("total", "free", "expected"),
    [(100 << 30, 11 << 30, []), (100 << 30, 9 << 30, ["disk.full"]), (5 << 30, 1 << 29, ["disk.full"])],
)
def test_not_ready_when_the_disk_is_nearly_full(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, total: int, free: int, expected: list[str]
) -> None:
    monkeypatch.setattr(vitals.shutil, "disk_usage", lambda _path: SimpleNamespace(total=total, free=free))

    assert reasons(client) == expected


def test_not_ready_when_the_write_ahead_log_has_grown(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "MOST_WAL_BYTES", 0)

    assert reasons(client) == ["wal.large"]


@pytest.mark.parametrize("year", [1970, 2026])
def test_not_ready_when_the_clock_is_wrong(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    """Never set, or before what is stored."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls(year, 1, 2, tzinfo=tz)

    monkeypatch.setattr(vitals, "datetime", Clock)

    assert reasons(client) == ["clock.wrong"]


def test_not_ready_when_what_is_stored_is_not_indexed_for_a_minute(own: FlaskClient) -> None:
    settings = library_of(own.application).settings
    with writing(library_of(own.application).database) as connection:
        new = NewArticle(article("迟迟没有索引的一篇", key="https://paper.example.cn/late"))
        articles.save(connection, [new], Fingerprints())
        at_once = reasons(own)
        hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        connection.execute(
            update(tables.articles).where(tables.articles.c.key.endswith("late")).values(stored_at=hour_ago)
        )
    while_working = reasons(own)
    os.utime(settings.index / "CURRENT", (0, 0))

    assert (at_once, while_working, reasons(own)) == ([], [], ["index.behind"])


def test_not_ready_when_the_index_does_not_find_what_is_there(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "count", lambda *_, **__: 0)

    assert reasons(client) == ["index.wrong"]
