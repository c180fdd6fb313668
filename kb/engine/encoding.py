"""Postings, term after term -> the arrays of layout.py. The one place that knows how they are packed.

Kernels fill buffers, which are emptied into spools whenever the next term might not fit: a field of any size takes the
same memory. A term is never split.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kb.engine.compiled import Array, Bytes, Floats, Ints, loop, whole
from kb.engine.layout import ARRAYS, BIG, CHUNK, POS_STEP, SEGMENT_DOCS, STEP, bound_from, is_dense
from kb.engine.spool import Spool

K1, B = 1.2, 0.75
SAFE = 1.0 + 1e-9  # how much the rounding of a bound may be off
ROOM = 4 * SEGMENT_DOCS  # postings that fit into the buffers: several of the largest terms
TERM_ROOM = 1 << 17  # letters of a term; longer ones make the buffer grow
POS_ROOM = 4 << 20  # bytes of positions; a term with more makes the buffer grow


class Buffers(NamedTuple):
    """The arrays of layout.ARRAYS, in its order, each with room at its end."""

    terms: Bytes
    blocks: Array
    low: Bytes
    high: Bytes
    chunk_at: Array
    chunk_top: Bytes
    tf: Bytes
    big_at: Array
    big_tf: Array
    pos: Bytes
    pos_at: Array


# What has been written of a field: numbers of used places of each buffer (in Buffers' order; of `tf` half bytes), then …
U_TERMS, U_BLOCKS, U_LOW, U_HIGH, U_CHUNKS, U_TOPS, U_TF, U_BIG_AT, U_BIG_TF, U_POS, U_POS_AT = range(11)
W_TERMS, W_LETTERS, W_POSTINGS, W_ROWS, W_THIN, W_POS = (
    11,
    12,
    13,
    14,
    15,
    16,
)  # … totals, emptied buffers included,
W_LAST, W_LONGEST = 17, 18  # … letters of the last term and of the longest,
W_NEED_TERMS, W_NEED_POS = 19, 20  # … and the room that the next term needs, where it did not fit
W_WIDTH = 21


@loop
def fits(out: Buffers, written: Ints, letters: int, postings: int, pos_bytes: int, chunks: int) -> bool:
    """Whether a term can be added without emptying or growing a buffer. If not, `written` says what it needs."""
    written[W_NEED_TERMS], written[W_NEED_POS] = letters + 32, pos_bytes
    return bool(
        written[U_TERMS] + letters + 32 <= len(out.terms)
        and written[U_POS] + pos_bytes <= len(out.pos)
        and written[U_LOW] + postings <= len(out.low)
        and written[U_CHUNKS] + chunks <= len(out.chunk_at)
        and written[U_BLOCKS] + 4 <= len(out.blocks)
    )


@loop
def put_number(out: Bytes, used: int, number: int) -> int:
    """Seven bits to a byte, the low ones first; all but the last byte have the high bit. Returns the new end."""
    while number >= 128:
        out[used] = (number & 127) | 128
        number >>= 7
        used += 1
    out[used] = number
    return used + 1


@loop
def add_entry(
    out: Buffers, written: Ints, last: Bytes, letters: Bytes, start: int, size: int, df: int, bound: int
) -> None:
    """The term's entry in the dictionary. `last`: the term before, and then this one."""
    shared = 0
    if written[W_TERMS] % STEP == 0:
        place = written[U_BLOCKS]
        out.blocks[place], out.blocks[place + 1] = written[W_LETTERS], written[W_POSTINGS]
        out.blocks[place + 2], out.blocks[place + 3] = written[W_ROWS], written[W_THIN]
        written[U_BLOCKS] += 4
    else:
        most = min(written[W_LAST], size)
        while shared < most and last[shared] == letters[start + shared]:
            shared += 1
    own = size - shared
    used = begin = written[U_TERMS]
    out.terms[used] = min(shared, 15) | min(own, 15) << 4
    used += 1
    if shared >= 15:
        used = put_number(out.terms, used, shared - 15)
    if own >= 15:
        used = put_number(out.terms, used, own - 15)
    for i in range(shared, size):
        out.terms[used] = last[i] = letters[start + i]
        used += 1
    used = put_number(out.terms, used, df)
    out.terms[used] = bound
    written[U_TERMS] = used + 1
    written[W_LETTERS] += used + 1 - begin
    written[W_TERMS] += 1
    written[W_LAST] = size
    written[W_LONGEST] = max(written[W_LONGEST], size)


@loop
def add_row(out: Buffers, written: Ints, docs: Array, tf: Array, df: int, norm: Floats, bound: float) -> None:
    """A dense term: where each chunk begins among its postings, and the largest part of a score in each."""
    at = written[U_CHUNKS]
    chunks = (len(norm) + CHUNK - 1) // CHUNK
    i = 0
    for chunk in range(chunks):
        # A chunk without postings at the end begins where the postings end; 65,536 does not fit and cannot be.
        out.chunk_at[at + chunk] = i
        top = 0.0
        while i < df and docs[i] >> 8 == chunk:
            top = max(top, part_of(tf[i], norm[docs[i]]))
            i += 1
        out.chunk_top[at + chunk] = int(np.ceil(top / bound * 255.0 * (1.0 - 1e-12)))
    written[U_CHUNKS] += chunks
    written[U_TOPS] += chunks
    written[W_ROWS] += 1


