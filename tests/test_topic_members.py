"""What a topic has is what its rule finds, without what was excluded, with what is pinned: on every surface of search."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.engine import open_engine
from kb.model import Exclusion, Hidden, Topic, TopicContent
from kb.search import Search
from kb.text.segment import Segmenter
from kb.topic_rules import TopicRules
from tests.making import article
from tests.test_search import rebuild, save

NOBODY = Hidden()


def topic(number: int, name: str, rule: str, pinned=(), excluded=(), state="shown") -> Topic:
    content = TopicContent(
        name=name,
        rule=rule,
        pinned=tuple(pinned),
        excluded=tuple(Exclusion(one, "会议通知") for one in excluded),
        state=state,
    )
    return Topic(number, f"topic-{number}", 1, content, "wang", "2026-11-22T00:00:00Z")


@pytest.fixture
def search(settings: Settings, database: Database) -> Search:
    """Four articles: 1 to 3 of 党建, in two months and of an unknown date; 4 of something else. 3 shows to few."""
    save(
        database,
        article("党建与业务", ("党建工作的第一份记录。",), key="a"),
        article("党建到工地", ("党建工作的第二份记录,写在工地上。",), key="b", published="2024-04-02"),
        article("党建不写日子", ("党建工作的第三份记录,没有日子。",), key="c", published=None),
        article("档案防火", ("档案员每周检查一次电路。",), key="d", published="2024-04-09"),
    )
    made = Search(open_engine(settings.index, Segmenter([])), database)
    rebuild(made)
    rules = (
        topic(1, "机关党建", "党建", [4], [2]),
        topic(2, "防火", "防火 电路"),
        topic(3, "无人", "无此一说"),
    )
    return replace(made, topics=TopicRules(rules))


def test_each_shown_topic_is_counted_for_who_asks_also_one_that_has_nothing(search):
    limited = Hidden(articles=frozenset({3}))

    assert search.counts(hidden=NOBODY) == {"机关党建": 3, "防火": 1, "无人": 0}
    assert search.counts(hidden=limited) == {"机关党建": 2, "防火": 1, "无人": 0}
    assert list(search.counts(hidden=NOBODY)) == ["机关党建", "防火", "无人"]


def test_an_article_is_in_the_topics_that_have_it_and_a_hidden_one_in_none(search):
    assert [search.topics_of(one, hidden=NOBODY) for one in (1, 2, 3, 4, 99)] == [
        ["机关党建"],
        [],
        ["机关党建"],
        ["机关党建", "防火"],
        [],
    ]
    assert search.topics_of(3, hidden=Hidden(articles=frozenset({3}))) == []


def test_coverage_is_what_the_library_has_of_each_month_for_who_asks(search):
    assert search.coverage(hidden=NOBODY) == {"2024-04": 2, "2024-03": 1, "": 1}
    assert search.coverage(hidden=Hidden(articles=frozenset({1, 3}))) == {"2024-04": 2}
