"""Signing in as a person does it in Chromium: from a page that needs it, over a first password, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from kb import accounts
from kb.config import Settings
from kb.model import Actor
from kb.store.db import open_database, writing
from kb.web import create_app
from tests.journeys.driving import AXE, CHROMIUM, RULES, Visit, measure, serving
from tests.making import FOR_TESTS, PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]
NEW = "河对岸的第四棵槐树"
WRONG = "不是这一个密码"


@pytest.fixture
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that is read only by those who sign in; its address, with the way to the first administrator."""
    made = Settings(data=tmp_path_factory.mktemp("closed") / "data", anonymous_reading=False, **FOR_TESTS)
    app = create_app(made)
    with writing(open_database(made.database)) as connection:
        given = {"full_name": "张三", "role": "reader", "password": PASSWORD}
        accounts.add_user(connection, Actor("cli:test"), made, name="zhangsan", **given)  # type: ignore[arg-type]
    with serving(app) as told:
        yield told


def check(page: Page) -> None:
    """The page is accessible and fits every screen."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    violations = [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]]
    measured = [measure(page, width) for width in (1280, 360, 320)]

    assert violations == [] and measured == [(1280, []), (360, []), (320, [])], json.dumps(violations)


def test_a_person_signs_in_changes_the_first_password_and_reaches_the_page_that_was_wanted(
    visit: Visit, closed: str
) -> None:
    page = visit.page
    page.goto(f"{closed}/papers")
    check(page)
    page.keyboard.type("zhangsan")  # the box for the name has the focus
    page.fill("#password", WRONG)
    page.keyboard.press("Enter")
    assert "账号名或密码不对" in page.inner_text("[role=alert]")
    assert page.input_value("#name") == "zhangsan" and page.input_value("#password") == ""
    check(page)

    page.fill("#password", PASSWORD)
    page.click("main button")
    assert "修改密码" in page.inner_text("h1")
    check(page)
    page.fill("#old", PASSWORD)
    page.fill("#new", NEW)
    page.fill("#again", NEW)
    page.click("main button >> nth=0")

    assert page.url == f"{closed}/papers"
    assert visit.complaints == []
