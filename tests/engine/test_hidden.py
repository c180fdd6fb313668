"""What somebody may not see is, for whatever he or she asks an engine, not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kb.engine import answer, open_engine
from kb.engine.tree import Every
from kb.model import Hidden, Page
from kb.query import parse
from kb.text.segment import Segmenter
from tests.engine.test_contract import stored

SEGMENTER = Segmenter(["主题党日"])
FACETS = ("newspaper", "source", "year", "author", "affiliation", "edition_page")
ARTICLES = range(20, 60)
HIDDEN = [
    Hidden(sources=frozenset({"secret"})),
    Hidden(articles=frozenset({1, 21, 34, 9999})),
    Hidden(sources=frozenset({"secret", "nowhere"}), articles=frozenset({*range(20, 30), 2})),
    Hidden(sources=frozenset({"secret", "open"})),
]


def shelf():
    """Articles of two sources; 1 to 4 are copies of each other, the earliest of them secret."""
    days = ["2024-01-01", "2024-01-03", "2024-01-02", None]
    copies = [
        stored(number, "主题党日", "党建学习的记录。", newspaper="清河日报", published=day)
        for number, day in enumerate(days, 1)
    ]
    copies = [replace(one, reprint_of=1 if one.id > 1 else None) for one in copies]
    copies[0] = replace(copies[0], article=replace(copies[0].article, source="secret"))
    others = [
        stored(
            number, f"第{number}篇", "党建" * (1 + number % 5) + "业务" * (number % 3) + "学习",
            newspaper=f"{'密' if number % 3 == 0 else '明'}报", authors=(f"作者{number}",),
            published=f"20{number}-01-01", affiliation=f"单位{number}", edition_page=str(number),
        )
        for number in ARTICLES
    ]  # fmt: skip
    named = [
        replace(one, article=replace(one.article, source="secret" if one.id % 3 == 0 else "open"))
        for one in others
    ]
    return [*copies, *named]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = open_engine(tmp_path_factory.mktemp("hidden"), SEGMENTER)
    made.rebuild([shelf()[:20], shelf()[20:]], seq=1)
    return made


def is_seen(one, hidden):
    return one.article.source not in hidden.sources and one.id not in hidden.articles


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("match", ["all", "any"])
@pytest.mark.parametrize(
    "text", ["党建", "党建 业务", "“党建业务”", "党建 没有这个词呀", "-业务", "报纸:密报"]
)
def test_an_answer_is_that_of_everything_without_the_hidden_articles(engine, hidden, match, text):
    query = parse(text, date.min)
    seen = {one.id: one for one in shelf() if is_seen(one, hidden)}
    for sort in ("relevance", "newest", "shortest"):
        everything = engine.find(query, Page(sort=sort, limit=1000), match=match)
        found = engine.find(query, Page(sort=sort, limit=1000, facets=FACETS, hidden=hidden), match=match)

        assert list(found.ids) == [one for one in everything.ids if one in seen]
        assert found.total == found.articles == len(found.ids)
        named = {value for counts in found.facets.values() for value, _ in counts}
        assert named <= {""}.union(*(names_of(seen[one]) for one in found.ids))
        assert sum(count for _, count in found.facets["source"]) == found.total


def names_of(one):
    article = one.article
    return {
        article.newspaper, article.source, (article.published or "")[:4], article.affiliation,
        article.edition_page, *(author.name for author in article.authors),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("hidden", "stands"),
    [
        (Hidden(), 1),
        (Hidden(sources=frozenset({"secret"})), 3),
        (Hidden(articles=frozenset({1, 3})), 2),
        (Hidden(articles=frozenset({1, 2, 3})), 4),
    ],
)
def test_the_earliest_copy_that_is_not_hidden_stands_for_its_group(engine, hidden, stands):
    found = engine.find(parse("“主题党日”", date.min), Page(collapse=True, hidden=hidden))

    assert found.ids == (stands,)
    assert found.articles == sum(is_seen(one, hidden) for one in shelf()[:4])


@pytest.mark.parametrize("hidden", HIDDEN)
def test_no_hidden_article_is_like_another_and_a_copy_of_a_hidden_one_is_no_stranger(engine, hidden):
    asked = {one.id: one for one in shelf()}
    masked = replace(asked[3], reprint_of=None)  # as somebody sees it from whom the earliest copy is hidden

    for one in (asked[22], masked):
        like = engine.like(one, 5, hidden=hidden)
        assert all(is_seen(asked[other], hidden) for other in like)
        assert not {1, 2, 4} & set(like) or one is not masked


def test_it_holds_for_what_is_indexed_later_and_is_worked_out_once_for_an_index(tmp_path, monkeypatch):
    made, worked_out = [], answer._visible
    monkeypatch.setattr(answer, "_visible", lambda *asked: made.append(1) or worked_out(*asked))
    engine = open_engine(tmp_path / "index", SEGMENTER)
    engine.rebuild([shelf()], seq=1)
    hidden = Hidden(sources=frozenset({"secret"}), articles=frozenset({500, 22}))
    for _ in range(5):
        engine.find_tree(Every(), Page(hidden=hidden))
    later = [stored(500, "党建", "党建"), stored(501, "党建", "党建")]
    secret = replace(stored(502, "党建", "党建"), article=replace(later[0].article, source="secret"))
    engine.update([*later, secret], seq=2)
    found = engine.find_tree(Every(), Page(limit=1000, hidden=hidden))
    without = engine.find_tree(Every(), Page(limit=1000))

    assert 501 in found.ids and not {22, 500, 502} & set(found.ids)
    assert {22, 500, 502} <= set(without.ids)
    assert len(made) == 2


def test_many_kinds_of_people_keep_no_endless_memory(engine):
    snapshot = engine._serving.sound().snapshot
    for number in range(answer.KINDS_OF_PEOPLE * 2):
        engine.find_tree(Every(), Page(hidden=Hidden(articles=frozenset({number}))))

    assert len(snapshot.visible) <= answer.KINDS_OF_PEOPLE
