"""Which lines are headings, lists, captions, notes: numbering and its sequence decide. Lines -> kinds. Pure, linear."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb.model import BlockKind

HEADING_CHARS = 40
RUN_IN_CHARS = 40
STYLED_HEADING_CHARS = (
    60  # a line that the page marks up as a heading, and is longer, is a paragraph set large
)

_CHINESE = "一二三四五六七八九十百"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_BRACKETED = "㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩"
# Style of a number -> how it is printed. Level of the styles: crawl.md §5.
_NUMBERS = re.compile(
    rf"(?P<part>第(?P<part_n>[{_CHINESE}\d]{{1,4}})(?P<part_of>[编章节]|部分)(?=[\s:：、　]|\S))"
    rf"|(?P<h1>(?P<h1_n>[{_CHINESE}]{{1,4}})\s?[、.．](?=\s{{0,4}}\S))"
    rf"|(?P<h2>[（(]\s?(?P<h2_n>[{_CHINESE}]{{1,4}})\s?[)）]、?(?=\s{{0,4}}\S)|(?P<h2_b>[{_BRACKETED}])(?=\s{{0,4}}\S))"
    rf"|(?P<h3>(?P<h3_n>\d{{1,2}})(?:\s?[.．、](?!\d)|\s?[)）])(?=\s{{0,4}}\S)|[（(](?P<h3_p>\d{{1,2}})[)）](?=\s{{0,4}}\S)|(?P<h3_c>[{_CIRCLED}])(?=\s{{0,4}}\S))"
)
# 三、四月间, 二、三产业 and 一、二、三 count things; 二、三个坚持 is a heading.
_ENUMERATION = re.compile(
    "(?:"
    + "|".join(f"{_CHINESE[place]}、{_CHINESE[place + 1]}" for place in range(9))
    + ")[月年日季期次条级线批轮等号楼层班产、]"
)
# 第一、提高站位; 第二、三产业 counts.
_ORDINAL = re.compile(rf"第([{_CHINESE}]{{1,3}})、(?![{_CHINESE}第])\s{{0,4}}\S")
_LEVELS = {"h1": 1, "h2": 2, "h3": 3}
_PART_LEVELS = {"编": 1, "部分": 1, "章": 1, "节": 2}
_MARKDOWN = re.compile(r"(#{1,6})\s{1,4}\S")
_NO_HEADING_END = ("。", "；", ";", "，", ",", "、", "……")
_ITEM_END = ("；", ";")
_SENTENCE_END = re.compile(r"[。！？!?]")
_RUN_IN = re.compile(
    rf"(?:[{_CHINESE}]{{1,2}}(?:是|要|抓|靠|看|重)|第[{_CHINESE}]{{1,2}}[，,、:：]|其[{_CHINESE}]{{1,2}}[，,、:：]|(?:首先|其次|再次|再者|最后)[，,是要])"
)
_BULLET = re.compile(r"[•·▪●○◎◆◇▶►➤★☆✦❖※\-–*]\s{0,4}\S")
_CAPTION_START = re.compile(
    r"(?:[▲△▼▽]\s{0,4}|图(?:为|一|二|三|\d{1,2})?\s{0,3}[：:]|图为|[（(]资料图片?[)）]|(?:上|下|左|右|题|本版)图(?:为|[：:])|制图[：:]|供图[：:])"
)
_CAPTION_END = re.compile(
    r"(?:\s|[。/／（(]|记者|通讯员)\S{0,12}\s?(?:摄|摄影|供图|制图)[)）]?\Z|[（(](?:资料图片?|新华社发)[)）]\Z"
)
_CAPTION_CHARS = 200
_NOTE = re.compile(
    r"[【\[（(]?\s?(?:编者按|编者注|编者的话|编后|编后语|开栏的话|开栏语|注|注释|附注|作者简介|参考文献)\s?(?:[】\]）)]|[:：]|\Z)"
)
_NOTE_LABEL = re.compile(
    r"[【\[（(]?\s?(?:编者按|编者的话|编后|编后语|开栏的话|开栏语)\s?[】\]）)]?\s?[:：]?\Z"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What one line is."""

    kind: BlockKind
    level: int | None = None  # 1-3 for headings
    run_in: int = 0  # length of a run-in heading, in characters


@dataclass(frozen=True, slots=True)
class _Number:
    style: str  # "h2", "h3_c", "章": numbers of one style make one sequence
    level: int
    value: int


PARAGRAPH = Kind("paragraph")
_NO_NUMBER = _Number("", 0, 0)


