"""Which part of an article a position belongs to, so that a literal can be looked for in one part only.

Positions are those of tokens.py. A title begins at 0; the body begins where `body_from` says; of subtitles, headings, what
is not body (captions, notes) and the words of quotations every document has its spans, in order. A literal never crosses
from one text to the next, so where it begins tells its text; a quotation is a piece of a text, and must hold all of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kb.engine.compiled import Array, Ints, address, loop, u1, u4
from kb.text.normalize import fold_with_map

# What a text of an article is; a quotation is a piece of one.
TITLE, KICKER, SUBTITLE, HEADING, BODY, ASIDE, AUTHOR, AFFILIATION, QUOTATION = range(9)
HEADS = (TITLE, KICKER, SUBTITLE)
HELD = (SUBTITLE, HEADING, ASIDE)  # texts that have a span
SPANNED = (SUBTITLE, HEADING, QUOTATION)  # parts that are nothing but spans
ANYWHERE = -1
PART = {
    None: ANYWHERE, "title": TITLE, "subtitle": SUBTITLE, "body": BODY, "heading": HEADING, "quotation": QUOTATION,
}  # fmt: skip

# Columns of a segment's row for kernels: addresses of the arrays of Spans.
S_TITLE, S_BODY, S_AT, S_START, S_END, S_KIND = range(6)
S_WIDTH = 6


class Spans(NamedTuple):
    """Of document d: its title is [0, title_chars[d]), its spans are those from at[d] to at[d + 1]."""

    title_chars: Array  # u4
    body_from: Array  # u4
    at: Array  # u4
    starts: Array  # u4
    ends: Array  # u4
    kinds: Array  # u1


class Piece(NamedTuple):
    """Characters of a folded text."""

    text: int  # its number
    start: int
    end: int


def within_text(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the characters text[start:end] begin and end in the folded text."""
    origins = fold_with_map(text)[1]
    return bisect_left(origins, start), bisect_left(origins, end)


def spans_of(
    docs: int, kinds: Array, doc_of: Array, begins: Ints, ends: Ints, quoted: Sequence[Piece]
) -> Spans:
    """`kinds`, `doc_of`, `begins`, `ends`: of each text. `quoted`: the words of quotations."""
    titles, heads, held = kinds == TITLE, np.isin(kinds, HEADS), np.isin(kinds, HELD)
    title_chars, body_from = np.zeros(docs, np.uint32), np.zeros(docs, np.uint32)
    title_chars[doc_of[titles]] = ends[titles]
    np.maximum.at(body_from, doc_of[heads], (ends[heads] + 1).astype(np.uint32))
    pieces = np.array([piece for piece in quoted if piece.start < piece.end], np.int64).reshape(-1, 3)
    texts, firsts, behind = pieces.T
    doc = np.concatenate([doc_of[held], doc_of[texts]])
    start = np.concatenate([begins[held], begins[texts] + firsts])
    end = np.concatenate([ends[held], begins[texts] + behind])
    kind = np.concatenate([kinds[held], np.full(len(texts), QUOTATION, np.uint8)])
    order = np.lexsort((kind, start, doc))
    at = np.searchsorted(doc[order], np.arange(docs + 1))
    return Spans(title_chars, body_from, *_typed(at, start[order], end[order], kind[order]))


def _typed(at: Array, starts: Array, ends: Array, kinds: Array) -> tuple[Array, Array, Array, Array]:
    return at.astype(np.uint32), starts.astype(np.uint32), ends.astype(np.uint32), kinds.astype(np.uint8)


def joined(parts: Sequence[Spans], kept: Sequence[Array]) -> Spans:
    """Those of several segments one after the other, without the documents that `kept` leaves out."""
    made = []
    for part, alive in zip(parts, kept, strict=True):
        at: Ints = part.at.astype(np.int64)
        counts = at[1:] - at[:-1]
        chosen = np.repeat(alive, counts)
        held = (one[chosen] for one in (part.starts, part.ends, part.kinds))
        made.append((part.title_chars[alive], part.body_from[alive], counts[alive], *held))
    title_chars, body_from, counts, starts, ends, kinds = (
        np.concatenate(one) for one in zip(*made, strict=True)
    )
    at = np.concatenate([[0], np.cumsum(counts)])
    return Spans(title_chars, body_from, *_typed(at, starts, ends, kinds))


def as_arrays(spans: Spans) -> dict[str, Array]:
    """As they are written."""
    return {f"span.{name}": array for name, array in spans._asdict().items()}


def from_arrays(arrays: Mapping[str, Array]) -> Spans:
    return Spans(*(arrays[f"span.{name}"] for name in Spans._fields))


def having(spans: Spans, part: int) -> Array:
    """Whether each document has a span of that kind, as bools."""
    found = np.zeros(len(spans.title_chars), np.bool_)
    counts = np.diff(spans.at)
    found[np.repeat(np.arange(len(counts)), counts)[spans.kinds == part]] = True
    return found


def row_of(arrays: Mapping[str, Array]) -> Ints:
    """What kernels get of a segment."""
    return np.array([address(array) for array in from_arrays(arrays)], np.int64)


@loop
def is_within(row: Ints, part: int, doc: int, start: int, size: int) -> bool:
    """Whether so many characters from `start` on lie in such a part of the document."""
    if part == ANYWHERE:
        return True
    if part == TITLE:
        return start < u4(row[S_TITLE], doc)
    if part == BODY and start < u4(row[S_BODY], doc):
        return False
    wanted = ASIDE if part == BODY else part
    for i in range(u4(row[S_AT], doc), u4(row[S_AT], doc + 1)):
        first = u4(row[S_START], i)
        if first > start:
            break
        if u1(row[S_KIND], i) == wanted and start + size <= u4(row[S_END], i):
            return part != BODY
    return part == BODY
