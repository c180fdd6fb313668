"""How one text field of one segment lies in arrays, and how kernels find their way in it.

A segment has at most 65,536 documents; a *chunk* is 256 of them in a row. n terms, p postings:
  terms u1, term_at u4[n+1]    the terms' UTF-8 bytes, sorted
  at u4[n+1]                   where each term's postings begin
  low u1[p]                    low byte of the document number, ascending within a term
  where u4[n]                  a dense term (at least two documents a chunk): its row; else where it begins in `high`
  high u1                      high bytes of the document numbers of terms that are not dense
  chunk_at u2[rows*chunks]     where each chunk begins among the postings of a dense term
  chunk_top u1[rows*chunks]    largest part of a BM25 score in each chunk, in 255ths of `bound`, rounded up
  bound f4[n]                  largest part of a BM25 score in the term: tf / (tf + norm), at the mean length when written
  tf u1[(p+1)/2]               how often, two to a byte, the first in the low half; 15 stands for the number in
  big_at u4, big_tf u4         … big_tf at the place of the posting's number in big_at (ascending)
  pos u1, pos_at u4            positions as gaps, seven bits to a byte; pos_at is where each sixteenth posting begins
"""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import (
    Bytes,
    Floats,
    Ints,
    below64,
    count_bits,
    equal64,
    f4,
    i8,
    loop,
    lowest_bit,
    prefetch,
    u1,
    u2,
    u4,
    whole,
)  # fmt: skip

SEGMENT_DOCS = 65_536
CHUNK = 256
POS_STEP = 16
BIG = 15

ARRAYS = {
    "terms": "u1", "term_at": "<u4", "at": "<u4", "where": "<u4", "low": "u1", "high": "u1", "chunk_at": "<u2",
    "chunk_top": "u1", "bound": "<f4", "tf": "u1", "big_at": "<u4", "big_tf": "<u4", "pos": "u1", "pos_at": "<u4",
}  # fmt: skip

# Columns of the table that kernels get: a row for every field and segment. Addresses, where nothing else is said.
TERMS, TERM_AT, AT, WHERE, LOW, HIGH, CHUNK_AT, CHUNK_TOP, BOUND = 0, 1, 2, 3, 4, 5, 6, 7, 8
TF, BIG_AT, BIG_TF, POS, POS_AT = 9, 10, 11, 12, 13
N_TERMS, N_BIG = 14, 15  # numbers
NORM = 16  # f8[docs]: k1 * (1 - b + b * length / mean length)
IDS = 17  # i8[docs]: article ids
ALIVE = 18  # u1[docs], 0 when nothing is deleted
DEAD = 19  # u4[n]: deleted documents of each term, 0 when nothing is deleted
DOCS = 20  # documents, a number
BASE = 21  # documents in the segments before, a number
MOST = 22  # the highest frequency, a number
HEADS = 23  # i8[n]: beginnings of every HEAD_STEP-th term, 0 where there are none (see snapshot.py)
N_HEADS = 24  # a number
WIDTH = 25
HEAD_STEP = 32

# Columns of a cursor: what is needed of one term of a query in one segment.
C_LOW, C_AT, C_DF, C_TF, C_BIG_AT, C_N_BIG, C_BIG_TF, C_NORM, C_POS, C_POS_AT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
C_TOPS = 10  # of a dense term: its line of chunk_top; else 0
C_WIDTH = 11


@loop
def is_dense(df: int, chunks: int) -> bool:
    """From here on a row of three bytes a chunk costs little more than a high byte for every posting."""
    return df >= 2 * chunks


@loop
def compare(row: Ints, place: int, asked: Bytes, start: int, size: int) -> int:
    """Below, equal or above 0, as the dictionary's term stands before, at or behind the asked one."""
    at = u4(row[TERM_AT], place)
    length = u4(row[TERM_AT], place + 1) - at
    for i in range(min(size, length)):
        order = u1(row[TERMS], at + i) - whole(asked[start + i])
        if order != 0:
            return order
    return length - size


@loop
def head(row: Ints, place: int) -> int:
    """The first eight bytes of a term as a number (without the last bit, to keep it positive): never falls from term to term."""
    at = u4(row[TERM_AT], place)
    size = u4(row[TERM_AT], place + 1) - at
    value = 0
    for i in range(8):
        byte = u1(row[TERMS], at + i) if i < size else 0
        value = value << 8 | byte if i < 7 else value << 7 | byte >> 1
    return value


