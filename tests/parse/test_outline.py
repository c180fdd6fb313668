"""Headings, lists, captions and notes of a body, told by number and sequence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.parse.outline import Kind, classify, is_caption, run_in_chars

TEXT = "各项工作扎实推进，取得明显成效，群众给予好评。"


def _levels(*lines: str, continued: bool = False) -> list[int | None]:
    return [kind.level for kind in classify(lines, continued=continued)]


def _kinds(*lines: str) -> list[str]:
    return [kind.kind for kind in classify(lines)]


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ("一、提高认识", "二、狠抓落实", 1),
        ("一．提高认识", "二．狠抓落实", 1),
        ("第一章 总则", "第二章 附则", 1),
        ("第一部分 提高认识", "第二部分 狠抓落实", 1),
        ("第一节 学习", "第二节 实践", 2),
        ("（一）学习", "（二）实践", 2),
        ("(一)学习", "(二)实践", 2),
        ("㈠学习", "㈡实践", 2),
        ("1.学习", "2.实践", 3),
        ("1．学习", "2．实践", 3),
        ("1、学习", "2、实践", 3),
        ("1）学习", "2）实践", 3),
        ("（1）学习", "（2）实践", 3),
        ("①学习", "②实践", 3),
        ("## 学习", "## 实践", 2),
    ],
)
def test_the_style_of_a_number_gives_the_level(first: str, second: str, level: int):
    assert _levels(first, TEXT, second, TEXT) == [level, None, level, None]


@pytest.mark.parametrize(
    "line",
    [
        "一、各级党组织要提高政治站位，加强组织领导，压实工作责任，确保各项部署不折不扣落到实处、见到成效",
        "一、提高认识。",
        "1.5亿元资金已经拨付到位",
        "2023.年度重点工作",
        "一二三四五",
        "、提高认识",
        "一、",
    ],
)
def test_a_line_that_only_looks_numbered_is_no_heading(line: str):
    assert _kinds(line, TEXT) == ["paragraph", "paragraph"]


def test_numbers_must_follow_each_other():
    assert _levels("一、认识", TEXT, "五、六月间的安排", TEXT, "二、落实", TEXT) == [
        1,
        None,
        None,
        None,
        1,
        None,
    ]
    assert _levels("三、四月间抢种抢收", TEXT) == [None, None]


def test_a_higher_level_starts_the_lower_ones_anew():
    lines = ("一、认识", "（一）甲", TEXT, "（二）乙", TEXT, "二、落实", "（一）丙", TEXT, "1.丁", TEXT)

    assert _levels(*lines) == [1, 2, None, 2, None, 1, 2, None, 3, None]


def test_a_text_that_goes_on_from_another_page_may_begin_with_three():
    assert _levels("三、落实", TEXT, continued=True) == [1, None]
    assert _levels("三、落实", TEXT) == [None, None]


def test_a_run_in_heading_is_a_paragraph_with_the_length_of_its_first_sentence():
    lines = [
        "一是加强政治建设。各支部认真学习。",
        "第二，压实责任。层层传导。",
        "首先，抓学习。学深悟透。",
        "一、强化引领。组织学习。",
    ]

    assert [(kind.kind, kind.run_in) for kind in classify(lines)] == [
        ("paragraph", 9),
        ("paragraph", 8),
        ("paragraph", 7),
        ("paragraph", 7),
    ]


def test_a_first_sentence_that_is_long_or_alone_is_no_run_in_heading():
    assert run_in_chars("一是加强政治建设。") == 0
    assert run_in_chars("一是" + "认真贯彻落实上级各项决策部署" * 4 + "。其他。") == 0
    assert run_in_chars("一是加强，二是改进，三是提高") == 0


def test_items_that_end_with_semicolons_are_a_list():
    assert _kinds("（一）身份证明；", "（二）居住证明；", "（三）其他材料。") == ["list", "list", "list"]
    assert _kinds("● 学习材料", "• 会议记录") == ["list", "list"]


def test_numbered_lines_without_text_between_them_are_a_list_of_contents():
    lines = ("一、认识", "二、做法", "三、体会", "一、认识", TEXT, "二、做法", TEXT)

    assert _kinds(*lines) == ["list", "list", "list", "heading", "paragraph", "heading", "paragraph"]


def test_captions_and_notes_are_set_apart():
    assert is_caption("图为干警在社区宣讲。")
    assert is_caption("青山县召开大会。 本报记者 王小明 摄")
    assert not is_caption("活动被全程拍摄")
    assert _kinds("编者按", "今年以来各地扎实推进。", TEXT) == ["note", "note", "paragraph"]
    assert _kinds("编者按：今年以来各地扎实推进。", TEXT) == ["note", "paragraph"]


def test_an_archive_knows_headings_and_paragraphs_only():
    lines = ["图为现场。", "编者按：好。", "● 材料", "（一）证明；", "一、认识", TEXT, "二、落实", TEXT]

    assert {kind.kind for kind in classify(lines, archive=True)} == {"heading", "paragraph"}


def test_mark_up_overrules_the_words_except_for_paragraphs_set_as_headings():
    lines = ["学习", TEXT, "年份\t件数", "引文", TEXT]
    marked_up = {0: Kind("heading"), 1: Kind("heading"), 2: Kind("table"), 3: Kind("quote")}

    assert [(kind.kind, kind.level) for kind in classify(lines, marked_up=marked_up)] == [
        ("heading", 1),
        ("paragraph", None),
        ("table", None),
        ("quote", None),
        ("paragraph", None),
    ]


def test_an_unnumbered_heading_lies_below_the_numbered_one_above_it():
    lines = ["一、做法", "学习", TEXT, "二、体会", TEXT]

    assert [kind.level for kind in classify(lines, marked_up={1: Kind("heading")})] == [1, 2, None, 1, None]


_LINES = (
    st.text(alphabet="一二三十百第章、（）()1.5①㈠是。；，#图为编者按●摄 学习", min_size=1, max_size=50)
    .map(str.strip)
    .filter(bool)
)


@given(st.lists(_LINES, max_size=12), st.booleans())
def test_every_line_gets_a_kind_and_only_headings_a_level(lines: list[str], archive: bool):
    kinds = classify(lines, archive=archive)

    assert len(kinds) == len(lines)
    assert all((kind.level is not None) == (kind.kind == "heading") for kind in kinds)
    assert all(0 <= kind.run_in < len(line) for kind, line in zip(kinds, lines, strict=True))


def test_full_width_numbers_are_those_of_headings():
    lines = ["１．提高站位", TEXT, "２．强化担当", TEXT]

    assert [kind.level for kind in classify(lines)] == [3, None, 3, None]


def test_ordinals_in_a_row_are_headings_where_no_others_are_of_the_first_level():
    lines = ["第一、提高站位", TEXT, "第二、强化担当", TEXT]

    assert [kind.level for kind in classify(lines)] == [1, None, 1, None]
    assert [kind.level for kind in classify(["一、做法", *lines])] == [1, None, None, None, None]


@pytest.mark.parametrize(
    "lines",
    [
        ["第一、提高站位。", TEXT, "第二、强化担当。", TEXT],
        ["第一、第二产业融合", TEXT, "第二、第三产业融合", TEXT],
        ["第一、提高站位", TEXT],
        ["第一、提高站位", "第二、强化担当", TEXT],
        ["第二、提高站位", TEXT, "第一、强化担当", TEXT],
    ],
)
def test_other_ordinals_are_no_headings(lines: list[str]):
    assert all(kind.kind == "paragraph" for kind in classify(lines))
