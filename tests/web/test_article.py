from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import event

from kb.config import Settings
from kb.model import Block
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.text.normalize import display, fold
from kb.web import create_app
from tests.making import article as made
from tests.web import shelf
from tests.web.conftest import See


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def shown_text(page: html.HtmlElement, block: Block) -> str:
    element = page.get_element_by_id(block.anchor)
    if block.kind == "table":
        return "\n".join("\t".join(cell.text_content() for cell in row) for row in element.cssselect("tr"))
    return str(element.text_content())


def test_the_head_tells_title_names_unit_and_source(see: See) -> None:
    head = see(f"/a/{shelf.FULL}").cssselect(".heading")[0]

    assert [text(head.cssselect(part)[0]) for part in (".kicker", "h1", ".subtitle")] == [
        "机关党建研究",
        "检察机关党建与业务融合的探索",
        "——以青溪县人民检察院为例",
    ]
    assert text(head.cssselect(".byline")[0]) == "作者 周明远 通讯员 李见山 · 作者单位：青溪县人民检察院"
    assert text(head.cssselect(".source")[0]).startswith("青溪法治报 · 2023-08-02 · 07版 理论 · ")


def test_the_original_opens_without_telling_where_from(see: See) -> None:
    link = see(f"/a/{shelf.FULL}").cssselect(".source a")[0]

    assert link.get("href") == "https://paper.example.cn/2023-08/02/1.html"
    assert set(link.get("rel").split()) == {"noopener", "noreferrer", "nofollow"}


def test_what_is_unknown_is_shown_as_unknown(see: See) -> None:
    page = see(f"/a/{shelf.UNDATED}")

    assert text(page.cssselect(".source")[0]).startswith("未注明报纸（来源 sample） · 缺发布日期 · ")
    assert text(page.cssselect(".byline")[0]) == "未署名"
    assert not page.cssselect(".source a")


def test_every_block_is_there_under_its_anchor_with_display_punctuation(see: See) -> None:
    page = see(f"/a/{shelf.FULL}")

    for block in shelf.full().blocks:
        assert shown_text(page, block) == display(block.text)


def test_highlights_move_no_character(see: See) -> None:
    page = see(f"/a/{shelf.FULL}?q=党建 业务 “指出:江山”")
    marks = {fold(mark.text) for mark in page.cssselect("mark")}

    assert {"党建", "业务", "指出江山"} <= marks
    for block in shelf.full().blocks:
        assert shown_text(page, block) == display(block.text)


def test_every_mark_can_be_reached_and_leads_to_its_neighbours(see: See) -> None:
    page = see(f"/a/{shelf.FULL}?q=党建 业务 次数 青溪县")
    marks = [mark.get("id") for mark in page.cssselect("mark")]
    links = [[link.get("href") for link in jump.cssselect("a")] for jump in page.cssselect(".jump")]
    last = len(marks)

    assert marks == [f"m{number}" for number in range(1, last + 1)]
    assert text(page.cssselect(".heading .meta")[0]) == f"本文命中 {last} 处 · 到第一处"
    assert links[0] == ["#m2"] and links[-1] == [f"#m{last - 1}"]
    assert all(links[at] == [f"#m{at}", f"#m{at + 2}"] for at in range(1, last - 1))
    assert page.cssselect(".jump a")[0].get("aria-label") == f"下一处 2/{last}"


def test_the_way_back_leads_to_the_page_of_results_that_was_left(client: FlaskClient) -> None:
    def back(referrer: str) -> str:
        page = html.document_fromstring(
            client.get(f"/a/{shelf.FULL}?q=党建", headers={"Referer": referrer}).text
        )
        return str(page.cssselect("nav.crumbs a")[1].get("href"))

    kept = "/search?q=%E5%85%9A%E5%BB%BA&sort=newest&page=2"
    plain = "/search?q=%E5%85%9A%E5%BB%BA"

    assert back(f"http://localhost{kept}") == kept
    assert [
        back(other) for other in ("", f"http://a.example{kept}", "http://localhost/a/1?q=x", "http://[")
    ] == [plain] * 4


def test_an_article_is_read_also_with_a_query_that_cannot_be_read(see: See) -> None:
    page = see(f"/a/{shelf.FULL}?q=" + "党" * 5000)

    assert not page.cssselect("mark")


def test_an_article_is_read_also_while_the_index_is_away(settings: Settings) -> None:
    with writing(open_database(settings.database)) as connection:
        articles.save(connection, [NewArticle(made())], articles.fingerprints(connection))
    response = create_app(settings).test_client().get("/a/1?q=党课")

    assert response.status_code == 200


def test_headings_are_headings_and_the_outline_leads_to_them(see: See) -> None:
    page = see(f"/a/{shelf.FULL}")
    outline = {text(link): link.get("href") for link in page.cssselect("nav.outline a")}

    assert list(outline) == ["一、为什么要抓融合", "（一）把准方向", "二、怎样抓融合"]
    assert [page.cssselect(href)[0].tag for href in outline.values()] == ["h2", "h3", "h2"]


