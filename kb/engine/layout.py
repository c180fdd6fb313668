"""How one text field of one segment lies in arrays, and how kernels find their way in it.

A segment has at most 65,536 documents and 2**28 tokens, so that every number below fits: postings are no more than tokens,
and a position, being below 2**32, takes five bytes at most (5 * 2**28 < 2**32). A *chunk* is 256
documents in a row. A term is *dense* when it has at least two documents a chunk. n terms, p postings:
  terms u1                     the dictionary: n entries in the order of the terms' UTF-8 bytes
  blocks u4[4*(n+15)//16]      of every sixteenth term: where its entry begins in `terms`, its postings in `low`; how many
                               dense terms, and how many bytes of `high`, stand before it
  low u1[p]                    low byte of the document number, ascending within a term
  high u1                      high bytes of the document numbers of terms that are not dense
  chunk_at u2[rows*chunks]     a row for every dense term: where each chunk begins among its postings
  chunk_top u1[rows*chunks]    largest part of a BM25 score in each chunk, in 255ths of the term's bound, rounded up
  tf u1[(p+1)/2]               how often, two to a byte, the first in the low half; 15 stands for the number in
  big_at u4, big_tf u4         … big_tf at the place of the posting's number in big_at (ascending)
  pos u1, pos_at u4            positions as gaps, seven bits to a byte; pos_at is where each sixteenth posting begins
An entry of the dictionary: one byte, its low half the letters (bytes) that the term shares with the one before it, its
high half those of its own; 15 stands for 15 and a number that follows, seven bits to a byte. Then its own letters, the
number of its documents, seven bits to a byte, and one byte b for its bound: no posting's part of a score, tf / (tf + norm)
at the mean length when written, is larger than (b / 255)². The first entry of a block shares nothing.

More than 400 lines, so that the format and everything that finds its way in it can be seen together.
"""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import (
    Array,
    Bytes,
    Floats,
    Ints,
    below64,
    count_bits,
    equal64,
    i8,
    inlined,
    kernel,
    loop,
    lowest_bit,
    prefetch,
    u1,
    u2,
    u4,
    whole,
)  # fmt: skip

SEGMENT_DOCS = 65_536
SEGMENT_TOKENS = 2**28  # of all fields together
CHUNK = 256
STEP = 16  # terms of a block of the dictionary
POS_STEP = 16
BIG = 15

ARRAYS = {
    "terms": "u1", "blocks": "<u4", "low": "u1", "high": "u1", "chunk_at": "<u2", "chunk_top": "u1", "tf": "u1",
    "big_at": "<u4", "big_tf": "<u4", "pos": "u1", "pos_at": "<u4",
}  # fmt: skip

# Columns of the table that kernels get: a row for every field and segment. Addresses, where nothing else is said.
TERMS, BLOCKS, LOW, HIGH, CHUNK_AT, CHUNK_TOP = 0, 1, 2, 3, 4, 5
TF, BIG_AT, BIG_TF, POS, POS_AT = 6, 7, 8, 9, 10
N_TERMS, N_BIG, LONGEST = 11, 12, 13  # numbers; the last one bytes of the longest term
NORM = 14  # f8[docs]: k1 * (1 - b + b * length / mean length)
IDS = 15  # i8[docs]: article ids
ALIVE = 16  # u1[docs], 0 when nothing is deleted
DEAD = 17  # u4[n]: deleted documents of each term, 0 when nothing is deleted
DOCS = 18  # documents, a number
BASE = 19  # documents in the segments before, a number
MOST = 20  # the highest frequency, a number
HEADS = 21  # i8[n]: beginnings of the first term of every block, 0 where there are none (see snapshot.py)
N_HEADS = 22  # a number
WIDTH = 23

# Columns of a cursor: what is needed of one term of a query in one segment.
C_LOW, C_AT, C_DF, C_TF, C_BIG_AT, C_N_BIG, C_BIG_TF, C_NORM, C_POS, C_POS_AT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
C_TOPS = 10  # of a dense term: its line of chunk_top; else 0
C_WIDTH = 11


