from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine as Database
from sqlalchemy import event

from kb.model import Block, Provenance, Quotation
from kb.store import articles, reprints
from kb.store.articles import NewArticle
from kb.store.db import open_database, reading, writing
from tests.making import BODY, article


def save(database: Database, *items: NewArticle) -> list[tuple[int, str]]:
    with writing(database) as connection:
        near = articles.fingerprints(connection)
        return [(saved.id, saved.outcome) for saved in articles.save(connection, items, near)]


def stored(database: Database, article_id: int) -> articles.StoredArticle:
    with reading(database) as connection:
        found = articles.one(connection, article_id)
    assert found is not None
    return found


def test_an_article_comes_back_as_it_was_saved(database: Database) -> None:
    block = Block("b0", "heading", 1, "一、把准方向", 0)
    spoken = Quotation("习近平总书记", "指出", "空谈误国，实干兴邦", "b1", 9)
    provenance = Provenance("founder-pc", 0.9, {"title": "rule"}, ("上一版",), ("encoding.damaged",))
    saved = replace(article(), quotations=(spoken,), tags=("党建",), provenance=provenance)
    saved = replace(saved, blocks=(block, *saved.blocks))
    [(article_id, outcome)] = save(database, NewArticle(saved, page_hash="ab" * 32))

    found = stored(database, article_id)

    assert (outcome, found.article, found.version, found.page_hash) == ("added", saved, 1, "ab" * 32)


def test_saving_the_same_again_changes_nothing(database: Database) -> None:
    [(first, _)] = save(database, NewArticle(article()))
    before = stored(database, first)

    again = save(database, NewArticle(replace(article(), tags=("新标签",))))

    assert again == [(first, "unchanged")]
    assert stored(database, first) == before


def test_a_changed_text_makes_a_version_and_keeps_the_old_one(database: Database) -> None:
    [(first, _)] = save(database, NewArticle(article(), page_hash="aa" * 32))
    changed = article(texts=(*BODY, "更正：参加人数为三十二人。"))

    [(again, outcome)] = save(database, NewArticle(changed, page_hash="bb" * 32))

    with reading(database) as connection:
        old = articles.version(connection, first, 1)
        numbers = [line.version for line in articles.versions(connection, first)]
        missing = articles.version(connection, first, 9)
    assert (again, outcome, numbers, missing) == (first, "changed", [2, 1], None)
    assert old is not None
    assert old.article == article()
    assert stored(database, first).status == "corrected"


def test_a_better_reading_of_the_same_raw_page_is_no_new_version(database: Database) -> None:
    [(first, _)] = save(database, NewArticle(article(affiliation=None), page_hash="aa" * 32))

    save(database, NewArticle(article(), page_hash="aa" * 32))

    found = stored(database, first)
    assert (found.version, found.status, found.article.affiliation) == (1, "normal", "青石县人民检察院")


def test_an_archive_that_holds_two_texts_of_one_article_is_old_news_the_second_time(
    database: Database,
) -> None:
    both = [
        NewArticle(article(), known_version_is_old=True),
        NewArticle(article(texts=BODY[:2]), known_version_is_old=True),
    ]
    first = save(database, *both)

    second = save(database, *both)

    assert [outcome for _, outcome in first] == ["added", "changed"]
    assert [outcome for _, outcome in second] == ["unchanged", "unchanged"]


def test_every_change_gets_the_next_sequence_number(database: Database) -> None:
    save(database, NewArticle(article()), NewArticle(article("另一篇", ("完全不同的内容。",), key="k2")))
    save(database, NewArticle(article(texts=BODY[:1])))

    with reading(database) as connection:
        changes = [(one.id, one.seq) for one in articles.changed_since(connection, 0, 10)]
        latest = articles.latest_seq(connection)
    assert (changes, latest) == ([(2, 2), (1, 3)], 3)


