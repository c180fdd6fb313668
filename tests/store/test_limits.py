from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import event, insert, select

from kb.config import Settings
from kb.errors import StoreError
from kb.model import NOTHING_HIDDEN, Actor, Hidden
from kb.store import articles, issues, limits, reprints, titles
from kb.store.articles import NewArticle
from kb.store.db import open_database, reading, writing
from kb.store.tables import articles as table
from kb.store.tables import audit, units
from tests.making import BODY, article

ADMIN = Actor("zhangsan", "10.1.2.3", 7)
COURT, OFFICE = 1, 2


@pytest.fixture
def library(database: Database) -> Database:
    """Five articles of two sources, 1 to 3 copies of each other; two units."""
    long = BODY * 3
    made = [
        article("甲", long, key="1", published="2024-03-15"),
        article("甲转", long, key="2", published="2024-03-17"),
        article("甲再转", long, key="3", published="2024-03-16"),
        article("乙", ("青溪的文字。",), key="4", newspaper="青溪法治报", published="2024-04-01"),
        article("丙", ("清河的文字。",), key="https://a.example/5", published="2023-01-02"),
    ]
    made = [replace(one, source="open") if one.key != "4" else replace(one, source="secret") for one in made]
    with writing(database) as connection:
        items = [NewArticle(one) for one in made]
        articles.save(connection, items, articles.fingerprints(connection))
        connection.execute(insert(units), [{"id": 1, "name": "法院"}, {"id": 2, "name": "办公室"}])
    return database


def limit(database: Database, kind: limits.Kind, name: str | int, *to: int) -> None:
    with writing(database) as connection:
        limits.put(connection, ADMIN, kind, name, to)


def lift(database: Database, kind: limits.Kind, name: str | int) -> None:
    with writing(database) as connection:
        limits.lift(connection, ADMIN, kind, name)


def hidden(database: Database, *belongs: int) -> Hidden:
    with reading(database) as connection:
        return limits.hidden(connection, belongs)


def records(database: Database) -> list[tuple[str, str, str, Any]]:
    with reading(database) as connection:
        rows = connection.execute(select(audit).order_by(audit.c.seq))
        return [(row.actor, row.action, row.object, json.loads(row.detail)) for row in rows]


# --- what is hidden from whom -----------------------------------------------------------------------------------------


def test_without_limits_one_number_is_read_and_nothing_is_hidden(library: Database) -> None:
    statements: list[str] = []
    event.listen(library, "before_cursor_execute", lambda *args: statements.append(args[2]))

    found = hidden(library, COURT)

    assert found is NOTHING_HIDDEN
    assert limits.visible(found) == []
    assert [one for one in statements if one not in ("BEGIN", "ROLLBACK")] == [limits._VERSION]


def test_what_is_limited_is_hidden_from_all_but_the_people_of_its_units(library: Database) -> None:
    limit(library, "source", "secret", COURT)
    limit(library, "article", 5, COURT, OFFICE)

    assert hidden(library) == Hidden(frozenset(), frozenset({"secret"}), frozenset({5}))
    assert hidden(library, OFFICE) == Hidden(frozenset({OFFICE}), frozenset({"secret"}))
    assert hidden(library, COURT) is hidden(library, OFFICE, COURT) is NOTHING_HIDDEN


def test_a_change_holds_at_once_in_every_process_and_between_changes_nothing_is_read_again(
    library: Database, settings: Settings
) -> None:
    other = open_database(settings.database)
    before = hidden(other)
    limit(library, "article", 1, COURT)
    limited = hidden(other)
    statements: list[str] = []
    event.listen(other, "before_cursor_execute", lambda *args: statements.append(args[2]))
    again = hidden(other)
    read = [one for one in statements if one not in ("BEGIN", "ROLLBACK")]
    limit(library, "article", 1, OFFICE)
    moved = hidden(other, COURT)
    lift(library, "article", 1)

    assert before.is_empty
    assert limited.articles == moved.articles == {1}
    assert again is limited and read == [limits._VERSION]
    assert hidden(other).is_empty and hidden(other, COURT).is_empty


