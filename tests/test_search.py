"""From what was typed to a page of results."""

from dataclasses import replace

import pytest

from kb import config
from kb.engine import open_engine
from kb.errors import EngineDownError, QueryError
from kb.hits import heading_path
from kb.model import Block, Filters, Mark
from kb.search import DEPTH, Search, open_search
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.text import synonyms
from kb.text.fingerprint import Fingerprints
from kb.text.segment import Segmenter
from tests.making import article


def save(database, *items):
    with writing(database) as connection:
        return [
            one.id for one in articles.save(connection, [NewArticle(one) for one in items], Fingerprints())
        ]


def rebuild(search):
    with reading(search.database) as connection:
        latest = articles.latest_seq(connection)
        search.engine.rebuild([articles.changed_since(connection, 0, 1000)], seq=latest)


@pytest.fixture
def search(settings, database):
    """Three articles, stored and indexed."""
    save(
        database,
        article(),
        article("档案室里的防火课", ("档案员每周检查一次电路,消防通道保持畅通。",), key="b", newspaper=None),
        article("志愿者在集市上", ("志愿者讲解《民法典》,群众边赶集边学法。",), key="c", published=None),
    )
    made = Search(open_engine(settings.index, Segmenter([])), database)
    rebuild(made)
    return made


def marked(runs):
    return [run.text for run in runs if run.matched]


def test_a_hit_carries_what_the_page_shows(search):
    results = search.find("党建 業務")
    hit = results.hits[0]

    assert (results.total, results.fallback, results.stale) == (1, None, 0)
    assert (hit.title, hit.newspaper, hit.published, hit.edition_page) == (
        "让支部强在项目一线",
        "清河日报",
        "2024-03-15",
        "07",
    )
    assert marked(hit.snippet) == ["党建", "业务"]
    assert hit.anchor is not None
    assert hit.score > 0
    assert results.took_ms > 0


def test_title_and_passage_are_marked_on_the_stored_characters(search):
    hit = search.find("“民法典，群众” 志愿者").hits[0]

    assert marked(hit.snippet) == ["志愿者", "民法典》,群众"]
    assert marked(hit.title_runs) == ["志愿者"]
    assert "".join(run.text for run in hit.title_runs) == hit.title


def test_a_hit_by_its_byline_alone_shows_its_first_paragraph(search):
    hit = search.find("作者:周见山 标题:支部").hits[0]

    assert hit.snippet[0].text.startswith("青石县")
    assert marked(hit.title_runs) == ["支部"]


def test_when_nothing_has_all_words_those_with_most_are_shown_and_labelled(search):
    results = search.find("志愿者 集市 党建")

    assert results.fallback == "any"
    assert results.total == 2
    assert results.hits[0].title == "志愿者在集市上"


def test_a_first_page_with_room_goes_on_with_articles_that_have_a_part(search):
    save(search.database, article("防火检查记", ("每周检查一次。",), key="d"))
    rebuild(search)
    results = search.find("检查 消防通道")

    assert (results.total, results.fallback) == (1, None)
    assert [hit.title for hit in results.hits] == ["档案室里的防火课"]
    assert [hit.title for hit in results.partial] == ["防火检查记"]


@pytest.mark.parametrize("text", ["检查 与 消防通道", "“检查” “消防通道”", "标题:防火课 正文:消防通道"])
def test_what_was_typed_to_the_letter_is_followed_by_nothing_else(search, text):
    save(search.database, article("防火检查记", ("每周检查一次。",), key="d"))
    rebuild(search)
    results = search.find(text)

    assert (results.total, results.partial) == (1, ())


def test_only_the_first_page_by_relevance_goes_on(search):
    save(search.database, article("防火检查记", ("每周检查一次。",), key="d"))
    rebuild(search)

    assert search.find("检查 消防通道", sort="newest").partial == ()
    assert search.find("检查 消防通道", offset=10).partial == ()
    assert search.find("检查 消防通道", limit=1).partial == ()


def test_the_fallback_is_not_announced_when_it_finds_nothing_either(search):
    results = search.find("量子纠缠 超导")

    assert (results.total, results.fallback, results.hits) == (0, None, ())


def test_a_date_that_holds_nothing_has_no_fallback(search):
    results = search.find("日期:1999")

    assert (results.total, results.fallback) == (0, None)


def test_filters_sort_and_offset_are_passed_on_and_told_back(search):
    filters = Filters({"year": ("",)})
    results = search.find("学法", filters=filters, sort="newest", offset=0, limit=5)

    assert [hit.published for hit in results.hits] == [None]
    assert (results.filters, results.sort, results.offset) == (filters, "newest", 0)
    assert results.facets["year"] == (("", 1),)


