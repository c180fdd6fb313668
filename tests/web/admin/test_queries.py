from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import delete, update

from kb.store import searches, tables
from kb.store.db import writing
from kb.web.library import EXTENSION
from tests.web.people import signed_in

HOSTILE = '=HYPERLINK("http://x") <img src=x>'


@pytest.fixture
def logged(app: Flask) -> Iterator[Flask]:
    """A library in which a few things were searched for; one of them two months ago."""
    library = app.extensions[EXTENSION]
    library.log.flush()
    with writing(library.database) as connection:
        connection.execute(delete(tables.searches))
        found = [searches.searched("三会一课", 24, 12.0)] * 3 + [searches.searched("绝无此语", 0, 8.0)] * 2
        searches.record(connection, [*found, searches.searched(HOSTILE, 1, 1500.0)])
        searches.record(connection, [searches.searched("旧事", 4, 3.0)])
        old = update(tables.searches).where(tables.searches.c.query == "旧事")
        connection.execute(old.values(asked_at="2026-09-20T00:00:00Z"))
    yield app
    with writing(library.database) as connection:
        connection.execute(delete(tables.searches))


def see(client: FlaskClient, url: str, status: int = 200) -> html.HtmlElement:
    answer = client.get(url)
    assert answer.status_code == status, answer.text[:300]
    return html.document_fromstring(answer.text)


def listed(tree: html.HtmlElement, caption: str) -> list[str]:
    """The queries under a heading."""
    return [str(one) for one in tree.xpath(f"//div[@aria-label='{caption}']//tbody//td[1]//bdi/text()")]


def test_what_is_searched_for_most_in_vain_and_slowly_is_listed(logged: Flask) -> None:
    tree = see(signed_in(logged, "operator"), "/admin/queries?days=7")

    assert listed(tree, "最多") == ["三会一课", "绝无此语", HOSTILE]
    assert listed(tree, "没有结果") == ["绝无此语"]
    assert listed(tree, "慢") == [HOSTILE]


def test_more_days_show_what_was_searched_for_earlier(logged: Flask) -> None:
    assert "旧事" in listed(see(signed_in(logged, "operator"), "/admin/queries?days=180"), "最多")


def test_an_editor_is_led_from_what_was_in_vain_to_the_synonyms(logged: Flask) -> None:
    link = "//a[starts-with(normalize-space(), '加同义词')]/@href"
    [address] = see(signed_in(logged, "editor"), "/admin/queries").xpath(link)

    assert "绝无此语" in see(signed_in(logged, "editor"), address).xpath("string(//*[@name='names'])")
    assert see(signed_in(logged, "operator"), "/admin/queries").xpath(link) == []


def test_the_export_is_text_to_a_spreadsheet_and_nothing_to_be_calculated(logged: Flask) -> None:
    answer = signed_in(logged, "editor").get("/admin/queries.csv?days=7")
    first, *lines = answer.text.splitlines()

    assert answer.headers["Content-Disposition"] == "attachment; filename=searches-7.csv"
    assert answer.content_type == "text/csv; charset=utf-8"
    assert first == "\ufeff检索式,次数,最近一次的篇数,最慢毫秒,最近一次(UTC)"
    assert [line.rsplit(",", 4)[0] for line in lines] == [
        "三会一课",
        "绝无此语",
        "\"'" + HOSTILE.replace('"', '""') + '"',
    ]


def test_other_numbers_of_days_are_refused(app: Flask) -> None:
    see(signed_in(app, "operator"), "/admin/queries?days=8", 400)


def test_nothing_searched_for_is_said(app: Flask) -> None:
    library = app.extensions[EXTENSION]
    library.log.flush()
    with writing(library.database) as connection:
        connection.execute(delete(tables.searches))

    assert "没有检索记录" in see(signed_in(app, "admin"), "/admin/queries").text_content()
