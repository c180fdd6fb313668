"""Lexicon lines -> terms, strictly checked. Pure: the file is read by the use case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kb.errors import ConfigError
from kb.text.normalize import fold
from kb.text.segment import Segmenter

SHORTEST, LONGEST = 2, 20  # characters of a term; jieba's user dictionaries take hours for hostile ones
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
