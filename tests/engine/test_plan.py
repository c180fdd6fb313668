"""A query as typed becomes the tree that finds it."""

from datetime import date

import pytest

from kb.engine import plan
from kb.engine.tree import And, Literal, Named, Not, Or, Phrase, Range, Term
from kb.model import Mark, Query, Word
from kb.query import parse
from kb.text.segment import Segmenter

TODAY = date(2026, 11, 23)
LEXICON = ["三会一课", "党建", "业务", "检察", "工作", "融合", "关系"]


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter(LEXICON)


def word(text):
    """A typed word of one unit."""
    return And((Or((Literal(text), Term("text", text))),))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("党建", word("党建")),
        ("党建 业务", And((word("党建"), word("业务")))),
        ("党建 或 业务", Or((word("党建"), word("业务")))),
        ("党建 -业务", And((word("党建"), Not(word("业务"))))),
        ("“安装简”", Literal("安装简")),
        ("标题:党建", And((Literal("党建", "title"),))),
        ("小标题:“党建”", Literal("党建", "heading")),
        ("作者:周見山", Named("author", "周见山")),
        ("单位:融合业务", And((Named("affiliation", "融合"), Named("affiliation", "业务")))),
        ("单位:“检察工作”", Named("affiliation", "检察工作")),
        ("版次:07版", Named("edition_page", "07版")),
        ("AI", And((Term("text", "ai"),))),
        ("A股", And((Or((And((Term("text", "a"), Literal("a股"))), Phrase("text", ("a", "股"), (0, 1)))),))),
        ("标题:AI", And((And((Term("text", "ai"), Literal("ai", "title"))),))),
        ("日期:2023-08", Range("published", 20230801, 20230831)),
        ("日期:..2023", Range("published", 1, 20231231)),
        ("字数:>2000", Range("body_chars", 2001, plan.MOST_CHARS)),
    ],
)
def test_what_must_hold_is_what_was_typed(segmenter, text, part):
    assert plan.of(parse(text, TODAY), segmenter).part == part


def test_neighbouring_single_characters_are_a_name(segmenter):
    part = plan.of(parse("许剑虹", TODAY), segmenter).part

    assert part == And(
        (Or((Literal("许剑虹"), Phrase("text", ("许", "剑", "虹"), (0, 1, 2)))),)
    ) or part == And((Or((Literal("许剑虹"), Phrase("text", ("许", "剑虹"), (0, 1)))),))


def test_particles_are_not_needed_inside_a_longer_word_but_alone_they_are(segmenter):
    assert plan.of(parse("党建的业务", TODAY), segmenter).part == And(
        (Or((Literal("党建"), Term("text", "党建"))), Or((Literal("业务"), Term("text", "业务"))))
    )
    assert plan.of(parse("的", TODAY), segmenter).part == word("的")


def test_of_a_question_some_words_will_do_when_nothing_has_all(segmenter):
    query = parse("党建业务检察工作融合关系三会一课应该怎样落实推进加强宣传", TODAY)
    strict, loose = plan.of(query, segmenter), plan.of(query, segmenter, "any")

    assert isinstance(strict.part, And)
    assert len(strict.part.parts) == 10
    assert loose.part.parts[-1].minimum == 2
    assert loose.tiers == ()


def test_stop_words_weigh_half(segmenter):
    by = plan.of(parse("党建如何", TODAY), segmenter).by

    assert Term("text", "党建") in by
    assert Term("text", "如何", plan.STOPWORD_BOOST) in by
    assert Term("grams", "如何", plan.GRAM_BOOST * plan.STOPWORD_BOOST) in by


def test_the_order_goes_by_words_and_bigrams_of_what_is_to_be_found(segmenter):
    by = plan.of(parse("三会一课 作者:周见山 -业务", TODAY), segmenter).by

    assert by == (
        Term("text", "三会一课"),
        Term("grams", "三会", plan.GRAM_BOOST),
        Term("grams", "会一", plan.GRAM_BOOST),
        Term("grams", "一课", plan.GRAM_BOOST),
    )


def test_a_synonym_will_do_and_counts_less(segmenter):
    tree = plan.of(Query("党建", Word("党建", also=("业务",))), segmenter)

    assert tree.part == Or((word("党建"), word("业务")))
    assert Term("text", "业务", plan.SYNONYM_BOOST) in tree.by


def test_the_fallback_keeps_all_that_is_no_word_or_phrase(segmenter):
    tree = plan.of(parse("党建 “业务融合” 日期:2023 作者:周见山", TODAY), segmenter, "any")
    pieces = [Or((Literal(text), Term("text", text))) for text in ("党建", "业务", "融合")]

    assert tree.part == And(
        (Range("published", 20230101, 20231231), Named("author", "周见山"), Or(tuple(pieces)))
    )
    assert tree.tiers == (word("党建"), Literal("业务融合"))


@pytest.mark.parametrize("text", ["“党建”", "标题:党建", "党建 与 业务", "党建 -业务", "日期:2023"])
def test_operators_quotation_marks_and_fields_are_never_loosened(segmenter, text):
    query = parse(text, TODAY)

    assert not plan.can_be_loosened(query)
    assert plan.of(query, segmenter, "any") == plan.of(query, segmenter)


def test_what_must_not_be_there_and_names_are_not_marked(segmenter):
    found = plan.marks(parse("党建工作 “业务,融合” 作者:周见山 标题:融合 -检察 日期:2023", TODAY), segmenter)

    assert found == (
        Mark("党建"),
        Mark("工作"),
        Mark("业务融合", is_literal=True),
        Mark("融合", field="title"),
    )


def test_what_only_the_fallback_finds_is_marked_by_its_parts(segmenter):
    query = parse("许剑虹 三会一课制度", TODAY)

    assert [mark.text for mark in plan.marks(query, segmenter, "any")][:2] == [
        mark.text for mark in plan.marks(query, segmenter)
    ][:2]
    assert {"许剑", "剑虹"} <= {mark.text for mark in plan.marks(query, segmenter, "any")}
    assert plan.marks(parse("“许剑虹”", TODAY), segmenter, "any") == (Mark("许剑虹", is_literal=True),)
