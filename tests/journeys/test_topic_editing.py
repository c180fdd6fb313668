"""Topics as an editor changes them in Chromium: every page on every screen, and an afternoon's work by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from kb import topics
from kb.model import Actor
from kb.store.db import reading
from kb.web import create_app
from kb.web.library import library_of
from tests.journeys.driving import AXE, CHROMIUM, RULES, measure, serving
from tests.web import shelf
from tests.web.people import signed_in

PAGES = {
    "new": "/topics/new",
    "edit": "/t/dangjian/edit",
    "must-reads": "/t/dangjian/pins",
    "exclusions": "/t/dangjian/exclusions",
    "history": "/t/dangjian/history",
    "topic": "/t/dangjian",
    "article": f"/a/{shelf.FULL}",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    app = create_app(shelf.build(Path(tmp_path_factory.mktemp("editing") / "data")))
    database, actor = library_of(app).database, Actor("a-editor", "127.0.0.1")
    for article in (shelf.FULL, shelf.UNDATED):
        topics.pin(database, actor, "dangjian", article)
    topics.exclude(database, actor, "dangjian", [shelf.FIRST_NOTE], "会议通知，不是学习材料")
    return app


@pytest.fixture(scope="module")
def base(made: Flask) -> Iterator[str]:
    with serving(made) as told:
        yield told


def window(browser: Browser, made: Flask, base: str, *, script: bool = True) -> BrowserContext:
    cookie = signed_in(made, "editor").get_cookie("sign_in")
    assert cookie is not None
    context = browser.new_context(java_script_enabled=script, locale="zh-CN")
    context.add_cookies([{"name": "sign_in", "value": cookie.value, "url": base}])
    return context


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_accessible_and_fits_every_screen(
    kind: str, browser: Browser, made: Flask, base: str
) -> None:
    context = window(browser, made, base)
    page = context.new_page()
    page.goto(base + PAGES[kind])
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    measured = [measure(page, width) for width in (1366, 360)]
    context.close()

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert measured == [(1366, []), (360, [])]


def reach(page: Page, selector: str) -> None:
    """By the Tab key, as somebody without a mouse does."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"the Tab key never comes to {selector}")


def test_a_topic_is_made_tried_shown_and_ordered_by_keyboard_alone_without_javascript(
    browser: Browser, made: Flask, base: str
) -> None:
    """The script only of the test looks where the focus is; the pages have none."""
    context = window(browser, made, base)
    context.route("**/kb.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{base}/topics/new")
    for selector, text in (("#slug", "zhibu"), ("#name", "支部纪实"), ("#rule", "标题:纪实")):
        reach(page, selector)
        page.keyboard.type(text)
    reach(page, "button[value=try]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#trial")
    tried = page.inner_text("section [role=status]")
    reach(page, "[name=state]")
    page.keyboard.press("ArrowDown")
    reach(page, "button[value=save]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/t/zhibu")
    for _ in range(2):
        reach(page, ".hit .choose summary")
        page.keyboard.press("Enter")
        reach(page, ".choose[open] button")
        page.keyboard.press("Enter")
        page.wait_for_selector("p[role=status] >> text=必读")
        page.goto(f"{base}/t/zhibu?page=2")
    page.goto(f"{base}/t/zhibu/pins")
    reach(page, "button[value=down]:enabled")
    page.keyboard.press("Enter")
    page.wait_for_url("**#pin-*")
    context.close()
    with reading(library_of(made).database) as connection:
        kept = topics.one(connection, "zhibu")

    assert f"规则现在找到 {shelf.NOTES} 篇" in tried
    assert kept.content.state == "shown" and len(kept.content.pinned) == 2
    assert kept.note.startswith("必读 ")
