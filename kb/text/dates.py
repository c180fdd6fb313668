"""The first date written in a text -> YYYY-MM-DD. Pure: no clock, so a year is never guessed."""

from __future__ import annotations

import datetime
import re
import unicodedata

FIRST_YEAR, LAST_YEAR = 1900, 2099  # outside lie phone numbers (4009-20-40), licence numbers, reigns

# Only the head of a text can hold its date; the cap bounds what NFKC may blow a hostile text up to.
_READ_CHARS = 20_000

_ZERO_TO_NINE = "〇一二三四五六七八九"
_DIGIT = {char: str(value) for value, char in enumerate(_ZERO_TO_NINE)} | dict.fromkeys("○◯零", "0")
_NUMERAL = r"(?:\d{1,2}|[〇○◯零一二三四五六七八九十]{1,3})"
# Newspapers print 2023年10月12日 with and without spaces, sites 2023-10-12 and 2023/10/12,
# URLs 2023-10/12 and 202310/12.
_DATE = re.compile(
    r"(?<!\d)(?P<cy>\d{4}|[〇○◯零一二三四五六七八九]{4})\s{0,2}年\s{0,2}"
    rf"(?P<cm>{_NUMERAL})\s{{0,2}}月\s{{0,2}}(?P<cd>{_NUMERAL})\s{{0,2}}[日号]"
    r"|(?<!\d)(?<!\d[-.])(?P<my>\d{4})(?P<sep>[-‐–—./])(?P<mm>\d{1,2})(?:(?P=sep)|(?<=\d)/)(?P<md>\d{1,2})(?![\d]|[-.]\d)"
    r"|(?<!\d)(?P<uy>\d{4})(?P<um>\d{2})/(?P<ud>\d{2})(?!\d)"
    r"|(?<![\d.])(?<!备)(?<!\d-)(?P<py>\d{4})(?P<pm>\d{2})(?P<pd>\d{2})(?![\d号]|[-.]\d)"
)
_OTHER_CALENDARS = ("农历", "阴历", "旧历", "夏历", "民国", "公元前")


def read_date(text: str) -> str | None:
    """The first valid calendar date in `text` as YYYY-MM-DD, or None.

    Reads 2023年10月12日, 2023-10-12, 2023/10/12, 2023.10.12, 20231012, 二〇二三年十月十二日, the URL
    forms 2023-10/12 and 202310/12, each in full-width digits too. Passed over: a date without its year or
    with two digits for it, of another calendar, or that no calendar has (2023/2/30).
    Years FIRST_YEAR to LAST_YEAR. Source of the rules: crawl.md §2.5.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text[:_READ_CHARS])
    start = 0
    while found := _DATE.search(text, start):
        day = _calendar_day(found)
        before = text[max(found.start() - 8, 0) : found.start()].rstrip()
        if day is not None and not before.endswith(_OTHER_CALENDARS):
            return day
        start = found.start() + 1
    return None


def _calendar_day(found: re.Match[str]) -> str | None:
    for form in "cmup":
        year = found[f"{form}y"]
        if year is not None:
            return _day(_number(year), _number(found[f"{form}m"]), _number(found[f"{form}d"]))
    return None


def _day(year: int, month: int, day: int) -> str | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


def _number(text: str) -> int:
    """The value of digits or Chinese numerals: 二〇二三 2023, 十二 12, 二十 20; 0 when they make none."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(_DIGIT[char] for char in text))
    if len(tens) > 1 or "十" in ones or len(ones) > 1:
        return 0
    return int(_DIGIT[tens] if tens else 1) * 10 + int(_DIGIT[ones] if ones else 0)
