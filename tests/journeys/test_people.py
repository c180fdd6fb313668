"""What is for one person, as Chromium shows it: size and contrast, keys, my page, people and units; also without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from kb.store import api_tokens, moments, search_history, sign_ins, units, users
from kb.store.db import reading, writing
from kb.store.search_history import Searching
from kb.web import create_app
from kb.web.library import EXTENSION
from tests.journeys.driving import AXE, CHROMIUM, RULES, Visit, measure, mostly_slow, serving
from tests.web import shelf
from tests.web.people import NO_PASSWORD

ADMIN = "guanliyuan"
WINDOWS_7 = (
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36"
)
# Page kind -> address; NNN is the id of somebody's account.
OWN = {
    "me": "/me",
    "leave": "/me/delete",
    "tokens": "/me/tokens",
    "display": "/display?next=/papers",
    "password": "/password",
    "users": "/admin/users",
    "new user": "/admin/users/new",
    "user": "/admin/users/NNN",
    "units": "/admin/units",
}
# The same for anybody.
LARGE = {
    "home": "/",
    "results": "/search?q=三会一课&newspaper=云岭日报",
    "article": f"/a/{shelf.FULL}?q=党建",
    "advanced": "/search/advanced",
    "calendar": "/papers/青溪法治报?year=2021",
    "edition page": "/papers/青溪法治报/2021-05-05/07",
    "help": "/help/using",
    "login": "/login",
    "error": "/search?q=党建 （业务 或",
}

SCREENS = (1366, 640, 360, 320)  # px wide; 640: a zoom of 200 %

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application with people and units in it."""
    app = create_app(shelf.build(tmp_path_factory.mktemp("people") / "data"))
    with writing(app.extensions[EXTENSION].database) as connection:
        court = units.add(connection, "青溪县人民检察院")
        users.add(connection, ADMIN, "管理员甲", "admin", NO_PASSWORD, units=[court])
        locked = users.add(connection, "lisi", "李四", "editor", NO_PASSWORD, units=[court])
        users.set_locked(connection, locked, locked=True)
        for number in range(3):
            users.add(connection, f"reader-{number}", f"读者{number}", "reader", NO_PASSWORD)
    return app


@pytest.fixture(scope="module")
def base(made: Flask) -> Iterator[str]:
    with serving(made) as told:
        yield told


@pytest.fixture
def enter(made: Flask, base: str) -> Callable[..., int]:
    """Sign somebody in in a browser; returns the id of the account."""

    def signed(context: BrowserContext, name: str = ADMIN) -> int:
        with writing(made.extensions[EXTENSION].database) as connection:
            found = users.by_name(connection, name)
            assert found is not None
            sign_ins.end_all(connection, found.id)
            sign_ins.begin(connection, found.id, address="10.1.2.3", device=WINDOWS_7)
            token = sign_ins.begin(connection, found.id, address="127.0.0.1", device="test")
            search_history.record(connection, [Searching(found.id, "三会一课", 24, moments.now())])
            if not api_tokens.of_user(connection, found.id):
                api_tokens.make(connection, found.id, "周报脚本" * 10, None)
                api_tokens.make(connection, found.id, "过期的", timedelta())
        context.add_cookies([{"name": "sign_in", "value": token, "url": base}])
        return found.id

    return signed


