"""Topics as readers meet them: what a page says of a topic is what the search finds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb.web.visits import Visit
from tests.web import shelf
from tests.web.conftest import See
from tests.web.people import signed_in

HALF_HOUR = 30 * 60


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def found(page: html.HtmlElement) -> int:
    """How many articles a page says it found."""
    return int(page.cssselect(".count b")[0].text.replace(",", ""))


def of(client: FlaskClient, slug: str, **asked: Any) -> dict[str, Any]:
    told = client.get(f"/t/{slug}.json", query_string={"limit": 100, **asked}).get_json()
    assert isinstance(told, dict)
    return told


# --- the list of all --------------------------------------------------------------------------------------------


def test_the_index_shows_two_levels_with_the_articles_of_each(see: See, client: FlaskClient) -> None:
    page = see("/topics")
    links = page.cssselect(".cards a")

    assert [link.text for link in links] == ["机关党建", "三会一课", "还没有材料的专题"]
    assert [link.text for link in page.cssselect(".cards ul a")] == ["三会一课"]
    for link in links:
        told = of(client, link.get("href").removeprefix("/t/"))["articles"]
        assert f"{told} 篇" in text(link.getparent())


def test_drafts_and_removed_topics_are_there_for_editors_alone(app: Flask, client: FlaskClient) -> None:
    editor = signed_in(app, "editor")
    for slug in ("draft", "removed"):
        assert [client.get(f"/t/{slug}{kind}").status_code for kind in ("", ".json", ".csv")] == [404] * 3
        assert editor.get(f"/t/{slug}").status_code == 200
        assert f"/t/{slug}" not in client.get("/topics").text
        assert f"/t/{slug}" in editor.get("/topics").text


def test_a_topic_that_is_not_there_leads_to_those_that_are(see: See) -> None:
    page = see("/t/no-such-topic", 404)

    assert text(page.cssselect("h1")[0]) == "没有这个专题"
    assert page.cssselect("main a[href='/topics']")


def test_the_home_page_shows_topics_with_their_articles(see: See, client: FlaskClient) -> None:
    cards = see("/").cssselect(".topics li")

    assert [text(card) for card in cards] == [
        f"机关党建 {of(client, 'dangjian')['articles']} 篇",
        "还没有材料的专题 0 篇",
    ]


# --- the page of one --------------------------------------------------------------------------------------------


def test_a_topic_has_what_its_rule_finds_without_what_was_excluded(client: FlaskClient) -> None:
    searched = client.get("/search.json?q=党建 或 三会一课&limit=100").get_json()["hits"]
    hits = of(client, "dangjian")["found"]["hits"]

    assert {hit["id"] for hit in hits} == {hit["id"] for hit in searched} - {shelf.FIRST_NOTE}


def test_the_introduction_is_markdown_and_must_reads_are_those_still_there(see: See) -> None:
    page = see("/t/dangjian")

    assert [one.tag for one in page.cssselect(".introduction > *")] == ["h2", "h3", "p"]
    assert page.cssselect(".introduction a[href='/a/1']") and page.cssselect(".introduction strong")
    assert [link.get("href") for link in page.cssselect(".must-reads a")] == [f"/a/{shelf.FULL}"]


def links_of_the_chart(page: html.HtmlElement) -> Iterator[tuple[str, int]]:
    for link in page.cssselect(".chart table a"):
        yield link.get("href"), int(link.text)


def test_every_number_of_the_chart_leads_to_as_many_articles(see: See, client: FlaskClient) -> None:
    page = see("/t/dangjian")
    links = list(links_of_the_chart(page))
    drawn = {link.get("href") for link in page.cssselect(".chart svg a")}

    assert len(links) >= 5
    assert drawn == {url for url, _ in links}
    for url, count in links:
        assert found(see(url)) == count, url


def test_whatever_narrows_the_list_stays_on_the_page_of_the_topic(see: See) -> None:
    page = see("/t/dangjian?q=支部&sort=oldest&year=2021")
    forms = [form.get("action") for form in page.cssselect("main form")]
    links = [
        link.get("href")
        for link in page.cssselect(".sorts a, .paging a, .chips a, .periods a, .tools a.tool")
    ]

    assert forms == ["/t/dangjian"] * 3
    assert all(re.match(r"/t/dangjian(\?|$)|#facets$", link) for link in links) and len(links) >= 8
    assert not page.cssselect(".introduction, .must-reads, .figures")


def test_search_within_a_topic_finds_only_what_is_in_it(client: FlaskClient) -> None:
    whole = {hit["id"] for hit in of(client, "dangjian")["found"]["hits"]}
    told = {hit["id"] for hit in of(client, "dangjian", q="札记 支部")["found"]["hits"]}

    assert told and told <= whole


@pytest.mark.parametrize("asked", ["q=“走访青石乡” “三会一课”", "q=“第1支部”&newspaper=青溪法治报"])
def test_where_nothing_is_found_each_way_out_leads_to_what_it_says(see: See, asked: str) -> None:
    everywhere, *ways = see(f"/t/dangjian?{asked}").cssselect(".notice li a")
    said = [(link.get("href"), text(link.getparent()).rpartition("：")[2]) for link in ways]

    assert {urlsplit(url).path for url, _ in said} == {"/t/dangjian"}
    for url, count in said:
        page = see(url)
        assert f"{found(page)} 篇" == count or "合并转载后" in text(page), url
    assert everywhere.get("href").startswith("/search?q=")


def test_a_topic_without_articles_says_by_which_rule_they_would_come(see: See) -> None:
    page = see("/t/empty")

    assert "“没有一篇有这句话”" in text(page.cssselect(".rule code")[0])
    assert text(page.cssselect("#empty")[0]) == "这个专题现在没有文章"
    assert not page.cssselect(".chart, .hits")


def test_the_month_table_for_a_spreadsheet_agrees_with_the_json(client: FlaskClient) -> None:
    answer = client.get("/t/dangjian.csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))[1:]

    assert answer.text.startswith("\ufeff月份")
    assert {row[0]: int(row[1]) for row in rows if row[1] != "0"} == of(client, "dangjian")["months"]
    assert sum(int(row[2]) for row in rows) == 4 + shelf.NOTES


# --- since the last visit ---------------------------------------------------------------------------------------


def test_what_came_since_the_last_visit_is_told_and_marked_until_the_visit_ends(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, now = app.test_client(), 1_800_000_000
    monkeypatch.setattr("time.time", lambda: now)
    first = client.get("/t/sanhui").text
    again = client.get("/t/sanhui").text
    cookie = client.get_cookie("visit", path="/t/sanhui")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Lax"
    last = int(cookie.value.split(".")[1])
    client.set_cookie("visit", f".{last - 3}.{now - HALF_HOUR - 1}", path="/t/sanhui")
    later, reloaded = client.get("/t/sanhui?sort=shortest").text, client.get("/t/sanhui").text
    now += HALF_HOUR + 1
    after = client.get("/t/sanhui").text

    assert "上次访问" not in first + again
    assert "新增 3 篇" in later and "新增 3 篇" in reloaded
    assert "上次访问以来没有新增" in after
    assert client.get_cookie("visit", path="/t/dangjian") is None


def test_the_cookie_of_a_visit_is_read_as_a_number_or_not_at_all(client: FlaskClient) -> None:
    for value in ("x", "1.2", "-1.5.9", "9" * 30 + ".1.1", "１.2.3", "..", "1.1.9999999999999"):
        client.set_cookie("visit", value, path="/t/sanhui")
        assert client.get("/t/sanhui").status_code == 200


def test_a_visit_ends_after_half_an_hour() -> None:
    visit = Visit(None, 10, 1000)

    assert visit.now(12, 1000 + HALF_HOUR) == Visit(None, 12, 1000 + HALF_HOUR)
    assert visit.now(12, 1001 + HALF_HOUR) == Visit(10, 12, 1001 + HALF_HOUR)
    assert visit.now(8, 1001 + HALF_HOUR).seen == 10  # what was withdrawn does not come again as new
