from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database

from kb import ingest, suggest
from kb.config import Settings
from kb.model import Author
from kb.search import Search, open_search
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import writing
from kb.suggest import Suggester
from tests.making import article

Texts = Callable[[str], list[tuple[str, str]]]


def shelf() -> list[NewArticle]:
    made = [
        article("党建业务深度融合的青石实践", key="1", newspaper="清河日报"),
        article("深读党建业务", ("三会一课", "党建引领"), key="2", newspaper="清河日报"),
        article("党建业务双促进", ("三会一课",), key="3", newspaper="云岭日报"),
        replace(article("青石故事", ("清风",), key="4"), authors=(Author("青石生", "作者"),)),
        article("待撤回的党建业务", key="5"),
    ]
    return [NewArticle(one) for one in made]


@pytest.fixture
def search(settings: Settings, database: Database) -> Search:
    with writing(database) as connection:
        articles.save(connection, shelf(), articles.fingerprints(connection))
        articles.set_status(connection, 5, "withdrawn")
    ingest.reindex(database, settings, everything=True)
    return open_search(settings, database)


@pytest.fixture
def suggester(search: Search) -> Suggester:
    made = Suggester(search)
    made.refresh()
    return made


@pytest.fixture
def texts(suggester: Suggester) -> Texts:
    return lambda typed: [(one.kind, one.text) for one in suggester.find(typed)]


def test_every_kind_is_found_and_kinds_stand_together(texts: Texts) -> None:
    assert texts("青石") == [
        ("author", "青石生"),
        ("title", "青石故事"),
        ("title", "党建业务深度融合的青石实践"),
    ]
    assert ("title", "青石故事") in texts("qingshi")
    assert texts("清河") == [("newspaper", "清河日报")]
    assert ("term", "三会一课") in texts("sanhui")


def test_initials_find_titles_and_terms_beginnings_before_insides(texts: Texts) -> None:
    found = texts("djyw")

    assert [kind for kind, _ in found] == sorted((kind for kind, _ in found), key=list(suggest.SHARES).index)
    assert ("term", "党建业务融合") in found
    assert [text for kind, text in found if kind == "title"] == [
        "党建业务双促进", "党建业务深度融合的青石实践", "深读党建业务",
    ]  # fmt: skip


def test_a_term_that_articles_have_comes_before_one_that_none_has(texts: Texts) -> None:
    found = [text for kind, text in texts("党建") if kind == "term"]

    assert found[0] == "党建引领" and len(found) > 1


def test_only_articles_that_are_shown_are_suggested(texts: Texts) -> None:
    assert all("待撤回" not in text for _, text in texts("待撤回") + texts("党建业务"))


def test_at_most_ten_and_nothing_for_nothing_or_a_whole_page(texts: Texts) -> None:
    assert len(texts("d")) == suggest.MOST
    assert texts("") == texts("。") == texts("党" * 200) == []


def test_copies_of_an_article_are_suggested_once(
    settings: Settings, database: Database, search: Search
) -> None:
    with writing(database) as connection:
        copy = NewArticle(replace(shelf()[0].article, key="9"))
        articles.save(connection, [copy], articles.fingerprints(connection))
    made = suggest.make(search)

    assert [one.text for one in made.find("党建业务深度融合的")] == ["党建业务深度融合的青石实践"]


def test_a_new_article_is_suggested_after_the_next_look(
    settings: Settings, database: Database, suggester: Suggester
) -> None:
    assert suggester.find("雨夜送法") == []

    with writing(database) as connection:
        articles.save(
            connection, [NewArticle(article("雨夜送法", key="6"))], articles.fingerprints(connection)
        )
    suggester.refresh()

    assert [one.text for one in suggester.find("雨夜送法")] == ["雨夜送法"]


def test_tables_are_made_once_for_one_state(monkeypatch: pytest.MonkeyPatch, suggester: Suggester) -> None:
    def refuse(_search: Search) -> suggest.Tables:
        raise AssertionError("made again")

    monkeypatch.setattr(suggest, "make", refuse)
    suggester.refresh()

    assert suggester.find("青石")


def test_the_first_question_waits_for_the_tables_and_starts_them(search: Search) -> None:
    made = Suggester(search)
    found = made.find("青石故事")

    assert [one.text for one in found] == ["青石故事"]


def test_without_an_index_titles_and_terms_are_suggested(settings: Settings, database: Database) -> None:
    with writing(database) as connection:
        articles.save(connection, shelf(), articles.fingerprints(connection))
    made = suggest.make(open_search(settings, database))

    assert {one.kind for one in made.find("党建")} == {"term", "title"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("党健引领", "党建引领"),
        ("三会一刻", "三会一课"),
        ("shyk", "三会一课"),
        ("sanhuiyike", "三会一课"),
        ("青石 三会一刻", "青石 三会一课"),
        ("党会建引领", "党建引领"),  # all of it is there, in many places
        ("“三会一刻”", "“三会一课”"),
    ],
)
def test_what_was_probably_meant_is_told_with_its_count(
    search: Search, suggester: Suggester, typed: str, meant: str
) -> None:
    guesses = suggester.meant(search.find(typed), "all")

    assert guesses[0] == (meant, search.find(meant).articles)
    assert guesses[0][1] > 0 and len(guesses) <= suggest.GUESSES


@pytest.mark.parametrize(
    "typed", ["三会一课", "党建", "青石 三会一课", "作者:青石声", "龘靐齉爩", "党建 -三会一刻"]
)
def test_what_has_hits_and_names_are_never_doubted(search: Search, suggester: Suggester, typed: str) -> None:
    assert suggester.meant(search.find(typed), "all") == ()


def test_guesses_change_no_place_of_an_answer(search: Search, suggester: Suggester) -> None:
    for typed in ("党建", "三会一课", "青石", "党建 业务", "党建 三会一刻"):
        before = search.find(typed)
        suggester.meant(before, "all")
        after = search.find(typed)

        assert [(hit.id, hit.score) for hit in after.hits] == [(hit.id, hit.score) for hit in before.hits]


def test_terms_in_what_was_found_are_related_but_not_what_was_typed(
    search: Search, suggester: Suggester
) -> None:
    related = suggester.related(search.find("深读党建业务"))

    assert "党建引领" in related and len(related) <= suggest.RELATED
    assert "三会一课" not in suggester.related(search.find("三会一课"))
    assert suggester.related(search.find("龘靐")) == []


def test_a_failure_in_the_background_is_logged_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, search: Search, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_search: Search) -> suggest.Tables:
        raise OSError("the disk is away")

    monkeypatch.setattr(suggest, "make", fail)
    made = Suggester(search)
    first, second = made.find("青石"), made.find("青石")
    failures = [record.message for record in caplog.records if record.message == "suggest.failed"]

    assert first == second == []
    assert failures == ["suggest.failed"]


def test_a_title_withdrawn_since_the_tables_were_made_is_not_suggested(
    suggester: Suggester, texts: Texts
) -> None:
    before = texts("青石故事")
    with writing(suggester.search.database) as connection:
        articles.set_status(connection, 4, "withdrawn")

    assert before == [("title", "青石故事")]
    assert texts("青石故事") == []
