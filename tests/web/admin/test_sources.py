from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import delete, select

from kb import config
from kb.model import CrawlPage, Hidden
from kb.store import frontier, limits, pages, runs, tables
from kb.store.db import reading, writing
from kb.web.admin import sources
from kb.web.admin.sources import share
from kb.web.library import EXTENSION
from tests.web import shelf
from tests.web.people import csrf, post, signed_in

SLUG = "sample-classic"
SITE = config.shipped("corpus") / "samples" / "site" / "szb.qinghe-ribao.example"
ORIGIN = "https://szb.qinghe-ribao.example"
PAGE = sorted(SITE.rglob("content_*.htm"))[0]
ADDRESS = f"{ORIGIN}/{PAGE.relative_to(SITE)}"
TABLES = (tables.runs, tables.frontier, tables.source_states)


@pytest.fixture
def operator(app: Flask) -> Iterator[FlaskClient]:
    """An operator; what a test writes is gone after it."""
    yield signed_in(app, "operator")
    with writing(app.extensions[EXTENSION].database) as connection:
        for table in TABLES:
            connection.execute(delete(table))


@pytest.fixture
def kept(app: Flask) -> CrawlPage:
    """A page of a sample newspaper, as a crawl keeps it."""
    library = app.extensions[EXTENSION]
    page_hash = pages.put(library.settings.pages, PAGE.read_bytes())
    page = CrawlPage(SLUG, ADDRESS, "article", state="done", page_hash=page_hash, content_type="text/html")
    with writing(library.database) as connection:
        frontier.add(connection, [page])
    return page


def crawled(app: Flask, *, read: int, **facts: Any) -> None:
    with writing(app.extensions[EXTENSION].database) as connection:
        run_id = runs.begin(connection, SLUG)
        lacking = {"read": read, **facts.pop("lacking", {})}
        runs.end(connection, run_id, {"new": read, **facts}, lacking)


def see(client: FlaskClient, url: str, status: int = 200) -> html.HtmlElement:
    answer = client.get(url)
    assert answer.status_code == status, answer.text[:300]
    return html.document_fromstring(answer.text)


def row(tree: html.HtmlElement, slug: str = SLUG) -> list[str]:
    [found] = tree.xpath(f"//tbody/tr[contains(th, '{slug}')]")
    return [" ".join(cell.text_content().split()) for cell in found.xpath("th|td")]


def test_every_source_has_its_line(operator: FlaskClient, app: Flask) -> None:
    crawled(app, read=30, failed=2)
    found = row(see(operator, "/admin/sources"))

    assert found[0].startswith("清河日报（样例） sample-classic · 核实 2026-11-22")
    assert found[1] == "停用"
    assert found[2].endswith("有失败")
    assert found[3:6] == ["30/0/2", "0", "—"]


def test_a_source_that_lacks_more_than_before_is_marked(operator: FlaskClient, app: Flask) -> None:
    crawled(app, read=90)
    crawled(app, read=25, lacking={"title": 16})

    assert "▲ 疑似改版：标题缺失由 0% 升到 64%" in row(see(operator, "/admin/sources"))[0]


def test_what_articles_lack_is_counted_by_the_index(operator: FlaskClient) -> None:
    others = see(operator, "/admin/sources").xpath("//li[starts-with(normalize-space(), 'sample')]")

    assert [" ".join(one.text_content().split()) for one in others] == ["sample 28 篇"]


def test_pausing_is_shown_with_who_did_it_and_taken_back(operator: FlaskClient) -> None:
    answer = post(operator, f"/admin/sources/{SLUG}/pause")
    paused = see(operator, "/admin/sources")
    post(operator, f"/admin/sources/{SLUG}/resume")

    assert (answer.status_code, answer.location) == (303, "/admin/sources")
    assert "已暂停" in paused.xpath("string(//p[@role='status'])")
    assert row(paused)[1].startswith("暂停 a-operator，")
    assert row(see(operator, "/admin/sources"))[1] == "停用"


