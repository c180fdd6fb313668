"""A query written out as a line reads as the same query."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kb.errors import QueryError
from kb.model import And, Not, Or, Phrase, Query, Word
from kb.query import parse
from kb.rewriting import all_of, both, limited, line, typed, without_one
from kb.text.normalize import fold

TODAY = date(2026, 11, 23)
PIECES = (
    "党建 业务 “深度　融合” 「“内”容」 与 或 非 - ( ) （ ） 标题: 作者： 版次: 日期: 近三个月 2023-01..2023-06 字数: >2000 AI"
    " 3.5 1,000 a:b http://x.cn/1 -- OR C++ 《法》 x－y ﹁ab﹂ 日期:“2023年”".split(" ")
)
pieces = st.lists(st.sampled_from(PIECES), max_size=9)
lines = pieces.map(" ".join) | pieces.map("".join) | st.text(max_size=12)


def read(text: str) -> Query:
    return parse(text, TODAY)


@given(lines)
def test_a_line_reads_as_the_query_it_was_made_of(text):
    try:
        query = read(text)
    except QueryError:
        assume(False)

    assert read(line(query.root)).root == query.root


@given(lines, st.sampled_from([None, "title", "author"]))
def test_what_is_typed_into_a_form_has_no_meaning_but_its_words(text, field):
    words = [word for word in typed(text, field) if fold(word.text)]
    root = all_of(words)
    assume(root is not None and len(words) <= 30)
    found = read(line(root)).root
    parts = found.parts if isinstance(found, And) else (found,)

    assert {(type(part), fold(part.text), part.field) for part in parts} == {
        (type(word), fold(word.text), word.field) for word in words
    }


def test_a_scope_holds_what_names_no_field():
    root = limited(read("党建 作者:张三 -(“业务” 或 日期:2023)").root, "title")

    assert line(root) == "标题:党建 作者:张三 非 (标题:“业务” 或 日期:2023)"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("党建", "业务", "党建 业务"),
        ("党建 或 党务", "业务", "(党建 或 党务) 业务"),
        ("党建", "甲 OR 乙", "党建 (甲 OR 乙)"),
    ],
)
def test_two_lines_become_one_that_finds_what_both_find(first, second, expected):
    assert both(first, second) == expected


def test_each_part_can_be_dropped_but_not_the_only_one():
    assert [(line(part), line(left)) for part, left in without_one(read("党建 标题:融合 非 培训").root)] == [
        ("党建", "标题:融合 非 培训"),
        ("标题:融合", "党建 非 培训"),
        ("非 培训", "党建 标题:融合"),
    ]
    assert without_one(Word("党建")) == without_one(Or((Word("甲"), Not(Phrase("乙"))))) == []
