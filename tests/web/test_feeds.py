from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree

from kb import config, ingest
from kb.config import Settings
from kb.model import Actor, Author, Exclusion, TopicContent
from kb.store import articles, library_facts, limits, topics, units
from kb.store.articles import NewArticle
from kb.store.db import open_database, reading, writing
from kb.web import create_app
from kb.web.library import library_of
from tests.making import FOR_TESTS, article
from tests.web import shelf
from tests.web.people import signed_in

RFC_4287 = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
ATOM = {"a": "http://www.w3.org/2005/Atom"}
FEEDS = (
    "/feed.atom",
    "/feed/source/sample.atom",
    "/t/heliu.atom",
    "/search.atom?q=河流",
    "/search.atom?q=没有的词",
)
ACTOR = Actor("cli:test")


def tree(client: FlaskClient, url: str) -> etree._Element:
    answer = client.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml"), answer.text[:500]
    return etree.fromstring(answer.data)


def texts(root: etree._Element, path: str) -> list[str]:
    return [str(one) for one in root.xpath(path, namespaces=ATOM)]


def titles(client: FlaskClient, url: str) -> list[str]:
    return texts(tree(client, url), "//a:entry/a:title/text()")


# --- form -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rivers(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Five articles of which a topic has all but one, the second of them hostile; nothing else. Read only."""
    settings = Settings(data=tmp_path_factory.mktemp("rivers") / "data", **FOR_TESTS)
    config.prepare_data(settings)
    database = open_database(settings.database)
    made = [
        article(
            f"河流{number}",
            (f"河流治理第{number}段,编号{number * 7919}。",),
            key=f"https://a.example/{number}",
        )
        for number in range(1, 6)
    ]
    made[1] = replace(
        made[1],
        title="河流2\x00\x0b<b>&\"'\ufffe",
        authors=(Author("\x07", ""), Author("<i>", "")),
        newspaper="\x1b",
    )
    with writing(database) as connection:
        articles.save(connection, [NewArticle(one) for one in made], articles.fingerprints(connection))
        topics.add(connection, "heliu", TopicContent("河流", "河流", excluded=(Exclusion(3, "试"),)), "")
        topics.add(connection, "caogao", TopicContent("草稿", "河流", state="draft"), "")
    ingest.reindex(database, settings, everything=True)
    return create_app(settings)


@pytest.fixture
def own_rivers(rivers: Flask, tmp_path: Path) -> Flask:
    """The same, to be changed."""
    settings = library_of(rivers).settings.model_copy(update={"data": tmp_path / "data"})
    shutil.copytree(library_of(rivers).settings.data, settings.data)
    return create_app(settings)


def must(root: etree._Element) -> list[str]:
    """What RFC 4287 asks for beyond its schema (§4.1.1, §4.1.2, §4.2.6, §4.2.7)."""
    wrong = []
    ids = texts(root, "a:entry/a:id/text()")
    if len(ids) != len(set(ids)):
        wrong.append("two entries with one id")
    for one in root.xpath("//a:feed | //a:entry", namespaces=ATOM):
        alternates = [
            (link.get("type"), link.get("hreflang"))
            for link in one.xpath("a:link[@rel='alternate']", namespaces=ATOM)
        ]
        if len(alternates) != 1:
            wrong.append("not exactly one alternate link")
        if not one.xpath("a:author | ../a:author", namespaces=ATOM):
            wrong.append("no author")
        (known_by,) = one.xpath("a:id/text()", namespaces=ATOM)
        if uuid.UUID(known_by).urn != known_by:
            wrong.append("an id that is no IRI in its normal form")
    if len(root.xpath("a:link[@rel='self']", namespaces=ATOM)) != 1:
        wrong.append("no link to itself")
    if any(not href.startswith("http://localhost/") for href in texts(root, "//a:link/@href")):
        wrong.append("an address that is not whole")
    newest = max(texts(root, "a:entry/a:updated/text()"), default="2000-01-01T00:00:00Z")
    if texts(root, "a:updated/text()") != [newest]:
        wrong.append("updated is not that of the newest entry")
    return wrong


