from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb import ingest
from kb.config import Settings
from kb.model import Results
from kb.search import Search
from kb.store import articles
from kb.store.db import writing
from kb.text.normalize import fold
from kb.web import create_app
from kb.web.library import EXTENSION
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


def test_copies_of_a_text_are_one_result_with_the_others_listed_under_it(see: See) -> None:
    page = see("/search?q=检察机关党建&sort=oldest")
    [copies] = page.cssselect("details.copies")

    assert text(page.cssselect("[role=status]")[0]).startswith("找到 2 篇（合并转载后 1 条），用时 ")
    assert text(copies.cssselect("summary")[0]).startswith("另有 1 处转载")
    assert [link.get("href").split("?")[0] for link in copies.cssselect("a")] == [f"/a/{shelf.REPRINT}"]
    assert text(copies.cssselect(".meta")[0]) == "云岭日报 · 2023-08-09"


def test_every_copy_is_listed_where_that_is_asked_for(see: See) -> None:
    page = see(see("/search?q=检察机关党建&sort=newest").cssselect("a.tool")[0].get("href"))
    hrefs = [link.get("href").split("?")[0] for link in page.cssselect(".hit h2 a")]

    assert text(page.cssselect("[role=status]")[0]).startswith("找到 2 篇，用时 ")
    assert hrefs == [f"/a/{shelf.REPRINT}", f"/a/{shelf.FULL}"]
    assert page.cssselect(".hit .meta a")[0].get("href") == f"/a/{shelf.FULL}"
    assert parse_qs(urlsplit(page.cssselect("a.tool")[0].get("href")).query) == {
        "q": ["检察机关党建"],
        "sort": ["newest"],
    }


@pytest.mark.parametrize("copies", ["0", "1"])
def test_a_copy_leads_to_the_earliest_only_while_that_is_shown(tmp_path: Path, copies: str) -> None:
    settings = shelf.build(tmp_path / "data")
    app = create_app(settings)
    database = app.extensions[EXTENSION].database
    with writing(database) as connection:
        articles.set_status(connection, shelf.FULL, "withdrawn")
    ingest.reindex(database, settings, everything=False)
    page = html.document_fromstring(app.test_client().get(f"/search?q=检察机关党建&copies={copies}").text)

    assert page.cssselect(".hit h2 a")[0].get("href").startswith(f"/a/{shelf.REPRINT}?")
    assert page.cssselect(".hit .meta a") == []


def test_a_hit_names_the_headings_that_its_passage_stands_under(see: See) -> None:
    path = see("/search?q=学用结合").cssselect(".hit-path")[0]

    assert text(path) == "所在小节：一、为什么要抓融合 › （一）把准方向"


def test_subtitles_are_marked_too(see: See) -> None:
    [subtitle] = see("/search?q=副题 青溪县人民检察院").cssselect(".hit-subtitle")[:1]

    assert [mark.text for mark in subtitle.cssselect("mark")]


def test_sorting_is_by_links_and_the_present_order_is_told(see: See) -> None:
    page = see("/search?q=三会一课&sort=newest")
    links = page.cssselect("nav[aria-label=排序] a")
    days = [time.get("datetime") for time in page.cssselect(".hit time")]

    assert [link.text for link in links] == ["相关度", "最新", "最早", "最长", "最短"]
    assert [link.get("aria-current") for link in links] == [None, "true", None, None, None]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize(("sort", "is_reversed"), [("longest", True), ("shortest", False)])
def test_results_can_be_sorted_by_length(client: FlaskClient, sort: str, is_reversed: bool) -> None:
    ids = [hit["id"] for hit in client.get(f"/search.json?q=三会一课&sort={sort}&limit=100").json["hits"]]
    lengths = [len(shelf.note(one - shelf.FIRST_NOTE).blocks[0].text) for one in ids]

    assert len(ids) == shelf.NOTES
    assert lengths == sorted(lengths, reverse=is_reversed)


def test_the_order_chosen_last_is_asked_for_by_the_next_search(client: FlaskClient) -> None:
    def boxed() -> list[str]:
        page = html.document_fromstring(client.get("/").text)
        return [one.get("value") for one in page.cssselect("form[role=search] input[name=sort]")]

    before = boxed()
    client.get("/search?q=三会一课&sort=oldest")
    [cookie] = client.get("/search?q=三会一课&sort=newest").headers.getlist("Set-Cookie")
    chosen = boxed()
    unasked = client.get("/search?q=三会一课").headers.getlist("Set-Cookie")
    page = html.document_fromstring(client.get("/search?q=三会一课").text)
    client.get(page.cssselect("nav[aria-label=排序] a")[0].get("href"))

    assert (before, chosen, boxed()) == ([], ["newest"], [])
    assert cookie.startswith("sort=newest;") and "SameSite=Lax" in cookie and "HttpOnly" in cookie
    assert unasked == []
    assert page.cssselect("nav[aria-label=排序] [aria-current]")[0].text == "相关度"


