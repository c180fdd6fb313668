from __future__ import annotations

from flask.testing import FlaskClient
from lxml import html

from tests.web.conftest import See
from tests.web.shelf import NOTES


def test_home_has_the_box_in_focus_and_says_what_is_held(see: See) -> None:
    page = see("/")

    assert page.cssselect("form[role=search] input[name=q][autofocus]")
    # full, reprint, undated, hostile and the notes; withdrawn and gone do not count
    assert f"共 {4 + NOTES} 篇 · 2020-05-01 至 " in page.cssselect(".hero .meta")[0].text_content()
    assert "最近入库 20" in page.cssselect(".hero .meta")[0].text_content()


def test_home_lists_the_newest_pieces_and_no_withdrawn_one(see: See) -> None:
    rows = see("/").cssselect(".rows li")

    assert [row.cssselect("time")[0].text for row in rows][:2] == ["2024-03-15", "2023-08-09"]
    assert not any("已撤回" in row.text_content() for row in rows)


def test_the_first_run_says_how_to_add_material(empty_client: FlaskClient) -> None:
    page = html.document_fromstring(empty_client.get("/").text)

    assert "知识库还没有材料" in page.cssselect("main")[0].text_content()
    assert [code.text.split()[:2] for code in page.cssselect("main code")] == [["kb", "add"], ["kb", "crawl"]]