def faults(page: Page) -> list[tuple[str, str]]:
    """What axe has against the page."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    assert len(found["passes"]) > 15
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]]


def large(page: Page, base: str) -> None:
    """The largest letters, high contrast."""
    page.context.add_cookies([{"name": "display", "value": "huge.high.on", "url": base}])


def style(page: Page, selector: str, name: str) -> Any:
    return page.evaluate("([s, n]) => getComputedStyle(document.querySelector(s))[n]", [selector, name])


@pytest.mark.parametrize("kind", mostly_slow(OWN, {"me", "users"}))
def test_pages_for_one_person_are_accessible_and_fit_every_screen(
    visit: Visit, base: str, enter: Callable[..., int], kind: str
) -> None:
    page = visit.page
    user_id = enter(page.context)
    page.goto(base + quote(OWN[kind].replace("NNN", str(user_id)), safe="/?=&"))
    usual = [measure(page, width) for width in SCREENS]
    faulty = faults(page)
    large(page, base)
    page.reload()

    assert faulty == []
    assert usual == [(width, []) for width in SCREENS]
    assert [measure(page, width) for width in SCREENS] == [(width, []) for width in SCREENS]
    assert visit.complaints == []


@pytest.mark.parametrize("kind", mostly_slow(LARGE, {"results"}))
def test_every_page_in_the_largest_letters_fits_every_screen(visit: Visit, base: str, kind: str) -> None:
    page = visit.page
    large(page, base)
    page.goto(base + quote(LARGE[kind], safe="/?=&"))

    assert style(page, "body", "fontSize") == "24px"
    assert [measure(page, width)[0] for width in SCREENS] == list(SCREENS)


@pytest.mark.slow
def test_results_in_the_largest_letters_and_high_contrast_are_accessible(visit: Visit, base: str) -> None:
    large(visit.page, base)
    visit.page.goto(f"{base}/search?q={quote('三会一课')}&newspaper={quote('云岭日报')}")

    assert faults(visit.page) == []


@pytest.mark.slow
def test_paper_is_the_same_whatever_was_chosen(visit: Visit, base: str) -> None:
    page = visit.page
    page.emulate_media(media="print")
    looks = []
    for kept in ("normal.normal.on", "huge.high.on"):
        page.context.add_cookies([{"name": "display", "value": kept, "url": base}])
        page.goto(f"{base}/a/{shelf.FULL}?q={quote('党建')}")
        looks.append(
            page.evaluate("""() => [...document.querySelectorAll("main *")].map(one => {
                const found = getComputedStyle(one);
                return [one.tagName, found.fontSize, found.color, found.backgroundColor, found.marginTop];
            })""")
        )

    assert looks[0] == looks[1]


def test_size_is_chosen_from_any_page_without_javascript(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/papers")
    page.click("header >> text=大字")
    page.check("input[name=size][value=large]")
    page.check("input[name=contrast][value=high]")
    page.click("main button")
    url, said = page.url, page.inner_text("main .notice")
    html = page.locator("html")
    chosen = [html.get_attribute(f"data-{name}") for name in ("size", "contrast", "keys")]
    context.close()

    assert (url, said) == (f"{base}/papers", "显示设置已保存。")
    assert chosen == ["large", "high", "on"]


def test_my_page_works_without_javascript(
    browser: Browser, base: str, made: Flask, enter: Callable[..., int]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    user_id = enter(context, "reader-0")
    page = context.new_page()
    page.goto(f"{base}/me")
    page.click("#sign-ins ~ .scroll button")
    ended = page.inner_text("main .notice")
    hidden = page.is_visible("text=确定清除")
    page.click("summary:has-text('全部清除')")
    page.click("button:has-text('确定清除')")
    cleared = page.inner_text("main .notice")
    with page.expect_download() as download:
        page.click("button:has-text('下载我的数据')")
    page.click("header button:has-text('退出')")
    left = page.inner_text("header")
    context.close()

    assert (ended, hidden, cleared) == ("已结束这个登录。", False, "已清除 1 条检索历史。")
    assert download.value.suggested_filename == "my-data.json"
    assert "登录" in left and "退出" not in left
    with reading(made.extensions[EXTENSION].database) as connection:
        assert search_history.of_user(connection, user_id) == []


@pytest.mark.slow
def test_somebody_is_added_and_locked_without_javascript(
    browser: Browser, base: str, enter: Callable[..., int]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    enter(context)
    page = context.new_page()
    page.goto(f"{base}/admin/users")
    page.click("text=添加账号")
    page.fill("#name", "lisi")
    page.fill("#full-name", "李四二")
    page.click("main form.form button")
    refused, kept = page.inner_text("[role=alert]"), page.input_value("#full-name")
    page.fill("#name", "lisi2")
    page.select_option("#role", "editor")
    page.check("text=青溪县人民检察院")
    page.click("main form.form button")
    password = page.inner_text("main code")
    page.click("text=看这个账号")
    page.click("button:has-text('锁定账号')")
    locked = page.inner_text("main")
    context.close()

    assert "已经有账号" in refused and kept == "李四二"
    assert len(password) == 19
    assert "起已锁定，不能登录" in locked


# --- keys -----------------------------------------------------------------------------------------------------------


def focused(page: Page) -> str:
    return str(
        page.evaluate("(document.activeElement.closest('.hits > li, form.search') || {}).innerText || ''")
    )


def test_keys_walk_through_results_and_open_one(visit: Visit, base: str) -> None:
    page = visit.page
    page.goto(f"{base}/search?q={quote('三会一课')}")
    titles = page.locator(".hit h2 a").all_inner_texts()
    places = []
    for key in ("k", "j", "j", "j", "k", "o"):
        if key == "o":
            with page.context.expect_page() as opened:
                page.keyboard.press(key)
        else:
            page.keyboard.press(key)
            places.append(page.evaluate("document.activeElement.innerText"))
    page.keyboard.press("]")
    page.wait_for_url("**page=2**")
    page.keyboard.press("[")
    page.wait_for_url(lambda url: "page=2" not in url)
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert places[1:] == [titles[0], titles[1], titles[2], titles[1]]
    assert opened.value.url.partition("?")[0] != page.url and "/a/" in opened.value.url
    assert page.inner_text("h1") == titles[0]
    assert visit.complaints == []


@pytest.mark.slow
def test_keys_walk_through_the_marks_and_to_the_neighbours_of_an_article(visit: Visit, base: str) -> None:
    page = visit.page
    page.goto(f"{base}/search?q={quote('党建')}")
    with page.expect_navigation():
        page.click(".hit h2 a")
    anchor = page.evaluate("location.hash")
    walked = []
    for key in "nnpp":
        page.keyboard.press(key)
        walked.append(page.evaluate("location.hash"))
    page.go_back()
    back = page.url
    page.goto(f"{base}/papers/{quote('青溪法治报')}/2021-05-05/07")
    with page.expect_navigation():
        page.click("main .rows a")
    for key, rel in (("]", "next"), ("[", "prev")):
        link = page.locator(f".crumbs a[rel={rel}]")
        if link.count():
            target = base + str(link.get_attribute("href"))
            page.keyboard.press(key)
            page.wait_for_url(target)

    numbers = [int(one[2:]) for one in walked]
    assert not anchor.startswith("#m") and all(one.startswith("#m") for one in walked)
    assert numbers[1] == numbers[0] + 1 and numbers[2] == numbers[0]
    assert "/search?q=" in back  # the marks are no steps back


@pytest.mark.slow
def test_help_on_keys_opens_closes_and_is_accessible(visit: Visit, base: str) -> None:
    page = visit.page
    page.goto(f"{base}/papers")
    page.keyboard.press("?")
    shown = page.inner_text("dialog")
    faulty = faults(page)
    page.keyboard.press("/")  # nothing behind an open dialog
    behind = page.evaluate("document.activeElement.id")
    page.set_viewport_size({"width": 320, "height": 600})
    width = page.evaluate("document.documentElement.scrollWidth")
    page.keyboard.press("Escape")
    closed = page.is_hidden("dialog")
    page.keyboard.press("?")
    page.click("dialog >> text=全部说明")

    assert faulty == [] and closed and behind != "q" and width == 320
    assert all(key in shown for key in "/jkonp[]?")
    assert page.url.startswith(f"{base}/help/using#")
    assert page.inner_text(":target") == "键盘"


def test_the_help_on_keys_and_the_document_name_the_same_keys(visit: Visit, base: str) -> None:
    page = visit.page
    page.goto(f"{base}/help/using")
    page.keyboard.press("?")
    named = set(page.locator("dialog dt").all_inner_texts())
    documented = set(page.locator("#s-键盘 ~ .scroll >> nth=0").locator("code").all_inner_texts())

    assert named <= documented


def test_keys_are_off_where_they_are_switched_off_and_in_boxes_and_while_an_ime_composes(
    visit: Visit, base: str
) -> None:
    page = visit.page
    page.goto(f"{base}/search?q={quote('三会一课')}")
    page.focus("#q")
    page.keyboard.press("End")
    page.keyboard.type("jk?o")
    typed = page.input_value("#q")
    page.evaluate("document.activeElement.blur()")
    composing = page.evaluate("""() => [{isComposing: true}, {keyCode: 229}, {altKey: true}, {ctrlKey: true}].map(more => {
        const key = new KeyboardEvent("keydown", {key: "j", bubbles: true, cancelable: true, ...more});
        document.body.dispatchEvent(key);
        return key.defaultPrevented;
    })""")
    page.context.add_cookies([{"name": "display", "value": "normal.normal.off", "url": base}])
    page.reload()
    for key in ("j", "?", "/", "Control+k"):
        page.keyboard.press(key)

    assert typed == "三会一课jk?o" and not any(composing)
    assert page.evaluate("document.activeElement === document.body")
    assert page.locator("dialog").count() == 0
