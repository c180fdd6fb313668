from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import Engine as Database

from kb import diagnose
from kb.config import Settings
from kb.model import Actor, Role
from kb.store import audit
from kb.store.db import writing
from kb.web import create_app
from kb.web.admin import home
from kb.web.library import EXTENSION
from tests.web.people import csrf, post, signed_in


def see(client: FlaskClient, url: str, status: int = 200) -> html.HtmlElement:
    answer = client.get(url)
    assert answer.status_code == status, answer.text[:300]
    return html.document_fromstring(answer.text)


def links(app: Flask, role: Role) -> list[str]:
    """What the navigation of /admin leads a role to."""
    found = see(signed_in(app, role), "/admin").xpath("//nav[@aria-label='管理页面']//a/@href")
    return [str(one) for one in found]


@pytest.mark.parametrize("role", ["editor", "operator", "admin", "auditor"])
def test_the_navigation_leads_only_where_the_role_may_go(app: Flask, role: Role) -> None:
    found = links(app, role)
    client = signed_in(app, role)

    assert found[0] == "/admin"
    assert {client.get(url).status_code for url in found} == {200}


def test_readers_have_no_administration(app: Flask) -> None:
    assert signed_in(app, "reader").get("/admin").status_code == 403


def headings(app: Flask, role: Role) -> set[str]:
    return {str(one) for one in see(signed_in(app, role), "/admin").xpath("//main//h2/text()")}


def test_each_role_sees_what_it_can_act_on(app: Flask) -> None:
    assert {"状况", "排队", "最近的采集"} <= headings(app, "operator") & headings(app, "admin")
    assert not {"状况", "排队", "最近的采集"} & headings(app, "editor")
    assert {"索引", "检索"} <= headings(app, "editor")
    assert headings(app, "auditor") == {"审计"}


def test_an_index_that_cannot_answer_is_said_first(settings: Settings) -> None:
    for role in ("editor", "operator"):
        tree = see(signed_in(create_app(settings), role), "/admin")  # type: ignore[arg-type]

        assert "还没有索引" in tree.xpath("string(//p[@role='alert'])")


# --- the full check --------------------------------------------------------------------------------------------------


def test_the_health_page_says_what_is_in_force_and_hides_what_is_secret(app: Flask) -> None:
    tree = see(signed_in(app, "operator"), "/admin/health")
    lines = {
        row.xpath("string(th)").strip(): row.xpath("string(td)").strip()
        for row in tree.xpath("//tbody/tr[th]")
    }

    assert lines["KB_PAGE_SIZE"] == "10"
    assert lines["KB_AUDIT_KEY_FILE"] == "没有设置"
    assert {one.name for one in home._settings(Settings()) if one.is_secret} == {
        "KB_AUDIT_KEY_FILE",
        "KB_METRICS_TOKEN_FILE",
    }


def test_the_full_check_tells_every_finding_of_the_doctor(app: Flask) -> None:
    answer = post(signed_in(app, "operator"), "/admin/health")
    found = html.document_fromstring(answer.text).xpath("//li[@class='row']")

    assert answer.status_code == 200
    assert len(found) == len(
        diagnose.diagnose(app.extensions[EXTENSION].database, app.extensions[EXTENSION].settings)
    )


def test_one_full_check_runs_at_a_time(app: Flask) -> None:
    client = signed_in(app, "operator")
    with home.checking:
        answer = client.post("/admin/health", data={"csrf_token": csrf(client)})

    assert answer.status_code == 503
    assert "正在进行" in answer.text


# --- what the lights say ---------------------------------------------------------------------------------------------


def test_a_backup_that_is_missing_or_old_is_said(database: Database) -> None:
    none = diagnose._backup(database)
    with writing(database) as connection:
        audit.record(connection, Actor("cli:kb"), "backup.made", "backup:a")
    fresh = diagnose._backup(database)

    assert (none.ok, fresh.ok) == (False, True)
    assert (
        datetime.now(UTC).date().isoformat() in fresh.says
        or str(datetime.now(UTC).date() - timedelta(1)) in fresh.says
    )


def test_the_indexer_is_seen_while_it_lives() -> None:
    before = diagnose._indexer(diagnose.processes()).ok
    program = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program, "--follow"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        found = {one.kind: one for one in diagnose.processes()}
        child.kill()

    assert not before
    assert found["indexer"].pid == child.pid
    assert found["web"].pid == os.getpid()
    assert found["indexer"].memory_mib > 0