def test_copies_are_one_result_where_they_are_grouped_and_every_one_is_told(search):
    save(search.database, article(key="d", newspaper="云岭日报", published="2024-03-20"))
    rebuild(search)
    each, grouped = search.find("党建"), search.find("党建", grouped=True)

    assert (each.total, each.articles, each.grouped) == (2, 2, False)
    assert (grouped.total, grouped.articles, grouped.grouped) == (1, 2, True)
    assert [hit.id for hit in grouped.hits] == [1]
    assert [(copy.id, copy.newspaper, copy.published) for copy in grouped.hits[0].copies] == [
        (4, "云岭日报", "2024-03-20")
    ]
    assert all(hit.copies == () for hit in each.hits)


def test_a_copy_that_alone_matches_is_never_hidden(search):
    save(search.database, article(key="d", title="转载：让支部强在项目一线", newspaper="云岭日报"))
    rebuild(search)
    [hit] = search.find("标题:转载", grouped=True).hits

    assert (hit.id, [copy.id for copy in hit.copies]) == (4, [1])


def test_a_scope_holds_words_that_name_no_field(search):
    assert search.find("支部", scope="title").total == 1
    assert search.find("周见山", scope="author").total == 3
    assert search.find("党课", scope="title").total == 0
    assert search.find("作者:周见山 民法典", scope="body").total == 1


def test_where_nothing_is_found_the_ways_out_are_told_with_their_counts(search):
    filters = Filters({"newspaper": ("清河日报",)}, {"year": ("2024",)}, since="2024-01-01")
    results = search.find("“学法” -支部", filters=filters, scope="title")
    ways = {(one.dropped, one.name, one.value): one.total for one in search.find("学法 “防火”").relaxed}

    assert (results.total, results.relaxed) == (0, ())
    assert ways == {("part", "", "学法"): 1, ("part", "", "“防火”"): 1}
    assert [one.dropped for one in search.find("学法", scope="title").relaxed] == ["scope"]
    assert [one.dropped for one in search.find("学法", filters=Filters(since="2020-01-01")).relaxed] == [
        "days"
    ]


def test_what_is_found_has_no_ways_out(search):
    assert search.find("学法").relaxed == ()


def test_headings_above_a_block_are_its_path():
    levels = (1, 3, 1, 2, None, 3, None)
    blocks = [
        Block(f"b{at}", "heading" if level else "paragraph", level, f"题{at}")
        for at, level in enumerate(levels)
    ]

    assert heading_path(blocks, "b6") == ("题2", "题3", "题5")
    assert heading_path(blocks, "b5") == ("题2", "题3")
    assert heading_path(blocks, "b0") == heading_path(blocks, None) == ()


def test_articles_stored_but_not_indexed_are_counted(search):
    save(search.database, article("新来的一篇", ("刚刚入库,尚未建立索引的一段话。",), key="d"))

    assert search.find("档案").stale == 1


def test_what_was_withdrawn_is_not_shown_even_before_the_index_follows(search):
    hit = search.find("档案").hits[0]
    with writing(search.database) as connection:
        articles.set_status(connection, hit.id, "withdrawn")

    assert search.find("档案").hits == ()


def test_deeper_than_the_pages_go_only_the_total_is_given(search):
    results = search.find("学法", offset=DEPTH, limit=10)

    assert results.total == 1
    assert results.hits == ()


def test_a_query_that_cannot_be_read_is_said_before_the_index_is_asked(settings, database):
    search = Search(open_engine(settings.index, Segmenter([])), database)
    with pytest.raises(QueryError):
        search.find("日期:某天")

    with pytest.raises(EngineDownError):
        search.find("党建")


def test_without_an_index_the_problem_is_told(settings, database):
    search = open_search(settings, database)

    assert "kb reindex --all" in search.problem()


def test_the_shipped_lexicon_shapes_the_words(settings, database):
    search = open_search(settings, database)
    first = config.lexicon_lines()
    term = next(line for line in first if line and not line.startswith("#")).split("\t")[0]

    assert [mark.text for mark in search.marks(term)] == [term]


def test_marks_of_a_query_are_what_the_reading_page_marks(search):
    marks = search.marks("黨建 “业务，融合”")

    assert marks == (Mark("党建"), Mark("业务融合", is_literal=True))


def test_equal_names_are_found_too_marked_and_told(search, database):
    full = "中国共产党第二十次全国代表大会"
    save(
        database,
        article("学习笔记一", (f"认真学习{full}精神。",), key="d"),
        article("学习笔记二", ("二十大报告催人奋进。",), key="e"),
    )
    rebuild(search)
    made = replace(search, synonyms=synonyms.read(f'groups = [["二十大", "党的二十大", "{full}"]]'))
    found, typed, author = (
        made.find("二十大"),
        made.find("二十大", exact=True),
        made.find("二十大", scope="author"),
    )

    assert (found.total, found.expanded) == (2, (("二十大", (full,)),))
    assert {"".join(marked(hit.snippet)) for hit in found.hits} == {full, "二十大"}
    assert (typed.total, typed.expanded) == (1, ())
    assert author.expanded == ()
    assert made.find("学习 -二十大").expanded == ()
