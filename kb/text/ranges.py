"""Values of 日期 and 字数 as they are typed -> ranges. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from kb.errors import QueryError
from kb.model import DateRange, LengthRange
from kb.text.normalize import matching_form

Days = tuple[date, date]  # first and last, both included

BETWEEN = re.compile(r"\s*(?:\.{2,}|~|至|到|—+)\s*")
_BETWEEN_LENGTHS = re.compile(rf"{BETWEEN.pattern}|\s*-\s*")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")  # 20240315, 202403
_DATE = re.compile(r"(\d{4})(?:年|[-/.年](\d{1,2})(?:月|[-/.月](\d{1,2})(?:日|号)?)?)?")
_MONTH = re.compile(r"\d{1,2}月(?:\d{1,2}(?:日|号))?")
_HALF = re.compile(r"(\d{4}|今|去)年([上下])半年")
_QUARTER = re.compile(r"(\d{4}|今|去)年第?([一二三四1-4])季度")
_NEAR = re.compile(
    r"[最近过去]{1,3}([一二两三四五六七八九十半\d]+)个?(天|日|周|星期|礼拜|月|年)(?:内|以?来)?"
)
_NUMBERS = {**{char: place for place, char in enumerate("一二三四五六七八九十", 1)}, "两": 2}
SIGN_WORDS = "不少于|不多于|不超过|大于|多于|超过|小于|少于"
_COMPARED = re.compile(rf"(>=|<=|>|<|≥|≤|{SIGN_WORDS})?\s*(\d+(?:\.\d+)?)(万|千)?字?(以上|以下|以内)?")
_SIGNS = {
    "≥": ">=", "不少于": ">=", "以上": ">=", "大于": ">", "多于": ">", "超过": ">",
    "≤": "<=", "不多于": "<=", "不超过": "<=", "以下": "<=", "以内": "<=", "小于": "<", "少于": "<",
}  # fmt: skip
MOST_NEAR = 1000  # of a unit: 近1000年 is as good as any


def dates(text: str, today: date, place: int) -> DateRange:
    """2023, 2023-08, 2023年8月2日, 2023-01..2023-06, 2023.., 今年, 近三个月. Raises QueryError("query.bad_date")."""
    typed = matching_form(text).strip()
    if _MONTH.fullmatch(typed):
        typed = f"{today.year}年{typed}"
    try:
        named = _named(typed, today) or _near(typed, today) or _part_of_year(typed, today)
        first, last = named or _between(typed)
    except (ValueError, OverflowError) as error:
        raise QueryError("query.bad_date", value=text, place=place) from error
    return DateRange(text, first.isoformat() if first else None, last.isoformat() if last else None)


def _named(typed: str, today: date) -> Days | None:
    month = today.replace(day=1)
    monday = today - timedelta(days=today.weekday())
    named: dict[str, Callable[[], Days]] = {
        "今天": lambda: (today, today), "今日": lambda: (today, today),
        "昨天": lambda: (today - timedelta(1), today - timedelta(1)),
        "前天": lambda: (today - timedelta(2), today - timedelta(2)),
        "本周": lambda: (monday, monday + timedelta(6)), "这周": lambda: (monday, monday + timedelta(6)),
        "上周": lambda: (monday - timedelta(7), monday - timedelta(1)),
        "本月": lambda: _month(today), "这个月": lambda: _month(today),
        "上月": lambda: _month(month - timedelta(1)), "上个月": lambda: _month(month - timedelta(1)),
        "今年": lambda: _year(today.year), "本年": lambda: _year(today.year), "去年": lambda: _year(today.year - 1),
        "前年": lambda: _year(today.year - 2),
    }  # fmt: skip
    return named[typed]() if typed in named else None


def _near(typed: str, today: date) -> Days | None:
    """近三个月: as many days, weeks, months or years up to today."""
    found = _NEAR.fullmatch(typed)
    if found is None or ("近" not in typed[:2] and "过去" not in typed[:2]):
        return None
    count, unit = _count(found[1]), found[2]
    if unit in ("天", "日"):
        return today - timedelta(days=int(count) - 1), today
    if unit in ("周", "星期", "礼拜"):
        return today - timedelta(weeks=int(count)) + timedelta(1), today
    months = count * (12 if unit == "年" else 1)
    return _months_before(today, int(months)) + timedelta(1), today


def _count(written: str) -> float:
    """Of 三, 十二, 12 or 半. Raises ValueError."""
    if written == "半":
        return 0.5
    if written.isascii() and written.isdecimal():
        number = int(written)
    else:
        tens, ten, ones = written.rpartition("十")
        number = (_NUMBERS.get(tens, 1 if not tens else 0) * 10 if ten else 0) + (
            _NUMBERS.get(ones, 0) if ones else 0
        )
        if (ones and ones not in _NUMBERS) or (tens and tens not in _NUMBERS):
            raise ValueError(written)
    if not 0 < number <= MOST_NEAR:
        raise ValueError(written)
    return number


def _part_of_year(typed: str, today: date) -> Days | None:
    if found := _HALF.fullmatch(typed):
        first = 1 if found[2] == "上" else 7
        return date(_named_year(found[1], today), first, 1), _month(
            date(_named_year(found[1], today), first + 5, 1)
        )[1]
    if found := _QUARTER.fullmatch(typed):
        number = int(found[2]) if found[2].isdecimal() else _NUMBERS[found[2]]
        year = _named_year(found[1], today)
        return date(year, number * 3 - 2, 1), _month(date(year, number * 3, 1))[1]
    return None


def _named_year(written: str, today: date) -> int:
    return {"今": today.year, "去": today.year - 1}.get(written) or int(written)


def _between(typed: str) -> tuple[date | None, date | None]:
    """A day, month or year, or a range of them that may be open at one end. Raises ValueError."""
    for ending in ("以来", "以后", "之后", "起"):
        if typed.endswith(ending) and len(typed) > len(ending):
            typed = typed.removesuffix(ending) + ".."
    for ending in ("以前", "之前", "止"):
        if typed.endswith(ending) and len(typed) > len(ending):
            typed = ".." + typed.removesuffix(ending)
    ends = BETWEEN.split(typed)
    if len(ends) > 2 or not any(ends):
        raise ValueError(typed)
    if len(ends) == 2 and _MONTH.fullmatch(ends[1]):  # 2023年1月至6月
        ends[1] = ends[0][:5] + ends[1]
    first = _days(ends[0])[0] if ends[0] else None
    last = _days(ends[-1])[1] if ends[-1] else None
    if first and last and first > last:
        raise ValueError(typed)
    return first, last


def _days(text: str) -> Days:
    found = _DATE.fullmatch(text.strip()) or _COMPACT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) if part else None for part in found.groups())
    if day:
        exact = date(year or 0, month or 1, day)
        return exact, exact
    return _month(date(year or 0, month, 1)) if month else _year(year or 0)


def _year(year: int) -> Days:
    return date(year, 1, 1), date(year, 12, 31)


def _month(day: date) -> Days:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def length(text: str, _today: date, place: int) -> LengthRange:
    """2000, >2000, <=500, 2000以上, 1000..3000, 1万以内: characters of the body. Raises QueryError("query.bad_length")."""
    typed = matching_form(text).strip()
    parts = _BETWEEN_LENGTHS.split(typed)
    if len(parts) == 2 and any(parts):
        least, most = (_amount(part, text, place) if part else None for part in parts)
        if least is not None and most is not None and least > most:
            raise QueryError("query.bad_length", value=text, place=place)
        return LengthRange(text, least, most)
    found = _COMPARED.fullmatch(typed)
    if found is None:
        raise QueryError("query.bad_length", value=text, place=place)
    amount = _number(found)
    match _SIGNS.get(found[1] or found[4] or "", found[1]):
        case ">":
            return LengthRange(text, amount + 1, None)
        case ">=":
            return LengthRange(text, amount, None)
        case "<":
            return LengthRange(text, None, amount - 1)
        case "<=":
            return LengthRange(text, None, amount)
    return LengthRange(text, amount, amount)


def _number(found: re.Match[str]) -> int:
    return round(float(found[2]) * {"万": 10_000, "千": 1_000}.get(found[3] or "", 1))


def _amount(written: str, text: str, place: int) -> int:
    found = _COMPARED.fullmatch(written.strip())
    if found is None or found[1] or found[4]:
        raise QueryError("query.bad_length", value=text, place=place)
    return _number(found)
