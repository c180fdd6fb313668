"""The pages as Chromium shows them: accessible, quiet, narrow, on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from kb.config import Settings
from kb.web import create_app
from tests.journeys.driving import AXE, CHROMIUM, RULES, Visit, measure, mostly_slow, serving
from tests.web import shelf

# Page kind -> address and what its status is. The last two are of a library with nothing in it.
PAGES = {
    "home": ("/", 200),
    "search": ("/search", 200),
    "results": ("/search?q=三会一课", 200),
    "chosen": ("/search?q=三会一课&year=2020&year=2021&newspaper=云岭日报&sort=newest&page=1", 200),
    "excluded": ("/search?q=党建&not_newspaper=云岭日报&since=2020-01-01&scope=body", 200),
    "copies": ("/search?q=检察机关党建 学用结合", 200),
    "advanced": ("/search/advanced", 200),
    "advanced line": ("/search/advanced?all=党建&none=培训&show=1", 200),
    "last page": ("/search?q=三会一课&page=3", 200),
    "loosened": ("/search?q=三会一课 绝无此语句", 200),
    "no result": ("/search?q=“绝无此语句” 三会&newspaper=云岭日报", 200),
    "typing error": ("/search?q=三会一刻", 200),
    "equal names": ("/search?q=三会一课制度", 200),
    "empty query": ("/search?q=", 200),
    "marks alone": ("/search?q=——", 400),
    "query error": ("/search?q=党建 （业务 或", 400),
    "article": (f"/a/{shelf.FULL}?q=党建 业务", 200),
    "marked place": (f"/a/{shelf.FULL}?q=党建 业务#m3", 200),
    "bare article": (f"/a/{shelf.UNDATED}", 200),
    "hostile article": (f"/a/{shelf.HOSTILE}?q=攻击", 200),
    "old version": (f"/a/{shelf.FULL}?version=1", 200),
    "using": ("/help/using", 200),
    "newspapers": ("/papers", 200),
    "calendar": ("/papers/青溪法治报?year=2021", 200),
    "issue": ("/papers/青溪法治报/2021-05-05", 200),
    "no issue": ("/papers/青溪法治报/2021-05-06", 404),
    "edition page": ("/papers/青溪法治报/2021-05-05/07", 200),
    "topics": ("/topics", 200),
    "topic": ("/t/dangjian", 200),
    "narrowed topic": ("/t/dangjian?q=三会一课&year=2020&month=2020-05", 200),
    "nothing in a topic": ("/t/dangjian?q=“绝无此语句”&newspaper=云岭日报", 200),
    "empty topic": ("/t/empty", 200),
    "help": ("/help", 200),
    "manual": ("/help/operations", 200),
    "not found": ("/nope", 404),
    "withdrawn": (f"/a/{shelf.WITHDRAWN}", 410),
    "empty home": ("empty:/", 200),
    "no index": ("empty:/search?q=三会一课", 503),
}
# Of these in the fast suite: each takes Chromium a second or two.
FAST = {
    "home",
    "results",
    "no result",
    "query error",
    "article",
    "hostile article",
    "advanced",
    "calendar",
    "issue",
    "withdrawn",
    "topic",
}


pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(create_app(shelf.build(tmp_path_factory.mktemp("browser") / "data"))) as told:
        yield told


@pytest.fixture(scope="module")
def empty_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(create_app(Settings(data=tmp_path_factory.mktemp("empty") / "data"))) as told:
        yield told


@pytest.fixture
def open_page(visit: Visit, address: str, empty_address: str) -> Callable[[str], Page]:
    def go(kind: str) -> Page:
        url, status = PAGES[kind]
        home, path = (empty_address, url[len("empty:") :]) if url.startswith("empty:") else (address, url)
        response = visit.page.goto(home + quote(path, safe="/?=&#"))
        assert response is not None and response.status == status
        return visit.page

    return go


@pytest.mark.parametrize("kind", mostly_slow(PAGES, FAST))
def test_a_page_is_accessible_quiet_and_fits_every_screen(
    open_page: Callable[[str], Page], visit: Visit, kind: str
) -> None:
    page = open_page(kind)
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    violations = [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]]
    measured = [measure(page, width) for width in (1280, 640, 360, 320)]  # 640: a zoom of 200 %

    assert len(found["passes"]) > 20
    assert violations == []
    assert visit.complaints == []
    assert measured == [(1280, []), (640, []), (360, []), (320, [])]


def test_an_officer_finds_the_passage_and_prints_it(visit: Visit, address: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(address)
    page.wait_for_selector("#q:focus")
    page.keyboard.type("主题党日")
    page.keyboard.press("Enter")
    assert "找到 " in page.inner_text("[role=status]")
    page.click(".hit h2 a")

    assert page.inner_text("mark:first-of-type") == "主题党日"
    assert page.evaluate("document.querySelector(':target').innerText") == "图为干警开展主题党日活动。"
    assert page.is_visible("header.top") and page.is_hidden(".print-only")

    page.emulate_media(media="print")
    assert not any(
        page.is_visible(part) for part in ("header.top", "footer", "form", "nav.outline", ".beside")
    )
    assert page.is_visible("h1") and page.is_visible(".print-only")
    assert page.evaluate("getComputedStyle(document.querySelector('mark')).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('.text p')).fontSize") == "16px"  # 12 pt
    pdf = page.pdf(path=str(tmp_path / "article.pdf"), prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-") and b"/MediaBox [0 0 594.95" in pdf
    assert visit.complaints == []


def test_facets_and_sorting_work_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/search?q={quote('三会一课')}")
    page.check("input[value='云岭日报']")
    page.check("input[value='2020']")
    page.click("form.facets button")
    chosen = page.inner_text("[role=status]")
    page.click("text=最早")
    page.click("a.clear")
    cleared = page.inner_text("[role=status]")
    context.close()

    assert chosen.startswith("找到 4 篇")
    assert cleared.startswith(f"找到 {shelf.NOTES} 篇")


def test_values_are_left_out_copies_opened_and_marks_walked_through_without_javascript(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/search?q={quote('党建 业务')}&sort=oldest")
    page.click("details.copies summary")
    copies = page.inner_text("details.copies ul")
    page.click("button.leave:has-text('云岭日报')")
    left_out = page.text_content("ul.chips") or ""
    page.click(".hit h2 a")
    page.click("text=到第一处")
    marks = page.locator("mark").count()
    for number in range(2, marks + 1):
        page.mouse.click(960, 780)  # on 下一处, the right half of the foot
        page.wait_for_url(f"**#m{number}")
    page.mouse.click(960, 780)  # at the last mark there is none
    walked = page.url.partition("#")[2]
    page.click("nav.crumbs >> text=检索：")
    back = page.text_content("ul.chips")
    context.close()

    assert "云岭日报 · 2023-08-09" in copies
    assert "排除报纸：云岭日报" in left_out
    assert marks > 3
    assert walked == f"m{marks}"
    assert back == left_out


def test_a_form_is_filled_a_facet_chosen_and_a_mark_reached_by_keyboard_alone(
    visit: Visit, address: str
) -> None:
    page = visit.page

    def enter() -> None:
        with page.expect_navigation():
            page.keyboard.press("Enter")

    page.goto(f"{address}/search/advanced")
    page.focus("#all")
    page.keyboard.type("三会一课")
    enter()
    page.focus("input[value='云岭日报']")
    page.keyboard.press("Space")
    enter()
    chosen = page.inner_text("[role=status]")
    page.focus("button.leave >> nth=-1")
    enter()
    left_out = page.text_content("ul.chips") or ""
    page.go_back()
    page.focus(".hit h2 a")
    enter()
    page.focus(".heading .meta a")
    enter()
    # No wait_for_function: it polls by eval, which the policy of the pages forbids.
    for _ in range(250):
        if page.evaluate("getComputedStyle(document.querySelector('.jump')).display") == "inline":
            break
        page.wait_for_timeout(20)
    page.keyboard.press("Tab")

    assert chosen.startswith("找到 12 篇")
    assert "排除版次：07版" in left_out
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("下一处 2/")
    ring = page.evaluate("getComputedStyle(document.activeElement, '::before').outlineColor")
    assert ring == "rgb(255, 191, 71)"
    assert visit.complaints == []


def test_results_are_printed_without_what_is_only_pressed(visit: Visit, address: str) -> None:
    page = visit.page
    page.goto(f"{address}/search?q={quote('检察机关党建 学用结合')}")
    page.emulate_media(media="print")

    assert page.is_visible(".hit h2") and page.is_visible(".hit-path")
    assert not any(
        page.is_visible(part)
        for part in ("form.search", "aside", ".tools", ".copies", ".within", "header.top")
    )


def test_the_keyboard_sees_where_it_is_and_can_skip_the_header(visit: Visit, address: str) -> None:
    page = visit.page
    page.goto(f"{address}/a/{shelf.FULL}")
    page.keyboard.press("Tab")
    ring = page.evaluate(
        "getComputedStyle(document.activeElement).outlineColor + document.activeElement.innerText"
    )
    page.keyboard.press("Enter")

    assert ring == "rgb(255, 191, 71)跳到正文"
    assert page.evaluate("document.activeElement.id") == "main"
