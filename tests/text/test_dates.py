"""Dates as newspapers, sites and addresses write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.dates import read_date

_DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
_CHINESE = "〇一二三四五六七八九"


@pytest.mark.parametrize(
    "text",
    [
        "2023年10月12日 星期四 第07版",
        "2023 年 10 月 12 日",
        "２０２３年１０月１２日",
        "2023年十月十二日",
        "二〇二三年十月十二日",
        "二○二三年十月十二日",
        "发布日期:2023-10-12 08:15",
        "2023/10/12",
        "2023.10.12",
        "2023—10—12",
        "20231012",
        "html/2023-10/12/node_1.htm",
        "pc/layout/202310/12/node_01.html",
        "t20231012_1986798.html",
        "《某某日报》（2023年10月12日 第 01 版）",
        "9月7日发，2023年2月30日改，2023年10月12日登",
    ],
)
def test_a_date_is_read_in_every_form_the_field_uses(text: str):
    assert read_date(text) == "2023-10-12"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "发布日期:",
        "9月7日",
        "23年9月7日",
        "2023年10月",
        "2023/2/30",
        "二〇二三年十三月一日",
        "服务电话 4009-20-40",
        "电话 010-2023-10-12",
        "Copyright @ 2003-2023 QINGSHAN.EXAMPLE",
        "某ICP备20231012号",
        "编号 20231012号",
        "1.2023.10.12.5",
        "民国二十三年十月十二日",
        "农历2023年八月十五日",
        "公元前2023年10月12日",
        "VIDE1355098166246193",
        "3023-10-12",
        "12023年10月12日",
    ],
)
def test_what_is_no_certain_date_stays_unknown(text: str):
    assert read_date(text) is None


def test_the_first_valid_date_wins():
    assert read_date("2023年8月2日至2023年8月5日") == "2023-08-02"


@given(_DAYS)
def test_every_day_survives_every_form(day: datetime.date):
    chinese = "".join(_CHINESE[int(digit)] for digit in str(day.year))
    forms = (
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}-{day.month}-{day.day}",
        f"{day:%Y/%m/%d}",
        f"{day:%Y%m%d}",
        f"{chinese}年{_numeral(day.month)}月{_numeral(day.day)}日",
    )

    assert {read_date(form) for form in forms} == {day.isoformat()}


@given(st.text(alphabet="0123456789年月日-/.〇一二十２３ 农历号备\n ", max_size=60))
def test_whatever_is_read_is_a_day_of_the_calendar(text: str):
    found = read_date(text)

    assert found is None or datetime.date.fromisoformat(found).isoformat() == found


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE[tens]}十"
    return head + (_CHINESE[ones] if ones else "")