def test_with_tls_no_other_host_can_set_the_order(library_settings: Settings) -> None:
    client = create_app(library_settings.model_copy(update={"tls": True})).test_client()

    def boxed() -> list[str]:
        page = html.document_fromstring(client.get("/", base_url="https://localhost").text)
        return [one.get("value") for one in page.cssselect("form[role=search] input[name=sort]")]

    client.set_cookie("sort", "longest", secure=True)
    before = boxed()
    response = client.get("/search?q=三会一课&sort=newest", base_url="https://localhost")
    [cookie] = response.headers.getlist("Set-Cookie")

    assert (before, boxed()) == ([], ["newest"])
    assert cookie.startswith("__Host-sort=newest;")
    assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_facets_have_counts_and_a_button_that_needs_no_script(see: See) -> None:
    form = see("/search?q=三会一课&sort=oldest").cssselect("form.facets")[0]
    values = {box.get("value"): text(box.getparent()) for box in form.cssselect("input[type=checkbox]")}

    assert form.get("method") == "get"
    assert text(form.cssselect("button")[0]) == "应用"
    assert dict(form.form_values()) == {"q": "三会一课", "sort": "oldest", "since": "", "until": ""}
    assert values["云岭日报"] == "云岭日报 12 篇"
    assert [value for value in values if value.startswith("20")] == ["2022", "2021", "2020"]


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


def test_a_value_can_be_left_out_and_let_in_again(see: See) -> None:
    buttons = see("/search?q=三会一课&year=2020").cssselect("button.leave")
    [button] = [one for one in buttons if text(one) == "排除：云岭日报"]
    page = see(f"/search?q=三会一课&year=2020&{button.get('name')}={button.get('value')}")
    chips = {text(chip).split(" ×")[0]: chip.get("href") for chip in page.cssselect("a.chip")}
    boxes = [
        box for box in page.cssselect("form.facets input[checked]") if box.get("name") == "not_newspaper"
    ]

    assert {text(hit.cssselect(".meta")[0])[:5] for hit in page.cssselect(".hit")} == {"青溪法治报"}
    assert list(chips) == ["排除报纸：云岭日报", "年份：2020"]
    assert parse_qs(urlsplit(chips["排除报纸：云岭日报"]).query) == {"q": ["三会一课"], "year": ["2020"]}
    assert [text(box.getparent()) for box in boxes] == ["排除：云岭日报"]


def test_days_are_chosen_by_two_fields_or_by_a_period(see: See) -> None:
    page = see("/search?q=三会一课&since=2021-05-10&until=2021-05-20&newspaper=云岭日报")
    days = [time.get("datetime") for time in page.cssselect(".hit time")]
    fields = [
        page.cssselect(f"form.facets input[name={name}]")[0].get("value") for name in ("since", "until")
    ]
    week = {text(link): link.get("href") for link in page.cssselect(".periods a")}["近一周"]
    asked = parse_qs(urlsplit(week).query)

    assert days and all("2021-05-10" <= day <= "2021-05-20" for day in days)
    assert fields == ["2021-05-10", "2021-05-20"]
    assert text(page.cssselect("a.chip")[1]).startswith("日期：2021-05-10 至 2021-05-20 ×")
    assert date.fromisoformat(asked["since"][0]) == datetime.now().astimezone().date() - timedelta(days=6)
    assert "until" not in asked and asked["newspaper"] == ["云岭日报"]
    assert see(week).cssselect(".chip")


def test_facets_name_everything_that_can_be_chosen(see: See) -> None:
    form = see("/search?q=党建").cssselect("form.facets")[0]

    assert [text(legend) for legend in form.cssselect("legend")] == [
        "日期", "报纸", "来源", "专题", "年份", "作者", "作者单位", "版次",
    ]  # fmt: skip


def test_a_second_search_goes_on_within_the_first(see: See, client: FlaskClient) -> None:
    form = see("/search?q=三会一课&newspaper=云岭日报&sort=newest&page=2").cssselect("form.within")[0]
    asked = {**dict(form.form_values()), "within": "第3支部"}
    response = client.get("/search", query_string=asked)

    assert response.status_code == 302
    assert parse_qs(urlsplit(response.headers["Location"]).query) == {
        "q": ["三会一课 第3支部"],
        "newspaper": ["云岭日报"],
        "sort": ["newest"],
    }


def test_a_second_search_leaves_the_first_as_it_was_meant(client: FlaskClient) -> None:
    response = client.get("/search", query_string={"q": "支部 或 党建", "within": "学习"})

    assert parse_qs(urlsplit(response.headers["Location"]).query)["q"] == ["(支部 或 党建) 学习"]


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

    assert "没有找到" in text(page.cssselect("[role=status]")[0])
    assert "检查有没有错字" in main(page)


def test_nothing_found_tells_how_much_there_is_without_each_filter(see: See) -> None:
    page = see("/search?q=“三会一课”&year=1999&newspaper=云岭日报&not_source=x&since=2020-01-01")
    ways = [text(way) for way in page.cssselect("main .notice li")[2:]]
    [link] = page.cssselect("main .notice a")[:1]

    assert ways == ["去掉全部筛选条件：24 篇", "去掉「年份：1999」：12 篇"]
    assert text(see(link.get("href")).cssselect("[role=status]")[0]).startswith("找到 24 篇")


