"""Facts that a page prints above its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.parse.masthead import Masthead, is_masthead, newspaper_name, read_edition_label, read_masthead


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("当前版:07版", ("07", None)),
        ("当前版：０７版", ("07", None)),
        ("当前版:A03版", ("A03", None)),
        ("第05-08版：理论", ("05-08", "理论")),
        ("05—08版", ("05-08", None)),
        ("07版:法治时评", ("07", "法治时评")),
        ("第 7 版", ("7", None)),
        ("第七版：理论", ("7", "理论")),
        ("第十二版", ("12", None)),
        ("07版（理论）", ("07", "理论")),
        ("07版 理论", ("07", "理论")),
        ("当前版:07", ("07", None)),
        ("版次：07 理论", ("07", "理论")),
        ("当前版:T01版", ("T01", None)),
        ("当前版:增刊", ("增刊", None)),
        ("当前版:头版", (None, "头版")),
        ("今日8版", (None, None)),
        ("（下转第3版）", (None, None)),
        ("发布日期:", (None, None)),
    ],
)
def test_an_edition_label_is_read_as_printed_without_ban(text: str, label: tuple[str | None, str | None]):
    assert read_edition_label(text) == label


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (["当前版:07版", "发布日期:"], Masthead(edition_page="07")),
        (["当前版:07版", "发布日期:2023-08-02"], Masthead(published="2023-08-02", edition_page="07")),
        (
            ["《青山法治报》2023年8月2日 第07版"],
            Masthead(newspaper="青山法治报", published="2023-08-02", edition_page="07"),
        ),
        (
            ["青山日报数字报", "2023年8月2日 星期三", "第07版：理论"],
            Masthead("青山日报", "2023-08-02", "07", "理论"),
        ),
        (["来源：青山日报 时间：2023-08-02"], Masthead(newspaper="青山日报", published="2023-08-02")),
        (["2022年1月1日创刊", "发布日期:2023年8月2日"], Masthead(published="2023-08-02")),
        ([], Masthead()),
    ],
)
def test_facts_come_from_the_lines_that_state_them(lines: list[str], facts: Masthead):
    assert read_masthead(lines) == facts


@pytest.mark.parametrize(
    "line",
    [
        "当前版:07版",
        "发布日期:",
        "2023年8月2日 星期三 农历癸卯年六月十六",
        "青山法治报 2023年8月2日 第07版 理论",
        "总第1234期",
        "A03版 要闻",
        "来源：青山日报",
    ],
)
def test_a_line_of_facts_only_is_masthead(line: str):
    assert is_masthead(line)


@pytest.mark.parametrize(
    "line",
    [
        "2023年8月2日大事记",
        "第3版方案发布",
        "2023年政府工作报告",
        "检察机关党建工作的思考",
        "NBA",
        "07版 理论 实践 探索",
        "",
    ],
)
def test_a_title_is_no_masthead(line: str):
    assert not is_masthead(line)


def test_names_of_newspapers_are_told_from_other_reports():
    assert newspaper_name("《人民日报海外版》") == "人民日报海外版"
    assert newspaper_name("文汇报") == "文汇报"
    assert newspaper_name("新华每日电讯") == "新华每日电讯"
    assert [
        newspaper_name(text) for text in ("情况通报", "省级政府工作报告", "年报", "CCTV 新闻联播", "")
    ] == [None] * 5


@given(st.text(alphabet="第版当前：:07A-一十《》报日月年2023 来源\n", max_size=60))
def test_no_line_makes_the_reader_fail(line: str):
    is_masthead(line)
    page, name = read_edition_label(line)

    assert page != "" and name != ""


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("当前版:05版-08版", ("05-08", None)),
        ("当前版:特01版", ("特01", None)),
        ("当前版:07版(共8版)", ("07", None)),
        ("当前版:07版 责编:赵六", ("07", None)),
        ("当前版:04版：综合/要闻", ("04", "综合/要闻")),
        ("第07版：理论 上一版 下一版", ("07", "理论")),
        ("第07版：理论/下一版", ("07", "理论")),
    ],
)
def test_ranges_extras_and_double_names_of_pages_are_read(line: str, label: tuple[str, str | None]):
    assert read_edition_label(line) == label


@pytest.mark.parametrize(
    "value",
    "8月2日 2023年8月 2023年 2023-08-02T00:00:00 暂无 不详 待定 未知 null 星期三 民国一〇二年八月二日 二〇二三年八月 -- /".split(),
)
def test_the_label_of_a_date_makes_a_masthead_whatever_follows_it(value: str):
    assert is_masthead(f"发布日期:{value}")
    assert not is_masthead(f"发布日期背后的{value}")


def test_a_button_that_reads_the_page_aloud_is_no_newspaper():
    assert newspaper_name("语音播报") is None


@pytest.mark.parametrize("name", ["青石青年报", "青石老年报", "青石少年报", "求是"])
def test_newspapers_of_the_young_and_the_old_are_newspapers(name: str) -> None:
    assert newspaper_name(name) == name


def test_a_yearly_report_is_none() -> None:
    assert newspaper_name("二〇二三年年报") is None
