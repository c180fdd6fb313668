from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kb.crawl.links import LINKS_PER_PAGE, followed, issue_of, matching, start_pages, window
from kb.crawl.source import Source
from kb.errors import ConfigError
from kb.model import ArticleLink, CrawlPage, SiteRule

SITE = "https://szb.example.cn"
TODAY = date(2024, 3, 10)
SOURCE = Source(
    slug="qinghe",
    name="清河日报",
    verified="never",
    facts="自编",
    path=Path("qinghe.toml"),
    hosts=("szb.example.cn",),
    start=(SITE + "/html/{date:%Y-%m/%d}/node_1.htm",),
    rule=SiteRule("qinghe", published_from_url=r"/(?P<y>\d{4})-(?P<m>\d\d)/(?P<d>\d\d)/"),
    depth=3,
    edition=(r"/node_\d+\.htm$",),
    article=(r"/content_\d+\.htm$",),
)
LIST = CrawlPage("qinghe", SITE + "/html/2024-03/10/node_1.htm", "index", issue="2024-03-10")


def links(*targets: str) -> list[ArticleLink]:
    return [
        ArticleLink(target if "://" in target else f"{SITE}/html/2024-03/10/{target}", "")
        for target in targets
    ]


def urls(pages: list[CrawlPage]) -> list[str]:
    return [page.url.removeprefix(f"{SITE}/html/") for page in pages]


def test_without_dates_a_run_looks_at_the_last_days() -> None:
    assert window(SOURCE, None, None, TODAY) == (date(2024, 3, 8), TODAY)
    assert window(replace(SOURCE, days=0), None, None, TODAY) == (None, TODAY)


def test_asked_dates_bound_the_run() -> None:
    assert window(SOURCE, date(2024, 1, 1), None, TODAY) == (date(2024, 1, 1), TODAY)
    assert window(SOURCE, None, date(2024, 2, 3), TODAY) == (date(2024, 2, 1), date(2024, 2, 3))


def test_dates_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        window(SOURCE, date(2024, 3, 2), date(2024, 3, 1), TODAY)

    assert caught.value.key == "crawl.bad_range"


def test_a_run_starts_from_one_page_a_day() -> None:
    pages = start_pages(SOURCE, date(2024, 2, 28), date(2024, 3, 1))

    assert [page.issue for page in pages] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert urls(pages) == [f"2024-0{day}/node_1.htm" for day in ("2/28", "2/29", "3/01")]


def test_a_start_page_without_a_date_stands_alone() -> None:
    pages = start_pages(replace(SOURCE, start=(SITE + "/paperindex.htm",)), None, TODAY)

    assert [(page.url, page.kind, page.issue) for page in pages] == [
        (SITE + "/paperindex.htm", "index", None)
    ]


def test_links_are_sorted_into_articles_and_editions_each_once() -> None:
    found = matching(SOURCE, LIST, links("node_2.htm", "content_7.htm", "content_7.htm#a", "about.htm"), None)

    assert [(page.kind, page.url.rsplit("/", 1)[1]) for page in found] == [
        ("edition", "node_2.htm"),
        ("article", "content_7.htm"),
    ]
    assert {(page.depth, page.issue, page.discovered_from) for page in found} == {(1, "2024-03-10", LIST.url)}


def test_links_to_other_hosts_and_broken_links_are_left_out() -> None:
    hostile = (
        "https://evil.example/content_1.htm",
        "http://127.0.0.1/content_1.htm",
        "https://a@szb.example.cn/content_1.htm",
    )

    assert matching(SOURCE, LIST, links(*hostile, "javascript://x/content_2.htm"), None) == []


def test_a_page_names_a_bounded_number_of_links() -> None:
    many = links(*(f"content_{number}.htm" for number in range(LINKS_PER_PAGE + 50)))

    assert len(matching(SOURCE, LIST, many, None)) == LINKS_PER_PAGE


def test_where_a_page_sends_its_reader_at_once_is_followed() -> None:
    named = matching(SOURCE, LIST, [], SITE + "/html/2024-03/09/node_5.htm")
    unnamed = matching(SOURCE, LIST, [], SITE + "/today/")

    assert [(page.kind, page.issue) for page in named] == [("edition", "2024-03-09")]
    assert [(page.kind, page.url) for page in unnamed] == [("index", SITE + "/today/")]
    assert matching(SOURCE, LIST, [], "https://evil.example/") == []


def follow(*targets: str, since: date | None = None, page: CrawlPage = LIST) -> list[str]:
    return urls(followed(SOURCE, matching(SOURCE, page, links(*targets), None), since=since, today=TODAY))


def test_the_previous_issue_is_followed_as_far_as_the_run_looks() -> None:
    previous = SITE + "/html/2024-03/09/node_1.htm"

    assert follow(previous) == ["2024-03/09/node_1.htm"]
    assert follow(previous, since=date(2024, 3, 9)) == ["2024-03/09/node_1.htm"]
    assert follow(previous, since=date(2024, 3, 10)) == []


def test_an_endless_calendar_ends_at_tomorrow() -> None:
    days = [SITE + f"/html/{day}/node_1.htm" for day in ("2024-03/11", "2024-03/12", "2031-01/01")]

    assert follow(*days) == ["2024-03/11/node_1.htm"]


def test_a_day_that_never_was_is_not_followed() -> None:
    assert follow(SITE + "/html/2024-02/30/node_1.htm", SITE + "/html/2024-13/01/content_1.htm") == []


def test_lists_are_followed_to_the_depth_of_the_source_and_articles_always() -> None:
    deep = replace(LIST, depth=SOURCE.depth)

    assert follow("node_2.htm", "content_1.htm", page=deep) == ["2024-03/10/content_1.htm"]


def test_an_article_is_taken_whatever_day_its_address_names() -> None:
    """新闻联播's list of one day links to the whole programme under the next day's address."""
    assert follow(SITE + "/html/2024-03/25/content_1.htm", since=TODAY) == ["2024-03/25/content_1.htm"]


def test_the_day_of_an_address_is_read_or_unknown() -> None:
    assert issue_of(SOURCE, SITE + "/html/2024-03/10/x") == "2024-03-10"
    assert issue_of(SOURCE, SITE + "/x") is None
    assert issue_of(replace(SOURCE, rule=SiteRule("qinghe")), SITE + "/html/2024-03/10/x") is None
