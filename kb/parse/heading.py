"""The top of an article: kicker, title, subtitle, byline, unit, source line. Lines -> Heading. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kb.errors import ParseError
from kb.model import Author
from kb.parse.affiliation import read_affiliation
from kb.parse.boilerplate import LINE_CHARS, is_counter, is_furniture, is_sentence
from kb.parse.byline import MARKS, is_bare_names, is_credit_line, is_unit, read_credit
from kb.parse.continuation import read_marker
from kb.parse.masthead import is_masthead
from kb.parse.outline import opens_section, run_in_chars

TITLE_CHARS = 80
_HEAD_LINES = 10
_ABOVE_LINES = 4

_DASHED = re.compile(r"(?:[—―─━–]{1,3}|[-－]{2,3})\s{0,3}(?=[^\s—―─━–－-])")
_BRACKETED = re.compile(r"[（(][^（）()]{2,60}[)）]\Z")
_INFO = re.compile(
    r"(?:来源|稿源|出处|作者|时间|日期|发布(?:时间|日期)|见报日期|刊发日期|编辑|责任编辑|责编|字号|浏览(?:次数|量)?|点击(?:次数|量|数)?|阅读(?:次数|量|数)?|字数|关键词|关键字|栏目|版名|主编)\s{0,3}[:：]"
)
_ABSTRACT = re.compile(r"[【\[]?\s?(?:摘\s?要|内容提要|核心提示|关键词|导\s?读)\s?[:：】\]]")
_LABEL = re.compile(r"\A(?:[引肩眉副主]题|[引主副]?标题)\s?[:：]\s{0,3}")
_SUBTITLE_LABEL = re.compile(r"副标?题\s?[:：]")
_LIKE_SUBTITLE = re.compile(
    r"(?:记|访|写在)\S{4,}|.{4,}(?:为例|侧记|纪实|综述|见闻|掠影|札记|的调查|的启示|的实践)\Z"
    r"|\d{4}年\d{1,2}月\d{1,2}日在.{4,40}上\Z"
)
_OPENS_TEXT = re.compile(
    r"(?:各位|同志们|尊敬的|亲爱的|(?:编者按|核心阅读|内容提要|摘\s?要|引言|前言|导语|题记)\s{0,2}(?:[:：】\]）)]|\s|\Z)|.{0,12}(?:讯|电)[　 （(])"
)
_OFFICE_AND_NAME = re.compile(r"\S{2,20}\s+\S{1,12}(?:\s+\S)?\Z")
_PAIRS = (("《", "》"), ("“", "”"), ("（", "）"), ("(", ")"), ("「", "」"))


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the body."""

    title: str  # 检察机关党建与业务深度融合的基层探索
    kicker: str | None = None  # 引题, the line above the title
    subtitle: str | None = None  # ——以雷山县人民检察院为例; several lines joined by "\n"
    authors: tuple[Author, ...] = ()
    affiliation: str | None = None
    facts: tuple[str, ...] = ()  # lines with source and date, for masthead.read_masthead
    removed: tuple[str, ...] = ()  # lines that authors, affiliation and facts were read from, as printed
    lines_used: int = 1  # lines[lines_used:] is the body
    guessed: bool = False  # nothing but the order of two lines told the kicker from the title


class _Title(NamedTuple):
    """The title and what the lines around it are."""

    kicker: str | None
    title: str
    subtitle: list[str]
    lines: int  # how many lines they take
    guessed: bool = False


