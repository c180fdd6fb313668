"""Markers of a text that goes on elsewhere: （下转第3版）, （上接第1版）. Lines -> marker and the rest. Pure."""

from __future__ import annotations

import re

_NUMBER = r"(?:[A-Za-z]{0,2}\d{1,3}|[一二三四五六七八九十]{1,3})"
_PAGE = rf"第?\s{{0,2}}{_NUMBER}\s{{0,2}}(?:[-—、，,和]\s{{0,2}}{_NUMBER}\s{{0,2}})?版"
_WORDS = rf"(?:下转|上接|紧接|转|接)\s{{0,2}}{_PAGE}[^。（）()【】]{{0,12}}"
_BRACKETED = re.compile(rf"[（(【\[]\s{{0,2}}({_WORDS})\s{{0,2}}[)）】\]]")
_BARE = re.compile(
    rf"[▶►➤→◀◄●■▲▼★☆>＞\s]{{0,6}}((?:下转|上接|紧接)\s{{0,2}}{_PAGE}[^。（）()]{{0,12}}?)[▶►➤→◀◄▲▼<＜\s]{{0,6}}"
)
_CHARS = 60


def read_marker(line: str) -> str | None:
    """The marker, as printed without brackets, of a line that is nothing else."""
    if len(line) > _CHARS:
        return None
    found = _BRACKETED.fullmatch(line) or _BARE.fullmatch(line)
    return found[1].strip() if found else None


def cut_start(line: str) -> tuple[str | None, str]:
    """A bracketed marker that opens a line, and the line without it."""
    found = _BRACKETED.match(line)
    return (found[1].strip(), line[found.end() :].strip()) if found else (None, line)


def cut_end(line: str) -> tuple[str | None, str]:
    """A bracketed marker that closes a line, and the line without it."""
    tail = line[-_CHARS:]
    place = max(map(tail.rfind, "（(【["))
    found = _BRACKETED.fullmatch(tail, place) if place >= 0 else None
    return (found[1].strip(), line[: -len(found[0])].strip()) if found else (None, line)
