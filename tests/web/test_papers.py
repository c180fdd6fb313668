from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from lxml import html

from kb.config import Settings
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.web import create_app
from kb.web.papers import months
from tests.making import article

STRANGE = "A/B 100%报</script>"
# Newspaper, day, label: an issue of two pages and a piece without one, its neighbours, an undated piece.
PLACES: tuple[tuple[str, str | None, str | None], ...] = (
    ("清河日报", "2024-03-15", "07"),
    ("清河日报", "2024-03-15", "07"),
    ("清河日报", "2024-03-15", "01"),
    ("清河日报", "2024-03-15", None),
    ("清河日报", "2024-03-10", "01"),
    ("清河日报", "2023-12-31", "01"),
    ("清河日报", None, "01"),
    (STRANGE, "2024-03-15", ".."),
    ("未署日期报", None, None),
    ("撤回报", "2024-03-15", "01"),
)
Look = Callable[..., html.HtmlElement]


@pytest.fixture
def look(settings: Settings) -> Look:
    """Get a page over the articles of PLACES, as a tree; its status must be as told."""
    database = open_database(settings.database)
    with writing(database) as connection:
        items = [
            NewArticle(
                article(
                    f"第{number}篇",
                    (f"正文{number}。",),
                    key=f"https://a.example/{number}",
                    newspaper=newspaper,
                    published=day,
                    edition_page=label,
                    page_name="理论" if label == "07" else None,
                )
            )
            for number, (newspaper, day, label) in enumerate(PLACES, 1)
        ]
        articles.save(connection, items, articles.fingerprints(connection))
        articles.set_status(connection, len(PLACES), "withdrawn")
    client: FlaskClient = create_app(settings).test_client()

    def get(url: str, status: int = 200) -> html.HtmlElement:
        response = client.get(url)
        assert response.status_code == status, response.text[:500]
        return html.document_fromstring(response.text)

    return get


def links(page: html.HtmlElement, selector: str = "main") -> dict[str, str]:
    """Words -> address of the links in a part of a page."""
    return {link.text_content().strip(): link.get("href") for link in page.cssselect(f"{selector} a")}


def test_the_header_leads_to_the_newspapers_with_their_extent(look: Look) -> None:
    page = look(links(look("/papers"), "header")["版面"])

    rows = [" ".join(row.text_content().split()) for row in page.cssselect(".row")]
    assert rows == [
        "清河日报 7 篇 · 2023-12-31 至 2024-03-15",
        "A/B 100%报</script> 1 篇 · 2024-03-15",
        "未署日期报 1 篇 · 均缺发布日期",
    ]


def test_a_calendar_opens_with_the_last_year_and_links_every_day_that_has_an_issue(look: Look) -> None:
    page = look(links(look("/papers"))["清河日报"])
    march = page.cssselect("table.month")[0]
    days = {" ".join(link.text_content().split()): link.get("href") for link in march.cssselect("td a")}

    assert [caption.text for caption in page.cssselect("caption")] == ["3 月"]
    assert list(days) == ["3 月 10 日， 1 篇", "3 月 15 日， 4 篇"]
    assert len(march.cssselect("th[scope=col]")) == 7
    assert len(look(list(days.values())[1]).cssselect("section")) == 3


def test_a_year_can_be_chosen_and_what_has_no_date_is_counted_apart(look: Look) -> None:
    page = look("/papers/清河日报")
    chosen = look(next(url for words, url in links(page, ".paging").items() if words.startswith("2023")))

    assert page.cssselect('.paging [aria-current="page"]')[0].text.strip() == "2024"
    assert [caption.text for caption in chosen.cssselect("caption")] == ["12 月"]
    assert "另有 1 篇缺发布日期" in page.text_content()
    assert not look("/papers/未署日期报").cssselect("table")
    look("/papers/清河日报?year=1999", 404)


def test_an_issue_lists_its_pages_and_their_titles(look: Look) -> None:
    page = look("/papers/清河日报/2024-03-15")
    headings = [" ".join(heading.text_content().split()) for heading in page.cssselect("h2")]
    titles = [link.text for link in page.cssselect("section li a")]

    assert headings == ["01版 1 篇", "07版 理论 2 篇", "未注明版次 1 篇"]
    assert titles == ["第3篇", "第1篇", "第2篇", "第4篇"]
    assert links(page)["上一期 2024-03-10"] and "下一期" not in page.text_content()


def test_an_edition_page_leads_to_its_neighbours(look: Look) -> None:
    page = look(links(look("/papers/清河日报/2024-03-15"))["07版 理论"])
    before = look(links(page)["上一版 01版"])

    assert [link.text for link in page.cssselect("ol.rows a")] == ["第1篇", "第2篇"]
    assert "下一版" not in page.text_content()
    assert links(before)["下一版 07版"] == "/papers/" + quote("清河日报") + "/2024-03-15/07"


def test_a_day_without_an_issue_names_the_nearest_ones(look: Look) -> None:
    page = look("/papers/清河日报/2024-03-12", 404)

    assert list(links(page, ".notice")) == ["2024-03-10", "2024-03-15"]


def test_a_page_that_an_issue_does_not_have_shows_those_it_has(look: Look) -> None:
    page = look("/papers/清河日报/2024-03-15/99", 404)

    assert "没有 99版" in page.cssselect(".notice")[0].text_content()
    assert len(page.cssselect("section")) == 3


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/papers/没有的报", "没有这份报纸"),
        ("/papers/撤回报", "没有这份报纸"),
        ("/papers/没有的报/2024-03-15/07", "没有这份报纸"),
        ("/papers/清河日报/2024-02-30", "没有这一期"),
        ("/papers/清河日报/20240315", "没有这一期"),
    ],
)
def test_what_is_not_there_is_said_plainly(look: Look, url: str, said: str) -> None:
    assert look(url, 404).cssselect("h1")[0].text == said


def test_every_newspaper_and_label_can_be_reached_whatever_its_characters(look: Look) -> None:
    calendar = look(links(look("/papers"))[STRANGE])
    issue = look(calendar.cssselect("td a")[0].get("href"))
    page = look(issue.cssselect("h2 a")[0].get("href"))

    assert page.cssselect("ol.rows a")[0].text == "第8篇"


def test_an_article_says_where_it_was_printed_and_leads_on(look: Look) -> None:
    page = look("/a/2")
    place = page.cssselect('nav[aria-label="版面位置"]')[0]

    assert [link.text for link in place.cssselect("a")] == ["清河日报", "2024-03-15", "07版 理论", "上一篇"]
    assert place.cssselect("a")[-1].get("href") == "/a/1"
    assert not look("/a/7").cssselect('nav[aria-label="版面位置"]')


def test_a_calendar_has_weeks_from_monday() -> None:
    [month] = months({"2024-03-15": 2, "9999-99-99": 1})
    friday = month.weeks[2][4]

    assert friday is not None and (friday.day, friday.count) == ("2024-03-15", 2)
    assert [day and day.number for day in month.weeks[0]] == [None, None, None, None, 1, 2, 3]
