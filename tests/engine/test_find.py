"""Both roads to an answer and a plain scan of every document agree: ids, scores, totals, facets, in any order and scope."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import date
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.engine import answer, clock, rank, roads
from kb.engine.array_engine import ArrayEngine
from kb.engine.columns import SINGLE
from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.topics import topics_of
from kb.engine.tree import Also, And, Every, Literal, Named, Not, Or, Phrase, Range, Rank, Term, Value
from kb.errors import TooSlowError
from kb.model import Hidden, Page
from kb.query import parse
from kb.text.segment import Segmenter
from tests.engine.test_contract import stored

SEGMENTER = Segmenter(["公益诉讼", "主题党日"])
WORDS = ["党建", "业务", "融合", "学习", "公益诉讼", "检察", "的", "和", "许", "虹"]
GRAMS = ["党建", "建业", "业务", "融合", "学习", "的和"]
NEWSPAPERS = ["清河日报", "枫溪法治报"]
PEOPLE = ["许剑虹", "周见山", "李学习"]
DAYS = ["2022-12-31", "2023-01-05", "2023-12-31", "2024-02-29"]


def article(pick, number):
    names = pick.sample(PEOPLE, pick.randint(0, 2))
    texts = ("".join(pick.choices(WORDS, range(len(WORDS), 0, -1), k=pick.randint(1, 60))) for _ in range(2))
    one = stored(
        number, "".join(pick.choices(WORDS, k=3)), *texts, authors=names,
        newspaper=pick.choice([None, *NEWSPAPERS]), published=pick.choice([None, *DAYS]),
        affiliation=pick.choice([None, "青石县人民检察院"]), edition_page=pick.choice([None, "01", "07"]),
        page_name=pick.choice([None, "理论", "要闻"]),
    )  # fmt: skip
    one = replace(one, article=replace(one.article, source="files" if number % 5 else "qinghe"))
    return replace(one, body_chars=pick.randint(1, 9), reprint_of=pick.choice([None] * 5 + [1, 2, 3]))


@pytest.fixture(scope="module", params=["one segment", "three segments", "with deletions"])
def library(request, tmp_path_factory):
    """A snapshot, and its articles by id."""
    pick = random.Random(7)
    folder = tmp_path_factory.mktemp("library")
    living = {number: article(pick, number) for number in pick.sample(range(1, 2000), 900)}
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(list(living.values()), batch=900 if request.param == "one segment" else 350)
    if request.param == "with deletions":
        changed = [article(pick, number) for number in list(living)[::5]]
        gone = [replace(one, status="gone") for one in list(living.values())[1::7] if one.id not in changed]
        gone = [one for one in gone if one.id not in {other.id for other in changed}]
        writer.replace([*changed, *gone], batch=900)
        living |= {one.id: one for one in changed}
        living = {number: one for number, one in living.items() if number not in {one.id for one in gone}}
    writer.seal()
    return open_snapshot(folder), living


# --- a scan -----------------------------------------------------------------------------------------------------


def values_of(one, column):
    if column in ("year", "month"):
        return {(one.article.published or "")[: 4 if column == "year" else 7]}
    if column == "author":
        return {author.name for author in one.article.authors} or {""}
    return {getattr(one.article, "page_name" if column == "edition_name" else column) or ""}


def is_asked(one, page, but=None):
    day = one.article.published
    return (
        all(
            set(wanted) & values_of(one, name) for name, wanted in page.only.items() if wanted and name != but
        )
        and not any(set(doomed) & values_of(one, name) for name, doomed in page.without.items())
        and (page.since is None or (day is not None and day >= page.since))
        and (page.until is None or (day is not None and day <= page.until))
        and (page.least_chars or 0) <= one.body_chars <= (page.most_chars or 99)
        and one.article.source not in page.hidden.sources
        and one.id not in page.hidden.articles
    )


def order_of(one, score, page, tier):
    day = int((one.article.published or "0").replace("-", ""))
    key = {
        "relevance": 0, "newest": -day, "oldest": day or 99_999_999, "longest": -one.body_chars,
        "shortest": one.body_chars,
    }[page.sort]  # fmt: skip
    return key, -tier, -score, one.id


def scanned(living, scores, page, tiers=None):
    """The answer to a page, of matches {id: score}."""
    tiers = tiers or dict.fromkeys(scores, 0)
    asked = [living[number] for number in scores if is_asked(living[number], page)]
    asked.sort(key=lambda one: order_of(one, scores[one.id], page, tiers[one.id]))
    articles = len(asked)
    if page.collapse:
        first = {one.reprint_of or one.id: one for one in sorted(asked, key=earliest, reverse=True)}
        asked = [one for one in asked if first[one.reprint_of or one.id] is one]
    shown = asked[page.offset : page.offset + page.limit]
    facets = {
        name: Counter(
            value
            for number in scores
            if is_asked(living[number], page, but=name)
            for value in values_of(living[number], name)
        )
        for name in page.facets
    }
    return len(asked), articles, [one.id for one in shown], [scores[one.id] for one in shown], facets


def earliest(one):
    return one.article.published or "unknown", one.id


def told(found):
    facets = {name: dict(values) for name, values in found.facets.items()}
    return found.total, found.articles, list(found.ids), list(found.scores), facets


def scores_of(snapshot, tree):
    matches = evaluate(snapshot, tree)
    ids = snapshot.article_ids[matches.mask].tolist()
    return dict(zip(ids, matches.scores[matches.mask].tolist(), strict=True))


# --- what is asked ------------------------------------------------------------------------------------------------

terms = st.builds(Term, st.just("text"), st.sampled_from([*WORDS, "没有"]), st.sampled_from([1.0, 1.0, 2.5]))
some = st.lists(terms, min_size=1, max_size=4).map(tuple)
phrases = st.sampled_from(
    [
        Phrase("text", ("党建", "业务"), (0, 2)),
        Phrase("text", ("党建", "党建", "业务"), (0, 2, 4)),
        Phrase("text", ("融合", "的"), (0, 2)),
        Phrase("text", ("没有", "的"), (0, 2)),
    ]
)
conditions = st.sampled_from(
    [
        Range("published", 2023_01_01, 2023_12_31),
        Value("newspaper", frozenset({"", "清河日报"})),
        Value("author", frozenset({"", "许剑虹"})),
        Named("author", "剑"),
        Named("edition_page", "7"),
        Not(Value("author", frozenset({"周见山"}))),
        Not(Term("text", "业务")),
        Not(Phrase("text", ("党建", "业务"), (0, 2))),
        Every(),
    ]
)
scored = st.one_of(terms, some.map(And), some.map(Or), phrases, st.just(Literal("业务")))
limited = st.tuples(scored, st.lists(conditions, max_size=2)).map(lambda both: And((both[0], *both[1])))
fast = st.one_of(scored, limited)
optional = st.lists(st.sampled_from([Term("grams", gram, 0.5) for gram in GRAMS]), min_size=1, max_size=3)
fast = st.one_of(fast, st.tuples(fast, optional).map(lambda both: Also(both[0], tuple(both[1]))))
slow = st.one_of(
    st.tuples(some, st.integers(1, 3)).map(lambda both: Or(*both)),
    st.tuples(fast, fast).map(Or),
    st.just(And((Literal("党建业务"), Term("text", "融合")))),
    st.just(Range("published", 2023_01_01, 2023_12_31)),
)
chosen = st.dictionaries(
    st.sampled_from(
        ["newspaper", "year", "month", "author", "edition_page", "edition_name", "affiliation", "source"]
    ),
    st.lists(
        st.sampled_from(["", "清河日报", "2023", "2023-12", "许剑虹", "07", "理论", "files"]),
        min_size=1,
        max_size=2,
    ).map(tuple),
    max_size=2,
)
unseen = st.builds(
    Hidden,
    sources=st.sampled_from([frozenset(), frozenset({"qinghe"}), frozenset({"no such source"})]),
    articles=st.sampled_from([frozenset(), frozenset({1, 2, 3, 5000}), frozenset(range(0, 2000, 3))]),
)
pages = st.builds(
    Page,
    hidden=unseen,
    only=chosen,
    without=chosen,
    since=st.sampled_from([None, None, "2023-01-01"]),
    until=st.sampled_from([None, None, "2023-12-31"]),
    least_chars=st.sampled_from([None, None, 3]),
    most_chars=st.sampled_from([None, None, 7]),
    facets=st.sampled_from([(), ("newspaper", "year", "month"), ("author", *SINGLE)]),
    sort=st.sampled_from(["relevance", "relevance", "newest", "oldest", "longest", "shortest"]),
    collapse=st.booleans(),
    offset=st.sampled_from([0, 0, 3, 40]),
    limit=st.sampled_from([0, 1, 10, 1000]),
)
PATIENT = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(tree=fast, page=pages)
@PATIENT
def test_the_fast_road_answers_as_a_scan_does_to_the_last_bit(library, tree, page):
    snapshot, living = library

    assert roads.shape_of(tree) is not None
    assert told(answer.find(snapshot, tree, page, clock.NEVER)) == scanned(
        living, scores_of(snapshot, tree), page
    )


@given(tree=slow, page=pages)
@PATIENT
def test_the_dense_road_answers_as_a_scan_does_to_the_last_bit(library, tree, page):
    snapshot, living = library

    assert told(answer.find(snapshot, tree, page, clock.NEVER)) == scanned(
        living, scores_of(snapshot, tree), page
    )


@given(tree=fast, page=pages)
@PATIENT
def test_both_roads_are_one(library, tree, page):
    snapshot, _ = library
    dense = roads.DenseRoad(snapshot, tree, clock.NEVER)
    none = topics_of(snapshot, page.topics, ())
    scope = answer.chosen(snapshot, page, (), none, clock.NEVER)

    assert answer.laid_out(snapshot, dense, scope, page, none) == answer.find(
        snapshot, tree, page, clock.NEVER
    )


ranked = st.builds(
    Rank,
    st.one_of(fast, slow, st.just(Not(Term("text", "的")))),
    st.lists(st.builds(Term, st.sampled_from(["text", "grams"]), st.sampled_from(GRAMS)), max_size=3).map(
        tuple
    ),
    st.lists(st.one_of(terms, phrases, st.just(Literal("党建业务"))), max_size=3).map(tuple),
)


@given(tree=ranked, page=pages)
@PATIENT
def test_a_rank_answers_as_a_scan_does_to_the_last_bit(library, tree, page):
    snapshot, living = library
    found = scores_of(snapshot, tree.part)
    by = scores_of(snapshot, Or(tree.by)) if tree.by else {}
    tiers = Counter(number for tier in tree.tiers for number in scores_of(snapshot, tier))
    scores = {number: by.get(number, 0.0) for number in found}
    with mock.patch.object(rank, "rerank", lambda _snapshot, _docs, scores, _terms: scores):
        ranked = answer.find(snapshot, tree, page, clock.NEVER)

    assert told(ranked) == scanned(living, scores, page, tiers)


def test_the_first_of_a_rank_are_looked_at_again_and_the_others_keep_their_places(library, monkeypatch):
    snapshot, _ = library
    tree = Rank(Every(), (Term("text", "党建"),), (Term("text", "业务"), Term("text", "融合")))
    before = answer.find(snapshot, tree, Page(limit=10_000), clock.NEVER)
    monkeypatch.setattr(rank, "rerank", lambda _snapshot, docs, scores, _terms: scores[::-1].copy())
    after = answer.find(snapshot, tree, Page(limit=10_000), clock.NEVER)
    parts = [answer.find(snapshot, tree, Page(offset=n, limit=37), clock.NEVER) for n in range(0, 1000, 37)]

    assert after.ids != before.ids
    assert set(after.ids[: rank.RERANKED]) == set(before.ids[: rank.RERANKED])
    assert after.ids[rank.RERANKED :] == before.ids[rank.RERANKED :]
    assert sum((part.ids for part in parts), ()) == after.ids
    assert sum((part.scores for part in parts), ()) == after.scores


def test_of_many_values_the_most_frequent_are_told_and_those_that_were_chosen(library):
    snapshot, _ = library
    page = Page(facets=("author",), only={"author": ("周见山", "没有这个人")})
    every = answer.find(snapshot, Every(), page, clock.NEVER).facets["author"]
    told = answer.find(snapshot, Every(), replace(page, most_values=1), clock.NEVER).facets["author"]
    often = max(every, key=lambda one: one[1])

    assert len(every) == 4
    assert set(told) == {often, ("周见山", dict(every)["周见山"]), ("", dict(every)[""])}


def test_pages_follow_one_another_without_gap_or_overlap(library):
    snapshot, _ = library
    tree = Or((Term("text", "党建"), Term("text", "学习")))
    whole = answer.find(snapshot, tree, Page(limit=10_000), clock.NEVER).ids
    parts = [
        answer.find(snapshot, tree, Page(offset=n, limit=37), clock.NEVER).ids
        for n in range(0, len(whole), 37)
    ]

    assert len(whole) > 500
    assert sum(parts, ()) == whole


# --- deadlines ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    pick = random.Random(8)
    made = ArrayEngine(tmp_path_factory.mktemp("engine"), SEGMENTER, memory_mib=64, batch=400, processes=1)
    made.rebuild([[article(pick, number) for number in range(1, 800)]], seq=1)
    return made


def in_a_thread(work):
    caught = []

    def run():
        try:
            work()
        except (TooSlowError, TimeoutError) as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught


@pytest.mark.parametrize("match", ["all", "any"])
def test_a_query_over_its_time_is_one_clear_error_in_any_thread(engine, match):
    caught = in_a_thread(lambda: engine.find(parse("党建 学习", date.min), Page(seconds=-1.0), match=match))

    assert [type(error) for error in caught] == [TooSlowError]
    assert caught[0].key == "search.too_slow"


TREES = [
    Term("text", "党建"),
    And((Term("text", "党建"), Term("text", "学习"))),
    Or((Term("text", "党建"), Term("text", "学习"))),
    Phrase("text", ("党建", "业务"), (0, 2)),
    Or((Term("text", "党建"), Term("text", "学习")), 2),
    Literal("党建业务"),
]


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: type(tree).__name__)
def test_kernels_stop_by_the_clock_themselves(library, tree):
    snapshot, _ = library
    past = clock.deadline(-1.0)

    caught = in_a_thread(lambda: answer.find(snapshot, tree, Page(), past))

    assert [type(error) for error in caught] == [TimeoutError]


def test_a_deadline_ahead_disturbs_nothing(engine):
    query = parse("党建", date.min)

    assert engine.find(query, Page(seconds=60.0)) == engine.find(query, Page())
