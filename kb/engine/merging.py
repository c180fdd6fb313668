"""Several segments -> one, without what is deleted. The parts' dictionaries are walked side by side, a term at a time.

Nothing is ever held whole: a part is read where the walk has come to, and what is written goes to the disk. Positions
are copied as bytes, because those of a posting do not depend on its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.engine import columns, segment_writer
from kb.engine.compiled import Array, Bytes, Floats, Ints, kernel, u1
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


@kernel
def start_walk(rows: Ints, walk: Ints, cursors: Ints, current: Array) -> None:
    """To the first term of each part."""
    for part in range(len(rows)):
        row = rows[part]
        walk[part, P_ENTRY], walk[part, P_POS], walk[part, P_LEFT] = row[TERMS], row[POS], row[N_TERMS] + 1
        cursors[part, C_TF], cursors[part, C_BIG_AT] = row[TF], row[BIG_AT]
        cursors[part, C_N_BIG], cursors[part, C_BIG_TF] = row[N_BIG], row[BIG_TF]
        go_on(row, walk[part], current[part])


@kernel
def go_on(row: Ints, here: Ints, letters: Bytes) -> None:
    """To the next term of a part; `letters` holds the present one."""
    here[P_AT] += here[P_DF]
    if is_dense(here[P_DF], (row[DOCS] + CHUNK - 1) // CHUNK):
        here[P_ROWS] += 1
    else:
        here[P_THIN] += here[P_DF]
    here[P_LEFT] -= 1
    if here[P_LEFT] == 0:
        return
    shared, own, place = open_entry(here[P_ENTRY])
    for i in range(own):
        letters[shared + i] = u1(place, i)
    here[P_SIZE] = shared + own
    here[P_DF], place = number_at(place + own)
    here[P_ENTRY] = place + 1


@kernel
def is_less(one: Bytes, size: int, other: Bytes, other_size: int) -> bool:
    for i in range(min(size, other_size)):
        if one[i] != other[i]:
            return bool(one[i] < other[i])
    return size < other_size


@kernel
def least(walk: Ints, current: Array) -> int:
    """The first part whose present term comes first, -1 at the end."""
    best = -1
    for part in range(len(walk)):
        if walk[part, P_LEFT] and (
            best < 0 or is_less(current[part], walk[part, P_SIZE], current[best], walk[best, P_SIZE])
        ):
            best = part
    return best


@kernel
def take(
    row: Ints, here: Ints, cursors: Ints, part: int, new_doc: Ints, out: Ints, docs: Array, tf: Array, places: Ints,
    count: int,
) -> tuple[int, int]:  # fmt: skip
    """Appends the living postings of a part's present term to `docs` and `tf`, and to `places` where their positions lie.

    `places`: address and number of bytes. Returns how many there are now, and the address behind all positions.
    """
    where = here[P_ROWS] if is_dense(here[P_DF], (row[DOCS] + CHUNK - 1) // CHUNK) else here[P_THIN]
    unpack_documents(row, here[P_AT], here[P_DF], where, out)
    cursors[part, C_AT] = here[P_AT]
    at = here[P_POS]
    for i in range(here[P_DF]):
        often = tf_of(cursors, part, i)
        end = skip_numbers(at, 0, often) + at
        new = new_doc[out[i]]
        if new >= 0:
            docs[count], tf[count] = new, often
            places[count, 0], places[count, 1] = at, end - at
            count += 1
        at = end
    return count, at


@kernel
def copy_positions(places: Ints, out: Buffers, written: Ints) -> None:
    """The bytes at these places, one posting after the other."""
    used = written[U_POS]
    first = written[W_POSTINGS] - len(places)
    for i in range(len(places)):
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
    ends = np.zeros(len(rows), np.int64)  # of the present term's positions; 0 where a part does not have it
    while True:
        best = least(walk, current)
        if best < 0:
            return False
        letters = current[best, : walk[best, P_SIZE]]
        count = 0
        for part in range(len(rows)):
            ends[part] = 0
            if (
                part >= best
                and walk[part, P_LEFT]
                and not is_less(letters, len(letters), current[part], walk[part, P_SIZE])
            ):
                new_doc = new_docs[doc_at[part] : doc_at[part + 1]]
                count, ends[part] = take(
                    rows[part], walk[part], cursors, part, new_doc, unpacked, docs, tf, places, count
                )
        if count:
            if not fits(out, written, len(letters), count, places[:count, 1].sum(), chunks):
                return True
            add_term(out, written, last, letters, docs[:count], tf[:count], norm)
            copy_positions(places[:count], out, written)
        for part in range(len(rows)):
            if ends[part]:
                walk[part, P_POS] = ends[part]
                go_on(rows[part], walk[part], current[part])


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
    return segment_writer.write(folder, name, fields, known)
