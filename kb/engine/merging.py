"""Several segments -> one, without what is deleted. The parts' dictionaries are walked side by side, a term at a time.

Nothing is ever held whole: a part is read where the walk has come to, and what is written goes to the disk. Positions
are copied as bytes, because those of a posting do not depend on its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.engine import columns, segment_writer, spans
from kb.engine.compiled import Array, Bytes, Floats, Ints, kernel, loop, u1
from kb.engine.encoding import (
    U_POS,
    W_POS,
    W_POSTINGS,
    Buffers,
    FieldWriter,
    Packed,
    add_term,
    begin_positions,
    fits,
)
from kb.engine.layout import (
    BIG_AT,
    BIG_TF,
    C_AT,
    C_BIG_AT,
    C_BIG_TF,
    C_N_BIG,
    C_TF,
    C_WIDTH,
    CHUNK,
    DOCS,
    LONGEST,
    N_BIG,
    N_TERMS,
    POS,
    SEGMENT_DOCS,
    TERMS,
    TF,
    is_dense,
    number_at,
    open_entry,
    skip_numbers,
    tf_of,
    unpack_documents,
)  # fmt: skip
from kb.engine.segments import Segment
from kb.engine.spool import release
from kb.engine.tokens import FIELDS

# Where the walk has come to in a part: addresses of the next entry and of the present term's positions, terms that are
# left, bytes of the present one; its postings' first and number; dense terms and high bytes before it.
P_ENTRY, P_POS, P_LEFT, P_SIZE, P_AT, P_DF, P_ROWS, P_THIN = 0, 1, 2, 3, 4, 5, 6, 7
P_WIDTH = 8


@loop
def start_walk(rows: Ints, walk: Ints, cursors: Ints, current: Array) -> None:
    """To the first term of each part."""
    for part in range(len(rows)):
        walk[part, P_ENTRY], walk[part, P_POS] = rows[part, TERMS], rows[part, POS]
        walk[part, P_LEFT] = rows[part, N_TERMS] + 1
        cursors[part, C_TF], cursors[part, C_BIG_AT] = rows[part, TF], rows[part, BIG_AT]
        cursors[part, C_N_BIG], cursors[part, C_BIG_TF] = rows[part, N_BIG], rows[part, BIG_TF]
        go_on(rows, walk, part, current)


@loop
def go_on(rows: Ints, walk: Ints, part: int, current: Array) -> None:
    """To the next term of a part; `current` holds the letters of the present ones."""
    df = walk[part, P_DF]
    walk[part, P_AT] += df
    if is_dense(df, (rows[part, DOCS] + CHUNK - 1) // CHUNK):
        walk[part, P_ROWS] += 1
    else:
        walk[part, P_THIN] += df
    walk[part, P_LEFT] -= 1
    if walk[part, P_LEFT] == 0:
        return
    shared, own, place = open_entry(walk[part, P_ENTRY])
    for i in range(own):
        current[part, shared + i] = u1(place, i)
    walk[part, P_SIZE] = shared + own
    walk[part, P_DF], place = number_at(place + own)
    walk[part, P_ENTRY] = place + 1


@loop
def is_less(walk: Ints, current: Array, one: int, other: int) -> bool:
    """Whether the present term of a part comes before that of another."""
    size, other_size = walk[one, P_SIZE], walk[other, P_SIZE]
    for i in range(min(size, other_size)):
        if current[one, i] != current[other, i]:
            return bool(current[one, i] < current[other, i])
    return bool(size < other_size)


@loop
def find_least(walk: Ints, current: Array, has: Ints) -> int:
    """The first part whose present term comes first, -1 at the end. `has`: whether each part has that term, as 0 or 1."""
    best = -1
    for part in range(len(walk)):
        has[part] = 0
        if walk[part, P_LEFT] and (best < 0 or not is_less(walk, current, best, part)):
            if best >= 0 and is_less(walk, current, part, best):
                has[:part] = 0
                best = -1
            has[part] = 1
            best = part if best < 0 else best
    return best


@loop
def take(
    rows: Ints, walk: Ints, cursors: Ints, part: int, new_docs: Ints, first: int, unpacked: Ints, docs: Array, tf: Array,
    places: Ints, count: int,
) -> tuple[int, int]:  # fmt: skip
    """Appends the living postings of a part's present term to `docs` and `tf`, and to `places` where their positions lie.

    `places`: address and number of bytes. Returns how many there are now, and the address behind all positions.
    """
    df = walk[part, P_DF]
    chunks = (rows[part, DOCS] + CHUNK - 1) // CHUNK
    where = walk[part, P_ROWS] if is_dense(df, chunks) else walk[part, P_THIN]
    unpack_documents(rows[part], walk[part, P_AT], df, where, unpacked)
    cursors[part, C_AT] = walk[part, P_AT]
    at = walk[part, P_POS]
    for i in range(df):
        often = tf_of(cursors, part, i)
        end = skip_numbers(at, 0, often) + at
        new = new_docs[first + unpacked[i]]
        if new >= 0:
            docs[count], tf[count] = new, often
            places[count, 0], places[count, 1] = at, end - at
            count += 1
        at = end
    return count, at


@loop
def copy_positions(places: Ints, count: int, out: Buffers, written: Ints) -> None:
    """The bytes at these places, one posting after the other."""
    used = written[U_POS]
    first = written[W_POSTINGS] - count
    for i in range(count):
        begin_positions(out, written, first + i)
        for byte in range(places[i, 1]):
            out.pos[used + byte] = u1(places[i, 0], byte)
        used += places[i, 1]
        written[W_POS] += places[i, 1]
    written[U_POS] = used


@kernel
def merge_terms(
    rows: Ints, new_docs: Ints, doc_at: Ints, walk: Ints, cursors: Ints, current: Array, norm: Floats, out: Buffers,
    written: Ints, last: Bytes,
) -> bool:  # fmt: skip
    """Adds terms as far as the buffers reach. Returns whether any are left."""
    chunks = (len(norm) + CHUNK - 1) // CHUNK
    docs, tf = np.empty(SEGMENT_DOCS, np.uint16), np.empty(SEGMENT_DOCS, np.uint32)
    places, unpacked = np.empty((SEGMENT_DOCS, 2), np.int64), np.empty(SEGMENT_DOCS, np.int64)
    has, ends = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    while True:
        best = find_least(walk, current, has)
        if best < 0:
            return False
        count = 0
        for part in range(best, len(rows)):
            if has[part]:
                count, ends[part] = take(
                    rows, walk, cursors, part, new_docs, doc_at[part], unpacked, docs, tf, places, count
                )
        if count:
            size = walk[best, P_SIZE]
            if not fits(out, written, size, count, places[:count, 1].sum(), chunks):
                return True
            add_term(out, written, last, current[best], 0, size, docs, tf, count, norm)
            copy_positions(places, count, out, written)
        for part in range(best, len(rows)):
            if has[part]:
                walk[part, P_POS] = ends[part]
                go_on(rows, walk, part, current)


def merged_field(
    folder: Path, parts: Sequence[Segment], field: str, living: Sequence[Array], new_docs: Ints, doc_at: Ints
) -> Packed:
    """One field of all parts. `new_docs[doc_at[i] + d]`: new number of document d of part i, -1 when deleted."""
    lengths = [part.arrays[f"{field}.length"][alive] for part, alive in zip(parts, living, strict=True)]
    writer = FieldWriter(folder, np.concatenate(lengths))
    rows = np.stack([part.row(field) for part in parts])
    walk, cursors = np.zeros((len(parts), P_WIDTH), np.int64), np.zeros((len(parts), C_WIDTH), np.int64)
    current = np.zeros((len(parts), int(rows[:, LONGEST].max()) + 1), np.uint8)
    start_walk(rows, walk, cursors, current)
    more = True
    while more:
        more = merge_terms(
            rows,
            new_docs,
            doc_at,
            walk,
            cursors,
            current,
            writer.norm,
            writer.out,
            writer.written,
            writer.last,
        )
        writer.empty()
        for part in parts:
            release(part.arrays[f"{field}.pos"])
    return writer.finish()


def merge(folder: Path, name: str, parts: Sequence[Segment]) -> int:
    """Write a segment of the living documents of all parts, one part after the other. Returns how many tokens it has."""
    living = [part.living() for part in parts]
    alive = np.concatenate(living)
    new_docs = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int64)
    doc_at = np.concatenate([[0], np.cumsum([part.docs for part in parts])]).astype(np.int64)
    fields = {field: merged_field(folder, parts, field, living, new_docs, doc_at) for field in FIELDS}
    known = columns.joined([part.columns() for part in parts], living)
    lying = spans.joined([spans.from_arrays(part.arrays) for part in parts], living)
    return segment_writer.write(folder, name, fields, known, lying)
