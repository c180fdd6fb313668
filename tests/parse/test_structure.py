"""Body lines to blocks, and the fields that stand among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Author
from kb.parse.outline import Kind
from kb.parse.structure import Body, read_blocks, read_body
from kb.text.fingerprint import anchors

TEXT = "各项工作扎实推进，取得明显成效，群众给予好评。"


def _texts(body: Body) -> list[str]:
    return [block.text for block in body.blocks]


def _names(body: Body) -> list[str]:
    return [author.name for author in body.authors]


def test_blocks_have_kinds_levels_and_the_anchors_of_their_texts():
    lines = [TEXT, "一、做法", "（一）学习", "一是加强政治建设。各支部认真学习。", "二、体会", TEXT]
    body = read_body(lines)

    assert [(block.kind, block.level, block.run_in) for block in body.blocks] == [
        ("paragraph", None, 0),
        ("heading", 1, 0),
        ("heading", 2, 0),
        ("paragraph", None, 9),
        ("heading", 1, 0),
        ("paragraph", None, 0),
    ]
    assert [block.anchor for block in body.blocks] == anchors(lines)
    assert _texts(body) == lines


def test_a_unit_and_editors_leave_the_end_of_the_text():
    body = read_body([TEXT, TEXT, "（作者单位：青山县人民检察院）", "责任编辑：赵六　校对：钱七"])

    assert (_texts(body), body.affiliation) == ([TEXT, TEXT], "青山县人民检察院")
    assert body.editors == ("责任编辑：赵六　校对：钱七",)
    assert body.removed == ("（作者单位：青山县人民检察院）", "责任编辑：赵六　校对：钱七")


def test_a_unit_whose_bracket_closes_on_a_later_line_is_read_whole():
    body = read_body([TEXT, "（作者单位：青山县人民检察院；", "绿水县人民法院）"])

    assert (_texts(body), body.affiliation) == ([TEXT], "青山县人民检察院；绿水县人民法院")


@pytest.mark.parametrize("line", ["■王晓明", "（王晓明）", "本报记者 王晓明", "（作者：王晓明）", "王晓明"])
def test_a_byline_below_the_text_leaves_it(line: str):
    body = read_body([TEXT, TEXT, line])

    assert (_names(body), _texts(body)) == (["王晓明"], [TEXT, TEXT])


@pytest.mark.parametrize("line", ["■王晓明", "本报记者 王晓明", "王晓明"])
def test_a_byline_above_the_text_leaves_it(line: str):
    body = read_body([line, TEXT, TEXT])

    assert (_names(body), _texts(body)) == (["王晓明"], [TEXT, TEXT])


def test_a_signature_stays_when_the_author_is_known():
    body = read_body([TEXT, "王晓明"], authors=(Author("李四", "作者"),))

    assert (_texts(body), _names(body)) == ([TEXT, "王晓明"], ["李四"])


def test_a_subtitle_that_opens_the_body_leaves_it_and_items_with_dashes_stay():
    body = read_body(["——以青山县为例", "■王晓明", TEXT, "——坚持党建引领，不断取得新成效。"])

    assert (body.subtitle, _names(body)) == ("——以青山县为例", ["王晓明"])
    assert _texts(body) == [TEXT, "——坚持党建引领，不断取得新成效。"]


def test_pictures_above_the_byline_are_passed_over():
    body = read_body(["图为学习现场。", "本报记者 赵六 摄", "本报记者 王晓明", TEXT])

    assert (_names(body), [block.kind for block in body.blocks]) == (
        ["王晓明"],
        ["caption", "caption", "paragraph"],
    )


@pytest.mark.parametrize(
    ("lines", "texts", "continues"),
    [
        ([TEXT, "（下转第3版）"], [TEXT], "下转第3版"),
        ([TEXT, "▶▶下转A03版"], [TEXT], "下转A03版"),
        ([TEXT, f"{TEXT}（下转03版）"], [TEXT, TEXT], "下转03版"),
        (["（上接第1版）", TEXT], [TEXT], "上接第1版"),
        ([f"（紧接第一版）{TEXT}", TEXT], [TEXT, TEXT], "紧接第一版"),
        ([TEXT, "更多报道见第3版。"], [TEXT, "更多报道见第3版。"], None),
    ],
)
def test_a_marker_leaves_the_text_and_is_kept_as_printed(
    lines: list[str], texts: list[str], continues: str | None
):
    body = read_body(lines)

    assert (_texts(body), body.continues) == (texts, continues)


def test_names_and_units_inside_the_text_are_read_and_left_there():
    lines = ["本报讯（记者 王晓明）近日，青山县召开会议。", "会议取得圆满成功。（作者单位：青山县委办）"]
    body = read_body(lines)

    assert (_names(body), body.affiliation, _texts(body)) == (["王晓明"], "青山县委办", lines)


def test_rows_of_a_table_become_one_block():
    kinds = {1: Kind("table"), 2: Kind("table")}
    body = read_body([TEXT, "年份\t件数", "2023\t12", TEXT], marked_up=kinds)

    assert _texts(body) == [TEXT, "年份\t件数\n2023\t12", TEXT]


def test_mark_up_follows_its_lines_when_others_leave_the_text():
    body = read_body(["■王晓明", "学习", TEXT], marked_up={1: Kind("heading", 2)})

    assert [(block.kind, block.level) for block in body.blocks] == [("heading", 2), ("paragraph", None)]


def test_no_lines_make_an_empty_body():
    assert read_body([]) == Body(())


_LINES = st.one_of(
    st.sampled_from(
        [
            TEXT,
            "■王晓明",
            "（作者单位：甲院）",
            "责编：李四",
            "（下转第3版）",
            "一、做法",
            "王晓明",
            "——题",
            "图为现场。",
            "甲院）",
        ]
    ),
    st.text(alphabet="一、（）(1).①是。；■记者张三单位：作者 版转下第摄“”", min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool),
)


@given(st.lists(_LINES, max_size=12))
def test_no_character_of_the_text_is_lost(lines: list[str]):
    body = read_body(lines)
    kept = [*_texts(body), *body.removed]
    markers = body.continues or ""

    assert _without_brackets("".join(lines)) <= _without_brackets("".join([*kept, markers]))
    if body.continues is None:
        assert sorted(kept) == sorted(lines)


@given(st.lists(_LINES, max_size=12))
def test_an_archive_keeps_every_line_as_it_is(lines: list[str]):
    assert [block.text for block in read_blocks(lines, archive=True)] == lines


def _without_brackets(text: str) -> set[tuple[str, int]]:
    """Every character with its number, so that <= compares counts; the brackets and blanks of a marker may go."""
    seen: dict[str, int] = {}
    counted = set()
    for char in text:
        if char not in "（）()【】[] ▶►；":
            seen[char] = seen.get(char, 0) + 1
            counted.add((char, seen[char]))
    return counted


def test_a_marker_above_many_closing_lines_leaves_no_empty_block():
    body = read_body([TEXT, "（下转第3版）", *["■王晓明"] * 4])

    assert (_texts(body), body.continues) == ([TEXT], "下转第3版")


@pytest.mark.parametrize(
    ("lines", "unit", "continues"),
    [
        (["（作者单位：青山县人民检察院）。"], "青山县人民检察院", None),
        (["(作者单位:青山县人民检察院)(下转第4版)"], "青山县人民检察院", "下转第4版"),
        (["(作者单位:青山县人民检察院"], "青山县人民检察院", None),
    ],
)
def test_a_unit_leaves_the_text_however_its_brackets_stand(
    lines: list[str], unit: str, continues: str | None
):
    body = read_body([TEXT, TEXT, *lines])

    assert (_texts(body), body.affiliation, body.continues) == ([TEXT, TEXT], unit, continues)


def test_names_beside_the_unit_are_the_authors_where_none_are_known():
    line = "（作者王晓明系青山县人民检察院检察长）"

    assert _names(read_body([TEXT, line])) == ["王晓明"]
    assert _names(read_body([TEXT, line], authors=(Author("李四", "作者"),))) == ["李四"]


def test_a_list_with_marks_is_no_byline():
    lines = [TEXT, "• 加强学习", "• 抓好落实"]

    assert _texts(read_body(lines)) == lines


def test_an_abstract_above_the_byline_stays_and_the_byline_is_read():
    body = read_body(["摘要：本文讨论党建。", "■王晓明", TEXT])

    assert (_names(body), _texts(body)) == (["王晓明"], ["摘要：本文讨论党建。", TEXT])


def test_the_unit_of_a_measure_is_no_affiliation() -> None:
    body = read_body(["（单位：万元）", "青石县全年投入资金三百万元，办成实事十二件。"])

    assert body.affiliation is None
    assert body.blocks[0].text == "（单位：万元）"
