from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from lxml import html

from kb import ingest
from kb.store import articles, own_data, saved_searches, users
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.web import create_app
from kb.web.library import library_of
from tests.making import article
from tests.web import shelf
from tests.web.people import post, signed_in


@pytest.fixture(scope="module")
def own_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(shelf.build(tmp_path_factory.mktemp("saved") / "data"))


def code_of(app: Flask, name: str) -> str:
    with reading(library_of(app).database) as connection:
        user = users.by_name(connection, name)
        assert user is not None
        return saved_searches.of_user(connection, user.id)[0].code


def test_a_search_is_saved_by_name_opened_by_link_and_followed(own_app: Flask) -> None:
    mine, anybody, library = signed_in(own_app, name="zhou"), own_app.test_client(), library_of(own_app)
    answer = post(
        mine,
        "/saved",
        {"asked": "q=三会一课&newspaper=青溪法治报&page=2", "name": "本周"},
        follow_redirects=True,
    )
    code = code_of(own_app, "zhou")

    assert "已保存检索「本周」" in answer.text and "没有新增" in answer.text
    assert re.fullmatch("[a-z2-7]{26}", code)
    location = anybody.get(f"/saved/{code}").headers["Location"]
    assert anybody.get(location).status_code == 200 and "page=" not in location and "copies" not in location
    feed = anybody.get(f"/saved/{code}.atom")
    assert feed.mimetype == "application/atom+xml" and feed.text.count("<entry>") == shelf.NOTES / 2

    made = article("新的三会一课", ("三会一课新编。",), key="https://a.example/new", newspaper="青溪法治报")
    with writing(library.database) as connection:
        articles.save(connection, [NewArticle(made)], articles.fingerprints(connection))
    ingest.reindex(library.database, library.settings, everything=False)
    assert "新增 1 篇" in mine.get("/me").text
    assert post(mine, f"/saved/{code}/seen").headers["Location"].startswith("/search?")
    assert "没有新增" in mine.get("/me").text


def test_what_waits_to_be_indexed_is_new_when_it_can_be_found(own_app: Flask) -> None:
    mine, library = signed_in(own_app, name="sun"), library_of(own_app)
    for number, saves in enumerate((True, False)):
        made = article(f"候录材料{number}", (f"候录第{number}篇。",), key=f"https://a.example/waits-{number}")
        with writing(library.database) as connection:
            articles.save(connection, [NewArticle(made)], articles.fingerprints(connection))
        if saves:
            post(mine, "/saved", {"asked": "q=候录", "name": "候"})
        else:
            post(mine, f"/saved/{code_of(own_app, 'sun')}/seen")
        assert "没有新增" in mine.get("/me").text
        ingest.reindex(library.database, library.settings, everything=False)

        assert "新增 1 篇" in mine.get("/me").text


def test_what_cannot_be_is_said_and_changes_nothing(own_app: Flask) -> None:
    mine = signed_in(own_app, name="li")
    post(mine, "/saved", {"asked": "q=党建", "name": "甲"})
    for name in ("甲", "x" * 81, "a\x00"):
        assert (
            "saved."
            not in post(mine, "/saved", {"asked": "q=党建", "name": name}, follow_redirects=True).text
        )
    code = code_of(own_app, "li")
    post(mine, f"/saved/{code}/rename", {"name": "乙"})

    assert mine.get("/me").text.count("/rename") == 1 and "<bdi>乙</bdi>" in mine.get("/me").text


def test_nobody_changes_the_searches_of_somebody_else(own_app: Flask) -> None:
    mine, other = signed_in(own_app, name="wang"), signed_in(own_app, "admin")
    post(mine, "/saved", {"asked": "q=党建", "name": "甲"})
    code = code_of(own_app, "wang")

    assert {
        post(other, f"/saved/{code}/{what}", {"name": "乙"}).status_code
        for what in ("rename", "seen", "delete")
    } == {404}
    assert own_app.test_client().get("/saved/" + "b" * 26).status_code == 404
    with reading(library_of(own_app).database) as connection:
        user = users.by_name(connection, "wang")
        assert user is not None
        assert [one["name"] for one in own_data.of_user(connection, user)["saved_searches"]] == ["甲"]
    post(mine, f"/saved/{code}/delete")
    assert own_app.test_client().get(f"/saved/{code}.atom").status_code == 404


def test_a_saved_search_asks_the_store_what_its_address_asks_the_page() -> None:
    saved = saved_searches.Saved(
        1,
        1,
        "甲",
        "q=党建+业务&newspaper=&newspaper=甲报&not_topic=乙&since=2020-01-01&scope=title&exact=1",
        "",
        "",
        0,
    )
    asked = saved.question()

    assert (asked["text"], asked["scope"], asked["exact"]) == ("党建 业务", "title", True)
    assert (asked["filters"].only, asked["filters"].without) == (
        {"newspaper": ("", "甲报")},
        {"topic": ("乙",)},
    )
    assert (asked["filters"].since, asked["filters"].until) == ("2020-01-01", None)


def test_the_form_below_the_results_carries_the_whole_search(own_app: Flask) -> None:
    mine = signed_in(own_app, name="zhao")
    page = html.document_fromstring(
        mine.get("/search?q=三会 一课&newspaper=青溪法治报&not_year=2020&page=2").text
    )
    (form,) = page.cssselect("form[action='/saved']")
    post(mine, "/saved", {"asked": form.fields["asked"], "name": form.fields["name"]})
    location = mine.get(f"/saved/{code_of(own_app, 'zhao')}").headers["Location"]

    assert parse_qsl(location.partition("?")[2]) == [
        ("q", "三会 一课"),
        ("newspaper", "青溪法治报"),
        ("not_year", "2020"),
    ]
    assert not own_app.test_client().get("/search?q=三会").text.count('action="/saved"')