@dataclass
class _Below:
    """What is gathered below the title."""

    subtitle: list[str] = field(default_factory=list)
    authors: list[Author] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def read_heading(lines: Sequence[str], *, source: str) -> Heading:
    """Read kicker, title, subtitle, byline and unit from the top of an article.

    `lines`: body lines in page order, boilerplate removed, each stripped, none empty.
    Raises ParseError("parse.no_title") when no line can be a title.
    Layout seen in: corpus/sources/guizhou-fazhi.toml (07版); kicker and subtitle as crawl.md §5.
    """
    below = _Below()
    skipped = _skip_above(lines, below)
    lines = lines[skipped:]
    head = lines[:_HEAD_LINES]
    head = head[: next((place for place, line in enumerate(head) if _is_text(line, place)), len(head))]
    head = head or _numbered_title(lines)
    above = next((place for place in range(len(head)) if _below_title(head, place)), len(head))
    if above == 0 or not any(char.isalnum() for char in head[0]):
        raise ParseError("parse.no_title", source=source, line_count=skipped + len(lines))
    top = _unmarked(lines, above) if above == len(head) else _Title(*_title_lines(head[:above]), above)
    below.subtitle = top.subtitle
    used = _read_below(head, top.lines, below)
    return Heading(
        title=_LABEL.sub("", top.title) or top.title,
        kicker=_LABEL.sub("", top.kicker or "") or None,
        subtitle="\n".join(_LABEL.sub("", line) for line in below.subtitle) or None,
        authors=tuple(dict.fromkeys(below.authors)),
        affiliation="；".join(dict.fromkeys(below.units)) or None,
        facts=tuple(below.facts),
        removed=tuple(below.removed),
        lines_used=skipped + used,
        guessed=top.guessed,
    )


def is_abstract(line: str) -> bool:
    """Whether a line is the abstract or the keywords of an article: 摘要：……"""
    return len(line) <= LINE_CHARS and _ABSTRACT.match(line) is not None


def _numbered_title(lines: Sequence[str]) -> Sequence[str]:
    """The first lines when a number opens the first, which the subtitle or names below it show to be a title."""
    below = len(lines) > 1 and (is_subtitle(lines[1]) or is_credit_line(lines[1]))
    return lines[:2] if below and opens_section(lines[0]) and not is_sentence(lines[0]) else []


def _skip_above(lines: Sequence[str], below: _Below) -> int:
    """Take the lines that stand above some titles: names, a source, counters, an abstract. Returns how many."""
    for place, line in enumerate(lines[:_ABOVE_LINES]):
        if is_abstract(line):
            below.removed.append(line)
        elif is_credit_line(line) or _is_info(line) or is_counter(line):
            _take(line, below)
        else:
            return place
    return min(len(lines), _ABOVE_LINES)


def is_subtitle(line: str) -> bool:
    """Whether a line opens with the dash of a subtitle and is none of the body's ——items."""
    return len(line) <= TITLE_CHARS and _DASHED.match(line) is not None and not is_sentence(line)


def _is_text(line: str, place: int) -> bool:
    """Whether a line belongs to the body for sure. The first half of a broken title may end with a comma."""
    if len(line) > TITLE_CHARS or "。" in line or opens_section(line) or run_in_chars(line):
        return True
    if place and line[0] in MARKS and not _is_marked_byline(line):
        return True
    breaks_off = place > 0 and line.endswith(("，", ","))
    return breaks_off or line.endswith(("；", ";")) or _OPENS_TEXT.match(line) is not None


def _below_title(head: Sequence[str], place: int) -> bool:
    """Whether a line is of a kind that stands below a title: subtitle, names, unit, source and date."""
    line = head[place]
    if is_subtitle(line) or is_credit_line(line) or read_affiliation(line) or _is_info(line):
        return True
    if place == 0:
        return False
    if is_furniture(line) or _SUBTITLE_LABEL.match(line) or _is_marked_byline(line):
        return True
    occasion = _BRACKETED.match(line) is not None and read_marker(line) is None
    return occasion or is_author_line(line) or _is_unit_beside_author(head, place)


def _is_info(line: str) -> bool:
    if "。" in line:
        return False
    return _INFO.match(line) is not None or (is_masthead(line) and not _BRACKETED.match(line))