@loop
def between(row: Ints, asked: Bytes, start: int, size: int) -> tuple[int, int]:
    """Two places that the asked term must lie between, found among the heads, which stay in the processor's cache."""
    value = 0
    for i in range(8):
        byte = whole(asked[start + i]) if i < size else 0
        value = value << 8 | byte if i < 7 else value << 7 | byte >> 1
    low, high = 0, row[N_HEADS]
    while low < high:
        middle = (low + high) >> 1
        if i8(row[HEADS], middle) < value:
            low = middle + 1
        else:
            high = middle
    last = low
    while last < row[N_HEADS] and i8(row[HEADS], last) == value:
        last += 1
    return max(low - 1, 0) * HEAD_STEP, min(last * HEAD_STEP, row[N_TERMS])


@loop
def lower_bound(row: Ints, asked: Bytes, start: int, size: int) -> int:
    """Place of the first term that is not before the asked one."""
    low, high = 0, row[N_TERMS]
    if row[N_HEADS] > 0:
        low, high = between(row, asked, start, size)
    while low < high:
        middle = (low + high) >> 1
        if compare(row, middle, asked, start, size) < 0:
            low = middle + 1
        else:
            high = middle
    return low


@loop
def find_term(row: Ints, asked: Bytes, start: int, size: int) -> int:
    """Place of a term in the sorted dictionary, -1 when it is not there."""
    place = lower_bound(row, asked, start, size)
    return place if place < row[N_TERMS] and compare(row, place, asked, start, size) == 0 else -1


@loop
def living(row: Ints, term: int) -> int:
    """How many living documents hold the term."""
    df = u4(row[AT], term + 1) - u4(row[AT], term)
    if row[DEAD] != 0:
        df -= u4(row[DEAD], term)
    return df


@loop
def point(row: Ints, term: int, cursors: Ints, number: int, starts: Ints) -> None:
    """Fill line `number` of the cursors for a term, and of `starts`: where each chunk begins among its postings."""
    at = u4(row[AT], term)
    df = u4(row[AT], term + 1) - at
    where = u4(row[WHERE], term)
    cursors[number, C_LOW], cursors[number, C_AT], cursors[number, C_DF] = row[LOW] + at, at, df
    cursors[number, C_TF], cursors[number, C_NORM] = row[TF], row[NORM]
    cursors[number, C_BIG_AT], cursors[number, C_N_BIG], cursors[number, C_BIG_TF] = (
        row[BIG_AT],
        row[N_BIG],
        row[BIG_TF],
    )
    cursors[number, C_POS], cursors[number, C_POS_AT] = row[POS], row[POS_AT]
    chunks = starts.shape[1] - 1
    cursors[number, C_TOPS] = 0
    if is_dense(df, chunks):
        cursors[number, C_TOPS] = row[CHUNK_TOP] + where * chunks
        rows = row[CHUNK_AT]
        for chunk in range(chunks):
            starts[number, chunk] = u2(rows, where * chunks + chunk)
    else:
        chunk = 0
        for i in range(df):
            high = u1(row[HIGH], where + i)
            while chunk <= high:
                starts[number, chunk] = i
                chunk += 1
        while chunk < chunks:
            starts[number, chunk] = df
            chunk += 1
    starts[number, chunks] = df


@loop
def bound_of(row: Ints, term: int) -> float:
    """Largest part of a score in the term, see the head of this module."""
    return f4(row[BOUND], term)


@loop
def top_of(cursors: Ints, number: int, chunk: int) -> float:
    """Largest part of a score in a chunk that the term has, as a share of its bound."""
    if cursors[number, C_TOPS] == 0:
        return 1.0
    return u1(cursors[number, C_TOPS], chunk) * (1.0 / 255.0)


@loop
def tops(row: Ints, term: int, starts: Ints, number: int, factor: float, out: Floats) -> None:
    """Largest part of a score in each chunk, times `factor`, into line `number` of `out`."""
    bound = f4(row[BOUND], term) * factor
    chunks = out.shape[1]
    if is_dense(starts[number, chunks], chunks):
        where = u4(row[WHERE], term)
        for chunk in range(chunks):
            out[number, chunk] = bound * (u1(row[CHUNK_TOP], where * chunks + chunk) * (1.0 / 255.0))
    else:
        for chunk in range(chunks):
            out[number, chunk] = bound if starts[number, chunk + 1] > starts[number, chunk] else 0.0


@loop
def tf_of(cursors: Ints, number: int, i: int) -> int:
    """How often the term occurs in its posting i."""
    place = cursors[number, C_AT] + i
    tf: int = (u1(cursors[number, C_TF], place >> 1) >> ((place & 1) << 2)) & 15
    if tf < BIG:
        return tf
    low, high = 0, cursors[number, C_N_BIG]
    while low < high:
        middle = (low + high) >> 1
        if u4(cursors[number, C_BIG_AT], middle) < place:
            low = middle + 1
        else:
            high = middle
    return u4(cursors[number, C_BIG_TF], low)


