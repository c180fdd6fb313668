"""Loops over the postings of one leaf of a query in one segment, every matching document at once."""

from __future__ import annotations

import numpy as np

from kb.engine.all_terms import FEW, collect, shared_places
from kb.engine.any_terms import LATE, part_of
from kb.engine.compiled import Array, Bytes, Floats, Ints, brief, kernel, u1, whole
from kb.engine.layout import (
    BASE,
    C_DF,
    C_LOW,
    C_WIDTH,
    CHUNK,
    DOCS,
    MOST,
    documents,
    find_low,
    find_term,
    living,
    lower_bound,
    mark,
    point,
    read_positions,
    tf_of,
)
from kb.engine.spans import ANYWHERE, is_within


@kernel
def find_range(row: Ints, prefix: Bytes) -> tuple[int, int]:
    """Places of the terms that begin so: the first, and the one behind the last. No UTF-8 text has a byte of 255."""
    after = np.append(prefix, np.uint8(255))
    return lower_bound(row, prefix, 0, len(prefix)), lower_bound(row, after, 0, len(after))


@brief
def total_living(rows: Ints, asked: Bytes) -> int:
    """How many living documents of all segments hold the term."""
    total = 0
    for row in rows:
        place = find_term(row, asked, 0, len(asked))
        if place >= 0:
            total += living(row, place)
    return total


