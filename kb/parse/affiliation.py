"""The unit of the authors as printed: （作者单位：某县人民检察院）. Lines -> unit. Pure."""

from __future__ import annotations

import re

from kb.parse.byline import is_editors_line

_OPENING, _CLOSING = "（(【[〔", "）)】]〕"
_STATES_UNIT = re.compile(
    r"(?:本文|文章)?作者(?:所在|工作)?单位(?:及职务)?(?:分别|依次|均|都|皆)?(?:[:：]|系|为|是|\s)*"
    r"|(?:本文|文章)?作者(?:分别|依次|均|都|皆|现)?(?:系|为|是|来自|供职于|就职于|任职于|单位)[:：\s]*"
    r"|(?:工作|所在)?单位[:：]\s*"
)
_UNIT_CHARS = 400


def read_affiliation(line: str) -> str | None:
    """The unit in a line that says nothing else, as printed: `（作者单位：A；B）`, `作者系A检察官`; None when it is no such line."""
    if len(line) > _UNIT_CHARS:
        return None
    line = line.strip()
    opened = line[:1] != "" and line[0] in _OPENING
    inside = line[1:] if opened else line
    stated = _STATES_UNIT.match(inside.lstrip())
    if not stated:
        return None
    inside = inside.lstrip()[stated.end() :].strip()
    if opened:
        inside, closed, rest = _up_to_close(inside)
        if not closed or (rest and not is_editors_line(rest)):
            return None
    elif "。" in inside[:-1]:
        return None
    return inside.rstrip("。. \u3000") or None


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