def test_a_source_that_is_not_there_cannot_be_paused(operator: FlaskClient, app: Flask) -> None:
    assert post(operator, "/admin/sources/nowhere/pause").status_code == 404
    with reading(app.extensions[EXTENSION].database) as connection:
        assert connection.execute(select(tables.source_states)).all() == []


# --- one page on trial -----------------------------------------------------------------------------------------------


def trial(client: FlaskClient, status: int = 200, **fields: Any) -> html.HtmlElement:
    answer = client.post("/admin/sources/try", data={"csrf_token": csrf(client), **fields})
    assert answer.status_code == status, answer.text[:300]
    return html.document_fromstring(answer.text)


def read(tree: html.HtmlElement) -> dict[str, str]:
    """What the page says was read, by the name of the field."""
    names = tree.xpath("//dl/dt/text()")
    return dict(zip(names, (" ".join(one.text_content().split()) for one in tree.iter("dd")), strict=True))


def test_a_page_that_is_kept_is_read_with_the_rules_of_its_source(
    operator: FlaskClient, kept: CrawlPage
) -> None:
    found = read(trial(operator, url=kept.url))

    assert found["报纸"] == "清河日报"
    assert found["日期"].startswith("20")
    assert "版" in found["版次"]
    assert found["正文"].endswith("段")
    assert found["把握"] == "0.95，规则 founder-classic"


def test_an_uploaded_page_is_read_and_nothing_is_stored(operator: FlaskClient, app: Flask) -> None:
    database = app.extensions[EXTENSION].database
    padding = b"<!--" + b"x" * 200_000 + b"-->"  # larger than any other request may be
    file = (BytesIO(PAGE.read_bytes() + padding), "a.html")
    found = read(trial(operator, page=file, source=SLUG, url=ADDRESS))

    assert found["报纸"] == "清河日报"
    with reading(database) as connection:
        assert not frontier.knows(connection, SLUG)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "没有可读的页"),
        ({"url": "https://paper.example.cn/nowhere"}, "没有保存 https://paper.example.cn/nowhere 的原页"),
        ({"url": "没有这样的网址"}, "只抓取 http 和 https 网址"),
        ({"page": (BytesIO(b"<p>x"), "a.html"), "source": "nowhere"}, "没有名为 nowhere 的来源"),
        ({"page": (BytesIO(b""), "a.html")}, "未找到"),
    ],
    ids=["nothing", "not kept", "no address", "no source", "empty file"],
)
def test_what_cannot_be_read_is_said_and_what_was_typed_stays(
    fields: dict[str, Any], said: str, operator: FlaskClient
) -> None:
    tree = trial(operator, 422, **fields)

    assert said in tree.xpath("string(//*[@role='alert'])")
    assert tree.xpath("string(//input[@name='url']/@value)") == fields.get("url", "")


def test_a_file_that_is_too_large_is_refused(operator: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_limit_bytes", lambda _settings: 2**18)
    tree = trial(operator, 422, page=(BytesIO(b"x" * (2**18 + 1)), "a.html"))

    assert "没有读" in tree.xpath("string(//*[@role='alert'])")


@pytest.mark.parametrize(
    "hidden",
    [Hidden(sources=frozenset({SLUG})), Hidden(articles=frozenset({shelf.FULL}))],
    ids=["source", "article"],
)
def test_a_kept_page_that_the_operator_may_not_read_is_as_one_that_is_not_kept(
    hidden: Hidden, operator: FlaskClient, kept: CrawlPage, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_article = replace(kept, url=shelf.full().key)
    with writing(app.extensions[EXTENSION].database) as connection:
        frontier.add(connection, [of_article])
    assert read(trial(operator, url=of_article.url))["报纸"] == "清河日报"
    monkeypatch.setattr(limits, "hidden", lambda *_: hidden)

    assert "没有保存" in trial(operator, 422, url=of_article.url).text_content()


@pytest.mark.parametrize(
    ("part", "said"), [(0.0, "0%"), (0.001, "<1%"), (0.64, "64%"), (0.9999, ">99%"), (1.0, "100%")]
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: float, said: str) -> None:
    assert share(part) == said