def test_a_run_in_heading_is_bold(see: See) -> None:
    strong = see(f"/a/{shelf.FULL}?q=学用").cssselect(".text strong")[0]

    assert text(strong) == "一是坚持学用结合"
    assert text(strong.cssselect("mark")[0]) == "学用"


def test_quotations_are_listed_with_the_speaker_and_lead_to_their_place(see: See) -> None:
    page = see(f"/a/{shelf.FULL}")
    [link] = page.cssselect("[aria-labelledby=quotations] a")

    assert text(link) == "习近平总书记指出：“江山就是人民，人民就是江山”"
    assert "青溪县把党建" in text(page.cssselect(link.get("href"))[0])


def test_reprints_link_to_each_other(see: See) -> None:
    assert see(f"/a/{shelf.FULL}").cssselect(f"[aria-labelledby=reprints] a[href='/a/{shelf.REPRINT}']")
    assert see(f"/a/{shelf.REPRINT}").cssselect(f"[aria-labelledby=reprints] a[href='/a/{shelf.FULL}']")


def test_an_older_version_says_that_it_is_older(see: See) -> None:
    page = see(f"/a/{shelf.FULL}?version=1")
    banner = page.cssselect(".notice")[0]

    assert text(banner).startswith("这是第 1 版（") and "不是现行版本" in text(banner)
    assert banner.cssselect("a")[0].get("href") == f"/a/{shelf.FULL}"
    assert "更正" not in text(page.cssselect(".text")[0])
    assert text(page.cssselect("[aria-labelledby=versions] [aria-current]")[0]) == "第 1 版"


def test_the_present_version_lists_the_earlier_one_without_a_banner(see: See) -> None:
    page = see(f"/a/{shelf.FULL}")

    assert not page.cssselect(".notice")
    assert [link.get("href") for link in page.cssselect("[aria-labelledby=versions] a")] == [
        f"/a/{shelf.FULL}",
        f"/a/{shelf.FULL}?version=1",
    ]


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        (f"/a/{shelf.WITHDRAWN}", 410, "已由来源撤回"),
        (f"/a/{shelf.WITHDRAWN}?version=1", 410, "已由来源撤回"),
        (f"/a/{shelf.GONE}", 410, "在来源网站上已不存在"),
        ("/a/999", 404, "没有编号为 999 的文章"),
        (f"/a/{2**63 - 1}", 404, "没有编号为"),
        (f"/a/{2**63}", 404, "没有这个页面"),
        ("/a/x", 404, "没有这个页面"),
        (f"/a/{shelf.FULL}?version=9", 404, "没有第 9 版"),
        (f"/a/{shelf.FULL}?version=x", 400, "参数 version"),
    ],
)
def test_an_article_that_cannot_be_shown_says_why(see: See, url: str, status: int, words: str) -> None:
    page = see(url, status)

    assert words in text(page.cssselect("main")[0])
    assert "已撤回的文字" not in text(page)


def test_json_has_the_promised_keys_and_the_stored_text(client: FlaskClient) -> None:
    answer = client.get(f"/a/{shelf.FULL}.json").json

    assert set(answer) >= {
        "id", "url", "source", "newspaper", "published", "edition_page", "page_name", "kicker", "title", "subtitle",
        "authors", "affiliation", "blocks", "quotations", "reprint_of", "status",
    }  # fmt: skip
    assert answer["authors"][1] == {"name": "李见山", "role": "通讯员"}
    assert [list(block) for block in answer["blocks"][:1]] == [["anchor", "kind", "level", "text"]]
    assert [block["text"] for block in answer["blocks"]][:10] == [block.text for block in shelf.full().blocks]
    assert answer["quotations"][0]["words"] == shelf.SPOKEN


def test_json_says_null_for_what_is_unknown(client: FlaskClient) -> None:
    answer = client.get(f"/a/{shelf.UNDATED}.json").json

    assert [answer[name] for name in ("url", "newspaper", "published", "affiliation")] == [None] * 4


@pytest.mark.parametrize(("article_id", "status"), [(shelf.WITHDRAWN, 410), (999, 404)])
def test_json_of_an_article_that_cannot_be_shown_is_a_named_error(
    client: FlaskClient, article_id: int, status: int
) -> None:
    response = client.get(f"/a/{article_id}.json")

    assert response.status_code == status
    assert list(response.json) == ["key", "message", "message_en"]


def test_the_foot_of_the_printed_page_tells_source_and_day(see: See) -> None:
    foot = text(see(f"/a/{shelf.FULL}").cssselect(".print-only")[0])

    assert foot.startswith(
        "出处：《检察机关党建与业务融合的探索》，青溪法治报，2023-08-02，07版。原文：https://paper.example.cn/2023-08/02/1.html "
        f"打印自党建学习知识库（http://localhost/a/{shelf.FULL}），20"
    )


def test_an_article_costs_few_queries(app: Flask) -> None:
    seen: list[str] = []
    database = app.extensions["kb"].database

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(database, "before_cursor_execute", note)
    try:
        app.test_client().get(f"/a/{shelf.FULL}")
    finally:
        event.remove(database, "before_cursor_execute", note)

    assert 1 <= sum(statement.startswith("SELECT") for statement in seen) <= 7
