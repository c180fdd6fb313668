"""What a topic has is what its rule finds, without what was excluded, with what is pinned: on every surface of search."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.engine import open_engine
from kb.engine import topics as topics_of_an_index
from kb.engine.tree import Every
from kb.model import Exclusion, Filters, Hidden, Page, Topic, TopicContent
from kb.search import Search
from kb.store import articles, topics
from kb.store.db import open_database, reading, writing
from kb.text.segment import Segmenter
from kb.topic_rules import TopicRules
from tests.making import FOR_TESTS, article
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


# --- on every surface -----------------------------------------------------------------------------------------

WORDS = ("党建", "业务", "融合", "机关", "调研")
NUMBERS = range(1, 71)  # more than the 64 documents that lie in one number of bits
SOME = (1, 2, 3, 30, 63, 64, 65, 70)  # what pins and exclusions are drawn from, and one that is not there


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Search:
    """70 articles with one to four of the words in title and text, some of them copies, some without a date."""
    settings = Settings(data=tmp_path_factory.mktemp("topics"), **FOR_TESTS)
    config.prepare_data(settings)
    made = Search(open_engine(settings.index, Segmenter(WORDS)), open_database(settings.database))
    save(made.database, *map(numbered, NUMBERS))
    rebuild(made)
    return made


def numbered(number: int):
    words = [word for place, word in enumerate(WORDS) if number >> place & 1 or number % 7 == place]
    text = f"第{0 if number % 6 == 0 else number}篇记录,说的是{'与'.join(words)}。"
    published = None if number % 5 == 0 else f"2024-0{1 + number % 3}-11"
    return article(f"{words[0]}纪事", (text,), key=f"n{number}", published=published)


words = st.sampled_from(WORDS)
atoms = words | words.map(lambda one: f"“{one}”") | words.map(lambda one: f"标题:{one}")
atoms |= st.sampled_from(("日期:2024-01", "字数:>10", "报纸:清河"))
rules = st.recursive(
    atoms,
    lambda rule: (
        st.tuples(rule, st.sampled_from((" ", " 与 ", " 或 ")), rule).map(lambda one: f"({''.join(one)})")
        | rule.map(lambda one: f"(非 {one})")
    ),
    max_leaves=4,
)
ids = st.sets(st.sampled_from((*SOME, 99)), max_size=5)


@st.composite
def topic_sets(draw) -> list[Topic]:
    made = []
    for number in range(1, 1 + draw(st.integers(1, 3))):
        pinned, excluded = draw(ids), draw(ids)
        made.append(topic(number, f"题目{number}", draw(rules), pinned, excluded - pinned))
    return made


def plainly(search: Search, asked: Topic, hidden: Hidden) -> set[int]:
    """What a topic has, by its definition: the same query in search, minus exclusions, plus pins."""
    found = set(replace(search, topics=TopicRules()).matches(asked.content.rule, limit=100).ids)
    pinned = set(asked.content.pinned) & set(NUMBERS)
    excluded = {one.article_id for one in asked.content.excluded}
    return ((found - excluded) | pinned) - hidden.articles


def told(search: Search, hidden: Hidden, text="", **asked) -> set[int]:
    return set(search.matches(text, limit=100, hidden=hidden, **asked).ids)


def only(*names: str) -> dict[str, Filters]:
    return {"filters": Filters(only={"topic": names})}


def check(search: Search, topics: list[Topic], hidden: Hidden) -> None:
    """What each topic has is the same wherever search can be asked for it."""
    search = replace(search, topics=TopicRules(topics, search.synonyms))
    everything = told(replace(search, topics=TopicRules()), hidden)
    has = {one.content.name: plainly(search, one, hidden) for one in topics}
    none = everything - set().union(*has.values())

    assert search.counts(hidden=hidden) == {name: len(some) for name, some in has.items()}
    assert {one: search.topics_of(one, hidden=hidden) for one in SOME} == {
        one: [name for name, some in has.items() if one in some] for one in SOME
    }
    facet = dict(search.find("", topic=topics[0], hidden=hidden).facets["topic"])
    within = {name: some & has["题目1"] for name, some in has.items()}
    assert facet == {name: len(some) for name, some in within.items() if some}
    assert told(search, hidden, **only("")) == none
    for one in topics:
        name, expected = one.content.name, has[one.content.name]
        found = search.find("", topic=one, hidden=hidden, limit=100)
        rest = everything - expected
        without = {"filters": Filters(without={"topic": (name,)})}

        assert {hit.id for hit in found.hits} == expected and found.total == found.articles == len(expected)
        assert told(search, hidden, topic=one) == told(search, hidden, **only(name)) == expected
        assert told(search, hidden, **only(one.slug)) == told(search, hidden, f"专题:{one.slug}") == expected
        assert told(search, hidden, f"非 专题:{name}") == told(search, hidden, **without) == rest
        assert search.count(f"专题:{name}", hidden=hidden) == len(expected)
        party = told(search, hidden, "党建") & expected
        assert told(search, hidden, "党建", topic=one) == told(search, hidden, f"党建 专题:{name}") == party
        assert told(search, hidden, "党建", **only(name)) == party
        assert told(search, hidden, f"党建 或 专题:{name}") == told(search, hidden, "党建") | expected


@given(topic_sets(), ids.map(frozenset))
@settings(max_examples=40)
def test_what_a_topic_has_is_its_rules_result_without_exclusions_with_pins_everywhere(shelf, topics, hidden):
    check(shelf, topics, Hidden(articles=hidden))


@pytest.mark.slow
@given(topic_sets(), ids.map(frozenset))
@settings(max_examples=600)
def test_the_same_with_many_examples(shelf, topics, hidden):
    check(shelf, topics, Hidden(articles=hidden))


@given(topic_sets(), words, words)
@settings(max_examples=40)
def test_what_is_found_for_want_of_more_and_copies_are_of_the_topic_too(shelf, topics, one, other):
    asked = topics[0]
    search = replace(shelf, topics=TopicRules(topics))
    has = plainly(shelf, asked, NOBODY)
    away = {each.article_id for each in asked.content.excluded}
    for text in (f"{one} {other} 无此一说", f"{one}无此一说", "", f"{one} {other}"):
        found = search.find(text, topic=asked, grouped=True, limit=100)
        shown = {hit.id for hit in (*found.hits, *found.partial)}
        copies = {copy.id for hit in found.hits for copy in hit.copies}

        assert shown <= has and not copies & away
        assert not any("专题" in way.text + way.value for way in found.relaxed)
        assert all(way.total <= len(has) for way in found.relaxed)


def test_an_exclusion_holds_after_updates_and_a_new_index_and_pins_of_what_is_withdrawn_are_nowhere(search):
    asked = topic(1, "机关党建", "党建", [4], [2])
    search = replace(search, topics=TopicRules([asked]))

    def all_ways() -> list[set[int]]:
        return [told(search, NOBODY, topic=asked), told(search, NOBODY, **only("机关党建"))]

    before = all_ways()
    save(search.database, article("党建到工地", ("党建工作的另一种写法,写在工地上。",), key="b"))
    with writing(search.database) as connection:
        articles.set_status(connection, 4, "withdrawn")
    with reading(search.database) as connection:
        search.engine.update(articles.changed_since(connection, 4, 100), seq=articles.latest_seq(connection))
    updated = all_ways()
    rebuild(search)

    assert (before, updated, all_ways()) == ([{1, 3, 4}] * 2, [{1, 3}] * 2, [{1, 3}] * 2)
    assert search.counts(hidden=NOBODY) == {"机关党建": 2}
    assert search.find("", topic=asked).total == 2


def test_a_draft_is_found_by_who_holds_it_and_named_nowhere(search):
    draft = topic(9, "未发布", "防火", state="draft")
    search = replace(search, topics=TopicRules([draft]))

    assert told(search, NOBODY, topic=draft) == {4}
    assert search.find("防火").facets["topic"] == () and search.counts(hidden=NOBODY) == {}
    assert told(search, NOBODY, "专题:未发布") == told(search, NOBODY, **only("未发布")) == set()


def test_an_earlier_name_goes_on_finding_the_topic_unless_another_has_it_now(search):
    rules = (topic(1, "机关党建", "党建", [4], [2]), topic(2, "防火", "防火 电路"))
    former = {"支部 党建": "topic-1", "防火": "topic-1", "没有了": "topic-7"}
    search = replace(search, topics=TopicRules(rules, former=former))

    for name in ("支部 党建", "支部　党建"):
        assert told(search, NOBODY, f"专题:“{name}”") == told(search, NOBODY, **only(name)) == {1, 3, 4}
    assert told(search, NOBODY, "专题:防火") == told(search, NOBODY, **only("防火")) == {4}
    assert told(search, NOBODY, "专题:没有了") == set()


def test_topics_are_worked_out_once_for_an_index_and_whatever_else_is_asked(search, monkeypatch):
    made, real = [], topics_of_an_index._topics
    monkeypatch.setattr(topics_of_an_index, "_topics", lambda *asked: made.append(1) or real(*asked))
    search.get_ready()
    for _ in range(3):
        search.find("党建")
        search.engine.find_tree(Every(), Page())  # asked by who knows no topics
        search.counts(hidden=NOBODY)
    one = len(made)
    replace(search, topics=TopicRules([topic(1, "别的", "党建")])).get_ready()

    assert (one, len(made)) == (1, 2)


def test_what_was_saved_under_an_earlier_name_goes_on_finding_the_topic(settings, database):
    save(
        database,
        article("机关党建一则", ("机关党建怎样抓。",), key="p1"),
        article("水库", ("调度。",), key="w1"),
    )
    with writing(database) as connection:
        made = topics.add(connection, "dangjian", TopicContent("机关党建", "机关党建"), "")
        topics.change(connection, made, replace(made.content, name="党的机关建设"), "", "")
        rules = TopicRules(topics.every(connection), None, topics.former_names(connection))
    search = Search(open_engine(settings.index, Segmenter(())), database, topics=rules)
    rebuild(search)

    assert search.find("怎样", filters=Filters({"topic": ("机关党建",)})).articles == 1
    assert search.find("专题:机关党建").articles == search.find("专题:党的机关建设").articles == 1
