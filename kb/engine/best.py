"""The best documents for a list of terms, over all segments, in one call: the way of queries without operators.

A segment is looked at in chunks of 256 documents, those that promise most first. What a chunk can reach is known from the
tops of its terms (layout.py), and a chunk that cannot reach the worst of the best is not opened: block-max MaxScore (Turtle
& Flood 1995, Ding & Suel 2011) on fixed blocks of documents. Nothing that belongs to the best is ever lost.

Scores are BM25 with Lucene's idf. A document's score is the sum of its terms' parts in the order in which they were asked,
so that every way to it gives the same number to the last bit.
"""

from __future__ import annotations

import numpy as np

from kb.engine.all_terms import best_of_all, score_found, shared_places
from kb.engine.any_terms import LATE, best_of_any
from kb.engine.compiled import Array, Bytes, Floats, Ints, brief, kernel, loop, whole
from kb.engine.encoding import K1
from kb.engine.heap import order_chunks, sort
from kb.engine.layout import (
    ALIVE,
    BASE,
    C_LOW,
    C_WIDTH,
    CHUNK,
    DOCS,
    IDS,
    MOST,
    N_TERMS,
    STEP,
    bound_of,
    find_low,
    find_term,
    head,
    living,
    mark,
    point,
    tops,
)

ANY, ALL, PHRASE = 0, 1, 2


@loop
def look_up(table: Ints, asked: Bytes, asked_at: Ints, field_of: Ints, found: Ints, df: Ints) -> None:
    """Place of every term in every segment, -1 where it is not there, and how many living documents hold it."""
    for term in range(len(field_of)):
        size = asked_at[term + 1] - asked_at[term]
        for segment in range(table.shape[1]):
            row = table[field_of[term], segment]
            place = find_term(row, asked, asked_at[term], size)
            found[segment, term] = place
            if place >= 0:
                df[term] += living(row, place)


@loop
def weigh(df: Ints, boost: Floats, count: int, weights: Floats) -> None:
    """Lucene's idf × (k1 + 1) × boost."""
    for term in range(len(df)):
        idf = np.log(1.0 + (count - df[term] + 0.5) / (df[term] + 0.5))
        weights[term] = idf * (K1 + 1.0) * boost[term]


