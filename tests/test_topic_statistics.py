"""The phrases of a topic, counted where everybody may look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb import topic_statistics
from kb.engine import open_engine
from kb.model import Actor
from kb.search import Search
from kb.store import limits, units
from kb.store.db import writing
from kb.text.segment import Segmenter
from tests.making import article
from tests.test_search import rebuild, save
from tests.test_topic_members import topic

WORDS = ("主题党日", "三会一课", "水库调度", "机关党建")


@pytest.fixture
def search(settings, database):
    """Twenty articles of 机关党建 with 主题党日, four of which (source open) say 三会一课; sixty of water."""
    party = [
        article(
            f"机关党建{n}", (f"机关党建第{n}次主题党日。" + ("三会一课。" if n < 4 else ""),), key=f"p{n}"
        )
        for n in range(20)
    ]
    others = [article(f"水库调度{n}", (f"第{n}次水库调度记录。",), key=f"w{n}") for n in range(60)]
    save(database, *party, *others)
    made = Search(open_engine(settings.index, Segmenter(WORDS)), database, segmenter=Segmenter(WORDS))
    rebuild(made)
    return made


def told(search, asked):
    return [
        (one.words, one.articles, one.everywhere)
        for one in topic_statistics.phrases(search, search.database, asked)
    ]


def test_phrases_are_counted_exactly_and_those_of_the_rule_are_none(search):
    assert told(search, topic(1, "机关", "机关党建")) == [("主题党日", 20, 20)]
    assert told(search, topic(1, "机关", "机关党建", pinned=[21, 22, 23])) == [("主题党日", 20, 20)]


def test_what_is_limited_counts_for_nobody_from_that_moment_on(search):
    asked = topic(2, "机关", "机关党建", excluded=[1])
    before = told(search, asked)
    with writing(search.database) as connection:
        limits.put(connection, Actor("user:wang"), "article", 2, [units.add(connection, "青石县")])

    assert before == [("主题党日", 19, 20)]
    assert told(search, asked) == [("主题党日", 18, 19)]


def test_they_are_worked_out_once_until_something_changes(search, monkeypatch):
    made, real = [], topic_statistics._phrases
    monkeypatch.setattr(topic_statistics, "_phrases", lambda *asked: made.append(1) or real(*asked))
    asked = topic(3, "机关", "机关党建")
    for _ in range(3):
        told(search, asked)
    told(search, replace(asked, version=2))
    told(replace(search, synonyms={"a": ("b",)}), replace(asked, version=2))

    assert len(made) == 3
