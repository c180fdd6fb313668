"""Tokens stand where their characters do, and a literal finds what is there: held against the folded texts themselves."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.tokens import ARTICLE_LIMIT, FIELDS, Tokeniser
from kb.engine.tree import Literal, Phrase, Term
from kb.text.normalize import fold
from tests.engine.test_contract import stored
from tests.engine.test_exactness import EXAMPLES, SEGMENTER, VOCABULARY, holds

ODD = [
    "Ａ",
    "ﬁ",
    "㎏",
    "党 建",
    "　",
    "GB/T 9704-2012",
    "\ue000",
    "é",
    "İ",
    "台灣",
    "“",
    "\U0001f600",
    "3.5%",
    "-",
]
TEXTS = st.lists(st.sampled_from([*VOCABULARY, *ODD]), max_size=10).map("".join)
ARTICLES = st.lists(
    st.builds(
        lambda number, title, texts, authors, **more: stored(number, title, *texts, authors=authors, **more),
        st.just(1),
        TEXTS,
        st.lists(TEXTS, max_size=3),
        st.lists(TEXTS, max_size=2),
        kicker=st.none() | TEXTS,
        subtitle=st.none() | TEXTS,
        affiliation=st.none() | TEXTS,
        newspaper=st.none() | TEXTS,
    ),
    max_size=4,
)


def heads_and_body(one):
    return [one.title, *filter(None, (one.kicker, one.subtitle)), *(block.text for block in one.blocks)]


def laid_out(one):
    """All texts of an article folded, one after the other with a gap of one."""
    names = [author.name for author in one.authors]
    ends = list(filter(None, [one.affiliation]))
    return "\n".join(map(fold, [*heads_and_body(one), *names, *ends])) + "\n"


def held(tokens, doc):
    """(word, position) of one document."""
    here = np.flatnonzero(tokens.docs == doc)
    letters, ends = tokens.letters.tobytes(), [0, *tokens.ends.tolist()]
    words = [letters[ends[term] : ends[term + 1]].decode() for term in tokens.terms[here].tolist()]
    return list(zip(words, tokens.positions[here].tolist(), strict=True))


@given(ARTICLES)
@settings(max_examples=40)
def test_every_token_stands_at_its_own_characters(articles):
    cut = Tokeniser(SEGMENTER).cut(one.article for one in articles)

    for doc, one in enumerate(articles):
        text = laid_out(one.article)
        for tokens in map(cut.field, FIELDS):
            found = held(tokens, doc)

            assert len(found) == cut.lengths(tokens)[doc]
            assert all(text.startswith(word, position) for word, position in found)
        assert cut.spans.title_chars[doc] == len(fold(one.article.title))


@given(ARTICLES)
@settings(max_examples=40)
def test_bigrams_hold_every_character_of_title_and_body_once_in_order(articles):
    cut = Tokeniser(SEGMENTER).cut(one.article for one in articles)

    for doc, one in enumerate(articles):
        searched = "\n".join(map(fold, heads_and_body(one.article))) + "\n"
        expected = [(searched[i : i + 2], i) for i in range(len(searched)) if searched[i] != "\n"]

        assert held(cut.field("grams"), doc) == expected


@given(ARTICLES)
@settings(max_examples=40)
def test_words_are_those_of_the_segmenter_text_by_text(articles):
    cut = Tokeniser(SEGMENTER).cut(one.article for one in articles)

    for doc, one in enumerate(articles):
        names = [author.name for author in one.article.authors]
        texts = [*heads_and_body(one.article), *names, *filter(None, [one.article.affiliation])]
        expected = Counter(token.word for text in texts for token in SEGMENTER.tokens(text))

        assert Counter(word for word, _ in held(cut.field("text"), doc)) == expected


def snapshot_of(folder, articles, batch=100):
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(articles, batch=batch)
    writer.seal()
    return open_snapshot(folder)


def ids(snapshot, node):
    return set(snapshot.article_ids[evaluate(snapshot, node).mask].tolist())


def test_of_an_article_half_a_million_characters_are_searchable_and_no_more(tmp_path):
    full = stored(
        1,
        "题",
        "学习" * (ARTICLE_LIMIT // 2 - 5),
        "末尾在此这里超出了界限",
        "再后来的一段",
        authors=["许剑虹"],
    )
    snapshot = snapshot_of(tmp_path, [full])

    assert ids(snapshot, Literal("末尾在此")) == {1}
    assert ids(snapshot, Literal("末尾在此这里超出了")) == {1}  # 1 + 499,990 + 9 characters
    assert ids(snapshot, Literal("出了界")) == ids(snapshot, Literal("再后来")) == set()
    assert ids(snapshot, Term("text", "剑")) == {1}
    assert snapshot.segments[0].arrays["grams.length"].tolist() == [ARTICLE_LIMIT]


@EXAMPLES
def test_a_literal_is_found_where_its_folded_characters_are_and_nowhere_else(tmp_path_factory, examples):
    @holds(examples, st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=8), st.data())
    def _(rows, data):
        articles = [stored(number, *texts) for number, texts in enumerate(rows)]
        snapshot = snapshot_of(tmp_path_factory.mktemp("literal"), articles, batch=3)
        folded = [[fold(text) for text in texts] for texts in rows]
        for _ in range(8):
            source = data.draw(st.sampled_from(list(chain.from_iterable(folded))) | TEXTS.map(fold))
            start = data.draw(st.integers(0, max(0, len(source) - 1)))
            literal = source[start : start + data.draw(st.integers(1, 9))]
            if not literal:
                continue
            found = {number for number, texts in enumerate(folded) if any(literal in text for text in texts)}
            titled = {number for number, texts in enumerate(folded) if literal in texts[0]}

            assert ids(snapshot, Literal(literal)) == found
            assert ids(snapshot, Literal(literal, "title")) == titled


@EXAMPLES
def test_neither_a_literal_nor_a_phrase_crosses_from_one_block_to_the_next(tmp_path_factory, examples):
    chinese = st.sampled_from(["党建", "业务", "融合", "学习", "检察"])

    @holds(examples, chinese, chinese, st.lists(chinese, max_size=2))
    def _(first, second, others):
        end, start = "甲" + first, second + "乙"
        articles = [
            stored(1, "题", end, start),
            stored(2, end, start),
            stored(3, "题", "".join([end, start, *others])),
        ]
        snapshot = snapshot_of(tmp_path_factory.mktemp("border"), articles)

        assert ids(snapshot, Literal(first + second)) == {3}
        assert ids(snapshot, Phrase("text", (first, second), (0, len(first)))) == {3}
        assert ids(snapshot, Phrase("grams", (first, second), (0, len(first)))) == {3}
