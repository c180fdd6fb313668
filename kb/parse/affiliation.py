"""The unit of the authors as printed: （作者单位：某县人民检察院）. Lines -> unit. Pure."""

from __future__ import annotations

import re

from kb.parse.byline import is_bare_names, is_editors_line, is_measure
from kb.parse.continuation import read_marker

_OPENING, _CLOSING = "（(【[〔", "）)】]〕"
_WHO = r"(?:本文|文章|第[一二三四五六]|通讯)?作者\s?"
_EVENLY = r"(?:分别|依次|均|都|皆|现)?"
# 作者系统研究了…, 作者系列报道: 系 is no verb there.
_VERB = r"(?:系(?![统列数])|为(?![了何此人民什])|是(?![否怎如])|来自|供职于|就职于|任职于)"
_LABEL = re.compile(
    rf"(?:{_WHO}(?:所在|工作)?\s?单位(?:及职务)?|(?:工作|所在)?单位)\s?{_EVENLY}(?:[:：/／]|系|为|是|\s)"
)
_STATEMENT = re.compile(rf"{_WHO}{_EVENLY}{_VERB}[:：\s]{{0,4}}")
_NAMED = re.compile(rf"{_WHO}(?P<names>[\u3400-\u9fff·、\s]{{2,20}}?){_EVENLY}{_VERB}[:：\s]{{0,4}}")
_SPACED = re.compile(r"[:：/／\s]*")
_UNIT_CHARS = 400
_UNCLOSED_CHARS = 60


def read_affiliation(line: str) -> str | None:
    """The unit in a line that says nothing else, as printed; None when it is no such line.

    `（作者单位：A；B）`, `作者系A检察官`, `（作者王某系A检察官）`; editors, a 转版 marker or a full stop may follow the bracket, which
    may be left open when a label stands before the unit.
    """
    if len(line) > _UNIT_CHARS or is_measure(line):
        return None
    line = line.strip()
    opened = line[:1] != "" and line[0] in _OPENING
    inside = line[1:].lstrip() if opened else line
    label = _LABEL.match(inside)
    stated = label or _STATEMENT.match(inside) or (_named(inside) if opened else None)
    if not stated:
        return None
    inside = inside[_past(inside, stated.end()) :]
    if opened:
        inside, closed, rest = _up_to_close(inside)
        left_open = (
            label is not None
            and len(inside) <= _UNCLOSED_CHARS
            and not inside.endswith(("；", ";", "，", "、"))
        )
        if not (_may_follow(rest) if closed else left_open):
            return None
    elif "。" in inside[:-1] or (
        label is None and inside.endswith("。") and ("，" in inside or "," in inside)
    ):
        return None
    return inside.rstrip("。. \u3000") or None


def names_in_affiliation(line: str) -> str:
    """The names in `（作者王某、李某系A检察官）`; "" when it says none."""
    found = _named(line.strip().lstrip(_OPENING).lstrip())
    return found["names"] if found else ""


def _named(inside: str) -> re.Match[str] | None:
    found = _NAMED.match(inside)
    return found if found and is_bare_names(found["names"]) else None


def _past(text: str, place: int) -> int:
    """The place behind the marks and spaces at `place`."""
    found = _SPACED.match(text, place)
    return found.end() if found else place


def _may_follow(rest: str) -> bool:
    """Whether what stands behind the bracket says nothing of the text."""
    rest = rest.strip("。.，, ")
    return not rest or is_editors_line(rest) or read_marker(rest) is not None


def _up_to_close(text: str) -> tuple[str, bool, str]:
    """The text before the bracket that closes one opened before it, whether there is one, and what follows it."""
    depth = 1
    for place, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth == 0:
            return text[:place].strip(), True, text[place + 1 :].strip()
    return text, False, ""


def affiliation_at_end(paragraph: str) -> str | None:
    """The unit that closes a paragraph in brackets: `……新成效。（作者单位：某县人民检察院）`."""
    tail = paragraph[-_UNIT_CHARS:]
    start = max(tail.rfind("（作者"), tail.rfind("(作者"), tail.rfind("（本文作者"), tail.rfind("(本文作者"))
    return read_affiliation(tail[start:]) if start > 0 else None