@loop
def find_low(low_bytes: int, start: int, end: int, wanted: int) -> int:
    """The place of a low byte in [start, end), -1 when it is not there. 64 at a time, without a branch that can be missed."""
    while start < end:
        place = start + lowest_bit(equal64(low_bytes, start, wanted))
        if place < start + 64:
            return place if place < end else -1
        start += 64
    return -1


@loop
def count_before(cursors: Ints, number: int, i: int) -> int:
    """Sum of the frequencies from the last place that pos_at knows up to posting i, often of other terms."""
    place = cursors[number, C_AT] + i
    first = place - place % POS_STEP
    halves = np.uint64(i8(cursors[number, C_TF] + (first >> 1), 0))
    if place == first:
        return 0
    halves &= (np.uint64(1) << np.uint64(4 * (place - first))) - np.uint64(1)
    pairs = halves & (halves >> np.uint64(1))
    if pairs & (pairs >> np.uint64(2)) & np.uint64(0x1111111111111111) != 0:  # one of them is BIG
        total = 0
        for before in range(first - place + i, i):
            total += tf_of(cursors, number, before)
        return total
    even, odd = (
        halves & np.uint64(0x0F0F0F0F0F0F0F0F),
        (halves >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F),
    )
    return whole(((even + odd) * np.uint64(0x0101010101010101)) >> np.uint64(56))


@loop
def skip_numbers(pos: int, at: int, count: int) -> int:
    """Where the number begins that comes `count` numbers behind the one at `at`."""
    while count > 0:
        ends = below64(pos, at, 128)
        found = count_bits(ends)
        if found < count:
            count -= found
            at += 64
        else:
            for _ in range(count - 1):
                ends &= ends - 1
            return at + lowest_bit(ends) + 1
    return at


@loop
def read_positions(cursors: Ints, number: int, i: int, out: Ints) -> int:
    """Positions in posting i, ascending, into `out`, which must have room for MOST. Returns how many."""
    place = cursors[number, C_AT] + i
    block = place // POS_STEP
    pos = cursors[number, C_POS]
    at = skip_numbers(pos, u4(cursors[number, C_POS_AT], block), count_before(cursors, number, i))
    count = tf_of(cursors, number, i)
    value = 0
    for one in range(count):
        byte = u1(pos, at)
        at += 1
        gap = byte & 127
        shift = 7
        while byte >= 128:
            byte = u1(pos, at)
            at += 1
            gap |= (byte & 127) << shift
            shift += 7
        value += gap
        out[one] = value
    return count


@loop
def fetch_posting(cursors: Ints, number: int, i: int, with_positions: bool) -> None:
    """What reading posting i will need, soon."""
    place = cursors[number, C_AT] + i
    prefetch(cursors[number, C_TF] + (place >> 1))
    if with_positions:
        prefetch(cursors[number, C_POS_AT] + 4 * (place // POS_STEP))


@loop
def fetch_positions(cursors: Ints, number: int, i: int) -> None:
    """Where the positions of posting i begin or a little before, soon; best after fetch_posting."""
    place = cursors[number, C_AT] + i
    prefetch(cursors[number, C_POS] + u4(cursors[number, C_POS_AT], place // POS_STEP))


@loop
def mark(row: Ints, term: int, marks: Bytes) -> None:
    """Sets the bytes of the term's documents to 1."""
    df = u4(row[AT], term + 1) - u4(row[AT], term)
    where = u4(row[WHERE], term)
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    low = row[LOW] + u4(row[AT], term)
    if not is_dense(df, chunks):
        for i in range(df):
            marks[u1(row[HIGH], where + i) << 8 | u1(low, i)] = 1
        return
    for chunk in range(chunks):
        start = u2(row[CHUNK_AT], where * chunks + chunk)
        end = u2(row[CHUNK_AT], where * chunks + chunk + 1) if chunk + 1 < chunks else df
        for i in range(start, end):
            marks[chunk << 8 | u1(low, i)] = 1


@loop
def documents(row: Ints, term: int, out: Ints) -> int:
    """Document numbers of a term into `out`, ascending. Returns how many."""
    at = u4(row[AT], term)
    df = u4(row[AT], term + 1) - at
    where = u4(row[WHERE], term)
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    low = row[LOW] + at
    if not is_dense(df, chunks):
        for i in range(df):
            out[i] = u1(row[HIGH], where + i) << 8 | u1(low, i)
        return df
    for chunk in range(chunks):
        start = u2(row[CHUNK_AT], where * chunks + chunk)
        end = u2(row[CHUNK_AT], where * chunks + chunk + 1) if chunk + 1 < chunks else df
        for i in range(start, end):
            out[i] = chunk << 8 | u1(low, i)
    return df
