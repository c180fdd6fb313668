"""Where a formulation (提法) stands in a text, and whether it stands there by itself or is cut out of other words. Pure.

The rule, in two halves.

*One occurrence* is the formulation as folding finds it. White space and quotation marks within it are nothing; any other mark
within it ends a clause or a name, and there is no occurrence across it.

*Word borders* (`Borders`): the clause around an occurrence is cut twice, once what stands to the left with the formulation
without its last character, once the formulation without its first with what stands to the right. So the dictionary's knowledge
of the formulation itself cannot hide a longer word (党规|党纪学习教育 is how jieba cuts where the lexicon has the latter). A word
that reaches over the border is judged:
  1. one of COORDINATE (党规党纪), or a number that goes on (十八项规定): the occurrence is rejected;
  2. a compound that is divided just there (深化|改革 before 改革开放, 攻坚|战 behind 脱贫攻坚): the occurrence stands, unless the
     compound is all that a 的 belongs to (党的领导|人, 党的领导|干部);
  3. else, where what the word leaves of the formulation begins or ends a word too (人民|生活 around 民生): rejected;
  4. else the plain cut of the clause decides, and where that has no fewer words than a cut with the formulation left whole, the
     formulation stands (惠|民生), unless all that is left of it is a word that stands alone often (党|建设 for 党建).
As a part of a longer word or name, whole, it stands. What the rule rejects and accepts wrongly was counted by reading:
docs/benchmarks.md, "Formulations".
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from kb.model import Run
from kb.text.keyness import SURE, keyness
from kb.text.normalize import fold, fold_with_map, matching_form
from kb.text.segment import Segmenter
from kb.text.stopwords import STOPWORDS

QUOTES = "“”‘’\"'＂＇「」『』﹁﹂﹃﹄《》〈〉"
_NOTHING = rf"[\s{re.escape(QUOTES)}·•・‧\u200b-\u200d\ufeff]*"  # within an occurrence
_SPACE = r"\s*"  # between two Latin characters; marks count there (3.5)
CONTEXT = 8  # characters on each side that the words are cut with
SENTENCE_ENDS = "。！？；!?;\n"
SENTENCE_CHARS = 200  # of a sentence that are shown
COORDINATE = frozenset(  # of two things side by side: neither is meant alone
    "党规党纪 党纪党规 党章党规 党纪国法 党规国法 国法党纪 党纪政纪 政纪党纪 党纪法规 党政军民 党群干群 国企国资".split()
)
_JOINING = tuple("和与及或")  # 党和国家|治理 is not 国家治理
_NO_WORDS = frozenset(["中央党", "同党", "上党"])  # jieba has them; in this field they are cut out of others
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿两0123456789")
_ALONE = frozenset("党国人民军治")  # characters that are words as often as parts of words
_PAIRS = ("“”", "‘’", "「」", "『』", "﹁﹂", "﹃﹄", "《》", "〈〉", '""', "''", "＂＂", "＇＇")
_PLAIN: set[str] = set()  # characters met that fold to themselves or to nothing
_SAME: set[str] = set()  # those that fold to themselves
_OTHERS: dict[str, str] = {}  # characters met that fold to something else
Span = tuple[int, int]


class Place(NamedTuple):
    """An occurrence in a text."""

    start: int  # index of its first character as stored
    end: int  # behind its last
    written: str  # “两个确立”, with the quotation marks that enclose it; white space removed
    left: str  # 深刻领悟, folded: what stands before it in its clause, at most CONTEXT characters
    right: str  # 的决定性意义


class Finder:
    """Finds one formulation in texts."""

    def __init__(self, formulation: str) -> None:
        self.folded = fold(formulation)
        self._pattern = re.compile(_spread(self.folded))

    def quickly(self, text: str) -> list[Place]:
        """The occurrences that are written in the very characters of the folded formulation: simplified, half width."""
        return [_place(text, *found.span()) for found in self._pattern.finditer(text)]

    def may_be_elsewhere(self, text: str) -> bool:
        """Whether the text has a character that folds to something else, of which the formulation has a part."""
        for char in set(text) - _PLAIN:
            if (form := _OTHERS.get(char)) is None:
                form = fold(char)
                if form in ("", char):
                    _PLAIN.add(char)
                    continue
                _OTHERS[char] = form
            if any(one in self.folded for one in form):
                return True
        return False

    def everywhere(self, text: str) -> list[Place]:
        """All occurrences, in any script and width."""
        folded, origins = fold_with_map(text)
        found, at = [], folded.find(self.folded)
        while at >= 0:
            start, end = origins[at], origins[at + len(self.folded) - 1] + 1
            if all(map(_is_nothing, text[start:end])):
                found.append(_place(text, start, end))
            at = folded.find(self.folded, at + 1)
        return found


def _spread(folded: str) -> str:
    """A pattern for the characters with what counts for nothing between them."""
    pattern = re.escape(folded[:1])
    for before, char in pairwise(folded):
        pattern += (_SPACE if before.isascii() and char.isascii() else _NOTHING) + re.escape(char)
    return pattern


def _is_nothing(char: str) -> bool:
    """Whether a character within an occurrence is part of it, or nothing; any other is a mark that ends a clause."""
    return bool(fold(char)) or char.isascii() or bool(re.fullmatch(_NOTHING, char)) or not matching_form(char)


def _place(text: str, start: int, end: int) -> Place:
    return Place(start, end, _written(text, start, end), _before(text, start), _behind(text, end))


def _written(text: str, start: int, end: int) -> str:
    """As it is written, with quotation marks that enclose it or a part of it; without those that have no partner in it."""
    within = "".join(text[start:end].split())
    before, behind = text[start - 1 : start] if start else "", text[end : end + 1]
    before, behind = (char if char in QUOTES else "" for char in (before, behind))
    if not (before or behind) and within.isalnum():
        return within
    for form in (before + within + behind, before + within, within + behind):
        if _is_quoted(form):
            return form
    return within.translate(dict.fromkeys(map(ord, QUOTES)))


def _is_quoted(form: str) -> bool:
    """Whether quotation marks stand in it, in pairs."""
    marks = [char for char in form if char in QUOTES]
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return bool(marks) and len(marks) % 2 == 0 and all("".join(pair) in _PAIRS for pair in pairs)


def _before(text: str, start: int) -> str:
    near = text[max(start - CONTEXT, 0) : start]
    if near.isalnum():
        return _folded(near)
    at = start
    while at > 0 and start - at < CONTEXT and not _is_mark(text[at - 1]):
        at -= 1
    return fold(text[at:start])


def _behind(text: str, end: int) -> str:
    near = text[end : end + CONTEXT]
    if near.isalnum():
        return _folded(near)
    at = end
    while at < len(text) and at - end < CONTEXT and not _is_mark(text[at]):
        at += 1
    return fold(text[end:at])


def _folded(letters: str) -> str:
    """`fold` of letters and digits without marks, which seldom changes them."""
    if _SAME.issuperset(letters):
        return letters
    _SAME.update(char for char in letters if fold(char) == char)
    return fold(letters)


def _is_mark(char: str) -> bool:
    """Whether words end here; a space does not end them, a line does."""
    return char == "\n" or unicodedata.category(char)[0] in "PS"


# --- word borders ---------------------------------------------------------------------------------------------


class Borders:
    """Judges the occurrences of one formulation by what stands around them."""

    def __init__(self, folded: str, segmenter: Segmenter) -> None:
        self._folded = folded
        self._words = segmenter.words
        behind = (at + 1 for at in _meetings(self._words(folded[1:])))
        self._divided = {*_meetings(self._words(folded[:-1])), *behind}
        self._begun = [
            (word[:at], word)
            for word in sorted(COORDINATE)
            for at in range(1, len(word))
            if folded.startswith(word[at:])
        ]
        self._judged: dict[tuple[str, str], str | None] = {}
        self._is_word = segmenter.is_word
        self._heads = [folded[:at] for at in range(1, len(folded))]
        self._tails = [folded[at:] for at in range(1, len(folded))]
        self._begins: dict[str, bool] = {}
        self._ends: dict[str, bool] = {}

    def crossing(self, place: Place) -> str | None:
        """The word that the formulation is cut out of (领导人 for 党的领导|人); None where it stands by itself."""
        context = place.left, place.right
        if context not in self._judged:
            self._judged[context] = self._left(*context) or self._right(*context)
        return self._judged[context]

    def _left(self, left: str, right: str) -> str | None:
        """The word that begins in what stands before."""
        if not left:
            return None
        if (listed := self._listed(left)) is not None:
            return listed
        if self._is_free(left[-1], self._folded[0]) and not self._may_begin(left):
            return None
        start, end = self._over(left + self._folded[:-1], len(left))
        if start == end:
            return None
        word, inside = (left + self._folded)[start:end], end - len(left)
        if left[-1] in _NUMERALS and self._folded[0] in _NUMERALS:
            return word
        if inside >= 2 and inside in self._divided and not self._words(left[start:])[-1].endswith(_JOINING):
            return None
        rest = self._words(self._folded[inside:] + right)
        if len(rest[0]) > 1 or self._is_cut(left, right, len(left), self._folded[inside:]):
            return word
        return None

    def _right(self, left: str, right: str) -> str | None:
        """The word that ends in what stands behind."""
        if not right or (self._is_free(self._folded[-1], right[0]) and not self._may_end(right)):
            return None
        size = len(self._folded)
        start, end = self._over(self._folded[1:] + right, size - 1)
        if start == end:
            return None
        start += 1  # now a place in the formulation
        word, kept = (self._folded + right)[start : end + 1], self._folded[:start]
        if size - start >= 2 and start in self._divided:
            is_head = kept.endswith("的") and not any(at > start for at in self._divided)
            return word if is_head else None
        rest = self._words(left + kept)
        if len(rest[-1]) > 1 or self._is_cut(left, right, len(left) + size, kept):
            return word
        return None

    @staticmethod
    def _is_free(before: str, behind: str) -> bool:
        """Whether only a word of the dictionary can join two characters; numbers and Latin are joined without it."""
        return "\u4e00" <= before <= "\u9fd5" and "\u4e00" <= behind <= "\u9fd5"

    def _may_begin(self, left: str) -> bool:
        """Whether the dictionary has a word of an end of `left` and a beginning of the formulation: quicker than to cut."""
        for at in range(1, len(left) + 1):
            if (known := self._begins.get(part := left[-at:])) is None:
                known = self._begins[part] = any(self._is_word(part + head) for head in self._heads)
            if known:
                return True
        return False

    def _may_end(self, right: str) -> bool:
        """The same of an end of the formulation and a beginning of `right`."""
        for at in range(1, len(right) + 1):
            if (known := self._ends.get(part := right[:at])) is None:
                known = self._ends[part] = any(self._is_word(tail + part) for tail in self._tails)
            if known:
                return True
        return False

    def _listed(self, left: str) -> str | None:
        """The coordinate compound that begins in what stands before and ends in the formulation."""
        return next((word for begins, word in self._begun if left.endswith(begins)), None)

    def _over(self, text: str, border: int) -> Span:
        """Begin and end of the word that reaches over a place; the same twice where none does."""
        at = 0
        for word in self._words(text):
            if at < border < at + len(word) and word not in _NO_WORDS:
                return at, at + len(word)
            at += len(word)
        return 0, 0

    def _is_cut(self, left: str, right: str, border: int, kept: str) -> bool:
        """Whether the plain cut of all has a word over a border, and good reason. `kept`: what that leaves of the formulation."""
        text = left + self._folded + right
        start, end = self._over(text, border)
        if start == end or (start <= len(left) and end >= len(left) + len(self._folded)):
            return False
        whole = len(self._words(left)) + len(self._divided) + 1 + len(self._words(right))
        plain = len(self._words(text))
        return plain < whole or (plain == whole and kept in _ALONE)


def _meetings(words: list[str]) -> set[int]:
    """Where words meet, counted in characters."""
    ends = list(accumulate(map(len, words)))
    return set(ends[:-1])


# --- what is shown --------------------------------------------------------------------------------------------


def sentence(text: str, place: Place) -> tuple[Run, ...]:
    """The sentence of an occurrence, marked; of a long one the stretch around it."""
    start, end = sentence_span(text, place)
    room = max(SENTENCE_CHARS - (place.end - place.start), 0)
    first = max(start, place.start - room // 2)
    last = min(end, place.end + room - (place.start - first))
    before = ("…" if first > start else "") + text[first : place.start].lstrip()
    behind = text[place.end : last].rstrip() + ("…" if last < end else "")
    runs = (Run(before, False), Run(text[place.start : place.end], True), Run(behind, False))
    return tuple(run for run in runs if run.text)


def sentence_span(text: str, place: Place) -> Span:
    """Begin and end of the sentence of an occurrence, with the marks that close it."""
    start = max(text.rfind(mark, 0, place.start) for mark in SENTENCE_ENDS) + 1
    while start < place.start and text[start] in "”’」』）)":
        start += 1
    ends = [at for mark in SENTENCE_ENDS if (at := text.find(mark, place.end)) >= 0]
    end = min(ends) + 1 if ends else len(text)
    while end < len(text) and text[end] in "”’」』":
        end += 1
    return start, end


def sentences(text: str) -> Iterator[str]:
    """Every sentence."""
    at = 0
    for found in re.finditer(rf"[{SENTENCE_ENDS}]+", text):
        yield text[at : found.end()]
        at = found.end()
    if at < len(text):
        yield text[at:]


# --- companions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Companion:
    """A word that stands in the same sentences."""

    word: str  # 四个意识
    sentences: int  # of those looked at that have both
    score: float  # G² of sentences


def companions(pieces: Iterable[str], folded: str, segmenter: Segmenter, most: int) -> list[Companion]:
    """The words that stand in sentences with the formulation more surely than in the other sentences of the same texts.

    The measure is the log-likelihood ratio G² of sentences that hold a word (Dunning 1993, Computational Linguistics 19:1). A word
    in one sentence only is chance.
    """
    inside, outside = Counter[str](), Counter[str]()
    sizes = [0, 0]
    for sentence_ in (one for piece in pieces for one in sentences(piece)):
        words = {word for word in segmenter.words(sentence_) if _tells(word, folded)}
        has = folded in fold(sentence_)
        sizes[has] += 1
        (inside if has else outside).update(words)
    found = [
        Companion(word, count, round(keyness(count, sizes[1], outside[word], sizes[0]), 1))
        for word, count in inside.items()
        if count > 1
    ]
    sure = [one for one in found if one.score >= SURE]
    return sorted(sure, key=lambda one: (-one.score, one.word))[:most]


def _tells(word: str, folded: str) -> bool:
    return (
        len(word) > 1
        and not word[0].isdecimal()
        and word not in STOPWORDS
        and word not in folded
        and folded not in word
    )
