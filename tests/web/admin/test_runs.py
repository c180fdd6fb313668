from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import delete, select

from kb.model import CrawlPage
from kb.store import frontier, runs, tables
from kb.store.db import reading, writing
from kb.web.admin.runs import reason_name
from kb.web.library import EXTENSION
from tests.web.people import post, signed_in

SLUG = "cctv-xwlb"
HOME = "https://tv.cctv.com"
FAILED = f"/admin/runs/failed/{SLUG}"


@pytest.fixture
def operator(app: Flask) -> Iterator[FlaskClient]:
    """An operator of a library in which one source was crawled three times; two of its pages failed."""
    database = app.extensions[EXTENSION].database
    with writing(database) as connection:
        for stopped in (None, ("fetch.wait", "请等待 90 秒"), None):
            run_id = runs.begin(connection, SLUG)
            runs.end(connection, run_id, {"new": 41, "failed": 2}, {"read": 43, "author": 5}, stopped=stopped)
        runs.begin(connection, "gone-source")  # begun by this process, which holds no lock: interrupted
        words = "未找到正文:<b>x</b>"
        pages = [
            CrawlPage(SLUG, f"{HOME}/{n}", "article", state="failed", reason="parse.no_body", detail=words)
            for n in (1, 2)
        ]
        frontier.add(connection, [*pages, CrawlPage(SLUG, f"{HOME}/3", "article", state="done")])
    yield signed_in(app, "operator")
    with writing(database) as connection:
        for table in (tables.runs, tables.frontier):
            connection.execute(delete(table))


def see(client: FlaskClient, url: str, status: int = 200) -> html.HtmlElement:
    answer = client.get(url)
    assert answer.status_code == status, answer.text[:300]
    return html.document_fromstring(answer.text)


def rows(tree: html.HtmlElement) -> list[list[str]]:
    return [
        [" ".join(cell.text_content().split()) for cell in row.iter("td")] for row in tree.xpath("//tbody/tr")
    ]


def test_runs_are_listed_the_newest_first_with_what_they_did(operator: FlaskClient) -> None:
    found = rows(see(operator, "/admin/runs"))

    assert [row[1:5] for row in found] == [
        ["gone-source", "中断", "0", "0"],
        ["央视网 新闻联播", "有失败", "41", "0"],
        ["央视网 新闻联播", "提前停止", "41", "0"],
        ["央视网 新闻联播", "有失败", "41", "0"],
    ]


@pytest.mark.parametrize(
    ("chosen", "count"),
    [(f"source={SLUG}", 3), ("outcome=stopped", 1), (f"source={SLUG}&outcome=interrupted", 0)],
)
def test_the_list_is_narrowed_by_source_and_outcome(chosen: str, count: int, operator: FlaskClient) -> None:
    assert len(rows(see(operator, f"/admin/runs?{chosen}"))) == count


def test_an_unknown_outcome_is_refused(operator: FlaskClient) -> None:
    see(operator, "/admin/runs?outcome=splendid", 400)


def test_a_run_tells_why_it_stopped_and_what_failed_of_its_source(operator: FlaskClient) -> None:
    [link] = see(operator, "/admin/runs?outcome=stopped").xpath("//tbody//a/@href")
    tree = see(operator, link)

    assert "请等待 90 秒" in tree.text_content()
    assert "缺作者 5" in tree.text_content()
    assert [row[0] for row in rows(tree)] == [f"{HOME}/2", f"{HOME}/1"]
    assert rows(tree)[0][1] == "未找到正文:<b>x</b>"


def test_one_page_is_tried_again_and_then_waits(operator: FlaskClient) -> None:
    answer = post(operator, FAILED, {"url": f"{HOME}/1"})

    assert (answer.status_code, answer.location) == (303, FAILED)
    tree = see(operator, FAILED)
    assert [row[2].split()[0] for row in rows(tree)] == ["重试", "等待重试"]
    assert "1 页将由下一次采集重试" in tree.text_content()


def test_all_failed_pages_are_tried_again_and_the_audit_log_says_who_asked(
    operator: FlaskClient, app: Flask
) -> None:
    post(operator, FAILED)
    with reading(app.extensions[EXTENSION].database) as connection:
        asked = select(tables.audit).where(tables.audit.c.action == "run.retried")
        last = connection.execute(asked.order_by(tables.audit.c.seq.desc())).first()

    assert last is not None
    assert (last.actor, last.object, last.detail) == ("a-operator", f"source:{SLUG}", '{"pages":2}')


@pytest.mark.parametrize("url", ["/admin/runs/999999", "/admin/runs/failed/nowhere"])
def test_a_run_or_source_that_is_not_there_is_not_found(url: str, operator: FlaskClient) -> None:
    see(operator, url, 404)


def test_pages_of_a_source_that_is_not_there_cannot_be_tried_again(operator: FlaskClient) -> None:
    assert post(operator, "/admin/runs/failed/nowhere").status_code == 404


def test_without_runs_the_page_says_how_they_begin(app: Flask) -> None:
    assert "kb crawl" in see(signed_in(app, "admin"), "/admin/runs").text_content()


@pytest.mark.parametrize("key", ["parse.no_body", "crawl.page_error", "crawl.no_issue", "other", ""])
def test_every_reason_has_a_name(key: str) -> None:
    assert reason_name(key)
    assert "{" not in reason_name(key)
