"""Bylines, datelines, credits, units: who wrote it and where they work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Author
from kb.parse.affiliation import affiliation_at_end, read_affiliation
from kb.parse.byline import (
    is_bare_names,
    is_credit_line,
    is_editors_line,
    is_photo_credit,
    names_at_end,
    names_in_dateline,
    read_author_field,
    read_credit,
)
from kb.parse.names import is_name, may_be_name, split_names


def read_byline(text: str) -> tuple[Author, ...]:
    return read_credit(text).authors


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(author.name, author.role) for author in read_byline(text)]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("■王晓明", ["王晓明"]),
        ("□ 王晓明　李 华", ["王晓明", "李华"]),
        ("■张　三、李四", ["张三", "李四"]),
        ("◆张三李四王小五", ["张三", "李四", "王小五"]),
        ("●欧阳明月 上官飞", ["欧阳明月", "上官飞"]),
        ("■买买提·吐尔逊", ["买买提·吐尔逊"]),
        ("■扎西次仁 阿依古丽", ["扎西次仁", "阿依古丽"]),
        ("■木子", ["木子"]),
        ("作者：张三，李四", ["张三", "李四"]),
        ("（张三　李四）", ["张三", "李四"]),
        ("张三", ["张三"]),
    ],
)
def test_names_are_read_however_they_are_set(line: str, names: list[str]):
    assert _pairs(line) == [(name, "作者") for name in names]


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("本报记者 张三 通讯员 李四 王五", [("张三", "记者"), ("李四", "通讯员"), ("王五", "通讯员")]),
        ("本报全媒体记者张三 特约通讯员李四", [("张三", "记者"), ("李四", "通讯员")]),
        ("本报驻青山记者 赵 六 本报驻绿水记者 钱七", [("赵六", "记者"), ("钱七", "记者")]),
        ("青山日报融媒体记者 张三", [("张三", "记者")]),
        ("【本报记者 张三】", [("张三", "记者")]),
        ("■文/图 张三", [("张三", "文/图")]),
        ("张三 文/图", [("张三", "文/图")]),
        ("文/张三 图/李四", [("张三", "文"), ("李四", "图")]),
        ("张三/文 李四/图", [("张三", "文"), ("李四", "图")]),
        ("口述：张三 整理：李四", [("张三", "口述"), ("李四", "整理")]),
        ("执笔：张三", [("张三", "执笔")]),
        ("张三 摄", [("张三", "摄")]),
        ("本报评论员", [("本报评论员", "评论员")]),
        ("■本报评论员 张三", [("张三", "评论员")]),
        ("县长　张三", [("张三", "作者")]),
        ("来源：青山日报 作者：张三 时间：2023-08-02 08:15", [("张三", "作者")]),
    ],
)
def test_roles_go_to_the_names_they_belong_to(line: str, pairs: list[tuple[str, str]]):
    assert _pairs(line) == pairs


@pytest.mark.parametrize(
    "line",
    [
        "记者了解到",
        "记者从县检察院",
        "记者手记",
        "记者：请谈谈体会",
        "作者简介",
        "责编：张三",
        "■法治时评",
        "■ 加强学习",
        "■2023年",
        "核心阅读",
        "党建",
        "张三说，这里变了。",
        "——以青山县为例",
        "",
    ],
)
def test_what_is_no_byline_gives_no_names(line: str):
    assert read_byline(line) == ()


def test_a_unit_beside_a_name_is_the_affiliation():
    before = read_credit("■青山县人民检察院 王晓明")
    behind = read_credit("■王晓明（青山县人民检察院） 李四（绿水县人民法院）")

    assert (before.affiliation, [author.name for author in before.authors]) == (
        "青山县人民检察院",
        ["王晓明"],
    )
    assert (behind.affiliation, len(behind.authors)) == ("青山县人民检察院；绿水县人民法院", 2)


def test_a_line_counts_as_a_byline_only_when_something_sets_it_off():
    assert is_credit_line("■王晓明")
    assert is_credit_line("本报记者 王晓明")
    assert not is_credit_line("王晓明")
    assert is_bare_names("王晓明 李四")
    assert not is_bare_names("方法")


def test_an_author_field_keeps_what_is_no_name_as_printed():
    assert [author.name for author in read_author_field("孟祥一;黄发二；刘 三")] == [
        "孟祥一",
        "黄发二",
        "刘三",
    ]
    assert [author.name for author in read_author_field("A. Writer;青山网")] == ["A. Writer", "青山网"]
    assert read_author_field(" ; ") == ()


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("本报讯（记者 张三 通讯员 李四）近日，青山县召开会议。", ["张三", "李四"]),
        ("本报青山5月1日电　（记者张三、李四）青山县昨日举行活动。", ["张三", "李四"]),
        ("本报讯 通讯员张三 记者李四 近日，青山县召开会议。", ["张三", "李四"]),
        ("本报讯（张三）近日，青山县召开会议。", ["张三"]),
        ("近日，青山县（记者所在地）召开会议。", []),
        ("会议（张三主持）在青山县召开。", []),
    ],
)
def test_names_are_read_from_a_dateline(paragraph: str, names: list[str]):
    assert [author.name for author in names_in_dateline(paragraph)] == names


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("工作迈上新台阶。（张三　李四）", ["张三", "李四"]),
        ("工作迈上新台阶。(文/图 张三)", ["张三"]),
        ("（本报青山5月1日电　记者张三、李四）", ["张三", "李四"]),
        ("工作迈上新台阶。（完）", []),
        ("工作迈上新台阶。（全文完）", []),
        ("工作迈上新台阶。（张三系化名）", []),
        ("活动现场。（记者 张三 摄）", []),
    ],
)
def test_names_are_read_behind_the_last_sentence(paragraph: str, names: list[str]):
    assert [author.name for author in names_at_end(paragraph)] == names


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("(作者单位:青山县人民检察院)", "青山县人民检察院"),
        ("（作者单位：青山县人民检察院）", "青山县人民检察院"),
        ("【作者单位：青山县人民检察院】", "青山县人民检察院"),
        ("作者单位：青山县人民检察院", "青山县人民检察院"),
        ("作者单位 青山县人民检察院", "青山县人民检察院"),
        ("（作者单位：青山县检察院；绿水县法院）", "青山县检察院；绿水县法院"),
        ("（作者单位分别为青山县检察院、绿水县法院）", "青山县检察院、绿水县法院"),
        ("（作者系青山县检察院党组书记、检察长）", "青山县检察院党组书记、检察长"),
        ("（作者均来自青山县委党校）", "青山县委党校"),
        ("（作者单位：青山县检察院（第一检察部））", "青山县检察院（第一检察部）"),
        ("作者单位：青山县检察院（第一检察部）", "青山县检察院（第一检察部）"),
        ("（作者单位：青山县检察院）责编：张三", "青山县检察院"),
        ("作者：张三", None),
        ("作者是谁？读者都想知道。他没有说", None),
        ("（作者单位：青山县检察院；", None),
        ("（作者单位：）", None),
    ],
)
def test_the_unit_is_read_as_printed(line: str, unit: str | None):
    assert read_affiliation(line) == unit


def test_a_unit_that_closes_a_paragraph_is_found():
    assert affiliation_at_end("取得新成效。（作者单位：青山县人民法院）") == "青山县人民法院"
    assert affiliation_at_end("取得新成效（作者单位另行通知）。") is None


def test_editors_and_photographers_are_no_authors():
    assert is_editors_line("本版责编：张三 校对：李四")
    assert is_editors_line("(视频编辑：张三 文字编辑：李四)")
    assert not is_editors_line("编辑部的一天")
    assert is_photo_credit("本报记者 张三 摄")
    assert not is_photo_credit("张三 文 李四 摄")


def test_joined_names_are_cut_where_surnames_stand():
    assert split_names("王小明李四") == ["王小明", "李四"]
    assert split_names("青山县检察院") == []
    assert is_name("诸葛小亮") and not is_name("全媒体")
    assert may_be_name("木子") and not may_be_name("学习")


@given(st.text(alphabet="张三李四 　记者文图摄/／：（）【】■;、作者单位本报通讯员·院\n", max_size=40))
def test_no_line_makes_the_reader_fail(line: str):
    credit = read_credit(line)
    names_in_dateline(line)
    names_at_end(line)
    read_affiliation(line)

    assert all(author.name and author.role for author in credit.authors)


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("■石磊 ■吴丹", [("石磊", "作者"), ("吴丹", "作者")]),
        ("■王晓明■李四", [("王晓明", "作者"), ("李四", "作者")]),
        ("◆ 王晓明 ◆ 李四", [("王晓明", "作者"), ("李四", "作者")]),
        ("■ ■王晓明", [("王晓明", "作者")]),
        ("■王晓明（苗族）", [("王晓明", "作者")]),
        ("■王晓明(布依族) 李四（女）", [("王晓明", "作者"), ("李四", "作者")]),
        ("本报见习记者 王晓明", [("王晓明", "记者")]),
        ("见习记者 王晓明", [("王晓明", "记者")]),
        ("■特约记者 王晓明", [("王晓明", "记者")]),
        ("■王晓明 口述 李四 整理", [("王晓明", "口述"), ("李四", "整理")]),
        ("■王晓明 等", [("王晓明", "作者")]),
        ("■王晓明等", [("王晓明", "作者")]),
        ("■Tom Smith", [("Tom Smith", "作者")]),
        ("作者：Tom Smith", [("Tom Smith", "作者")]),
        ("■\ufe0f王晓明", [("王晓明", "作者")]),
        ("■\u200b王晓明", [("王晓明", "作者")]),
        ("■课题组", [("课题组", "作者")]),
        ("■青山县人民检察院课题组", [("青山县人民检察院课题组", "作者")]),
    ],
)
def test_marks_additions_and_roles_around_names_are_no_part_of_them(line: str, pairs: list[tuple[str, str]]):
    assert _pairs(line) == pairs
    assert is_credit_line(line)


@pytest.mark.parametrize("mark", "•☆※▶＊●⊙♦◈*·")
def test_any_mark_sets_a_byline_off(mark: str):
    assert _pairs(f"{mark}王晓明") == [("王晓明", "作者")]
    assert is_credit_line(f"{mark}王晓明")


@pytest.mark.parametrize("name", "田园 祝福 黄秋 秦岭 江河 湖光 孔明 沈默 金风 高尚 文明".split())
def test_a_common_word_is_a_name_where_a_label_says_so(name: str):
    assert [author.name for author in read_byline(f"本报记者 {name}")] == [name]
    assert [author.name for author in read_byline(f"通讯员：{name}")] == [name]
    assert [author.name for author in read_byline(f"作者：{name}")] == [name]
    assert [author.name for author in read_author_field(f"本报记者 {name}")] == [name]
    assert not is_bare_names("文明")


@pytest.mark.parametrize("line", ["记者手记", "记者观察", "作者简介", "记者文明", "记者成长", "■理论探讨"])
def test_words_behind_a_role_are_no_names_without_a_mark_between(line: str):
    assert not is_credit_line(line)


def test_a_unit_alone_behind_a_mark_is_where_they_work():
    found = read_credit("■青山县人民检察院")

    assert (found.authors, found.affiliation) == ((), "青山县人民检察院")


@pytest.mark.parametrize(
    "line",
    [
        "（作者单位：青山县人民检察院）。",
        "(作者单位:青山县人民检察院)(下转第4版)",
        "（作者 单位：青山县人民检察院）",
        "（作者单位／青山县人民检察院）",
        "(作者单位:青山县人民检察院",
        "（作者王晓明系青山县人民检察院）",
        "（作者王晓明、李四系青山县人民检察院）",
    ],
)
def test_a_unit_is_read_however_its_brackets_stand(line: str):
    assert read_affiliation(line) == "青山县人民检察院"


@pytest.mark.parametrize(
    "line",
    [
        "作者单位与署名规范刍议",
        "作者系统研究了这一问题。",
        "作者来自基层，所以写得真实。",
        "作者单位与稿件质量没有必然联系,但作者系统的研究会让文章更扎实。",
        "（作者系列报道之一）",
    ],
)
def test_a_line_about_authors_names_no_unit(line: str):
    assert read_affiliation(line) is None


def test_sources_in_brackets_are_no_authors():
    assert not is_credit_line("（综合整理自青山新闻、云岭西、雷岭网等）")
    assert not is_credit_line("青山谈记者 湖光山")


def test_two_outlets_joined_by_a_dot_are_no_name() -> None:
    authors = read_byline("青石日报·青石新闻网记者 付春雨")

    assert [(author.name, author.role) for author in authors] == [("付春雨", "记者")]


def test_a_closing_credit_may_stand_apart_from_the_last_sentence() -> None:
    assert [one.name for one in names_at_end("活动受到村民欢迎。　（记者 金 风）")] == ["金风"]


def test_a_slash_before_a_role_parts_name_and_role() -> None:
    assert [one.name for one in read_byline("本报记者 王磊/文 李明/摄")] == ["王磊", "李明"]
