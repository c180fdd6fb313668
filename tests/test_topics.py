"""Topics as editors change them: what is refused, that every change is a version with its record, that nobody's change is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as runs
from hypothesis import strategies as st
from sqlalchemy import Engine as Database
from sqlalchemy import delete, select

from kb import topic_checks, topics
from kb.errors import KbError, QueryError, StoreError, TopicError
from kb.model import Actor, Exclusion, Topic, TopicContent
from kb.query import parse, topic_place
from kb.store import articles
from kb.store import topics as stored
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.tables import audit as audit_table
from kb.store.tables import sequence, topic_versions
from kb.store.tables import topics as topic_table
from kb.text.fingerprint import Fingerprints
from kb.text.normalize import fold
from tests.making import article

EDITOR = Actor("ziliaoyuan", "10.0.0.7")
CONTENT = TopicContent("机关党建", "党建 业务")
ARTICLES = 8


@pytest.fixture
def ids(database: Database) -> list[int]:
    """Articles of the library."""
    made = [article(f"第{n}号材料", key=f"https://a.example/{n}") for n in range(ARTICLES)]
    with writing(database) as connection:
        saved = articles.save(connection, [NewArticle(one) for one in made], Fingerprints())
    return [one.id for one in saved]


def present(database: Database, slug: str) -> Topic:
    with reading(database) as connection:
        return topics.one(connection, slug)


def records(database: Database) -> list[tuple[str, str, str, Any]]:
    asked = select(audit_table).order_by(audit_table.c.seq)
    with reading(database) as connection:
        return [
            (row.actor, row.action, row.object, json.loads(row.detail)) for row in connection.execute(asked)
        ]


def refused(action: Any) -> str:
    with pytest.raises(KbError) as caught:
        action()
    return caught.value.key


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "changed", "said"),
    [
        ("Jiguan", {}, "topic.bad_slug"),
        ("-a", {}, "topic.bad_slug"),
        ("a", {}, "topic.bad_slug"),
        ("a/b", {}, "topic.bad_slug"),
        ("dangji", {}, "topic.slug_taken"),
        ("other", {"name": "党纪 学习"}, "topic.name_taken"),
        ("other", {"name": "dangji"}, "topic.name_taken"),  # 专题:dangji would mean two
        ("other", {"name": "——"}, "topic.bad_name"),
        ("other", {"name": "长" * 41}, "topic.bad_name"),
        ("other", {"introduction": "长" * 5001}, "topic.too_long"),
        ("other", {"rule": "(党建"}, "query.unclosed"),
        ("other", {"rule": " "}, "query.empty"),
        ("other", {"rule": "党建 非 topic：机关"}, "topic.in_rule"),
        ("other", {"parent": "nowhere"}, "topic.bad_parent"),
        ("other", {"parent": "other"}, "topic.bad_parent"),
        ("other", {"parent": "liujilv"}, "topic.bad_parent"),  # the third level
        ("other", {"parent": "gone"}, "topic.bad_parent"),
        ("other", {"place": -1}, "topic.bad_value"),
        ("other", {"state": "secret"}, "topic.bad_value"),
        ("other", {"pinned": tuple(range(1, 102))}, "topic.too_many"),
        ("other", {"pinned": (1,), "excluded": (Exclusion(1, "通知"),)}, "topic.pinned_and_excluded"),
        ("other", {"excluded": (Exclusion(1, " \u202e"),)}, "topic.no_reason"),
        ("other", {"pinned": (99,)}, "store.no_article"),
    ],
)
def test_a_topic_that_cannot_be_is_refused_with_its_reason(
    database: Database, ids: list[int], slug: str, changed: dict[str, Any], said: str
) -> None:
    topics.create(database, EDITOR, "dangji", TopicContent("党纪学习", "党纪"))
    topics.create(database, EDITOR, "liujilv", TopicContent("六项纪律", "纪律", parent="dangji"))
    topics.create(database, EDITOR, "gone", TopicContent("旧专题", "旧"))
    topics.remove(database, EDITOR, "gone")
    before = len(records(database))
    content = replace(CONTENT, **changed)

    assert refused(lambda: topics.create(database, EDITOR, slug, content)) == said
    assert len(records(database)) == before
    with reading(database) as connection:
        assert [one.slug for one in stored.every(connection)] == ["dangji", "liujilv", "gone"]


def test_a_rule_that_cannot_be_read_says_where_also_when_what_cannot_be_seen_stands_before_it(
    database: Database,
) -> None:
    for written, place in [("党建 与", 4), ("\u200b\t党建 专题:机关", 6), ("“专题:” 或 专题：机关", 9)]:
        with pytest.raises((QueryError, TopicError)) as caught:
            topics.create(database, EDITOR, "jiguan", replace(CONTENT, rule=written))

        assert caught.value.facts["place"] == place


@given(st.text(st.sampled_from('党建专题topicTOPIC:：“”"()（）与或非- 、标日期2023\n\u200b'), max_size=30))
def test_a_rule_that_is_taken_asks_for_no_topic_and_can_be_read_again(text: str) -> None:
    today = date(2026, 11, 23)
    content = topic_checks.clean(replace(CONTENT, rule=text))
    try:
        topic_checks.check_rule(content.rule, today)
    except (QueryError, TopicError):
        return

    assert topic_place(content.rule) is None
    assert "InTopic" not in repr(parse(content.rule, today).root)
    assert topic_checks.clean(content) == content


# --- versions -------------------------------------------------------------------------------------------------


def test_every_change_is_a_version_with_its_editor_and_its_record_and_what_changes_nothing_is_neither(
    database: Database, ids: list[int]
) -> None:
    topics.create(database, EDITOR, "jiguan", CONTENT)
    topics.change(
        database, EDITOR, "jiguan", replace(CONTENT, rule="党建 融合"), version=1, note=" 更准\u202e "
    )
    same = topics.change(database, EDITOR, "jiguan", replace(CONTENT, rule="党建 融合 "), version=2)
    topics.pin(database, Actor("other"), "jiguan", ids[0])
    again = topics.pin(database, EDITOR, "jiguan", ids[0])

    assert (same.version, again.version) == (2, 3)
    bad = replace(again.content, rule="(党建")
    assert refused(lambda: topics.change(database, EDITOR, "jiguan", bad, version=3)) == "query.unclosed"
    with reading(database) as connection:
        history = stored.history(connection, again.id)
        moved = connection.scalar(select(sequence.c.value).where(sequence.c.name == "topics"))
    assert [(one.version, one.editor, one.note) for one in history] == [
        (3, "other", "必读加入 1 篇"),
        (2, "ziliaoyuan", "更准"),
        (1, "ziliaoyuan", ""),
    ]
    assert moved == 3  # serving processes look at it
    assert [one[:3] for one in records(database)] == [
        ("ziliaoyuan", "topic.created", "topic:jiguan"),
        ("ziliaoyuan", "topic.changed", "topic:jiguan"),
        ("other", "topic.changed", "topic:jiguan"),
    ]
    assert records(database)[1][3]["rule"] == {"old": "党建 业务", "new": "党建 融合"}


def test_who_edits_an_old_version_is_refused_and_neither_text_is_lost(database: Database) -> None:
    topics.create(database, EDITOR, "jiguan", CONTENT)
    topics.change(database, Actor("first"), "jiguan", replace(CONTENT, introduction="甲"), version=1)
    with pytest.raises(TopicError) as caught:
        topics.change(database, EDITOR, "jiguan", replace(CONTENT, introduction="乙"), version=1)

    assert caught.value.key == "topic.changed_meanwhile"
    assert caught.value.facts == {"by": "first", "version": 2}
    assert present(database, "jiguan").content.introduction == "甲"


def test_editors_at_once_lose_no_must_read(database: Database, ids: list[int]) -> None:
    topics.create(database, EDITOR, "jiguan", CONTENT)
    with ThreadPoolExecutor(ARTICLES) as pool:
        list(pool.map(lambda one: topics.pin(database, EDITOR, "jiguan", one), ids))

    found = present(database, "jiguan")
    assert (set(found.content.pinned), found.version) == (set(ids), ARTICLES + 1)


def test_an_old_version_comes_back_as_a_new_one_and_shows_nothing_that_is_a_draft_now(
    database: Database, ids: list[int]
) -> None:
    topics.create(database, EDITOR, "jiguan", replace(CONTENT, pinned=(ids[0],)))
    draft = TopicContent("机关的党建", "党建", state="draft")
    topics.change(database, EDITOR, "jiguan", draft, version=1)
    restored = topics.restore(database, EDITOR, "jiguan", 1)

    assert restored.version == 3
    assert restored.content == replace(CONTENT, pinned=(ids[0],), state="draft")
    assert refused(lambda: topics.restore(database, EDITOR, "jiguan", 9)) == "topic.no_version"
    with reading(database) as connection:
        assert topics.version(connection, "jiguan", 2).content == draft
    topics.create(database, EDITOR, "other", TopicContent("机关的党建", "党建"))

    assert refused(lambda: topics.restore(database, EDITOR, "jiguan", 2)) == "topic.name_taken"


def test_what_is_removed_can_only_be_put_back_and_is_then_what_it_was(database: Database) -> None:
    topics.create(database, EDITOR, "jiguan", replace(CONTENT, state="draft"))
    topics.create(database, EDITOR, "ronghe", TopicContent("融合", "融合", parent="jiguan"))

    assert refused(lambda: topics.remove(database, EDITOR, "jiguan")) == "topic.has_children"
    topics.remove(database, EDITOR, "ronghe")
    topics.remove(database, EDITOR, "jiguan")
    assert refused(lambda: topics.pin(database, EDITOR, "jiguan", 1)) == "topic.is_removed"
    assert refused(lambda: topics.put_back(database, EDITOR, "ronghe")) == "topic.bad_parent"
    assert topics.put_back(database, EDITOR, "jiguan").content.state == "draft"
    assert topics.put_back(database, EDITOR, "ronghe").content.state == "shown"
    assert [one[1] for one in records(database)][2:] == ["topic.removed"] * 2 + ["topic.revived"] * 2
    assert refused(lambda: topics.remove(database, EDITOR, "nowhere")) == "topic.unknown"


# --- articles -------------------------------------------------------------------------------------------------


def test_must_reads_are_ordered_and_exclusions_keep_their_latest_reason(
    database: Database, ids: list[int]
) -> None:
    topics.create(database, EDITOR, "jiguan", replace(CONTENT, pinned=tuple(ids[:3])))

    assert topics.move(database, EDITOR, "jiguan", ids[2], 1).content.pinned == (ids[2], ids[0], ids[1])
    assert topics.move(database, EDITOR, "jiguan", ids[2], 99).content.pinned == tuple(ids[:3])
    assert refused(lambda: topics.move(database, EDITOR, "jiguan", ids[5], 1)) == "topic.not_pinned"
    topics.exclude(database, EDITOR, "jiguan", ids[3:5], "会议通知")
    topics.exclude(database, EDITOR, "jiguan", [ids[4]], "简讯")
    for action in (
        lambda: topics.exclude(database, EDITOR, "jiguan", [ids[0]], "x"),
        lambda: topics.pin(database, EDITOR, "jiguan", ids[3]),
    ):
        assert refused(action) == "topic.pinned_and_excluded"
    with pytest.raises(StoreError):
        topics.exclude(database, EDITOR, "jiguan", [12345], "x")
    found = topics.readmit(database, EDITOR, "jiguan", ids[3]).content

    assert found.excluded == (Exclusion(ids[4], "简讯"),)
    assert topics.unpin(database, EDITOR, "jiguan", ids[0]).content.pinned == (ids[1], ids[2])
    assert records(database)[3][3]["articles"] == {"added": ids[3:5], "gone": []}


def test_a_rule_that_cannot_be_read_any_more_keeps_nobody_from_the_rest(
    database: Database, ids: list[int]
) -> None:
    with writing(database) as connection:
        stored.add(connection, "jiu", TopicContent("旧", "(读不懂"), "")

    assert topics.pin(database, EDITOR, "jiu", ids[0]).content.pinned == (ids[0],)
    assert topics.remove(database, EDITOR, "jiu").content.state == "removed"


def test_a_topic_that_has_others_under_it_stays_at_the_top(database: Database) -> None:
    for slug, parent in [("up", None), ("low", "up"), ("other", None)]:
        topics.create(database, EDITOR, slug, TopicContent(slug, "党建", parent=parent))
    moved = TopicContent("up", "党建", parent="other")

    assert refused(lambda: topics.change(database, EDITOR, "up", moved, version=1)) == "topic.bad_parent"


def test_a_topic_whose_parent_is_not_among_those_given_stands_at_the_top(database: Database) -> None:
    topics.create(database, EDITOR, "up", replace(CONTENT, place=2))
    topics.create(database, EDITOR, "low", TopicContent("下", "下", parent="up", place=9))
    topics.create(database, EDITOR, "first", TopicContent("先", "先", place=1))
    with reading(database) as connection:
        found = stored.every(connection)
    shape = [(branch.topic.slug, [one.slug for one in branch.children]) for branch in topics.tree(found)]

    assert shape == [("first", []), ("up", ["low"])]
    assert [one.topic.slug for one in topics.tree(one for one in found if one.slug != "up")] == [
        "first",
        "low",
    ]


# --- whatever editors do --------------------------------------------------------------------------------------

slugs = st.sampled_from(["aa", "bb", "cc"])
some_ids = st.sets(st.integers(1, 4), max_size=2)
contents = st.builds(
    TopicContent,
    name=st.sampled_from(["甲", "乙", "aa", "“甲”"]),
    rule=st.sampled_from(["党建", "党建 业务", "(读不懂", "专题:甲"]),
    parent=st.none() | slugs,
    pinned=some_ids.map(lambda ids: tuple(sorted(ids))),
    excluded=some_ids.map(lambda ids: tuple(Exclusion(one, "通知") for one in sorted(ids))),
    state=st.sampled_from(["shown", "draft", "removed"]),
)
changes = st.one_of(
    st.tuples(st.just("create"), slugs, contents),
    st.tuples(st.just("change"), slugs, contents, st.integers(1, 3)),
    st.tuples(st.just("pin"), slugs, st.integers(1, 4)),
    st.tuples(st.just("exclude"), slugs, st.integers(1, 4)),
    st.tuples(st.just("readmit"), slugs, st.integers(1, 4)),
    st.tuples(st.just("restore"), slugs, st.integers(1, 3)),
    st.tuples(st.just("remove"), slugs),
    st.tuples(st.just("put_back"), slugs),
)


def attempt(database: Database, name: str, slug: str, *rest: Any) -> None:
    named: dict[str, Any] = {}
    if name == "change":
        *rest, named["version"] = rest
    if name == "exclude":
        rest = [{rest[0]}, "通知"]
    with suppress(TopicError, QueryError, StoreError):
        getattr(topics, name)(database, EDITOR, slug, *rest, **named)


@runs(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=st.lists(changes, min_size=5, max_size=14))
def test_whatever_editors_do_the_topics_stay_in_order_and_each_version_has_one_record(
    database: Database, ids: list[int], done: list[Any]
) -> None:
    with writing(database) as connection:
        connection.execute(delete(topic_versions))
        connection.execute(delete(topic_table))
    before = len(records(database))
    for one in done:
        attempt(database, *one)
    with reading(database) as connection:
        every = stored.every(connection)
        versions = [[old.version for old in stored.history(connection, one.id)] for one in every]
    alive = {one.slug: one.content for one in every if one.content.state != "removed"}

    for one in every:
        parse(one.content.rule, date(2026, 11, 23))
    assert len({fold(one.name) for one in alive.values()}) == len(alive)
    for content in alive.values():
        assert content.parent is None or alive[content.parent].parent is None
    for one in every:
        assert not {*one.content.pinned} & {away.article_id for away in one.content.excluded}
        assert topic_place(one.content.rule) is None
    assert all(numbers == [*range(len(numbers), 0, -1)] for numbers in versions)
    assert len(records(database)) - before == sum(map(len, versions))
