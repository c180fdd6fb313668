"""Lexicon lines -> terms, strictly checked: the shipped file's, and those that editors add over it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from kb.errors import ConfigError
from kb.text.normalize import fold
from kb.text.segment import Segmenter

SHORTEST, LONGEST = 2, 20  # characters of a term; jieba's user dictionaries take hours for hostile ones
OWN_LONGEST = 40  # of a term that editors add
MOST_FREQUENT = 10**9
OFF = "停用"  # third column of a line whose term is not to be used
_TERM = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffffA-Za-z0-9·+]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the lexicon."""

    word: str  # 三会一课
    subject: str  # 组织生活
    source: str  # where the term is attested


def read(lines: Iterable[str]) -> list[Term]:
    """Terms from lines `term<TAB>subject<TAB>source`; blank lines and lines with # in front are passed over.

    Raises ConfigError("lexicon.bad_line") for the first line that is not as it must be.
    """
    terms: list[Term] = []
    numbers: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.rstrip("\r\n").split("\t")
        reason = _fault(parts)
        if reason is None and (first := numbers.setdefault(fold(parts[0]), number)) != number:
            reason = f"{parts[0]} 与第 {first} 行重复 (same as line {first})"
        if reason is not None:
            raise ConfigError("lexicon.bad_line", line=number, reason=reason)
        terms.append(Term(*parts))
    return terms


def _fault(parts: list[str]) -> str | None:
    if len(parts) != 3:
        return f"应有 3 列,实有 {len(parts)} 列 (3 columns needed, {len(parts)} found)"
    word, subject, source = parts
    if not SHORTEST <= len(word) <= LONGEST:
        return f"词长 {len(word)} 字,应为 {SHORTEST}–{LONGEST} 字 (length {len(word)})"
    if not _TERM.fullmatch(word):
        return f"{word!r} 含有不允许的字符 (characters that are not allowed)"
    if not subject.strip() or not source.strip():
        return "缺少主题或出处 (subject or source is missing)"
    return None


def load_segmenter(lines: Iterable[str]) -> Segmenter:
    """The segmenter with the terms of these lexicon lines. Raises ConfigError("lexicon.bad_line")."""
    return Segmenter([term.word for term in read(lines)])


# --- terms that editors add -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A term as the segmenter takes it."""

    word: str  # 枫溪夜话会
    frequency: int | None = None  # as jieba counts; None: the lowest at which the term is cut out whole


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All terms in force."""

    entries: tuple[Entry, ...] = ()

    @property
    def words(self) -> list[str]:
        return [entry.word for entry in self.entries]

    @property
    def frequencies(self) -> dict[str, int]:
        return {one.word: one.frequency for one in self.entries if one.frequency is not None}

    def segmenter(self) -> Segmenter:
        return Segmenter(self.words, frequencies=self.frequencies)

    def fingerprint(self, segmenter: Segmenter) -> str:
        """Of the segmenter that it would make."""
        return segmenter.fingerprint_of(self.words, self.frequencies)


@dataclass(frozen=True, slots=True)
class OwnTerm:
    """What editors decided about one term."""

    word: str
    frequency: int | None = None
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot be used."""

    line: int
    field: str  # 词语 | 词频 | 状态 | 列数
    reason: str


@dataclass(slots=True)
class OwnLines:
    """Lines that were read: all of them, or why not."""

    terms: list[OwnTerm] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_own(lines: Iterable[str]) -> OwnLines:
    """Terms from lines `term<TAB>frequency<TAB>停用`, the last two optional; blank lines and # lines are passed over.

    Every fault of every line is told; a line with one gives no term.
    """
    read, numbers = OwnLines(), dict[str, int]()
    for number, line in enumerate(lines, 1):
        line = line.lstrip("\ufeff").rstrip("\r\n")
        if not line.strip() or line.startswith("#"):
            continue
        word, frequency, state, *more = [*line.split("\t"), "", ""]
        faults = [Fault(number, "列数", "最多 3 列:词语、词频、停用")] if len(more) > 2 else []
        faults += own_faults(number, word, frequency, state)
        if not faults and (first := numbers.setdefault(fold(word), number)) != number:
            faults.append(Fault(number, "词语", f"与第 {first} 行重复"))
        read.faults += faults
        if not faults:
            read.terms.append(OwnTerm(word, int(frequency) if frequency else None, state == OFF))
    return read


def own_faults(number: int, word: str, frequency: str, state: str = "") -> list[Fault]:
    """What of a term's three columns cannot be used."""
    found = []
    if (reason := own_word_fault(word)) is not None:
        found.append(Fault(number, "词语", reason))
    if frequency and not (re.fullmatch("[0-9]{1,10}", frequency) and 1 <= int(frequency) <= MOST_FREQUENT):
        found.append(Fault(number, "词频", f"应为 1–{MOST_FREQUENT} 的整数,或不填"))
    if state not in ("", OFF):
        found.append(Fault(number, "状态", f"只能不填或填“{OFF}”"))
    return found


def own_word_fault(word: str) -> str | None:
    """Why a word cannot be a term, in Chinese; None when it can."""
    if re.search(r"\s", word):
        return "不能含空格、制表符或换行"
    if not SHORTEST <= len(word) <= OWN_LONGEST:
        return f"应为 {SHORTEST}–{OWN_LONGEST} 个字,现为 {len(word)} 个"
    if not _TERM.fullmatch(word):
        return "只能用汉字、英文字母、数字、间隔号和加号"
    return None


def written(terms: Iterable[OwnTerm]) -> str:
    """The lines that `read_own` reads."""
    rows = (f"{one.word}\t{one.frequency or ''}\t{OFF if one.is_removed else ''}".rstrip() for one in terms)
    return "".join(f"{row}\n" for row in ("# 词语\t词频\t停用", *rows))