@pytest.mark.parametrize("url", FEEDS)
def test_a_feed_is_as_rfc_4287_says_whatever_articles_hold(rivers: Flask, url: str) -> None:
    root = tree(rivers.test_client(), url)
    RFC_4287.assertValid(root)

    assert must(root) == []


def test_what_is_no_feed_is_found_out(rivers: Flask) -> None:
    root = tree(rivers.test_client(), "/feed.atom")
    for path in ("a:id", "a:updated", "a:entry/a:title", "a:entry/a:id", "a:entry/a:updated"):
        broken = etree.fromstring(etree.tostring(root))
        one = broken.xpath(path, namespaces=ATOM)[0]
        one.getparent().remove(one)

        assert not RFC_4287.validate(broken), path


def test_the_last_added_comes_first_and_an_empty_feed_has_a_fixed_moment(rivers: Flask) -> None:
    client = rivers.test_client()

    assert [title[:3] for title in titles(client, "/feed.atom")] == [
        "河流5",
        "河流4",
        "河流3",
        "河流2",
        "河流1",
    ]
    assert [title[:3] for title in titles(client, "/t/heliu.atom")] == ["河流5", "河流4", "河流2", "河流1"]
    assert texts(tree(client, "/search.atom?q=没有的词"), "a:updated/text()") == ["2000-01-01T00:00:00Z"]


def test_texts_stay_texts_and_unknown_names_are_left_out(rivers: Flask) -> None:
    (entry,) = tree(rivers.test_client(), "/feed.atom").xpath(
        "a:entry[contains(a:title, '2')]", namespaces=ATOM
    )

    assert texts(entry, "a:title/text()") == ["河流2<b>&\"'"]
    assert texts(entry, "a:author/a:name/text()") == ["<i>"]
    assert texts(entry, "a:category/@term") == []
    assert texts(entry, "a:summary/text()")[0].endswith("河流治理第2段，编号15838。")


def test_an_article_has_one_id_in_every_feed_and_under_every_name_of_the_server(rivers: Flask) -> None:
    client = rivers.test_client()
    with reading(library_of(rivers).database) as connection:
        known_by = library_facts.library_id(connection)
    everywhere = [texts(tree(client, url), "a:entry/a:id/text()")[0] for url in FEEDS[:4]]
    elsewhere = etree.fromstring(client.get("/feed.atom", headers={"Host": "kb.example"}).data)

    assert set(everywhere) == {uuid.uuid5(known_by, "article/5").urn}
    assert texts(elsewhere, "a:entry/a:id/text()")[0] == everywhere[0]
    assert texts(elsewhere, "a:link/@href")[0] == "http://kb.example/feed.atom"
    assert len({texts(tree(client, url), "a:id/text()")[0] for url in FEEDS}) == len(FEEDS)


def test_links_are_those_of_the_public_address(rivers: Flask) -> None:
    settings = library_of(rivers).settings.model_copy(update={"public_url": "https://kb.example/"})
    root = tree(create_app(settings).test_client(), "/search.atom?q=河流 治理&copies=0")

    assert texts(root, "a:link/@href") == [
        "https://kb.example/search.atom?q=%E6%B2%B3%E6%B5%81+%E6%B2%BB%E7%90%86&copies=0",
        "https://kb.example/search?q=%E6%B2%B3%E6%B5%81+%E6%B2%BB%E7%90%86&sort=newest",
    ]


# --- the same again, and changes --------------------------------------------------------------------------------


@pytest.mark.parametrize("url", FEEDS)
def test_what_has_not_changed_is_not_sent_again(rivers: Flask, url: str) -> None:
    client = rivers.test_client()
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Last-Modified" not in first.headers  # an exclusion changes a feed and makes no entry newer


