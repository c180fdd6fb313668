from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from lxml import etree

from kb.config import Settings
from kb.model import Actor, TopicContent
from kb.store import limits, topics, units
from kb.store.db import writing
from kb.web import create_app, sitemap
from kb.web.library import library_of
from tests.web import shelf
from tests.web.people import signed_in

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LAST = shelf.FIRST_NOTE + shelf.NOTES - 1


@pytest.fixture
def own_app(tmp_path: Path) -> Flask:
    return create_app(shelf.build(tmp_path / "data"))


def listed(app: Flask, url: str, **who: object) -> list[str]:
    client = signed_in(app, **who) if who else app.test_client()  # type: ignore[arg-type]
    answer = client.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml"), url
    return [str(one.text) for one in etree.fromstring(answer.data).iter(f"{MAP}loc")]


def test_every_article_that_everybody_may_see_stands_in_one_file_and_no_other(
    own_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "ADDRESSES", 10)
    with writing(library_of(own_app).database) as connection:
        unit = units.add(connection, "县法院")
        for number in (1, LAST):
            limits.put(connection, Actor("cli:test"), "article", number, [unit])
        topics.add(connection, "rongru", TopicContent("融入", "党建"), "")
        topics.add(connection, "caogao", TopicContent("草稿", "党建", state="draft"), "")
    away = {1, LAST, shelf.WITHDRAWN, shelf.GONE}
    for who in ({}, {"units": (unit,)}):
        files = listed(own_app, "/sitemap.xml", **who)
        found = [one for file in files[1:] for one in listed(own_app, file, **who)]

        assert found == [f"http://localhost/a/{one}" for one in range(1, LAST + 1) if one not in away]
        of_topics = [one.rpartition("/")[2] for one in listed(own_app, files[0], **who) if "/t/" in one]
        assert "rongru" in of_topics and not {"caogao", "draft", "removed"} & set(of_topics)
    assert own_app.test_client().get(f"/sitemap-{len(files)}.xml").status_code == 404


def test_robots_may_read_what_everybody_may(library_settings: Settings, app: Flask) -> None:
    closed = create_app(library_settings.model_copy(update={"anonymous_reading": False})).test_client()

    assert "Sitemap: http://localhost/sitemap.xml" in app.test_client().get("/robots.txt").text
    assert closed.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    assert closed.get("/sitemap.xml").status_code == 401


def test_the_search_box_is_described_for_browsers_that_find_it_from_every_page(app: Flask) -> None:
    answer = app.test_client().get("/opensearch.xml")
    root = etree.fromstring(answer.data)
    spaces = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
    (name,) = root.xpath("o:ShortName/text()", namespaces=spaces)
    (template,) = root.xpath("o:Url[@type='text/html']/@template", namespaces=spaces)

    assert answer.mimetype == "application/opensearchdescription+xml" and len(name) <= 16
    assert template == "http://localhost/search?q={searchTerms}"
    assert '<link rel="search"' in app.test_client().get("/").text
