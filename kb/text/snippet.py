"""Marks on exactly the matched characters, and the passage that shows most of what was asked. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from kb.model import BODY_KINDS, Block, Mark, Run
from kb.text.normalize import fold, fold_with_map

HEADING_WORTH = 0.8  # of a paragraph with the same words: a heading alone tells less
SENTENCE_ENDS = "。！？；!?;\n"
LEAD_CHARS = 30  # how far before the first mark a passage may begin

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a block."""

    anchor: str | None  # of the block; None when it is there for want of a better one
    runs: tuple[Run, ...]
    is_cut_before: bool  # the block begins earlier
    is_cut_after: bool  # the block goes on


def runs(text: str, marks: Sequence[Mark]) -> tuple[Run, ...]:
    """The whole text, cut where a mark begins or ends; they are found as folding finds them."""
    folded = fold(text)
    there = [mark for mark in marks if mark.text in folded]
    return _cut(text, 0, len(text), _spans(text, *fold_with_map(text), there) if there else [])


def marked_in(marks: Sequence[Mark], place: str) -> tuple[Mark, ...]:
    """Those that are marked in a place: title, subtitle, kicker, or the kind of a block."""
    fields = {None, place}
    if place in BODY_KINDS:
        fields |= {"body"} if place == "heading" else {"body", "quotation"}
    return tuple(mark for mark in marks if mark.field in fields)


def passage(blocks: Sequence[Block], marks: Sequence[Mark], chars: int) -> Passage:
    """The stretch of one block, about `chars` long, that holds most of the marks; longer ones count more.

    Without any mark in any block, the head of the first paragraph, and no anchor.
    """
    wanted = tuple(dict.fromkeys(marks))
    best_worth, best_block, best_span = 0.0, None, (0, 0)
    for most, block, folded in _promising(blocks, wanted):
        if most <= best_worth:
            break
        worth, span = _window(block.text, folded, marked_in(wanted, block.kind), chars)
        if (worth := worth * _kind_worth(block)) > best_worth:
            best_worth, best_block, best_span = worth, block, span
    if best_block is None:
        return _head(blocks, chars)
    return _stretch(best_block, best_span, marked_in(wanted, best_block.kind), chars)


def _promising(blocks: Sequence[Block], marks: Sequence[Mark]) -> list[tuple[float, Block, str]]:
    """Blocks that hold a mark, with their greatest possible worth and their folded text, best first."""
    found = []
    for block in blocks:
        folded = fold(block.text)
        wanted = [mark for mark in marked_in(marks, block.kind) if mark.text in folded]
        worth = sum(len(mark.text) for mark in wanted if _places(block.text, folded, mark))
        if worth:
            found.append((worth * _kind_worth(block), block, folded))
    return sorted(found, key=lambda one: -one[0])


def _kind_worth(block: Block) -> float:
    return HEADING_WORTH if block.kind == "heading" else 1.0


def _window(text: str, folded: str, marks: Sequence[Mark], chars: int) -> tuple[float, Span]:
    """The first stretch of `chars` folded characters whose marks are longest in total, and that total."""
    hits = sorted(
        (at, at + len(mark.text), mark.text) for mark in marks for at in _places(text, folded, mark)
    )
    best, span, first = 0, (0, 0), 0
    for last in range(len(hits)):
        while hits[last][1] - hits[first][0] > chars and first < last:
            first += 1
        worth = sum(len(term) for term in {term for _, _, term in hits[first : last + 1]})
        if worth > best:
            best, span = worth, (hits[first][0], hits[last][1])
    return best, span


def _places(text: str, folded: str, mark: Mark, origins: Sequence[int] = ()) -> list[int]:
    """Where the mark begins in the folded text; `origins` as fold_with_map gives them, when at hand.

    A word that begins or ends with a Latin letter or digit is not found inside a longer one (ai in email).
    """
    term = mark.text
    places, at = [], folded.find(term)
    while at >= 0:
        places.append(at)
        at = folded.find(term, at + 1)
    if places and not mark.is_literal and (_is_latin(term[0]) or _is_latin(term[-1])):
        origins = origins or fold_with_map(text)[1]
        size = len(term) - 1
        return [at for at in places if not _inside_latin(text, origins[at], origins[at + size] + 1)]
    return places


def _stretch(block: Block, span: Span, marks: Sequence[Mark], chars: int) -> Passage:
    """About `chars` characters of the block around a folded span, from a sentence start if near."""
    text = block.text
    folded, origins = fold_with_map(text)
    first, last = origins[span[0]], origins[span[1] - 1] + 1
    room = max(chars - (last - first), 0)
    end = min(len(text), last + max(room - LEAD_CHARS, room // 2))
    earliest = max(0, first - max(chars - (end - first), 0))
    begins = [at + 1 for at in range(earliest - 1, first) if at < 0 or text[at] in SENTENCE_ENDS]
    start = begins[0] if begins else earliest
    runs = _cut(text, start, end, _spans(text, folded, origins, marks))
    return Passage(block.anchor, runs, start > 0, end < len(text))


def _head(blocks: Sequence[Block], chars: int) -> Passage:
    for block in blocks:
        if block.kind == "paragraph":
            return Passage(None, (Run(block.text[:chars], False),), False, len(block.text) > chars)
    return Passage(None, (), False, False)


def _spans(text: str, folded: str, origins: Sequence[int], marks: Sequence[Mark]) -> list[Span]:
    """Stretches of the stored text that match, in order, those that overlap or touch joined."""
    found = []
    for mark in marks:
        for at in _places(text, folded, mark, origins):
            found.append((origins[at], origins[at + len(mark.text) - 1] + 1))
    joined: list[Span] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _inside_latin(text: str, start: int, end: int) -> bool:
    """Whether the stretch begins or ends within a Latin word or number."""
    before, first = fold(text[start - 1 : start])[-1:], fold(text[start])[:1]
    last, after = fold(text[end - 1])[-1:], fold(text[end : end + 1])[:1]
    return (_is_latin(before) and _is_latin(first)) or (_is_latin(last) and _is_latin(after))


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _cut(text: str, start: int, end: int, spans: list[Span]) -> tuple[Run, ...]:
    """`text[start:end]` as runs."""
    result: list[Run] = []
    at = start
    for left, right in spans[max(bisect_left(spans, (start, 0)) - 1, 0) :]:
        left, right = max(left, at), min(right, end)
        if left < right:
            if at < left:
                result.append(Run(text[at:left], False))
            result.append(Run(text[left:right], True))
            at = right
    if at < end:
        result.append(Run(text[at:end], False))
    return tuple(result)
