"""What was typed -> Query. Pure; takes what a Chinese keyboard types.

党建 业务            words: all must match; 、 ， , ; separate as a space does
“党建和业务的关系”    a phrase, in any of “” "" 「」 『』
标题:融合 作者：张三   a field, in Chinese or English, with : or ：
日期:2023-01..2023-06  a year, a month, a day, or a range of them, open at one end if need be
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date

from kb.errors import QueryError
from kb.model import Clause, ClauseKind, Query
from kb.text.normalize import fold, matching_form

CHARS_LIMIT = 200
CLAUSES_LIMIT = 32

FIELDS = {
    "标题": "title",
    "title": "title",
    "作者": "author",
    "author": "author",
    "单位": "affiliation",
    "作者单位": "affiliation",
    "affiliation": "affiliation",
    "报纸": "newspaper",
    "newspaper": "newspaper",
    "日期": "published",
    "date": "published",
}

# Left and right marks of one pair are typed for each other often enough; ”党建“ is a phrase too.
_CLOSERS = {**dict.fromkeys('“”"＂„‟', '“”"＂„‟'), "「": "」", "﹁": "﹂", "『": "』", "﹃": "﹄"}
_SEPARATORS = "、，,;；\u3000"
_FIELD = re.compile(r"([^\s:：“”\"＂「」『』、，,;；]{2,22})[:：]")
_RANGE = re.compile(r"\.{2,}|~|至|到")
_DATE = re.compile(r"(\d{4})(?:年|[-/.年](\d{1,2})(?:月|[-/.月](\d{1,2})日?)?)?")


def parse(text: str) -> Query:
    """The query in a text. Raises QueryError, which says where and why, for one that cannot be read."""
    if len(text) > CHARS_LIMIT:
        raise QueryError("query.too_long", length=len(text), limit=CHARS_LIMIT)
    clauses = tuple(dict.fromkeys(clause for clause in _clauses(text) if _has_something(clause)))
    if not clauses:
        raise QueryError("query.empty")
    if len(clauses) > CLAUSES_LIMIT:
        raise QueryError("query.too_many_terms", count=len(clauses), limit=CLAUSES_LIMIT)
    return Query(text, clauses)


def _has_something(clause: Clause) -> bool:
    return clause.kind == "date" or bool(fold(clause.text))


def _clauses(text: str) -> Iterator[Clause]:
    at = 0
    while (at := _skip(text, at)) < len(text):
        name, start = _field(text, at)
        if name is not None and (start := _skip(text, start)) >= len(text):
            raise QueryError("query.no_value", name=text[at:].rstrip(), place=at + 1)
        kind, value, end = _value(text, start)
        if name == "published":
            yield _date_clause(value, place=start + 1)
        else:
            yield Clause(kind, value, name)
        at = end


def _skip(text: str, at: int) -> int:
    """Past separators and closing marks that close nothing."""
    while at < len(text) and (text[at].isspace() or text[at] in _SEPARATORS or text[at] in "」』﹂﹄"):
        at += 1
    return at


def _field(text: str, at: int) -> tuple[str | None, int]:
    """The field named at a place, and where its value begins; without one, None and the place itself."""
    found = _FIELD.match(text, at)
    name = FIELDS.get(matching_form(found[1])) if found else None
    return (None, at) if name is None or found is None else (name, found.end())


def _value(text: str, at: int) -> tuple[ClauseKind, str, int]:
    """The phrase or word at a place, and where it ends."""
    if (closers := _CLOSERS.get(text[at])) is not None:
        for end in range(at + 1, len(text)):
            if text[end] in closers:
                return "phrase", text[at + 1 : end], end + 1
        raise QueryError("query.unclosed", mark=text[at], place=at + 1)
    end = at
    while end < len(text) and not _ends_word(text, end):
        end += 1
    return "word", text[at:end], end


def _ends_word(text: str, at: int) -> bool:
    char = text[at]
    if char in ",，" and text[at - 1 : at].isdecimal() and text[at + 1 : at + 2].isdecimal():
        return False  # 1,000
    return char.isspace() or char in _SEPARATORS or char in _CLOSERS or char in "」』﹂﹄"


# --- dates ----------------------------------------------------------------------------------------------------


def _date_clause(value: str, place: int) -> Clause:
    """A range of days from 2023, 2023-08, 2023-08-02, 2023-01..2023-06, 2023.. or ..2023-06."""
    ends = _RANGE.split(matching_form(value))
    if len(ends) > 2 or not any(ends):
        raise _bad_date(value, place)
    since = _days(ends[0], value, place)[0] if ends[0] else None
    until = _days(ends[-1], value, place)[1] if ends[-1] else None
    if since and until and since > until:
        raise _bad_date(value, place)
    return Clause("date", value, "published", since, until)


def _days(text: str, value: str, place: int) -> tuple[str, str]:
    """The first and last day of a year, month or day, as YYYY-MM-DD."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise _bad_date(value, place)
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise _bad_date(value, place) from error
    last_month = month or 12
    last = first if day else date(first.year, last_month, calendar.monthrange(first.year, last_month)[1])
    return first.isoformat(), last.isoformat()


def _bad_date(value: str, place: int) -> QueryError:
    return QueryError("query.bad_date", value=value, place=place)
