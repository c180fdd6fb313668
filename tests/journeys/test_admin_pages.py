"""The pages of those who look after the library, as Chromium shows them; and an operator's morning without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from kb.model import CrawlPage
from kb.store import frontier, runs, searches, tables
from kb.store.db import writing
from kb.web import create_app
from kb.web.library import EXTENSION
from tests.journeys.driving import AXE, CHROMIUM, RULES, measure, mostly_slow, serving
from tests.web import shelf
from tests.web.people import signed_in

SLUG = "cctv-xwlb"
PAGES = {
    "home": "/admin",
    "sources": "/admin/sources",
    "trial": f"/admin/sources/try?source={SLUG}",
    "runs": "/admin/runs",
    "no runs": "/admin/runs?outcome=running",
    "run": "/admin/runs/1",
    "failed": f"/admin/runs/failed/{SLUG}",
    "queries": "/admin/queries",
    "health": "/admin/health",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application over a library that was crawled, with what fails and what is odd."""
    app = create_app(shelf.build(tmp_path_factory.mktemp("admin") / "data"))
    stopped = (
        "fetch.robots_unreachable",
        "读不到 https://tv.cctv.com 的 robots.txt(HTTP 503),按规定暂停抓取此站。",
    )
    with writing(app.extensions[EXTENSION].database) as connection:
        first = runs.begin(connection, SLUG)
        runs.end(connection, first, {"new": 90, "fetched": 99}, {"read": 90}, stopped=stopped)
        last = runs.begin(connection, SLUG)
        runs.end(connection, last, {"new": 25, "failed": 18}, {"read": 25, "title": 16})
        runs.begin(connection, "gone-source")
        url = f"https://tv.cctv.com/2026/11/22/{'VIDE' * 30}.shtml"
        failed = {
            "state": "failed",
            "reason": "parse.no_title",
            "detail": f"未找到标题:{url} 的 2 行文字里没有。",
        }
        frontier.add(connection, [CrawlPage(SLUG, url, "article", **failed)])  # type: ignore[arg-type]
        connection.execute(tables.searches.delete())
        searches.record(connection, [searches.searched(text, 0, 1200.0) for text in ("甲" * 200, "=1+1")])
    return app


@pytest.fixture(scope="module")
def base(made: Flask) -> Iterator[str]:
    with serving(made) as told:
        yield told


def window(browser: Browser, made: Flask, base: str, *, script: bool = True) -> BrowserContext:
    """A browser in which an administrator is signed in."""
    cookie = signed_in(made, "admin").get_cookie("sign_in")
    assert cookie is not None
    context = browser.new_context(java_script_enabled=script, locale="zh-CN")
    context.add_cookies([{"name": "sign_in", "value": cookie.value, "url": base}])
    return context


@pytest.mark.parametrize("kind", mostly_slow(PAGES, {"sources"}))
def test_a_page_is_accessible_and_fits_every_screen(
    kind: str, browser: Browser, made: Flask, base: str
) -> None:
    context = window(browser, made, base)
    page = context.new_page()
    page.goto(base + PAGES[kind])
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    measured = [measure(page, width) for width in (1366, 360)]
    context.close()

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert measured == [(1366, []), (360, [])]


def test_an_operator_pauses_a_source_tries_failed_pages_again_and_checks_everything_without_javascript(
    browser: Browser, made: Flask, base: str
) -> None:
    context = window(browser, made, base, script=False)
    page = context.new_page()
    page.goto(f"{base}/admin")
    page.click("nav >> text=来源")
    page.click("[aria-label='暂停 央视网 新闻联播']")
    paused = page.inner_text("p[role=status]")
    page.click("text=失败 1 页")
    page.click("text=全部重试")
    tried = page.inner_text("p[role=status]")
    waiting = page.inner_text("tbody td:last-child")
    page.click("nav >> text=健康检查")
    page.click("text=完整检查")
    checked = page.inner_text("main h2")
    context.close()

    assert "已暂停" in paused
    assert (tried, waiting) == ("1 页将由下一次采集重试。", "等待重试")
    assert checked == "完整检查的结果"