def classify(
    lines: Sequence[str],
    *,
    marked_up: Mapping[int, Kind] | None = None,
    continued: bool = False,
    archive: bool = False,
) -> list[Kind]:
    """The kind of every line of a body, in order.

    `marked_up`: what the page's own mark-up says, by line number; a heading without a level gets one here.
    `continued`: the text goes on from another page, so its numbering need not begin with 1.
    `archive`: only headings are told from paragraphs, so that every line stays part of the body.
    """
    numbers = [_number(line) for line in lines]
    starts = _Starts(numbers, continued)
    kinds = [_kind(line, number, starts, archive) for line, number in zip(lines, numbers, strict=True)]
    _unmark_lists(lines, numbers, kinds, archive)
    _mark_ordinals(lines, kinds)
    if not archive:
        _last_items(numbers, kinds)
        _extend_notes(lines, kinds)
    if marked_up:
        _take_mark_up(lines, marked_up, kinds)
    return kinds


def opens_section(line: str) -> bool:
    """Whether a line opens with a number of the outline: 一、 （二） 3. ④ 第一章."""
    return _number(line).level > 0 or _ORDINAL.match(line) is not None


def _number(line: str) -> _Number:
    """The number that opens a line, or _NO_NUMBER."""
    if not line or line[0] not in _OPENERS:
        return _NO_NUMBER
    found = _NUMBERS.match(line)
    if not found or _ENUMERATION.match(line):
        return _NO_NUMBER
    if found["part"]:
        return _Number(found["part_of"], _PART_LEVELS[found["part_of"]], _value(found["part_n"]))
    style = next(name for name in ("h1", "h2", "h3") if found[name])
    for form in (f"{style}_n", f"{style}_p", f"{style}_b", f"{style}_c"):
        printed = found.groupdict().get(form)
        if printed:
            return _Number(form, _LEVELS[style], _value(printed))
    return _NO_NUMBER


_OPENERS = frozenset(f"第{_CHINESE}（(0123456789０１２３４５６７８９{_CIRCLED}{_BRACKETED}")


def _value(printed: str) -> int:
    """三 3, 十二 12, 二十一 21, 百 100, 12 12, ③ 3; 0 when it makes no number."""
    if printed in _CIRCLED:
        return _CIRCLED.index(printed) + 1
    if printed in _BRACKETED:
        return _BRACKETED.index(printed) + 1
    if printed.isdecimal():
        return int(printed)
    total = 0
    digit = 0
    for char in printed:
        unit = {"十": 10, "百": 100}.get(char)
        if unit:
            total += (digit or 1) * unit
            digit = 0
        else:
            digit = "一二三四五六七八九".find(char) + 1
    return total + digit


class _Starts:
    """Whether a number continues its sequence: after 1 comes 2, and a higher level starts the lower ones anew."""

    def __init__(self, numbers: Sequence[_Number], continued: bool) -> None:
        self._last: dict[str, int] = {}
        self._level: dict[str, int] = {}
        self._known = {(number.style, number.value) for number in numbers if number.level}
        self._continued = continued

    def follows(self, number: _Number) -> bool:
        """Take the next number of the text; False when it stands outside every sequence (三、四月间 …)."""
        last = self._last.get(number.style, 0)
        skips_one = number.value == last + 2 and (number.style, last + 1) not in self._known
        fits = number.value == 1 or (last > 0 and (number.value == last + 1 or skips_one))
        opens_late = last == 0 and (self._continued or (number.style, number.value + 1) in self._known)
        if not (fits or (opens_late and number.value > 0)):
            return False
        for style, level in self._level.items():
            if level > number.level:
                self._last[style] = 0
        self._last[number.style] = number.value
        self._level[number.style] = number.level
        return True


def _kind(line: str, number: _Number, starts: _Starts, archive: bool) -> Kind:
    if number.level:
        return _numbered(line, number, starts, archive)
    markdown = _MARKDOWN.match(line) if line.startswith("#") else None
    if markdown and len(line) <= STYLED_HEADING_CHARS:
        return Kind("heading", min(len(markdown[1]), 3))
    run_in = run_in_chars(line)
    if run_in or archive:
        return Kind("paragraph", run_in=run_in)
    return _unnumbered(line)


def _numbered(line: str, number: _Number, starts: _Starts, archive: bool) -> Kind:
    if not starts.follows(number):
        return PARAGRAPH
    if line.endswith(_ITEM_END):
        return PARAGRAPH if archive else Kind("list")
    if _is_short(line):
        return Kind("heading", number.level)
    return Kind("paragraph", run_in=_first_sentence(line))