@loop
def is_dense(df: int, chunks: int) -> bool:
    """From here on a row of three bytes a chunk costs little more than a high byte for every posting."""
    return df >= 2 * chunks


@loop
def number_at(place: int) -> tuple[int, int]:
    """The number that begins at an address, seven bits to a byte, and the address behind it."""
    byte = u1(place, 0)
    place += 1
    value = byte & 127
    shift = 7
    while byte >= 128:
        byte = u1(place, 0)
        place += 1
        value |= (byte & 127) << shift
        shift += 7
    return value, place


@loop
def open_entry(place: int) -> tuple[int, int, int]:
    """Of the entry at an address: how many letters it shares, how many are its own, and the address of these."""
    byte = u1(place, 0)
    place += 1
    shared, own = byte & 15, byte >> 4
    if shared == 15:
        more, place = number_at(place)
        shared += more
    if own == 15:
        more, place = number_at(place)
        own += more
    return shared, own, place


@loop
def is_before(letters: int, length: int, asked: Bytes, start: int, size: int) -> bool:
    """Whether the letters at an address come before the asked ones or are the same."""
    for i in range(min(size, length)):
        order = u1(letters, i) - whole(asked[start + i])
        if order != 0:
            return order < 0
    return length <= size


@loop
def head(row: Ints, block: int) -> int:
    """The first eight bytes of a block's first term as a number (without the last bit, to keep it positive).

    It never falls from block to block.
    """
    _, size, letters = open_entry(row[TERMS] + u4(row[BLOCKS], 4 * block))
    value = 0
    for i in range(8):
        byte = u1(letters, i) if i < size else 0
        value = value << 8 | byte if i < 7 else value << 7 | byte >> 1
    return value


@loop
def between(row: Ints, asked: Bytes, start: int, size: int) -> tuple[int, int]:
    """Blocks before which, and behind which, the asked term cannot be, by the heads, which stay in the processor's cache."""
    value = 0
    for i in range(8):
        byte = whole(asked[start + i]) if i < size else 0
        value = value << 8 | byte if i < 7 else value << 7 | byte >> 1
    low, size = 0, row[N_HEADS]
    while size > 1:
        half = size >> 1
        low += half if i8(row[HEADS], low + half - 1) < value else 0
        size -= half
    low += i8(row[HEADS], low) < value
    last = low
    while last < row[N_HEADS] and i8(row[HEADS], last) == value:
        last += 1
    return low, last


@loop
def seek(row: Ints, asked: Bytes, start: int, size: int) -> tuple[int, bool]:
    """Place of the first term that is not before the asked one, and whether it is that very term."""
    low, high = 0, (row[N_TERMS] + STEP - 1) // STEP
    if row[N_HEADS] > 0:
        low, high = between(row, asked, start, size)
    while low < high:
        middle = (low + high) >> 1
        _, own, letters = open_entry(row[TERMS] + u4(row[BLOCKS], 4 * middle))
        if is_before(letters, own, asked, start, size):
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return 0, False
    first = (low - 1) * STEP
    place = row[TERMS] + u4(row[BLOCKS], 4 * (low - 1))
    agreed = 0  # letters that the asked term has in common with the one before the entry
    for term in range(first, min(row[N_TERMS], first + STEP)):
        shared, own, place = open_entry(place)
        if shared < agreed:
            return term, False
        if shared == agreed:
            i = 0
            while i < own and agreed < size and u1(place, i) == whole(asked[start + agreed]):
                i += 1
                agreed += 1
            if agreed == size:
                return term, i == own
            if i < own and u1(place, i) > whole(asked[start + agreed]):
                return term, False
        _, place = number_at(place + own)
        place += 1
    return min(row[N_TERMS], first + STEP), False


@loop
def lower_bound(row: Ints, asked: Bytes, start: int, size: int) -> int:
    """Place of the first term that is not before the asked one."""
    return seek(row, asked, start, size)[0]


