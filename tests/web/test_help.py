from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb.config import shipped
from kb.web.help import Document, heading_id, read
from tests.web.conftest import See

NAMES = sorted(path.stem for path in shipped("docs").glob("*.md"))


@pytest.fixture
def in_request(app: Flask) -> Iterator[None]:
    """Addresses are made for the request that is answered."""
    with app.test_request_context("/help"):
        yield


def of(markdown: str) -> Document:
    return read("x", markdown, ["operations"])


def test_every_page_leads_to_the_help_and_the_help_to_every_document(see: See) -> None:
    front = see(see("/").cssselect('footer a[href="/help"]')[0].get("href"))

    linked = {link.get("href") for link in front.cssselect("nav.paging a")}
    assert linked == {f"/help/{name}" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_its_headings_tables_and_no_markup_of_its_source(see: See, name: str) -> None:
    source = (shipped("docs") / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", source, flags=re.DOTALL)
    page = see(f"/help/{name}").cssselect("article.help")[0]
    rows = [
        line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[-:| ]+\|$", line)
    ]
    headings = re.findall(r"^#+ ", text, re.MULTILINE)

    assert len(page.cssselect("tr")) == len(rows)
    assert len(page.cssselect("h1, h2, h3, h4")) == len(headings)
    assert all(heading.get("id") for heading in page.cssselect("h1, h2, h3, h4"))
    assert "**" not in "".join(element.text_content() for element in page.cssselect("p, td"))


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_document_within_the_help_leads_somewhere(client: FlaskClient, name: str) -> None:
    here = f"/help/{name}"
    for link in html.document_fromstring(client.get(here).text).cssselect("main a"):
        if not (href := link.get("href")).startswith("http"):
            path, _, anchor = href.partition("#")
            page = client.get(path or here)
            assert page.status_code == 200, href
            assert (
                not anchor
                or html.document_fromstring(page.text).get_element_by_id(unquote(anchor)) is not None
            )


def test_html_in_a_document_stays_text(in_request: None) -> None:
    [piece] = of("<script>alert(1)</script> [x](javascript:alert(2)) <b>y</b>").pieces

    assert "<script>alert(1)</script>" in piece.words()
    assert {part.tag for part in piece.parts} == {""}


def test_a_line_that_ends_within_a_chinese_sentence_goes_on_without_a_space(in_request: None) -> None:
    assert of("把党建工作\n抓实").pieces[0].words() == "把党建工作抓实"
    assert of("one\ntwo").pieces[0].words() == "one two"


def test_punctuation_beside_code_belongs_to_the_sentence(in_request: None) -> None:
    assert of("运行 `kb add`,然后检索").pieces[0].words() == "运行 kb add，然后检索"


def test_headings_that_come_twice_have_two_ids(in_request: None) -> None:
    found = of("# 书\n\n## 设置 · Settings\n\n## 设置 · Settings\n")

    assert [piece.id for piece in found.outline] == ["s-设置--settings", "s-设置--settings-2"]
    assert found.title == "书"
    assert heading_id("kb add?") == "s-kb-add"


def test_links_lead_within_the_page_to_documents_and_out(in_request: None) -> None:
    [piece] = of("[a](#设置) [b](operations.md#x) [c](https://a.example/) [d](../kb/x.py)").pieces
    links = [(part.tag, part.href) for part in piece.parts if part.tag]

    assert links == [
        ("a", "#s-设置"),
        ("a", "/help/operations#s-x"),
        ("a", "https://a.example/"),
        ("em", None),
    ]


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2FREADME", "results.png", "."])
def test_what_is_no_document_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/help/{name}").status_code == 404