@kernel
def read_heads(row: Ints) -> Ints:
    """Beginnings of the first term of every block of a dictionary, for layout.between."""
    heads = np.empty((row[N_TERMS] + STEP - 1) // STEP, np.int64)
    for number in range(len(heads)):
        heads[number] = head(row, number)
    return heads


@kernel
def find_best(
    mode: int, table: Ints, scales: Floats, words: Bytes, asked: Ints, boost: Floats, count: int, mask: Bytes,
    marks: Bytes, clock: Ints, deadline: int, ids: Ints, scores: Floats,
) -> int:  # fmt: skip
    """Fills `ids` and `scores` with the best documents, the best first. Returns how many, LATE after the deadline.

    `words`: the terms, one after the other. `asked`: for each of them the number of its field, whether a document must
    have it when the mode is ALL, and where it stands in a phrase; then where each begins in `words`, and their end.
    `mask`: of every document of all segments the bits SHOWN and COUNTED, where not all may be found; else empty.
    `marks`: a byte for every document, where all matches are to be known: they are set to 1; else empty. The
    mode ANY marks nothing (see mark_any).
    """
    n, segments = len(boost), table.shape[1]
    field_of, needed, offsets, asked_at = asked[:n], asked[n : 2 * n], asked[2 * n : 3 * n], asked[3 * n :]
    found, df, weights = np.empty((segments, n), np.int64), np.zeros(n, np.int64), np.empty(n)
    look_up(table, words, asked_at, field_of, found, df)
    weigh(df, boost, count, weights)
    if mode == PHRASE:
        weigh_phrase(weights, needed)
    size = 0
    for segment in range(segments):
        places = found[segment]
        missing = 0
        for term in range(n):
            missing += places[term] < 0 and (mode != ANY) and needed[term] != 0
        if missing == 0:
            size = search_segment(
                mode, table[:, segment], scales[:, segment], places, field_of, weights, needed, offsets, mask, marks,
                clock, deadline, ids, scores, size,
            )  # fmt: skip
        if size == LATE:
            return LATE
    sort(scores, ids, size)
    return size


@loop
def weigh_phrase(weights: Floats, needed: Ints) -> None:
    """A phrase weighs what its terms weigh together."""
    total = 0.0
    for term in range(len(weights)):
        total += weights[term] if needed[term] else 0.0
    for term in range(len(weights)):
        weights[term] = total if needed[term] else weights[term]


@kernel
def search_segment(
    mode: int, rows: Ints, scales: Floats, places: Ints, field_of: Ints, weights: Floats, needed: Ints, offsets: Ints,
    mask: Bytes, marks: Bytes, clock: Ints, deadline: int, ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    n = len(places)
    base, alive = rows[0, BASE], rows[0, ALIVE]
    chunks = (rows[0, DOCS] + CHUNK - 1) // CHUNK
    cursors, starts = open_terms(rows, places, field_of)
    factors = np.zeros(n)
    for term in range(n):
        if places[term] >= 0:
            bound = bound_of(rows[field_of[term]], places[term])
            factors[term] = bound * weights[term] * scales[field_of[term]]
    if mode != ANY:
        return best_of_all(
            mode == PHRASE, cursors, starts, factors, weights, needed, offsets, rows[0, IDS], alive, mask[base:],
            marks[base:], clock, deadline, rows[field_of[0], MOST], ids, scores, size,
        )  # fmt: skip
    reach, bounds, order = np.zeros((n, chunks)), np.zeros(chunks), np.empty(chunks, np.int64)
    for term in range(n):
        if places[term] >= 0:
            tops(
                rows[field_of[term]],
                places[term],
                starts,
                term,
                weights[term] * scales[field_of[term]],
                reach,
            )
            bounds += reach[term]
    opened = order_chunks(bounds, order)
    return best_of_any(
        cursors, starts, reach, bounds, order[:opened], weights, rows[0, IDS], alive, mask[base:],
        clock, deadline, ids, scores, size,
    )  # fmt: skip


@brief
def mark_any(table: Ints, words: Bytes, asked: Ints, n: int, marks: Bytes) -> None:
    """Marks the documents that have a needed term. The terms as in find_best."""
    field_of, needed, asked_at = asked[:n], asked[n : 2 * n], asked[3 * n :]
    for segment in range(table.shape[1]):
        for term in range(n):
            row = table[field_of[term], segment]
            if needed[term]:
                place = find_term(row, words, asked_at[term], asked_at[term + 1] - asked_at[term])
                if place >= 0:
                    mark(row, place, marks[row[BASE] :])


@brief
def score_documents(
    mode: int, table: Ints, words: Bytes, asked: Ints, boost: Floats, count: int, docs: Ints, scores: Floats
) -> None:  # fmt: skip
    """Scores of some documents, ascending, all of which match. The terms as in find_best."""
    n, segments = len(boost), table.shape[1]
    field_of, needed, offsets, asked_at = asked[:n], asked[n : 2 * n], asked[2 * n : 3 * n], asked[3 * n :]
    found, df, weights = np.empty((segments, n), np.int64), np.zeros(n, np.int64), np.empty(n)
    look_up(table, words, asked_at, field_of, found, df)
    weigh(df, boost, count, weights)
    if mode == PHRASE:
        weigh_phrase(weights, needed)
    by_df = np.flatnonzero(needed)
    if mode == ANY:
        needed = np.zeros(n, np.int64)
    posts = np.empty(n, np.int32)
    first = 0
    for segment in range(segments):
        rows = table[:, segment]
        base, last = rows[0, BASE], first
        while last < len(docs) and docs[last] < base + rows[0, DOCS]:
            last += 1
        if last > first:
            cursors, starts = open_terms(rows, found[segment], field_of)
            places, others = (
                np.empty(rows[field_of[0], MOST], np.int64),
                np.empty(rows[field_of[0], MOST], np.int64),
            )
            for one in range(first, last):
                doc = docs[one] - base
                find_postings(cursors, starts, needed, doc, posts)
                often = 1.0
                if mode == PHRASE:
                    often = float(shared_places(cursors, by_df, offsets, posts, places, others))
                scores[one] = score_found(mode == PHRASE, cursors, starts, weights, needed, posts, doc, often)
        first = last


@kernel
def open_terms(rows: Ints, found: Ints, field_of: Ints) -> tuple[Ints, Array]:
    """Cursors of the terms in one segment, and where their chunks begin."""
    cursors = np.zeros((len(found), C_WIDTH), np.int64)
    starts = np.empty((len(found), (rows[0, DOCS] + CHUNK - 1) // CHUNK + 1), np.int32)
    for term in range(len(found)):
        if found[term] >= 0:
            point(rows[field_of[term]], found[term], cursors, term, starts)
        else:
            starts[term] = 0
    return cursors, starts


@loop
def find_postings(cursors: Ints, starts: Array, needed: Ints, doc: int, posts: Array) -> None:
    chunk = doc // CHUNK
    for term in range(len(needed)):
        if needed[term]:
            start, end = whole(starts[term, chunk]), whole(starts[term, chunk + 1])
            posts[term] = find_low(cursors[term, C_LOW], start, end, doc % CHUNK)
