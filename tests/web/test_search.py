from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb.config import Settings
from kb.model import Results
from kb.search import Search
from kb.text.normalize import fold
from kb.web import create_app
from tests.web import shelf
from tests.web.conftest import See


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def main(page: html.HtmlElement) -> str:
    return text(page.cssselect("main")[0])


def test_without_a_query_the_page_says_how_to_ask(see: See) -> None:
    assert "几个词用空格隔开" in main(see("/search"))


def test_every_example_of_a_query_can_be_asked(see: See, client: FlaskClient) -> None:
    examples = [code.text for code in see("/search").cssselect(".tips code")]
    statuses = [client.get("/search", query_string={"q": example}).status_code for example in examples]

    assert len(examples) >= 6
    assert statuses == [200] * len(examples)


def test_the_count_is_exact_and_the_query_stays_in_the_box(see: See) -> None:
    page = see("/search?q=三会一课")

    assert text(page.cssselect("[role=status]")[0]).startswith(f"找到 {shelf.NOTES} 篇，用时 0.")
    assert page.cssselect("#q")[0].get("value") == "三会一课"
    assert len(page.cssselect(".hit")) == 10


def test_a_hit_opens_the_article_at_the_passage_with_the_query(see: See) -> None:
    link = see("/search?q=主题党日").cssselect(".hit h2 a")[0]
    parts = urlsplit(link.get("href"))
    article = see(parts.path + "?" + parts.query)

    assert parse_qs(parts.query) == {"q": ["主题党日"]}
    assert text(article.get_element_by_id(parts.fragment)) == "图为干警开展主题党日活动。"
    assert [mark.text for mark in article.cssselect("mark")] == ["主题党日"]


def test_marks_hold_exactly_what_was_searched_for(see: See) -> None:
    marks = see("/search?q=三会一课").cssselect(".hit mark")

    assert marks
    assert {fold(mark.text) for mark in marks} <= {"三会一课", "三会", "一课"}


def test_a_hit_names_its_place_and_what_is_unknown(see: See) -> None:
    known = text(see("/search?q=标题:检察机关党建&newspaper=青溪法治报").cssselect(".hit .meta")[0])
    unknown = text(see("/search?q=调研札记").cssselect(".hit .meta")[0])

    assert known.startswith("青溪法治报 07版 · 周明远、李见山 · 2023-08-02 · 约 200 字")
    assert unknown.startswith("未注明报纸（来源 sample） · 未署名 · 缺发布日期")


def test_a_reprint_points_to_the_earliest_copy(see: See) -> None:
    hits = {
        hit.cssselect("h2 a")[0].get("href"): hit for hit in see("/search?q=检察机关党建").cssselect(".hit")
    }
    [reprint] = [hit for href, hit in hits.items() if href.startswith(f"/a/{shelf.REPRINT}?")]

    assert reprint.cssselect(".meta a")[0].get("href") == f"/a/{shelf.FULL}"
    assert "同文转载" in text(reprint)


def test_sorting_is_by_links_and_the_present_order_is_told(see: See) -> None:
    page = see("/search?q=三会一课&sort=newest")
    links = page.cssselect("nav[aria-label=排序] a")
    days = [time.get("datetime") for time in page.cssselect(".hit time")]

    assert [link.text for link in links] == ["相关度", "最新", "最早"]
    assert [link.get("aria-current") for link in links] == [None, "true", None]
    assert days == sorted(days, reverse=True)


def test_facets_have_counts_and_a_button_that_needs_no_script(see: See) -> None:
    form = see("/search?q=三会一课&sort=oldest").cssselect("form.facets")[0]
    values = {box.get("value"): text(box.getparent()) for box in form.cssselect("input[type=checkbox]")}

    assert form.get("method") == "get"
    assert text(form.cssselect("button")[0]) == "应用"
    assert dict(form.form_values()) == {"q": "三会一课", "sort": "oldest"}
    assert values["云岭日报"] == "云岭日报 12 篇"
    assert [value for value in values if value.isdecimal()] == ["2022", "2021", "2020"]


def test_several_values_of_a_facet_are_chosen_together_and_each_can_be_removed(see: See) -> None:
    page = see("/search?q=三会一课&year=2020&year=2021&newspaper=云岭日报")
    chips = page.cssselect("a.chip")
    checked = [box.get("value") for box in page.cssselect("form.facets input[checked]")]

    assert text(page.cssselect("[role=status]")[0]).startswith("找到 8 篇")
    assert [text(chip).split(" ×")[0] for chip in chips] == ["报纸：云岭日报", "年份：2021", "年份：2020"]
    assert parse_qs(urlsplit(chips[1].get("href")).query) == {
        "q": ["三会一课"],
        "newspaper": ["云岭日报"],
        "year": ["2020"],
    }
    assert checked == ["云岭日报", "2021", "2020"]
    assert parse_qs(urlsplit(page.cssselect("a.clear")[0].get("href")).query) == {"q": ["三会一课"]}


def test_unknown_date_and_newspaper_are_values_of_their_own(see: See) -> None:
    page = see("/search?q=调研札记&newspaper=&year=")

    assert text(page.cssselect("[role=status]")[0]).startswith("找到 1 篇")
    assert [text(chip).split(" ×")[0] for chip in page.cssselect("a.chip")] == [
        "报纸：未注明报纸",
        "年份：未知日期",
    ]


