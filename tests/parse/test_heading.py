"""Kicker, title, subtitle and byline at the top of an article."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ParseError
from kb.parse.heading import Heading, read_heading

TITLE = "基层检察机关党建工作的思考"
KICKER = "学习贯彻党的二十大精神"
TEXT = "各项工作扎实推进，取得明显成效，群众给予好评。"


def _read(*lines: str) -> Heading:
    return read_heading([*lines, TEXT, "一、做法", TEXT], source="example.cn/07")


def _names(head: Heading) -> list[str]:
    return [author.name for author in head.authors]


def test_title_subtitle_and_byline_are_told_apart():
    head = _read(TITLE, "——以青山县人民检察院为例", "■王晓明")

    assert (head.kicker, head.title, head.subtitle) == (None, TITLE, "——以青山县人民检察院为例")
    assert (_names(head), head.lines_used, head.guessed) == (["王晓明"], 3, False)
    assert head.removed == ("■王晓明",)


@pytest.mark.parametrize("dash", ["——", "―", "--", "—", "－－", "── "])
def test_any_dash_opens_a_subtitle(dash: str):
    assert _read(TITLE, f"{dash}以青山县为例", "■王晓明").subtitle == f"{dash}以青山县为例"


def test_a_subtitle_over_two_lines_keeps_both():
    head = _read(TITLE, "——以青山县人民检察院", "未检工作为例", "■王晓明")

    assert head.subtitle == "——以青山县人民检察院\n未检工作为例"


def test_the_line_above_the_title_is_the_kicker():
    with_subtitle = _read(KICKER, TITLE, "——以青山县为例", "■王晓明")
    without = _read(KICKER, TITLE, "■王晓明")

    assert (with_subtitle.kicker, with_subtitle.title) == (KICKER, TITLE)
    assert (without.kicker, without.title) == (KICKER, TITLE)


def test_a_title_may_hold_a_dash_of_its_own():
    assert _read("从一到十——青山县的十年", "■王晓明").title == "从一到十——青山县的十年"


def test_the_halves_of_a_broken_title_are_joined():
    assert _read("抓党建、", "促融合的青山实践", "■王晓明").title == "抓党建、促融合的青山实践"
    assert _read("“党建", "引领”的青山实践", "■王晓明").title == "“党建引领”的青山实践"


def test_a_title_alone_is_enough():
    assert (_read(TITLE).title, _read(TITLE).lines_used) == (TITLE, 1)


def test_two_plain_lines_are_kicker_and_title_and_marked_as_a_guess():
    head = _read(KICKER, TITLE)

    assert (head.kicker, head.title, head.guessed) == (KICKER, TITLE, True)


def test_a_short_line_among_others_in_the_body_is_no_title():
    head = read_heading([TITLE, "提高政治站位", TEXT, "压实工作责任", TEXT, "抓好督促检查", TEXT], source="x")

    assert (head.title, head.lines_used) == (TITLE, 1)


def test_a_unit_beside_the_byline_is_the_affiliation():
    assert _read(TITLE, "■王晓明", "青山县人民检察院").affiliation == "青山县人民检察院"
    assert _read(TITLE, "青山县人民检察院　王晓明").affiliation == "青山县人民检察院"


def test_bare_names_and_an_office_before_a_name_are_a_byline():
    assert _names(_read(TITLE, "王晓明　李四")) == ["王晓明", "李四"]
    assert _names(_read(TITLE, "——在全县会议上", "县长　王晓明")) == ["王晓明"]


def test_a_line_that_says_where_a_speech_was_given_is_a_subtitle_without_a_dash_too():
    head = _read(TITLE, "2023年8月2日在青山县党建工作会议上", "县长　买买提·吐尔逊")

    assert (head.title, head.subtitle) == (TITLE, "2023年8月2日在青山县党建工作会议上")
    assert _names(head) == ["买买提·吐尔逊"]


def test_source_and_date_below_the_title_are_facts():
    head = _read(TITLE, "来源：青山日报 作者：王晓明 时间：2023-08-02")

    assert head.facts == ("来源：青山日报 作者：王晓明 时间：2023-08-02",)
    assert _names(head) == ["王晓明"]


def test_the_occasion_in_brackets_is_a_subtitle_and_a_marker_is_not():
    assert _read(TITLE, "（2023年8月2日）", "王晓明").subtitle == "（2023年8月2日）"
    assert _read(TITLE, "■王晓明", "（上接第1版）").lines_used == 2


@pytest.mark.parametrize(
    "lines",
    [[], [TEXT], ["一、做法", TEXT], ["■王晓明", TEXT], ["……", TEXT], ["字" * 200]],
)
def test_no_title_says_so_in_both_languages(lines: list[str]):
    with pytest.raises(ParseError) as caught:
        read_heading(lines, source="example.cn/07")

    assert caught.value.key == "parse.no_title"
    assert "example.cn/07" in caught.value.words("zh") and "example.cn/07" in caught.value.words("en")


_LINES = st.sampled_from(
    [
        TITLE,
        KICKER,
        TEXT,
        "——以青山县为例",
        "■王晓明",
        "王晓明",
        "青山县人民检察院",
        "（2023年8月2日）",
        "来源：青山日报",
        "一、做法",
        "同志们：",
        "，",
        "《",
    ]
)


@given(st.lists(_LINES, min_size=1, max_size=12))
def test_every_line_above_the_body_is_in_some_field(lines: list[str]):
    try:
        head = read_heading(lines, source="x")
    except ParseError:
        return
    fields = "".join(filter(None, [head.kicker, head.title, head.subtitle, *head.removed])).replace("\n", "")

    assert sorted(fields) == sorted("".join(lines[: head.lines_used]))


@pytest.mark.parametrize("line", ["■王晓明 ■李四", "■王晓明■李四", "◆ 王晓明 ◆ 李四"])
def test_a_line_that_opens_with_a_mark_is_no_title(line: str):
    head = _read(TITLE, line)

    assert (head.title, head.kicker, _names(head)) == (TITLE, None, ["王晓明", "李四"])


def test_a_marked_line_without_names_belongs_to_the_body():
    head = _read(TITLE, "■强化理论学习")

    assert (head.title, head.kicker, head.lines_used) == (TITLE, None, 1)


def test_a_unit_behind_the_mark_is_the_affiliation():
    head = _read(TITLE, "■青山县人民检察院")

    assert (head.title, head.authors, head.affiliation) == (TITLE, (), "青山县人民检察院")


def test_an_author_above_the_title_is_read_and_passed_over():
    head = _read("作者：王晓明", TITLE, "——以青山县为例")

    assert (head.title, head.subtitle, head.lines_used) == (TITLE, "——以青山县为例", 3)
    assert (_names(head), head.removed) == (["王晓明"], ("作者：王晓明",))


@pytest.mark.parametrize(
    "line", ["摘要：本文讨论党建。", "摘　要：本文讨论党建。", "关键词：党建；业务", "来源：青山日报"]
)
def test_an_abstract_or_source_above_the_title_is_passed_over(line: str):
    head = _read(line, TITLE, "■王晓明")

    assert (head.title, head.kicker, _names(head)) == (TITLE, None, ["王晓明"])
    assert head.removed == (line, "■王晓明")


@pytest.mark.parametrize("title", ["作者单位与署名规范刍议", "编者按与本刊评论", "发布日期背后的时效观"])
def test_words_of_the_page_may_open_a_title(title: str):
    assert _read(title, "■王晓明").title == title
    assert _read(title).title == title


@pytest.mark.parametrize("line", ["分享到：微信", "点击量 33", "字数：2331", "http://www.qingshan.example/a"])
def test_tools_below_the_title_are_furniture(line: str):
    head = _read(TITLE, "——以青山县为例", line, "■王晓明")

    assert (head.title, head.subtitle, _names(head)) == (TITLE, "——以青山县为例", ["王晓明"])
    assert line in head.removed


def test_labels_of_kicker_title_and_subtitle_are_no_part_of_them():
    head = _read(f"引题：{KICKER}", f"标题：{TITLE}", "副题：以青山县为例", "■王晓明")

    assert (head.kicker, head.title, head.subtitle) == (KICKER, TITLE, "以青山县为例")


def test_a_numbered_section_below_the_title_is_body():
    assert _read(TITLE, "第一、提高政治站位").lines_used == 1
