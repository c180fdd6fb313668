"""What every page has in common, read from its HTML; tests/journeys/test_browser.py looks at them in Chromium."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb.config import shipped
from kb.model import ROLES, Role
from tests.web import shelf
from tests.web.people import signed_in

PAGES = {
    "home": ("/", 200),
    "search": ("/search", 200),
    "results": ("/search?q=三会一课&year=2020&sort=newest", 200),
    "second page": ("/search?q=三会一课&page=2", 200),
    "excluded": ("/search?q=党建&not_newspaper=云岭日报&since=2020-01-01&scope=body", 200),
    "copies": ("/search?q=检察机关党建 学用结合", 200),
    "advanced": ("/search/advanced?all=党建&show=1", 200),
    "loosened": ("/search?q=三会一课 绝无此语句", 200),
    "no result": ("/search?q=“绝无此语句” 三会&newspaper=云岭日报", 200),
    "query error": ("/search?q=党建 （业务 或", 400),
    "article": (f"/a/{shelf.FULL}?q=党建", 200),
    "bare article": (f"/a/{shelf.UNDATED}", 200),
    "old version": (f"/a/{shelf.FULL}?version=1", 200),
    "help": ("/help", 200),
    "using": ("/help/using", 200),
    "newspapers": ("/papers", 200),
    "calendar": ("/papers/青溪法治报?year=2021", 200),
    "issue": ("/papers/青溪法治报/2021-05-05", 200),
    "no issue": ("/papers/青溪法治报/2021-05-06", 404),
    "edition page": ("/papers/青溪法治报/2021-05-05/07", 200),
    "topics": ("/topics", 200),
    "topic": ("/t/dangjian", 200),
    "narrowed topic": ("/t/dangjian?q=三会一课&year=2020&page=2", 200),
    "no topic": ("/t/no-such-topic", 404),
    "display": ("/display?next=/search?q=党建", 200),
    "not found": ("/nope", 404),
    "withdrawn": (f"/a/{shelf.WITHDRAWN}", 410),
}
STYLES = shipped("templates") / "static"


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, client: FlaskClient) -> html.HtmlElement:
    url, status = PAGES[request.param]
    response = client.get(url)
    assert response.status_code == status
    return html.document_fromstring(response.text)


def test_a_page_is_chinese_has_a_title_and_one_main_heading(page: html.HtmlElement) -> None:
    assert page.get("lang") == "zh-CN"
    assert re.fullmatch(r".+ - 党建学习知识库", page.findtext(".//title") or "")
    assert len(page.cssselect("h1")) == 1


def test_a_page_has_its_landmarks_and_a_way_past_the_header(page: html.HtmlElement) -> None:
    skip = page.cssselect("body > a.skip")[0]

    assert page.cssselect("body > header nav[aria-label]") and page.cssselect("body > footer")
    assert page.cssselect(skip.get("href"))[0].tag == "main"
    assert len(page.cssselect("form[role=search]")) == 1
    assert all(nav.get("aria-label") or nav.get("aria-labelledby") for nav in page.cssselect("nav"))


def test_ids_are_unique_and_everything_that_names_one_finds_it(page: html.HtmlElement) -> None:
    ids = [element.get("id") for element in page.cssselect("[id]")]
    named = [
        element.get(name) for name in ("for", "aria-labelledby") for element in page.cssselect(f"[{name}]")
    ]
    anchors = [link.get("href")[1:] for link in page.cssselect('a[href^="#"]')]

    assert len(ids) == len(set(ids))
    assert set(named + anchors) <= set(ids)


def test_every_input_has_a_label(page: html.HtmlElement) -> None:
    for box in page.cssselect("input:not([type=hidden])"):
        assert (
            page.cssselect(f'label[for="{box.get("id")}"]')
            or next(box.iterancestors("label"), None) is not None
        )


def test_headings_never_skip_a_rank(page: html.HtmlElement) -> None:
    ranks = [int(heading.tag[1]) for heading in page.cssselect("h1, h2, h3, h4, h5, h6")]

    assert all(after - before <= 1 for before, after in pairwise(ranks))


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(page: html.HtmlElement) -> None:
    sources = [link.get("href") for link in page.cssselect("link:not([rel=alternate]):not([rel=search])")]
    sources += [script.get("src") for script in page.cssselect("script[src]")]

    assert not page.cssselect("script:not([src]), style, [style]")
    assert all(source.startswith("/static/") for source in sources)


def test_words_on_pages_use_full_width_punctuation(page: html.HtmlElement) -> None:
    for code in page.cssselect("code, bdi, title"):
        code.drop_tree()

    assert not re.search(r"[\u4e00-\u9fff][,:;?!()]", page.text_content())


STYLES_LIMIT = 12 * 1024  # bytes, of all style sheets that one page loads (screens.md §1)


def weight(page: html.HtmlElement) -> int:
    """Bytes of the style sheets that a page links; each has to be one of ours."""
    links = page.cssselect("link[rel=stylesheet]")
    return sum((STYLES / link.get("href").rpartition("/")[2]).stat().st_size for link in links)


def test_the_styles_that_a_page_loads_are_small(page: html.HtmlElement) -> None:
    assert 0 < weight(page) <= STYLES_LIMIT


@pytest.mark.parametrize("role", ROLES)
def test_the_styles_that_any_page_of_a_role_loads_are_small(app: Flask, role: Role) -> None:
    browser = signed_in(app, role)
    rules = [
        rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    answers = [browser.get(rule.rule, buffered=True) for rule in rules]  # some are streams
    pages = [
        html.document_fromstring(one.text) for one in answers if one.mimetype == "text/html" and one.text
    ]

    assert len(pages) > 5
    assert [one.findtext(".//title") for one in pages if weight(one) > STYLES_LIMIT] == []
    assert not any(one.cssselect("style, [style]") for one in pages)


def test_every_style_sheet_is_loaded_by_some_template() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in shipped("templates").rglob("*.html"))

    assert [path.name for path in STYLES.glob("*.css") if f"filename='{path.name}'" not in sources] == []


@pytest.mark.parametrize("style", sorted(STYLES.glob("*.css")), ids=lambda path: path.name)
def test_styles_use_nothing_that_chromium_83_lacks(style: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert not re.findall(
        r":has\(|:is\(|:where\(|@layer|@container|\binset\b|aspect-ratio|&|@import|url\(", text
    )


def tokens(contrast: str = "normal") -> dict[str, str]:
    """The colours, as they are or where high contrast is chosen."""
    text = (STYLES / "tokens.css").read_text(encoding="utf-8")
    usual, _, high = text.partition("[data-contrast=high]")
    named = r"--([\w-]+): (#[0-9a-f]{3,6});"
    return dict(re.findall(named, usual)) | dict(re.findall(named, high if contrast == "high" else ""))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["paper", "shade", "glow"])
def test_text_can_be_read_on_every_ground(ground: str) -> None:
    colours = tokens()

    assert all(
        contrast(colours[name], colours[ground]) >= 4.5
        for name in ("red", "red-dark", "ink", "mute", "link", "good", "warn")
    )
    assert contrast(colours["control"], colours[ground]) >= 3


@pytest.mark.parametrize("ground", ["paper", "shade", "glow"])
def test_high_contrast_is_seven_to_one_for_all_text_and_four_and_a_half_for_lines(ground: str) -> None:
    colours = tokens("high")

    assert all(
        contrast(colours[name], colours[ground]) >= 7
        for name in ("red", "red-dark", "ink", "mute", "link", "good", "warn", "control")
    )
    assert contrast(colours["line"], colours[ground]) >= 4.5
    assert contrast(colours["paper"], colours["red"]) >= 7  # the header, buttons