def _unnumbered(line: str) -> Kind:
    if _NOTE.match(line):
        return Kind("note")
    if is_caption(line):
        return Kind("caption")
    if line[0] in "•·▪●○◎◆◇▶►➤★☆✦❖※-–*" and _BULLET.match(line):
        return Kind("list")
    return PARAGRAPH


def is_caption(line: str) -> bool:
    """Whether a line is the words under a picture, or names who took it: 图为……, 新华社记者 某某 摄."""
    if len(line) > _CAPTION_CHARS:
        return False
    return _CAPTION_START.match(line) is not None or _CAPTION_END.search(line[-24:]) is not None


def run_in_chars(line: str) -> int:
    """Length of the run-in heading that opens a paragraph (一是加强政治建设。…), closing mark included; 0 when there is none."""
    if line[:1] not in _RUN_IN_OPENERS or not _RUN_IN.match(line):
        return 0
    return _first_sentence(line)


_RUN_IN_OPENERS = frozenset(f"{_CHINESE}第其首再最")


def _first_sentence(line: str) -> int:
    """Length of the first sentence when it is short enough for a heading and more follows; else 0."""
    end = _SENTENCE_END.search(line, 0, RUN_IN_CHARS)
    return end.end() if end and end.end() < len(line) else 0


def _unmark_lists(lines: Sequence[str], numbers: Sequence[_Number], kinds: list[Kind], archive: bool) -> None:
    """Three and more headings of one style without text between them are a list or a table of contents, no headings."""
    item = PARAGRAPH if archive else Kind("list")
    run: list[int] = []
    for place in range(len(lines) + 1):
        same = place < len(lines) and kinds[place].kind == "heading" and numbers[place].level > 0
        if same and (not run or _next_item(numbers[run[-1]], numbers[place])):
            run.append(place)
            continue
        if len(run) >= 3:
            for index in run:
                kinds[index] = item
        run = [place] if same else []


def _mark_ordinals(lines: Sequence[str], kinds: list[Kind]) -> None:
    """第一、… 第二、… are headings where they are short, in a row, with text between, and none else is of level 1."""
    found = [
        (place, _ORDINAL.match(line))
        for place, line in enumerate(lines)
        if line.startswith("第") and _is_short(line)
    ]
    printed = [(place, number[1]) for place, number in found if number]
    in_a_row = [_value(number) for _, number in printed] == list(range(1, len(printed) + 1))
    apart = all(below - above > 1 for (above, _), (below, _) in pairwise(printed))
    if len(printed) < 2 or not (in_a_row and apart) or any(kind.level == 1 for kind in kinds):
        return
    for place, _ in printed:
        kinds[place] = Kind("heading", 1)


def _is_short(line: str) -> bool:
    """Whether a line can be a heading by its length and end."""
    return len(line) <= HEADING_CHARS and not line.endswith(_NO_HEADING_END) and "。" not in line


def _next_item(before: _Number, number: _Number) -> bool:
    return before.style == number.style and before.value < number.value


def _last_items(numbers: Sequence[_Number], kinds: list[Kind]) -> None:
    """The item that closes a list ends with 。 where the others end with ；."""
    for place in range(1, len(kinds)):
        style = numbers[place].style
        if (
            style
            and kinds[place] == PARAGRAPH
            and kinds[place - 1].kind == "list"
            and numbers[place - 1].style == style
        ):
            kinds[place] = Kind("list")


def _extend_notes(lines: Sequence[str], kinds: list[Kind]) -> None:
    """编者按 on a line of its own makes the paragraph below it the note."""
    for place in range(len(lines) - 1):
        if (
            kinds[place].kind == "note"
            and _NOTE_LABEL.match(lines[place])
            and kinds[place + 1].kind == "paragraph"
        ):
            kinds[place + 1] = Kind("note")


def _take_mark_up(lines: Sequence[str], marked_up: Mapping[int, Kind], kinds: list[Kind]) -> None:
    """Let the page's mark-up overrule the words, except a paragraph that is only set as a heading."""
    numbered = max((kind.level or 0 for kind in kinds if kind.kind == "heading"), default=0)
    level = 0
    for place, line in enumerate(lines):
        known = marked_up.get(place)
        if known is None:
            level = kinds[place].level or level
        elif known.kind != "heading":
            kinds[place] = known
        elif len(line) <= STYLED_HEADING_CHARS and not line.endswith(_NO_HEADING_END):
            own = known.level or kinds[place].level or (min(level + 1, 3) if numbered else 1)
            kinds[place] = Kind("heading", own)
            level = level if known.level is None and kinds[place].level is None else own
