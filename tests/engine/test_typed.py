"""What is typed finds exactly the articles that say it, whatever the fields and operators."""

import random
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.engine import open_engine
from kb.model import Article, Author, Block, Page, Quotation, StoredArticle
from kb.query import parse
from kb.text.segment import Segmenter
from scripts.bench.typed_queries import Typist, folded

TODAY = date(2026, 11, 23)
LETTERS = "党建党建业务的張张在A1aé，。 “３.5a-１　簡简"
KINDS = ("paragraph", "paragraph", "heading", "list", "quote", "table", "caption", "note")
PICK = random.Random(11)


def text(most):
    made = "".join(PICK.choices(LETTERS, k=PICK.randint(1, most)))
    return made.strip() or "党"


def maybe(most):
    return text(most) if PICK.random() < 0.6 else None


def article(number):
    kinds = [PICK.choice(KINDS) for _ in range(PICK.randint(0, 4))]
    blocks = tuple(
        Block(f"b{place}", kind, 1 if kind == "heading" else None, text(24))
        for place, kind in enumerate(kinds)
    )
    quotations = []
    for block in blocks:
        start = PICK.randrange(len(block.text))
        words = block.text[start : start + PICK.randint(1, 9)]
        if PICK.random() < 0.4:
            quotations.append(Quotation("某人", "指出", words, block.anchor, start))
    return Article(
        key=str(number),
        source=PICK.choice(("files", "qinghe")),
        title=text(12),
        blocks=blocks,
        kicker=maybe(8),
        subtitle=maybe(8),
        newspaper=PICK.choice((None, "清河日报", "党建A1")),
        published=PICK.choice((None, "2023-01-05", "2023-12-31", "2024-02-29")),
        edition_page=PICK.choice((None, "07", "A01", "05-08")),
        page_name=maybe(4),
        authors=tuple(Author(text(3), "作者") for _ in range(PICK.randint(0, 2))),
        affiliation=maybe(6),
        quotations=tuple(quotations),
    )


ARTICLES = [article(number) for number in range(1, 121)]
SHELF = [folded(number, one) for number, one in enumerate(ARTICLES, 1)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    stored = [
        StoredArticle(one.id, one.id, 1, "normal", raw, None, None, "2026-11-22T00:00:00Z", one.body_chars)
        for one, raw in zip(SHELF, ARTICLES, strict=True)
    ]
    engine = open_engine(tmp_path_factory.mktemp("typed"), Segmenter(["党建", "业务"]))
    engine.rebuild([stored[:50], stored[50:]], seq=120)
    engine.update(stored[40:60], seq=140)
    return engine


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_what_is_typed_finds_exactly_the_articles_that_say_it(engine, seed):
    typed = Typist(SHELF, ARTICLES, random.Random(seed)).query()
    right = {one.id for one in SHELF if typed.found(one)}

    found = engine.find(parse(typed.text, TODAY), Page(limit=200))

    assert (typed.text, found.total, set(found.ids)) == (typed.text, len(right), right)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("版次:07", {"07"}),
        ("版次:7", {"07"}),
        ("版次:７版", {"07"}),
        ("版次:a01", {"A01"}),
        ("版次:5", set()),
    ],
)
def test_an_edition_page_is_found_as_it_is_spoken_of(engine, text, labels):
    found = engine.find(parse(text, TODAY), Page(limit=200))

    assert {ARTICLES[number - 1].edition_page for number in found.ids} == labels