def test_paging_goes_back_and_forth_and_numbers_go_on(see: See) -> None:
    page = see("/search?q=三会一课&page=2")
    links = {text(link): link.get("href") for link in page.cssselect("nav[aria-label=分页] a")}

    assert list(links) == ["上一页", "第 1 页", "第 2 页", "第 3 页", "下一页"]
    assert parse_qs(urlsplit(links["下一页"]).query) == {"q": ["三会一课"], "page": ["3"]}
    assert page.cssselect("nav[aria-label=分页] [aria-current=page]")[0].text_content() == "第 2 页"
    assert page.cssselect("ol.hits")[0].get("start") == "11"


def test_pages_together_hold_every_result_once(see: See) -> None:
    hrefs = [
        link.get("href").split("?")[0]
        for number in (1, 2, 3)
        for link in see(f"/search?q=三会一课&page={number}").cssselect(".hit h2 a")
    ]

    assert len(hrefs) == len(set(hrefs)) == shelf.NOTES


def test_a_page_after_the_last_says_so(see: See) -> None:
    page = see("/search?q=三会一课&page=9")

    assert "没有第 9 页" in main(page)


def test_a_page_beyond_the_depth_is_a_sentence(see: See) -> None:
    assert "网页只列出前 1000 条结果" in main(see("/search?q=三会一课&page=101", 400))


def test_nothing_found_says_what_to_try(see: See) -> None:
    page = see("/search?q=“绝无此语句”&year=2020")
    links = [text(link) for link in page.cssselect("main .notice a")]

    assert "没有找到" in text(page.cssselect("[role=status]")[0])
    assert "检查有没有错字" in main(page)
    assert links == ["去掉「年份：2020」再找", "去掉全部筛选条件再找"]


def test_a_loosened_answer_is_labelled(see: See) -> None:
    page = see("/search?q=三会一课 “绝无此语句”")

    assert page.cssselect(".hit")
    assert "没有同时含全部词语的文章；以下按命中词语多少排列" in main(page)


def test_a_bad_query_is_a_sentence_on_the_page_and_keeps_what_was_typed(see: See) -> None:
    long = "党" * 5000
    page = see(f"/search?q={long}", 400)

    assert "检索式" in page.cssselect("h1")[0].text_content()
    assert "5000" in main(page)
    assert page.cssselect("#q")[0].get("value") == long


def test_an_empty_query_is_a_sentence_too(see: See) -> None:
    assert "没有可检索的文字" in main(see("/search?q=%20", 400))


def test_the_number_of_articles_not_searchable_yet_is_told(
    app: Flask, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Search.find

    def stale(self: Search, *args: object, **named: object) -> Results:
        return replace(found(self, *args, **named), stale=3)  # type: ignore[arg-type]

    monkeypatch.setattr(Search, "find", stale)

    assert "索引正在更新，结果可能缺少 3 篇新材料" in main(see("/search?q=三会一课"))


def test_an_index_that_is_away_is_said_with_what_still_works(empty_client: FlaskClient) -> None:
    response = empty_client.get("/search?q=三会一课")
    page = html.document_fromstring(response.text)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "文章没有丢失" in main(page)
    assert "最新材料" in main(page)
    assert page.cssselect("#q")[0].get("value") == "三会一课"


def test_json_has_the_promised_keys(client: FlaskClient) -> None:
    answer = client.get("/search.json?q=三会一课&newspaper=云岭日报&limit=3&offset=2").json

    assert list(answer) == ["total", "took_ms", "fallback", "hits", "facets"]
    assert answer["total"] == 12 and answer["fallback"] is None and len(answer["hits"]) == 3
    assert set(answer["hits"][0]) >= {
        "id", "title", "subtitle", "newspaper", "published", "edition_page", "score", "snippet",
    }  # fmt: skip
    assert {"text", "matched"} == set(answer["hits"][0]["snippet"][0])
    assert sorted(answer["facets"]) == ["newspaper", "year"]
    assert all(isinstance(value, str) and isinstance(count, int) for value, count in answer["facets"]["year"])


def test_json_goes_on_where_the_page_does(client: FlaskClient) -> None:
    ids = [hit["id"] for hit in client.get("/search.json?q=三会一课&sort=newest&limit=100").json["hits"]]
    second = [hit["id"] for hit in client.get("/search.json?q=三会一课&sort=newest&page=2").json["hits"]]

    assert second == ids[10:20]


def test_json_says_every_facet_value_so_that_it_can_be_asked_for(client: FlaskClient) -> None:
    counts = client.get("/search.json?q=札记").json["facets"]["newspaper"]
    totals = [
        client.get("/search.json", query_string={"q": "札记", "newspaper": name}).json["total"]
        for name, _ in counts
    ]

    assert totals == [count for _, count in counts]


@pytest.mark.parametrize("query", ["q=", "", "q=a&limit=101", "q=a&offset=1000", "q=a&page=x", "q=a&sort=x"])
def test_a_bad_question_in_json_is_a_named_error(client: FlaskClient, query: str) -> None:
    response = client.get(f"/search.json?{query}")

    assert response.status_code == 400
    assert list(response.json) == ["key", "message", "message_en"]
    assert response.json["key"].startswith("query.")


def test_an_index_that_is_away_is_503_in_json_too(empty_client: FlaskClient) -> None:
    response = empty_client.get("/search.json?q=a")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert response.json["key"].startswith("index.")


def test_the_size_of_a_page_is_a_setting(library_settings: Settings) -> None:
    client = create_app(library_settings.model_copy(update={"page_size": 5})).test_client()
    page = html.document_fromstring(client.get("/search?q=三会一课").text)

    assert len(page.cssselect(".hit")) == 5