@loop
def part_of(tf: int, norm: float) -> float:
    often = float(tf)
    return often / (often + norm)


@loop
def add_term(
    out: Buffers, written: Ints, last: Bytes, letters: Bytes, start: int, size: int, docs: Array, tf: Array,
    df: int, norm: Floats,
) -> None:  # fmt: skip
    """Everything of a term but its positions. `docs` and `tf`: its `df` postings; `norm`: of every document."""
    most = 0.0
    for i in range(df):
        most = max(most, part_of(tf[i], norm[docs[i]]))
    byte = min(255, int(np.ceil(np.sqrt(most) * 255.0 * SAFE)))
    add_entry(out, written, last, letters, start, size, df, byte)
    if is_dense(df, (len(norm) + CHUNK - 1) // CHUNK):
        add_row(out, written, docs, tf, df, norm, bound_from(byte))
    else:
        high = written[U_HIGH]
        for i in range(df):
            out.high[high + i] = docs[i] >> 8
        written[U_HIGH] += df
        written[W_THIN] += df
    low = written[U_LOW]
    for i in range(df):
        out.low[low + i] = docs[i] & 255
        add_frequency(out, written, whole(tf[i]))
    written[U_LOW] += df


@loop
def add_frequency(out: Buffers, written: Ints, tf: int) -> None:
    half = written[U_TF]
    often = min(tf, BIG)
    if half & 1:
        out.tf[half >> 1] |= often << 4
    else:
        out.tf[half >> 1] = often
    written[U_TF] += 1
    if often == BIG:
        big = written[U_BIG_AT]
        out.big_at[big], out.big_tf[big] = written[W_POSTINGS], tf
        written[U_BIG_AT] += 1
        written[U_BIG_TF] += 1
    written[W_POSTINGS] += 1


@loop
def begin_positions(out: Buffers, written: Ints, posting: int) -> None:
    """To be called before the positions of each posting; `posting`: its number in the whole field."""
    if posting % POS_STEP == 0:
        out.pos_at[written[U_POS_AT]] = written[W_POS]
        written[U_POS_AT] += 1


def norms(lengths: Array, mean: float) -> Floats:
    """k1 * (1 - b + b * length / mean): what a frequency is weighed against."""
    result: Floats = K1 * (1.0 - B + B * lengths.astype(np.float64) / (mean or 1.0))
    return result


class Packed(NamedTuple):
    """One field, packed."""

    arrays: dict[str, Spool]  # of layout.ARRAYS
    lengths: Array  # u4, tokens of every document
    mean: float  # length that the bounds are worked out with
    terms: int
    longest: int  # bytes of the longest term


class FieldWriter:
    """Buffers and spools of one field; kernels fill the buffers, `empty` makes room in them."""

    def __init__(self, folder: Path, lengths: Array) -> None:
        """`lengths`: of this field in every document of the segment."""
        self._lengths = lengths.astype(np.uint32)
        self._mean = float(lengths.mean()) if len(lengths) else 0.0
        self.norm = norms(lengths, self._mean)
        self.written = np.zeros(W_WIDTH, np.int64)
        self.last = np.empty(TERM_ROOM, np.uint8)
        self._spools = {name: Spool(folder, kind) for name, kind in ARRAYS.items()}
        room = dict.fromkeys(ARRAYS, ROOM) | {"pos": POS_ROOM, "terms": TERM_ROOM, "blocks": ROOM // STEP}
        self.out = Buffers(*(np.empty(room[name], kind) for name, kind in ARRAYS.items()))

    def empty(self) -> None:
        """Put all that is in the buffers into the spools, and grow those that the next term would not fit into."""
        written = self.written
        for number, (name, buffer) in enumerate(zip(ARRAYS, self.out, strict=True)):
            if number != U_TF:
                self._spools[name].add(buffer[: written[number]])
                written[number] = 0
        whole = int(written[U_TF]) // 2
        self._spools["tf"].add(self.out.tf[:whole])
        self.out.tf[0] = self.out.tf[whole]  # half a byte may be left
        written[U_TF] %= 2
        if written[W_NEED_TERMS] > len(self.out.terms):
            self.out = self.out._replace(terms=np.empty(written[W_NEED_TERMS], np.uint8))
            self.last = np.concatenate([self.last, np.empty(written[W_NEED_TERMS], np.uint8)])
        if written[W_NEED_POS] > len(self.out.pos):
            self.out = self.out._replace(pos=np.empty(written[W_NEED_POS], np.uint8))

    def finish(self) -> Packed:
        """Ends the field."""
        self.empty()
        self._spools["tf"].add(self.out.tf[: self.written[U_TF]])
        terms, longest = int(self.written[W_TERMS]), int(self.written[W_LONGEST])
        return Packed(self._spools, self._lengths, self._mean, terms, longest)