def test_where_several_words_hinder_each_is_counted_alone(see: See) -> None:
    page = see("/search?q=三会一课 绝无此语句 也没有这句")

    assert [text(way) for way in page.cssselect("main .notice li")] == ["只找「三会一课」：24 篇"]


def test_a_loosened_answer_is_labelled(see: See) -> None:
    page = see("/search?q=三会一课 绝无此语句")

    assert page.cssselect(".hit")
    assert "没有同时含全部词语的文章；以下按命中词语多少排列" in main(page)


def test_a_loosened_answer_tells_how_much_there_is_without_each_part(see: See) -> None:
    page = see("/search?q=三会一课 绝无此语句 支部")
    links = {text(link): link.get("href") for link in page.cssselect("main .notice a")}

    assert [text(way) for way in page.cssselect("main .notice li")] == ["去掉「绝无此语句」：24 篇"]
    assert parse_qs(urlsplit(links["去掉「绝无此语句」"]).query) == {"q": ["三会一课 支部"]}


def test_words_can_be_looked_for_in_one_place_only(see: See) -> None:
    title, author = see("/search?q=纪实&scope=title"), see("/search?q=周明远&scope=author")
    nowhere = see("/search?q=谈体会&scope=title")

    assert text(title.cssselect("[role=status]")[0]).startswith("找到 24 篇")
    assert [box.get("value") for box in title.cssselect("form[role=search] input[checked]")] == ["title"]
    assert text(author.cssselect("[role=status]")[0]).startswith("找到 2 篇")
    assert text(nowhere.cssselect("main .notice li")[2]).startswith("在全部内容里找：")


def test_months_are_shown_under_the_chosen_year(see: See) -> None:
    def legends(url: str) -> list[str]:
        return [text(legend) for legend in see(url).cssselect("form.facets legend")]

    boxes = see("/search?q=三会一课&year=2021").cssselect("form.facets input[name=month]")

    assert "月份" not in legends("/search?q=三会一课")
    assert [text(box.getparent()) for box in boxes] == ["2021年5月 8 篇"]
    assert text(see("/search?q=三会一课&month=2021-05").cssselect("a.chip")[0]).startswith("月份：2021年5月")


def test_a_query_that_cannot_be_read_shows_the_place_and_offers_its_words(see: See) -> None:
    page = see("/search?q=党建 （业务 或&sort=newest", 400)
    [typed] = page.cssselect("pre.typed")
    [offer] = [link for link in page.cssselect("main a") if "按普通词语检索" in text(link)]

    assert typed.text_content() == "党建 （业务 或"
    assert [mark.text for mark in typed.cssselect("mark")] == ["或"]
    assert text(offer) == "按普通词语检索：党建 业务"
    assert parse_qs(urlsplit(offer.get("href")).query) == {"q": ["党建 业务"]}


def test_a_parameter_that_cannot_be_used_is_not_blamed_on_the_query(see: See) -> None:
    page = see("/search?q=党建，业务&page=x", 400)

    assert not page.cssselect("pre.typed")
    assert "按普通词语检索" not in main(page)


def test_a_bad_query_is_a_sentence_on_the_page_and_keeps_what_was_typed(see: See) -> None:
    long = "党" * 5000
    page = see(f"/search?q={long}", 400)

    assert "检索式" in page.cssselect("h1")[0].text_content()
    assert "5000" in main(page)
    assert page.cssselect("#q")[0].get("value") == long


def test_an_empty_box_is_the_search_page(see: See) -> None:
    assert text(see("/search?q=%20").cssselect("h1")[0]) == text(see("/search").cssselect("h1")[0])


def test_marks_alone_are_told_to_be_nothing_to_search_for(see: See) -> None:
    assert "没有可检索的文字" in main(see("/search?q=——", 400))


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

    assert list(answer)[:5] == ["total", "took_ms", "fallback", "hits", "facets"]
    assert set(answer) >= {"articles", "groups", "expanded", "did_you_mean"}
    assert answer["total"] == 12 and answer["fallback"] is None and len(answer["hits"]) == 3
    assert set(answer["hits"][0]) >= {
        "id", "title", "subtitle", "newspaper", "published", "edition_page", "score", "snippet", "heading_path",
        "copies",
    }  # fmt: skip
    assert {"text", "matched"} == set(answer["hits"][0]["snippet"][0])
    assert set(answer["facets"]) == {
        "affiliation", "author", "edition_page", "month", "newspaper", "source", "topic", "year",
    }  # fmt: skip
    assert all(isinstance(value, str) and isinstance(count, int) for value, count in answer["facets"]["year"])


def test_json_gives_every_copy_unless_it_is_asked_to_group_them(client: FlaskClient) -> None:
    each = client.get("/search.json?q=检察机关党建").json
    grouped = client.get("/search.json?q=检察机关党建&copies=0&sort=oldest").json

    assert [each[name] for name in ("total", "articles", "groups")] == [2, 2, None]
    assert [grouped[name] for name in ("total", "articles", "groups")] == [1, 2, 1]
    assert [copy["id"] for copy in grouped["hits"][0]["copies"]] == [shelf.REPRINT]


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