@kernel
def open_term(row: Ints) -> tuple[Ints, Array]:
    """Space for the cursor of one term, and for where its chunks begin."""
    return np.zeros((1, C_WIDTH), np.int64), np.zeros((1, (row[DOCS] + CHUNK - 1) // CHUNK + 1), np.int32)


@kernel
def add_term(row: Ints, asked: Bytes, weight: float, counts: Array, scores: Floats) -> None:
    """Adds 1 to the counts of a term's documents, where there are counts, and its part to their scores."""
    place = find_term(row, asked, 0, len(asked))
    if place < 0:
        return
    cursors, starts = open_term(row)
    point(row, place, cursors, 0, starts)
    for chunk in range(starts.shape[1] - 1):
        for i in range(starts[0, chunk], starts[0, chunk + 1]):
            doc = chunk * CHUNK + u1(cursors[0, C_LOW], i)
            scores[doc] += part_of(cursors, 0, i, doc, weight)
            if len(counts):
                counts[doc] += 1


@kernel
def add_to(row: Ints, asked: Bytes, weight: float, docs: Ints, scores: Floats) -> None:
    """Adds the term's part to the scores of these documents only."""
    place = find_term(row, asked, 0, len(asked))
    if place < 0:
        return
    cursors, starts = open_term(row)
    point(row, place, cursors, 0, starts)
    for doc in docs:
        chunk = doc // CHUNK
        i = find_low(cursors[0, C_LOW], whole(starts[0, chunk]), whole(starts[0, chunk + 1]), doc % CHUNK)
        if i >= 0:
            scores[doc] += part_of(cursors, 0, i, doc, weight)


@kernel
def mark_prefix(rows: Ints, prefix: Bytes, clock: Ints, deadline: int, marks: Bytes) -> int:
    """Sets the bytes of the documents to 1 that have a term that begins so. Returns 0, LATE after the deadline."""
    for row in rows:
        first, last = find_range(row, prefix)
        for term in range(first, last):
            if clock[0] > deadline:
                return LATE
            mark(row, term, marks[row[BASE] :])
    return 0


@kernel
def keep_enough(counts: Array, minimum: int, scores: Floats) -> Array:
    """Whether each document has been counted often enough. The scores of the others become 0."""
    mask = np.empty(len(counts), np.bool_)
    for doc in range(len(counts)):
        mask[doc] = counts[doc] >= minimum
        scores[doc] = scores[doc] if counts[doc] >= minimum else 0.0
    return mask


@kernel
def find_phrase(
    row: Ints, asked: Bytes, asked_at: Ints, offsets: Ints, spans: Ints, part: int, size: int, mask: Bytes, clock: Ints,
    deadline: int, most: int, found: Array,
) -> int:  # fmt: skip
    """How often each document holds the terms at their distances, but at most `most`, into `found`.

    `part`: where so many characters from the beginning of the first term on must lie, see spans.is_within.
    `mask`: where it is not empty, only documents with another byte than 0 are looked at.
    Returns 0, LATE after the deadline.
    """
    n = len(offsets)
    chunks = (row[DOCS] + CHUNK - 1) // CHUNK
    cursors, starts = np.zeros((n, C_WIDTH), np.int64), np.zeros((n, chunks + 1), np.int32)
    for term in range(n):
        place = find_term(row, asked, asked_at[term], asked_at[term + 1] - asked_at[term])
        if place < 0:
            return 0
        point(row, place, cursors, term, starts)
    by_df = np.argsort(cursors[:, C_DF])
    nothing, no_marks = np.empty(0), np.empty(0, np.uint8)
    docs, posts = np.empty(FEW + CHUNK, np.int32), np.empty((FEW + CHUNK, n), np.int32)
    places, others = np.empty(row[MOST], np.int64), np.empty(row[MOST], np.int64)
    for chunk in range(chunks):
        if clock[0] > deadline:
            return LATE
        count = collect(
            True, cursors, starts, by_df, chunk, 0, mask, no_marks, nothing, nothing, 0.0, docs, posts, 0
        )
        for one in range(count):
            doc = whole(docs[one])
            often = shared_places(cursors, by_df, offsets, posts[one], places, others)
            if part != ANYWHERE:
                held = 0
                for place in places[:often]:
                    held += is_within(spans, part, doc, place, size)
                often = held
            found[doc] = min(often, most)
    return 0


@kernel
def mark_phrase(
    rows: Ints, asked: Bytes, asked_at: Ints, offsets: Ints, spans: Ints, part: int, size: int, mask: Bytes, clock: Ints,
    deadline: int, marks: Bytes,
) -> int:  # fmt: skip
    """The same over all segments: the bytes of the documents that hold it become 1."""
    for segment in range(len(rows)):
        row = rows[segment]
        base = row[BASE]
        late = find_phrase(
            row, asked, asked_at, offsets, spans[segment], part, size, mask[base:], clock, deadline, 1, marks[base:]
        )  # fmt: skip
        if late:
            return LATE
    return 0


@kernel
def count_range(
    row: Ints, first: int, last: int, spans: Ints, part: int, mask: Bytes, clock: Ints, deadline: int, most: int,
    found: Array,
) -> int:  # fmt: skip
    """Adds to `found` how often each document holds the terms number first … last - 1, up to `most`.

    `part`, `mask`: as for find_phrase, of one character. Returns 0, LATE after the deadline.
    """
    cursors, starts = open_term(row)
    places = np.empty(row[MOST], np.int64)
    for term in range(first, last):
        if clock[0] > deadline:
            return LATE
        point(row, term, cursors, 0, starts)
        for chunk in range(starts.shape[1] - 1):
            for i in range(starts[0, chunk], starts[0, chunk + 1]):
                doc = chunk * CHUNK + u1(cursors[0, C_LOW], i)
                if whole(found[doc]) >= most or (len(mask) and mask[doc] == 0):
                    continue
                often = 0
                if part == ANYWHERE:
                    often = tf_of(cursors, 0, i)
                else:
                    size = read_positions(cursors, 0, i, places)
                    for place in places[:size]:
                        often += is_within(spans, part, doc, place, 1)
                found[doc] = min(whole(found[doc]) + often, most)
    return 0


@kernel
def mark_character(
    rows: Ints,
    character: Bytes,
    spans: Ints,
    part: int,
    mask: Bytes,
    clock: Ints,
    deadline: int,
    marks: Bytes,
) -> int:
    """Sets the bytes of the documents to 1 that hold a character in such a part. Returns 0, LATE after the deadline."""
    for segment in range(len(rows)):
        row = rows[segment]
        base = row[BASE]
        first, last = find_range(row, character)
        if count_range(row, first, last, spans[segment], part, mask[base:], clock, deadline, 1, marks[base:]):
            return LATE
    return 0


@kernel
def all_positions(row: Ints, term: int) -> tuple[Ints, Ints, Ints]:
    """Documents of a term, how many positions it has in each, and the positions one document after the other."""
    cursors, starts = open_term(row)
    point(row, term, cursors, 0, starts)
    docs, counts = np.empty(row[DOCS], np.int64), np.empty(row[DOCS], np.int64)
    df = documents(row, term, docs)
    for i in range(df):
        counts[i] = tf_of(cursors, 0, i)
    out, place = np.empty(counts[:df].sum(), np.int64), np.empty(row[MOST], np.int64)
    used = 0
    for i in range(df):
        size = read_positions(cursors, 0, i, place)
        out[used : used + size] = place[:size]
        used += size
    return docs[:df].copy(), counts[:df].copy(), out