@loop
def find_term(row: Ints, asked: Bytes, start: int, size: int) -> int:
    """Place of a term in the sorted dictionary, -1 when it is not there."""
    place, is_there = seek(row, asked, start, size)
    return place if is_there else -1


@loop
def entry(row: Ints, term: int) -> tuple[int, int, int, int]:
    """Of a term: where its postings begin, how many they are, where it stands among dense terms or in `high`, its bound."""
    block = row[BLOCKS] + 16 * (term // STEP)
    place, at, rows, thin = row[TERMS] + u4(block, 0), u4(block, 1), u4(block, 2), u4(block, 3)
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    for _ in range(term % STEP):
        _, own, letters = open_entry(place)
        df, place = number_at(letters + own)
        place += 1
        at += df
        if is_dense(df, chunks):
            rows += 1
        else:
            thin += df
    _, own, letters = open_entry(place)
    df, place = number_at(letters + own)
    return at, df, rows if is_dense(df, chunks) else thin, u1(place, 0)


@loop
def living(row: Ints, term: int) -> int:
    """How many living documents hold the term."""
    df = entry(row, term)[1]
    if row[DEAD] != 0:
        df -= u4(row[DEAD], term)
    return df


@loop
def point(row: Ints, term: int, cursors: Ints, number: int, starts: Ints) -> None:
    """Fill line `number` of the cursors for a term, and of `starts`: where each chunk begins among its postings."""
    at, df, where, _ = entry(row, term)
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
def bound_from(byte: int) -> float:
    """What the last byte of an entry stands for."""
    return (byte * (1.0 / 255.0)) * (byte * (1.0 / 255.0))


@loop
def bound_of(row: Ints, term: int) -> float:
    """Largest part of a score in the term, see the head of this module."""
    return bound_from(entry(row, term)[3])


@loop
def top_of(cursors: Ints, number: int, chunk: int) -> float:
    """Largest part of a score in a chunk that the term has, as a share of its bound."""
    if cursors[number, C_TOPS] == 0:
        return 1.0
    return u1(cursors[number, C_TOPS], chunk) * (1.0 / 255.0)


@loop
def tops(row: Ints, term: int, starts: Ints, number: int, factor: float, out: Floats) -> None:
    """Largest part of a score in each chunk, times `factor`, into line `number` of `out`."""
    _, df, where, byte = entry(row, term)
    bound = bound_from(byte) * factor
    chunks = out.shape[1]
    if is_dense(df, chunks):
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


@inlined
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
    at, df, where, _ = entry(row, term)
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    low = row[LOW] + at
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
    at, df, where, _ = entry(row, term)
    unpack_documents(row, at, df, where, out)
    return df


@loop
def unpack_documents(row: Ints, at: int, df: int, where: int, out: Ints) -> None:
    """The same for a term whose entry is known."""
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    low = row[LOW] + at
    if not is_dense(df, chunks):
        for i in range(df):
            out[i] = u1(row[HIGH], where + i) << 8 | u1(low, i)
        return
    for chunk in range(chunks):
        start = u2(row[CHUNK_AT], where * chunks + chunk)
        end = u2(row[CHUNK_AT], where * chunks + chunk + 1) if chunk + 1 < chunks else df
        for i in range(start, end):
            out[i] = chunk << 8 | u1(low, i)


@kernel
def dictionary(row: Ints, letters: Array, ends: Ints) -> int:
    """All terms one after the other into `letters`, and where each ends. Returns how many bytes; counts only if no room."""
    place = row[TERMS]
    before = used = 0
    for term in range(row[N_TERMS]):
        shared, own, place = open_entry(place)
        if used + shared + own <= len(letters):
            letters[used : used + shared] = letters[before : before + shared]
            for i in range(own):
                letters[used + shared + i] = u1(place, i)
            ends[term] = used + shared + own
        before = used
        used += shared + own
        _, place = number_at(place + own)
        place += 1
    return used