def test_a_reprint_with_small_changes_is_linked_to_the_earliest_copy(database: Database) -> None:
    long = BODY * 4
    retold = (long[0].replace("青石县", "青石"), *long[1:])
    save(
        database,
        NewArticle(article("转载", retold, key="late", published="2024-05-01")),
        NewArticle(article("无关", ("今年秋粮收成好于往年，合作社的仓库都满了。" * 8,), key="other")),
        NewArticle(article("原文", long, key="early", published="2024-03-15")),
    )

    with reading(database) as connection:
        links = {one.article.key: one.reprint_of for one in articles.many(connection, [1, 2, 3]).values()}
        copies = [one.article.key for one in articles.reprints(connection, 3)]
    assert links == {"late": 3, "other": None, "early": None}
    assert copies == ["late"]


def test_copies_of_several_articles_come_in_one_query_the_earliest_first(database: Database) -> None:
    other = tuple(text[::-1] for text in BODY * 3)
    save(
        database,
        NewArticle(article("甲", BODY * 3, key="1", published="2024-03-15")),
        NewArticle(article("甲转", BODY * 3, key="2", newspaper="云岭日报", published=None)),
        NewArticle(article("甲再转", BODY * 3, key="3", published="2024-03-20")),
        NewArticle(article("甲撤", BODY * 3, key="4", published="2024-03-16")),
        NewArticle(article("乙", other, key="5")),
    )
    with writing(database) as connection:
        articles.set_status(connection, 4, "withdrawn")
    statements: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *args: statements.append(args[2]))

    with reading(database) as connection:
        statements.clear()
        groups = reprints.copies(connection, [1, 5])
        asked = list(statements)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", ("",) * asked[0].count("?")).all()

    assert [(copy.id, copy.title, copy.newspaper) for copy in groups[1]] == [
        (1, "甲", "清河日报"),
        (3, "甲再转", "清河日报"),
        (2, "甲转", "云岭日报"),
    ]
    assert [copy.id for copy in groups[5]] == [5]
    assert len(asked) == 1
    assert any("ix_articles_reprint_of" in line[3] for line in plan)


def test_texts_that_share_only_their_subject_are_not_reprints(database: Database) -> None:
    other = tuple(text.replace("支部", "小组").replace("党", "团")[::-1] for text in BODY * 3)
    save(database, NewArticle(article(texts=BODY * 3)), NewArticle(article("另", other, key="k2")))

    assert stored(database, 2).reprint_of is None


def test_a_withdrawn_article_leaves_the_lists_and_stays_as_a_tombstone(database: Database) -> None:
    save(database, NewArticle(article()))
    with writing(database) as connection:
        articles.set_status(connection, 1, "withdrawn")
        articles.set_status(connection, 1, "withdrawn")

    with reading(database) as connection:
        shown = articles.newest(connection, 10), articles.summary(connection).count
        changed = articles.changed_since(connection, 1, 10)
    assert shown == ([], 0)
    assert [(one.status, one.seq) for one in changed] == [("withdrawn", 2)]


def test_the_newest_come_first_and_unknown_dates_last(database: Database) -> None:
    for number, published in enumerate(("2024-01-01", None, "2025-06-30")):
        text = f"第{number}篇写的是不同的事情。"
        save(database, NewArticle(article(f"题{number}", (text,), key=str(number), published=published)))

    with reading(database) as connection:
        dates = [one.article.published for one in articles.newest(connection, 10)]
        summary = articles.summary(connection)
    assert dates == ["2025-06-30", "2024-01-01", None]
    assert (summary.count, summary.first_published, summary.last_published) == (3, "2024-01-01", "2025-06-30")


def test_an_error_inside_a_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), writing(database) as connection:
        articles.save(connection, [NewArticle(article())], articles.fingerprints(connection))
        raise RuntimeError

    with reading(database) as connection:
        assert articles.latest_seq(connection) == 0


texts = st.lists(st.text(min_size=1, max_size=40), max_size=5).map(tuple)


@given(rounds=st.lists(st.tuples(st.sampled_from("abc"), texts), max_size=12))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_store_ends_with_the_last_text_of_every_key(
    rounds: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    path = tmp_path / "kb.sqlite3"
    path.unlink(missing_ok=True)
    database = open_database(path)
    for key, body in rounds:
        save(database, NewArticle(article("题", body, key=key)))

    with reading(database) as connection:
        found = {one.article.key: one for one in articles.changed_since(connection, 0, 100)}
    assert {key: tuple(b.text for b in one.article.blocks) for key, one in found.items()} == dict(rounds)
    database.dispose()