def test_a_correction_is_told_by_the_same_id_with_the_moment_of_the_new_version(own_rivers: Flask) -> None:
    client, library = own_rivers.test_client(), library_of(own_rivers)
    before = client.get("/feed.atom")
    with writing(library.database) as connection:
        stored = articles.one(connection, 4)
        assert stored is not None
        connection.exec_driver_sql("UPDATE articles SET stored_at = '2020-01-01T00:00:00Z'")
        new = replace(article("河流4", ("河流治理,更正后的文字。",), key=stored.article.key))
        articles.save(connection, [NewArticle(new)], articles.fingerprints(connection))
        changed = articles.one(connection, 4)
    ingest.reindex(library.database, library.settings, everything=False)
    after = client.get("/feed.atom", headers={"If-None-Match": before.headers["ETag"]})
    root = etree.fromstring(after.data)

    assert changed is not None and changed.version == 2
    assert texts(root, "a:entry/a:id/text()") == texts(etree.fromstring(before.data), "a:entry/a:id/text()")
    assert (
        texts(root, "a:entry/a:updated/text()")[1] == changed.stored_at == texts(root, "a:updated/text()")[0]
    )
    assert texts(root, "a:entry/a:updated/text()")[0] == "2020-01-01T00:00:00Z"


# --- what nobody, or not everybody, may see ---------------------------------------------------------------------


def test_withdrawn_limited_and_excluded_articles_are_in_no_feed(own_rivers: Flask) -> None:
    """At once, before anything is indexed, and after everything is indexed anew."""
    library = library_of(own_rivers)
    everybody = own_rivers.test_client()
    with writing(library.database) as connection:
        unit = units.add(connection, "县法院")
        articles.set_status(connection, 5, "withdrawn")
        limits.put(connection, ACTOR, "article", 4, [unit])
    member = signed_in(own_rivers, units=(unit,))
    for _ in range(2):
        for url in FEEDS[:4]:
            away = {"河流5", "河流4", *(["河流3"] if url.startswith("/t/") else [])}
            assert not away & set(titles(everybody, url)), url
            assert {"河流4"} == {"河流4", "河流5"} & set(titles(member, url)), url
            assert everybody.get(url).headers["ETag"] != member.get(url).headers["ETag"]
            assert "private" in member.get(url).headers["Cache-Control"]
        ingest.reindex(library.database, library.settings, everything=True)


def test_a_source_of_which_somebody_sees_nothing_is_not_there(own_rivers: Flask) -> None:
    library = library_of(own_rivers)
    with writing(library.database) as connection:
        limits.put(connection, ACTOR, "source", "sample", [units.add(connection, "县法院")])

    assert own_rivers.test_client().get("/feed/source/sample.atom").status_code == 404
    assert titles(own_rivers.test_client(), "/feed.atom") == []


@pytest.mark.parametrize("url", ["/t/caogao.atom", "/t/nothing.atom", "/feed/source/nothing.atom"])
def test_drafts_and_what_is_not_there_have_no_feed(rivers: Flask, url: str) -> None:
    assert signed_in(rivers, "editor").get(url).status_code == 404


def test_a_hundred_topics_exclude_what_they_exclude_after_everything_is_indexed_anew(
    app: Flask, tmp_path: Path
) -> None:
    settings = shelf.build(tmp_path / "data")
    database = open_database(settings.database)
    numbers = range(shelf.FIRST_NOTE, shelf.FIRST_NOTE + shelf.NOTES)
    away = {f"t{one}": {numbers[(one * step) % len(numbers)] for step in (1, 2, 5)} for one in range(100)}
    with writing(database) as connection:
        for slug, ids in away.items():
            excluded = tuple(Exclusion(one, "试") for one in sorted(ids))
            topics.add(connection, slug, TopicContent(f"专题{slug}", "三会一课", excluded=excluded), "")
    ingest.reindex(database, settings, everything=True)
    client = create_app(settings.model_copy(update={"searches_per_minute": 1000})).test_client()
    every = {f"http://localhost/a/{one}" for one in numbers}
    wrong = [
        slug
        for slug, ids in away.items()
        if set(texts(tree(client, f"/t/{slug}.atom"), "a:entry/a:link/@href"))
        != every - {f"http://localhost/a/{one}" for one in ids}
    ]

    assert wrong == []


@pytest.mark.parametrize("url", ["/search.atom?q=(", "/search.atom?q=党建&since=x"])
def test_a_search_that_cannot_be_read_is_no_feed(app: Flask, url: str) -> None:
    assert app.test_client().get(url).status_code == 400


def test_where_readers_sign_in_a_program_is_told_so_and_not_led_to_a_form(library_settings: Settings) -> None:
    client = create_app(library_settings.model_copy(update={"anonymous_reading": False})).test_client()

    assert client.get("/feed.atom").status_code == 401