def _is_marked_byline(line: str) -> bool:
    """Whether a line opens with the mark of a byline and names people or a unit: ■青山县人民检察院."""
    credit = read_credit(line)
    return line[0] in MARKS and bool(credit.authors or credit.affiliation)


def is_author_line(line: str) -> bool:
    """Whether a line is bare names, or an office and a name (县长　李某): a byline where one is expected."""
    if len(line) > 30:
        return False
    return is_bare_names(line) or (
        _OFFICE_AND_NAME.match(line) is not None and bool(read_credit(line).authors)
    )


def _is_unit_beside_author(head: Sequence[str], place: int) -> bool:
    beside = [head[near] for near in (place - 1, place + 1) if 0 < near < len(head)]
    return is_unit(head[place]) and any(is_credit_line(line) or is_author_line(line) for line in beside)


def _unmarked(lines: Sequence[str], above: int) -> _Title:
    """A title with nothing below it that tells where it ends."""
    if above != 2 or _has_plain_headings(lines[2:]) or lines[1].endswith(("：", ":")):
        return _Title(None, lines[0], [], 1, guessed=above > 1)
    kicker, title, subtitle = _title_lines(lines[:2])
    told = (kicker is None and not subtitle) or _LABEL.match(
        lines[0]
    )  # the two lines are one title, or labelled
    return _Title(kicker, title, subtitle, 2, guessed=not told)


def _has_plain_headings(body: Sequence[str]) -> bool:
    """Whether the body has headings without numbers, so that a short line below the title is the first of them."""
    short = [line for line in body if len(line) <= 30 and not is_sentence(line) and not opens_section(line)]
    return len(short) >= 2


def _title_lines(lines: Sequence[str]) -> tuple[str | None, str, list[str]]:
    """(kicker, title, subtitle) of the plain lines at the top. Two halves of one broken title are joined."""
    whole = [lines[0]]
    for line in lines[1:]:
        if _goes_on(whole[-1]):
            whole[-1] += line
        else:
            whole.append(line)
    subtitle: list[str] = []
    while len(whole) > 1 and _LIKE_SUBTITLE.match(whole[-1]) and not _LIKE_SUBTITLE.match(whole[-2]):
        subtitle.insert(0, whole.pop())
    return "\n".join(whole[:-1]) or None, whole[-1], subtitle


def _goes_on(line: str) -> bool:
    """Whether a line breaks off: inside brackets or quotation marks, or behind a mark that ends nothing."""
    opened = any(line.count(opening) > line.count(closing) for opening, closing in _PAIRS)
    return opened or line.endswith(("、", "，", ",", "和", "与", "的"))


def _read_below(head: Sequence[str], place: int, below: _Below) -> int:
    """Gather the lines below the title from `place` on; returns the index of the first that is not one."""
    while place < len(head):
        line = head[place]
        if _below_title(head, place):
            _take(line, below)
        elif not _continues_subtitle(head, place, below):
            break
        else:
            below.subtitle.append(line)
        place += 1
    return place


def _take(line: str, below: _Below) -> None:
    if is_furniture(line):
        below.removed.append(line)
        return
    credit = read_credit(line)
    affiliation = read_affiliation(line) or credit.affiliation or (line if is_unit(line) else None)
    if is_subtitle(line) or not (credit.authors or affiliation or _is_info(line)):
        below.subtitle.append(line)
        return
    below.removed.append(line)
    below.authors += credit.authors
    below.units += [affiliation] if affiliation else []
    below.facts += [line] if _is_info(line) else []


def _continues_subtitle(head: Sequence[str], place: int, below: _Below) -> bool:
    """Whether a plain line is the second half of the subtitle above it."""
    if not below.subtitle or below.authors or below.facts:
        return False
    named_below = place + 1 < len(head) and _below_title(head, place + 1) and not is_subtitle(head[place + 1])
    return named_below or _goes_on(below.subtitle[-1]) or _LIKE_SUBTITLE.match(head[place]) is not None
