from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import Engine as Database
from sqlalchemy import select

import kb
from kb import config
from kb.config import Settings
from kb.model import Actor
from kb.store import audit, audit_lines
from kb.store.audit_lines import Asked
from kb.store.db import open_database, reading, writing
from kb.store.tables import audit as table
from kb.web import create_app
from kb.web.admin import audit as admin_audit
from kb.web.admin.audit import ACTIONS
from kb.web.library import EXTENSION
from tests.web.people import signed_in

HOSTILE = "=cmd|' /C calc'!A0\r\n\x1b[31m\u202e<script>alert(1)</script>"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Over a library with 130 records, of two people and one with a hostile name."""
    settings = Settings(data=tmp_path_factory.mktemp("audited") / "data")
    config.prepare_data(settings)
    database = open_database(settings.database)
    with writing(database) as connection:
        for number in range(128):
            audit.record(connection, Actor("zhangsan", "10.1.2.3", 7), "user.locked", f"user:李{number}")
        audit.record(
            connection,
            Actor("wangwu"),
            "unit.added",
            "unit:办公室",
            outcome="refused",
            detail={"名称": "办公室"},
        )
        audit.record(
            connection, Actor(HOSTILE, HOSTILE), "sign_in.failed", HOSTILE, detail={HOSTILE: HOSTILE}
        )
    made = create_app(settings)
    yield made
    database.dispose()


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions[EXTENSION].database
    return found


def actions(database: Database, actor: str) -> list[str]:
    with reading(database) as connection:
        rows = connection.execute(select(table.c.action).where(table.c.actor == actor).order_by(table.c.seq))
        return [row.action for row in rows]


def numbers(page: str) -> list[int]:
    return [int(cell.text_content()) for cell in html.document_fromstring(page).cssselect("td.number")]


def test_the_newest_records_come_first_and_pages_lead_to_the_oldest(app: Flask) -> None:
    client = signed_in(app, "auditor", name="pages")
    found: list[int] = []
    url = "/admin/audit"
    while url:
        page = client.get(url)
        found += numbers(page.text)
        links = html.document_fromstring(page.text).cssselect("a[rel=next]")
        url = links[0].get("href") if links else ""

    assert found == sorted(found, reverse=True)
    assert set(found) >= set(range(1, 131))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=wangwu", 1),
        ("action=unit.added", 1),
        ("action=unit.", 1),
        ("target=李12", 9),
        ("target=100%25", 0),
        ("outcome=refused", 1),
        ("actor=zhangsan&outcome=failed", 0),
        ("since=2999-01-01", 0),
        ("until=2020-01-01", 0),
        ("actor=wangwu&since=2020-01-01&until=2999-01-01", 1),
    ],
)
def test_filters_leave_what_they_name(app: Flask, query: str, count: int) -> None:
    page = signed_in(app, "auditor", name="filters").get(f"/admin/audit?{query}").text

    assert len(numbers(page)) == count
    assert ("没有符合条件的记录" in page) == (count == 0)


def test_a_day_that_cannot_be_read_is_said_and_kept_in_its_field(app: Flask) -> None:
    page = signed_in(app, "auditor", name="days").get("/admin/audit?since=2023-02-31&actor=zhangsan").text
    tree = html.document_fromstring(page)

    assert "2023-02-31" in tree.cssselect("[role=alert]")[0].text_content()
    assert tree.cssselect("input[name=since]")[0].get("value") == "2023-02-31"


def test_what_a_record_holds_is_shown_as_plain_text(app: Flask) -> None:
    page = signed_in(app, "auditor", name="plain").get("/admin/audit?action=sign_in.failed").text
    row = html.document_fromstring(page).cssselect("tbody tr")[0]

    assert not set("\x1b\u202e") & set(page)
    assert not row.cssselect("script")
    assert "\\u001b[31m\\u202e<script>" in row.text_content()


def test_looking_is_recorded_once_an_hour_and_each_export_every_time(app: Flask, database: Database) -> None:
    client = signed_in(app, "auditor", name="curious")
    for url in (
        "/admin/audit",
        "/admin/audit?actor=wangwu",
        "/admin/audit.csv",
        "/admin/audit.csv",
        "/admin/audit.jsonl",
    ):
        assert client.get(url).status_code == 200

    assert actions(database, "curious") == ["audit.read", *["audit.exported"] * 3]


def test_a_spreadsheet_calculates_nothing_of_the_export(app: Flask) -> None:
    client = signed_in(app, "auditor", name="sheet")
    raw = client.get("/admin/audit.csv?action=sign_in.failed").data
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))

    assert raw.startswith(b"\xef\xbb\xbf")
    assert rows[0]["actor"].startswith("'=cmd")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]


def test_lines_of_json_carry_the_seals(app: Flask, database: Database) -> None:
    client = signed_in(app, "auditor", name="lines")
    found = [json.loads(line) for line in client.get("/admin/audit.jsonl?actor=wangwu").text.splitlines()]

    assert [(one["seq"], one["actor"], json.loads(one["detail"])) for one in found] == [
        (129, "wangwu", {"名称": "办公室"})
    ]
    assert len(found[0]["seal"]) == 64


def test_the_whole_log_is_verified_for_one_at_a_time(app: Flask) -> None:
    client = signed_in(app, "auditor")
    with admin_audit.checking:
        busy = client.get("/admin/audit?check=all")
    alone = client.get("/admin/audit?check=all")

    assert busy.status_code == 200 and "另一次全部核对正在进行" in busy.text
    assert "另一次全部核对" not in alone.text and "现存全部记录" in alone.text


def test_a_slow_download_holds_no_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_lines, "ROWS", 50)
    records = audit_lines.every(database, Asked(), until=120)
    first = next(records)

    assert database.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool
    assert [first["seq"], *(one["seq"] for one in records)] == list(range(1, 121))


def test_only_the_auditor_sees_the_log(app: Flask) -> None:
    for url in ("/admin/audit", "/admin/audit.csv", "/admin/audit.jsonl"):
        assert signed_in(app, "admin").get(url).status_code == 403
        assert app.test_client().get(url).status_code in (303, 401)


def test_the_page_says_which_record_was_altered_and_shows_nothing_without_the_key(settings: Settings) -> None:
    app = create_app(settings)
    client = signed_in(app, "auditor")
    whole = client.get("/admin/audit").text
    with sqlite3.connect(settings.database) as raw:
        raw.execute("DROP TRIGGER audit_is_not_changed")
        raw.execute("UPDATE audit SET actor = 'x' WHERE seq = 1")
    raw.close()
    altered = client.get("/admin/audit").text
    os.rename(settings.data / "audit.key", settings.data / "moved")
    keyless = signed_in(app, "auditor").get("/admin/audit?check=all").text

    assert "日志完好" in whole
    assert "第 1 条记录被改动过" in altered
    assert "读不到审计密钥" in keyless
    assert numbers(keyless) == []


def recorded() -> Iterator[str]:
    """The actions that the source of kb gives to audit.record, by itself or through a function of a module's own."""
    for path in sorted(Path(kb.__file__).parent.rglob("*.py")):
        if path.parent.name == "crawl":  # what it records are pages
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.search(
                r"(\baudit\.record|^_?record(ed)?)$", ast.unparse(node.func)
            ):
                words = [
                    one.value
                    for given in node.args
                    for one in ast.walk(given)
                    if isinstance(one, ast.Constant)
                ]
                yield from (one for one in words if re.fullmatch(r"[a-z_]+\.[a-z_]+", str(one)))


def test_every_action_that_is_recorded_has_its_words_and_no_other() -> None:
    assert set(recorded()) == set(ACTIONS)