def test_a_number_of_the_state_never_comes_again_in_a_database_from_a_backup(
    library: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    limit(library, "article", 1, COURT)
    kept = tmp_path_factory.mktemp("backup") / "kb.sqlite3"
    with library.connect() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{kept}'")
    shutil.copy(settings.data / "audit.key", kept.parent)
    numbers = set()
    for database in (library, open_database(kept)):
        limit(database, "article", 2, OFFICE)
        with reading(database) as connection:
            numbers.add(connection.exec_driver_sql(limits._VERSION).scalar())

    assert len(numbers) == 2


def test_more_kinds_of_people_than_are_remembered_see_no_less(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KINDS_OF_PEOPLE", 2)
    limit(library, "article", 1, COURT)

    for _ in range(2):
        assert [len(hidden(library, *who).articles) for who in ((), (1,), (2,), (1, 2), (9,))] == [
            1,
            0,
            1,
            0,
            1,
        ]


# --- what the store shows -----------------------------------------------------------------------------------------------


def test_every_list_and_count_leaves_out_what_is_hidden(library: Database) -> None:
    limit(library, "source", "secret", COURT)
    limit(library, "article", 1, COURT)
    with reading(library) as connection:
        out = {"hidden": limits.hidden(connection, [OFFICE])}
        stored = articles.one(connection, 3)
        assert stored is not None

        assert articles.one(connection, 1, **out) is articles.one(connection, 4, **out) is None
        assert set(articles.many(connection, [1, 2, 3, 4, 5], **out)) == {2, 3, 5}
        assert articles.shown(connection, [1, 4, 5], **out) == {5}
        assert [one.id for one in articles.newest(connection, 9, **out)] == [2, 3, 5]
        assert articles.summary(connection, **out).count == 3
        assert articles.summary(connection, **out).last_published == "2024-03-17"
        assert articles.version(connection, 1, 1, **out) is None
        assert [one.id for one in articles.reprints(connection, 2, **out)] == [3]
        assert articles.count_unindexed(connection, 0, **out) == 3
        assert {one for one, _ in titles.by_length(connection, 9, **out)} == {2, 3, 5}
        assert [(one.name, one.articles, one.first) for one in issues.newspapers(connection, **out)] == [
            ("清河日报", 3, "2023-01-02")
        ]
        assert issues.years(connection, "清河日报", **out) == {"2024": 2, "2023": 1}
        assert issues.years(connection, "青溪法治报", **out) == {}
        assert issues.days(connection, "清河日报", "2024", **out) == {"2024-03-16": 1, "2024-03-17": 1}
        assert issues.issue(connection, "清河日报", "2024-03-15", **out) == []
        assert issues.nearest(connection, "清河日报", "2024-03-16", **out) == ("2023-01-02", "2024-03-17")
        place = issues.place(connection, stored, **out)
        assert place is not None and place.before is place.after is None


def test_where_the_earliest_copy_is_hidden_the_earliest_other_one_stands_for_it(library: Database) -> None:
    limit(library, "article", 1, COURT)
    with reading(library) as connection:
        out = limits.hidden(connection, ())
        seen = {one.id: one.reprint_of for one in articles.many(connection, [2, 3, 5], hidden=out).values()}
        groups = reprints.copies(connection, [3, 5], hidden=out)
        old = articles.version(connection, 2, 1, hidden=out)
        kept = {one.id: one.reprint_of for one in articles.many(connection, [1, 2, 3]).values()}

    assert seen == {2: 3, 3: None, 5: None}
    assert {root: [one.id for one in copies] for root, copies in groups.items()} == {3: [3, 2], 5: [5]}
    assert old is not None and old.reprint_of == 3
    assert kept == {1: None, 2: 1, 3: 1}


def test_a_limited_article_of_a_limited_source_is_for_those_whom_both_admit(library: Database) -> None:
    limit(library, "source", "secret", COURT, OFFICE)
    limit(library, "article", 4, OFFICE)
    with reading(library) as connection:
        seen = [
            bool(articles.shown(connection, [4], hidden=limits.hidden(connection, who)))
            for who in ((), (COURT,), (OFFICE,), (COURT, OFFICE))
        ]

    assert seen == [False, False, True, True]


@pytest.mark.slow
def test_more_articles_can_be_limited_than_a_statement_takes_values(library: Database) -> None:
    with writing(library) as connection:
        row = dict(connection.execute(select(table).where(table.c.id == 5)).mappings().one())
        many = [row | {"id": n, "key": str(n), "seq": n} for n in range(100, 40_100)]
        connection.execute(insert(table), many)
        lines = [{"article_id": n, "unit_id": COURT} for n in range(100, 40_000)]
        connection.execute(insert(limits.article_limits), lines)
        limits.put(connection, ADMIN, "article", 40_000, [COURT])
    with reading(library) as connection:
        for who in ((), (OFFICE,)):
            out = limits.hidden(connection, who)
            assert len(out.articles) == 39_901
            assert articles.summary(connection, hidden=out).count == 5 + 99
            assert len(articles.newest(connection, 200, hidden=out)) == 104
        assert articles.summary(connection, hidden=limits.hidden(connection, (COURT,))).count == 40_005


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda connection, out: articles.summary(connection, hidden=out), "ix_articles_shown"),
        (lambda connection, out: articles.newest(connection, 0, hidden=out), "ix_articles_shown"),
        (lambda connection, out: issues.newspapers(connection, hidden=out), "ix_articles_issue"),
        (lambda connection, out: issues.years(connection, "清河日报", hidden=out), "ix_articles_issue"),
        (
            lambda connection, out: issues.days(connection, "清河日报", "2024", hidden=out),
            "ix_articles_issue",
        ),
    ],
)
def test_what_is_counted_is_read_from_the_indexes_alone(library: Database, read: Any, index: str) -> None:
    limit(library, "source", "secret", COURT)
    limit(library, "article", 1, COURT)
    asked: list[tuple[str, Any]] = []
    with reading(library) as connection:
        out = limits.hidden(connection, (OFFICE,))
        event.listen(library, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
        read(connection, out)
        statement, values = asked[0]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]

    of_articles = [line for line in plan if " articles" in line]
    assert of_articles and all(f"COVERING INDEX {index}" in line for line in of_articles), plan


