"""What others wrote, and what is typed, never becomes part of the page."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from lxml import html

from tests.web import shelf
from tests.web.conftest import See

TYPED = "</title><script>alert(1)</script>'><img src=x onerror=alert(2)>{{7*7}}"
UNREADABLE = f'{TYPED}"><b>'  # its quotation mark has no end


def assert_harmless(page: html.HtmlElement) -> None:
    assert all(script.get("src", "").startswith("/static/") for script in page.cssselect("script"))
    assert not page.cssselect("style, img, b b, svg, iframe, object, [style], base")
    handlers = [name for element in page.iter("*") for name in element.attrib if name.startswith("on")]
    targets = [
        element.get(name)
        for element in page.iter("*")
        for name in ("href", "src", "action")
        if element.get(name)
    ]
    assert handlers == []
    assert all(
        target.startswith(("/", "#", "https://paper.example.cn/", "https://a.example/")) for target in targets
    )


@pytest.mark.parametrize(
    "url",
    ["/", "/search?q=攻击", "/search?q=攻击正文", f"/a/{shelf.HOSTILE}", f"/a/{shelf.HOSTILE}?q=攻击 alert"],
)
def test_an_article_that_is_an_attack_stays_text(see: See, url: str) -> None:
    page = see(url)

    assert_harmless(page)
    assert "<script>alert(1)</script>" in page.text_content()


@pytest.mark.parametrize(
    ("url", "typed", "status"),
    [
        ("/search", TYPED, 200),
        ("/search", UNREADABLE, 400),
        ("/search?newspaper=&sort=newest", TYPED, 200),
        (f"/a/{shelf.FULL}", TYPED, 200),
        (f"/a/{shelf.FULL}", UNREADABLE, 200),
        ("/nope", UNREADABLE, 404),
        (f"/a/{shelf.WITHDRAWN}", UNREADABLE, 410),
        ("/search?page=x", UNREADABLE, 400),
    ],
)
def test_a_query_that_is_an_attack_stays_text(see: See, url: str, typed: str, status: int) -> None:
    page = see(f"{url}{'&' if '?' in url else '?'}{urlencode({'q': typed})}", status)

    assert_harmless(page)
    assert page.cssselect("#q")[0].get("value") == typed


@pytest.mark.parametrize("name", ["newspaper", "year", "sort", "page", "version"])
def test_a_parameter_that_is_an_attack_stays_text(see: See, name: str) -> None:
    path = f"/a/{shelf.FULL}" if name == "version" else "/search"
    page = see(
        f"{path}?{urlencode({'q': '党建', name: TYPED})}", 200 if name in ("newspaper", "year") else 400
    )

    assert_harmless(page)


@pytest.mark.parametrize(
    "path", ["/<script>alert(1)</script>", "/a/<b>", "/%3Cscript%3E", "/static/../kb/config.py", "/%00"]
)
def test_a_path_that_is_an_attack_is_not_found(see: See, path: str) -> None:
    assert_harmless(see(path, 404))
