"""Highlights on exactly the matched characters, and the best passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Block, Mark
from kb.text import snippet
from kb.text.normalize import fold, fold_with_map


def words(terms):
    return tuple(Mark(folded) for term in terms if (folded := fold(term)))


def runs(text, terms):
    return snippet.runs(text, words(terms))


def passage(blocks, terms, chars):
    found = snippet.passage(blocks, words(terms), chars)
    return found.anchor, found.runs


def marked(found):
    return [run.text for run in found if run.matched]


def whole(found):
    return "".join(run.text for run in found)


def blocks(*texts, kind="paragraph"):
    return [Block(f"b{i}", kind, None, text) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "terms", "marks"),
    [
        ("县里的檢察機關抓党建", ["检察机关", "党建"], ["檢察機關", "党建"]),
        ("处理好关系，坚持到底", ["关系,坚持"], ["关系，坚持"]),
        ("党建业务两促进", ["党建", "业务"], ["党建业务"]),
        ("党建引领,党建先行", ["党建", "党建引领"], ["党建引领", "党建"]),
        ("Ａ-１２号文件", ["a-12"], ["Ａ-１２"]),
        ("党\u200b建", ["党建"], ["党\u200b建"]),
        ("email 和 AI 与 MAIL", ["ai", "mail"], ["AI", "MAIL"]),
        ("2023年与20231012", ["2023"], ["2023"]),
        ("use AI now", ["ai"], ["AI"]),
        ("哈哈哈", ["哈哈"], ["哈哈哈"]),
        ("没有", ["党建"], []),
        ("有标点，。", ["，。"], []),
    ],
)
def test_marks_lie_on_the_matched_characters_and_never_on_neighbours(text, terms, marks):
    found = runs(text, terms)

    assert marked(found) == marks
    assert whole(found) == text


def test_a_literal_is_marked_also_inside_a_latin_word():
    found = snippet.runs("email 和 AI", (Mark("ai", is_literal=True),))

    assert marked(found) == ["ai", "AI"]


def test_what_was_asked_of_a_field_is_marked_only_there():
    marks = (
        Mark("党建"),
        Mark("标题词", field="title"),
        Mark("小标题", field="heading"),
        Mark("正文", field="body"),
    )

    assert [mark.text for mark in snippet.marked_in(marks, "title")] == ["党建", "标题词"]
    assert [mark.text for mark in snippet.marked_in(marks, "heading")] == ["党建", "小标题", "正文"]
    assert [mark.text for mark in snippet.marked_in(marks, "paragraph")] == ["党建", "正文"]
    assert [mark.text for mark in snippet.marked_in(marks, "caption")] == ["党建"]


TEXTS = st.text(alphabet="党建業务A1２，. ①ﬁ\u200b", max_size=30)


@given(TEXTS, st.lists(st.text(alphabet="党建业务A1２，. ", max_size=4), max_size=4))
def test_runs_lose_nothing_and_mark_only_what_folds_to_terms(text, terms):
    found = runs(text, terms)

    assert whole(found) == text
    assert all(run.text for run in found)
    assert all(_covered(run.text, terms) for run in found if run.matched)


def _covered(text, terms):
    """Every character of a mark lies in some occurrence of a term, or is a mark or space between."""
    folded, origins = fold_with_map(text)
    hit = set()
    for term in filter(None, map(fold, terms)):
        for at in range(len(folded)):
            if folded.startswith(term, at):
                hit.update(origins[at : at + len(term)])
    return hit >= set(origins)


@given(TEXTS, st.text(alphabet="党建业务", min_size=1, max_size=4))
def test_a_chinese_term_is_marked_exactly_when_folding_finds_it(text, term):
    found = runs(text, [term])

    assert bool(marked(found)) == (fold(term) in fold(text))


def test_the_passage_is_the_block_with_most_of_the_words():
    text = blocks("开头一段没有那些字。", "只提到党建的一段。", "党建与业务深度融合的一段。", "业务的一段。")
    anchor, found = passage(text, ["党建", "业务", "融合"], 120)

    assert anchor == "b2"
    assert marked(found) == ["党建", "业务", "融合"]


def test_a_paragraph_is_shown_rather_than_a_heading_with_the_same_words():
    heading = Block("h1", "heading", 1, "一、党建与业务")
    anchor, _ = passage([heading, *blocks("抓好党建,促进业务。")], ["党建", "业务"], 120)

    assert anchor == "b0"


def test_a_long_block_is_cut_around_the_words_at_the_beginning_of_a_sentence():
    text = "前面的话说了很久。" * 30 + "支部带头抓党建,业务一起推。" + "后面的话也不少。" * 30
    anchor, found = passage(blocks(text), ["党建", "业务"], 120)

    assert anchor == "b0"
    assert marked(found) == ["党建", "业务"]
    assert 80 <= len(whole(found)) <= 130
    assert whole(found) in text
    assert whole(found).startswith(("前面", "支部"))


def test_the_head_of_the_first_paragraph_stands_in_when_no_block_has_a_word():
    heading = Block("h1", "heading", 1, "一、缘起")
    anchor, found = passage([heading, *blocks("第一段。" * 60)], ["党建"], 120)

    assert anchor is None
    assert whole(found) == ("第一段。" * 60)[:120]
    assert passage([], ["党建"], 120) == (None, ())


def test_a_block_with_the_letters_of_a_latin_term_inside_a_word_is_passed_over():
    anchor, found = passage(blocks("请发email来。", "学习AI知识。"), ["ai"], 120)

    assert anchor == "b1"
    assert marked(found) == ["AI"]


@given(
    st.lists(st.text(alphabet="党建业务一二，。 ", max_size=80), max_size=5),
    st.lists(st.sampled_from(["党建", "业务", "建业", "一", "党建，业务"]), max_size=3),
    st.integers(5, 60),
)
def test_a_passage_is_always_a_piece_of_its_block(texts, terms, chars):
    anchor, found = passage(blocks(*texts), terms, chars)
    held = texts[int(anchor[1:])] if anchor else "".join(texts[:1])

    assert whole(found) in held
    assert len(whole(found)) <= chars + 30
    assert bool(marked(found)) == (anchor is not None)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("党建" + "甲" * 90, (False, True)),
        ("甲" * 90 + "党建", (True, False)),
        ("甲" * 90 + "党建" + "甲" * 90, (True, True)),
        ("抓好党建", (False, False)),
        ("甲" * 9, (False, False)),
    ],
)
def test_a_passage_says_at_which_ends_its_block_goes_on(text, cut):
    found = snippet.passage(blocks(text), words(["党建"]), 40)

    assert (found.is_cut_before, found.is_cut_after) == cut