# --- changes ------------------------------------------------------------------------------------------------------------


def test_limits_are_replaced_lifted_and_recorded_with_what_was_before(library: Database) -> None:
    limit(library, "source", "secret", COURT, OFFICE)
    limit(library, "article", 5, COURT)
    limit(library, "article", 5, OFFICE)
    lift(library, "article", 5)

    assert records(library) == [
        ("zhangsan", "limit.set", "source:secret", {"before": [], "units": ["法院", "办公室"]}),
        ("zhangsan", "limit.set", "article:5", {"before": [], "units": ["法院"]}),
        ("zhangsan", "limit.set", "article:5", {"before": ["法院"], "units": ["办公室"]}),
        ("zhangsan", "limit.lifted", "article:5", {"before": ["办公室"]}),
    ]
    assert hidden(library).articles == frozenset()


@pytest.mark.parametrize(
    ("kind", "name", "to", "key"),
    [
        ("article", 5, (), "limit.no_unit"),
        ("article", 5, (COURT, 9), "limit.no_unit"),
        ("article", 99, (COURT,), "limit.no_article"),
    ],
)
def test_what_cannot_be_limited_is_one_clear_error_and_changes_nothing(
    library: Database, kind: limits.Kind, name: int, to: tuple[int, ...], key: str
) -> None:
    with pytest.raises(StoreError) as caught:
        limit(library, kind, name, *to)
    with pytest.raises(StoreError) as lifted:
        lift(library, kind, name)

    assert (caught.value.key, lifted.value.key) == (key, "limit.none")
    assert records(library) == []
    assert hidden(library).is_empty


