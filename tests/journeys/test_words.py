"""Lexicon, upload and review as Chromium shows them: an editor adds a word, sends files and judges a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kb.web import create_app
from tests.journeys.driving import AXE, CHROMIUM, RULES, Visit, measure, serving
from tests.web import shelf
from tests.web.admin.test_review import BAD_PAGE, queued
from tests.web.people import signed_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture
def editor(browser: Browser, tmp_path: Path) -> Iterator[tuple[Visit, str]]:
    """A browser in which an editor is signed in, and the address of a library where a page waits."""
    app = create_app(shelf.build(tmp_path / "data"))
    queued(app)
    cookie = signed_in(app, "editor").get_cookie("sign_in")
    assert cookie is not None
    with serving(app) as address:
        made = Visit(browser)
        made.page.context.add_cookies([{"name": "sign_in", "value": cookie.value, "url": address}])
        yield made, address
        made.close()


def faults(page: Page) -> list[object]:
    """What axe finds, and on which screens the page is too wide or has what is too small to be pressed."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    wide = [(width, measure(page, width)) for width in (360, 1366)]
    return [rule["id"] for rule in found["violations"]] + [one for one in wide if one[1] != (one[0], [])]


@pytest.mark.slow
def test_an_editor_adds_a_word_sends_files_and_judges_a_page(
    editor: tuple[Visit, str], tmp_path: Path
) -> None:
    visit, address = editor
    page, seen = visit.page, list[object]()
    page.goto(f"{address}/admin/lexicon?try=枫溪夜话会&more=枫溪夜话会&word=枫溪夜话会")
    seen += faults(page)
    page.click("#adding ~ form button")
    added = page.inner_text("p[role=status]")
    seen += faults(page)
    page.goto(f"{address}/admin/lexicon/synonyms")
    seen += faults(page)

    (tmp_path / "见闻.txt").write_text(
        "枫溪见闻\n\n枫溪县把支部建在项目上，把党课讲到工地旁。\n", encoding="utf-8"
    )
    (tmp_path / "名单.html").write_text(BAD_PAGE, encoding="utf-8")
    page.goto(f"{address}/admin/upload")
    seen += faults(page)
    page.set_input_files("#files", [tmp_path / "见闻.txt", tmp_path / "名单.html"])
    page.click("main button")
    sent = page.inner_text("main table")
    seen += faults(page)

    page.goto(f"{address}/admin/review")
    seen += faults(page)
    page.click("tbody a")
    seen += faults(page)
    page.fill("#published", "2024-05-06")
    page.click("button[value=pass]")
    passed, heading = page.inner_text("p[role=status]"), page.inner_text("h1")

    assert "已添加「枫溪夜话会」" in added
    assert "新增 1 篇" in sent and "待审 1 篇" in sent
    assert "已通过" in passed and heading == "枫溪名单"  # the next one
    assert seen == []
    assert visit.complaints == []
