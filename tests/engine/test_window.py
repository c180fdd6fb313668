"""What stands together and what stands first, held against a look at every character."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from kb.engine import window
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.tokens import GRAM_KINDS, texts_of
from kb.engine.tree import Term
from kb.text.segment import Segmenter
from tests.engine.test_contract import stored

SEGMENTER = Segmenter(["公益诉讼"])
WORDS = ["党建", "业务", "融合", "学习", "公益诉讼", "检察", "的", "和", "许", "虹"]
TERMS = (
    Term("text", "公益诉讼"),
    Term("text", "诉讼", 0.5),
    Term("text", "没有"),
    Term("text", "虹"),
    Term("grams", "建业", 0.5),
    Term("grams", "的和", 0.5),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A snapshot of two segments with deletions, and its articles in order."""
    pick = random.Random(5)
    folder = tmp_path_factory.mktemp("window")
    articles = []
    for number in range(1, 90):
        texts = ("".join(pick.choices(WORDS, k=pick.randint(1, 150))) for _ in range(pick.randint(1, 3)))
        articles.append(stored(number, "".join(pick.choices(WORDS, k=3)), *texts, authors=["许虹"]))
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(articles, batch=60)
    writer.seal()
    return open_snapshot(folder), {one.id: one.article for one in articles}


def places(article, term):
    """Where a term begins, counted in characters over the texts of an article with a gap of one between them."""
    start, found = 0, []
    for kind, text in texts_of(article):
        folded = "".join(SEGMENTER.words(text))
        if term.field == "grams" and kind in GRAM_KINDS:
            found += [start + at for at in range(len(folded)) if folded[at : at + 2] == term.word]
        if term.field == "text":
            found += [start + token.position for token in SEGMENTER.tokens(text) if token.word == term.word]
        start += len(folded) + 1
    return found


def weights_of(articles):
    holds = [sum(bool(places(one, term)) for one in articles) for term in TERMS]
    return [
        math.log(1 + (len(articles) - n + 0.5) / (n + 0.5)) * term.boost
        for n, term in zip(holds, TERMS, strict=True)
    ]


def shares(weights, article):
    """The best passage and the beginning of an article, by trying every place."""
    at = [places(article, term) for term in TERMS]

    def within(first, size):
        inside = [any(first <= one < first + size for one in of_term) for of_term in at]
        return sum(weight for weight, is_in in zip(weights, inside, strict=True) if is_in) / sum(weights)

    best = max((within(one, window.TOGETHER) for of_term in at for one in of_term), default=0.0)
    return best, within(0, window.FIRST)


def test_the_best_passage_and_the_beginning_are_those_that_a_look_at_every_place_finds(library):
    snapshot, articles = library
    docs = np.arange(snapshot.docs)[::-1].copy()
    scores, weights = np.ones(len(docs)), weights_of(articles.values())

    made = window.rerank(snapshot, docs, scores, TERMS)
    expected = [shares(weights, articles[int(snapshot.article_ids[doc])]) for doc in docs]
    raised = [1 + window.TOGETHER_SHARE * best + window.FIRST_SHARE * first for best, first in expected]

    assert len(snapshot.segments) == 2
    assert len(set(made.tolist())) > 10
    assert made.tolist() == pytest.approx(raised)


def test_a_document_asked_for_twice_or_without_any_term_is_no_worse(library):
    snapshot, _ = library
    docs = np.array([3, 3, 70])

    once = window.rerank(snapshot, docs, np.array([2.0, 2.0, 0.0]), TERMS)
    nothing = window.rerank(snapshot, docs, np.array([2.0, 1.0, 0.0]), (Term("text", "没有"),))

    assert once[0] == once[1] >= 2.0
    assert nothing.tolist() == [2.0, 1.0, 0.0]