def test_what_is_limited_is_listed_and_found_by_source_id_or_unit(library: Database) -> None:
    limit(library, "source", "secret", COURT, OFFICE)
    limit(library, "source", "not-crawled-yet", OFFICE)
    limit(library, "article", 4, OFFICE)
    limit(library, "article", 5, COURT, OFFICE)
    with writing(library) as connection:
        articles.set_status(connection, 5, "withdrawn")
    with reading(library) as connection:
        sources = limits.of_sources(connection)
        single, total = limits.of_articles(connection, limit=1)
        by_unit = [one.name for one in limits.of_articles(connection, "法院")[0]]
        by_id = [one.name for one in limits.of_articles(connection, "4")[0]]
        by_source = [one.name for one in limits.of_sources(connection, "secr")]
        nothing = limits.of_articles(connection, "%"), limits.of_sources(connection, "_")

    assert sources == [
        limits.Limit("source", "not-crawled-yet", "not-crawled-yet", ("办公室",), 0),
        limits.Limit("source", "secret", "secret", ("法院", "办公室"), 1),
    ]
    assert (single, total) == ([limits.Limit("article", "5", "open", ("法院", "办公室"), 0)], 2)
    assert (by_unit, by_id, by_source, nothing) == (["5"], ["4"], ["secret"], (([], 0), []))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("5", 5),
        ("/a/5", 5),
        ("https://kb.example/a/5", 5),
        ("https://a.example/5", 5),
        ("99", None),
        ("https://a.example/6", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_an_article_is_named_by_its_id_or_an_address(
    library: Database, typed: str, found: int | None
) -> None:
    with reading(library) as connection:
        assert limits.article_named(connection, typed) == found


def test_who_may_read_an_article_is_told_by_the_names_of_units(library: Database) -> None:
    def told(article_id: int, source: str) -> list[tuple[str, ...]]:
        with reading(library) as connection:
            return limits.readers(connection, article_id, source)

    before = told(4, "secret")
    limit(library, "source", "secret", COURT, OFFICE)
    of_source = told(4, "secret")
    limit(library, "article", 4, OFFICE)

    assert (before, of_source, told(5, "open")) == ([], [("法院", "办公室")], [])
    assert told(4, "secret") == [("法院", "办公室"), ("办公室",)]


def test_copies_that_still_tell_the_same_to_everybody_are_named(library: Database) -> None:
    limit(library, "article", 2, COURT)
    with reading(library) as connection:
        assert limits.open_copies(connection, [2]) == [1, 3]
        assert limits.open_copies(connection, [1, 2, 3]) == limits.open_copies(connection, [5]) == []


def test_whoever_brings_an_article_again_under_another_source_does_not_carry_it_out_of_its_limit(
    library: Database,
) -> None:
    limit(library, "source", "secret", COURT)
    again = article("乙", ("青溪的新文字。",), key="4")
    with writing(library) as connection:
        near = articles.fingerprints(connection)
        (saved,) = articles.save(connection, [NewArticle(replace(again, source="files"))], near)
        outside = hidden(library)
        seen = [articles.version(connection, saved.id, number, hidden=outside) for number in (1, 2)]
        (source,) = connection.execute(select(table.c.source).where(table.c.id == saved.id)).one()

    assert (saved.outcome, source, seen) == ("changed", "secret", [None, None])


def test_keys_of_hidden_articles_are_known_also_of_those_limited_for_themselves(library: Database) -> None:
    limit(library, "source", "secret", COURT)
    limit(library, "article", 1, COURT)
    with reading(library) as connection:
        outside = limits.hidden_keys(connection, ["1", "2", "4", "9"], hidden(library))
        inside = limits.hidden_keys(connection, ["1", "2", "4", "9"], hidden(library, COURT))

    assert (outside, inside) == ({"1", "4"}, set())
