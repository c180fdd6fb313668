"""The first of an order, looked at once more: how much of what was asked stands close together, and how much at the beginning.

BM25 counts words wherever they stand. An article that says them in one passage, or in its title and first lines, is more often
the one that was looked for (docs/benchmarks.md tells how much each part gives). Positions count characters of the folded article, the title
first (tokens.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kb.engine.best import ANY, find_postings, look_up, open_terms, weigh
from kb.engine.compiled import Array, Bytes, Floats, Ints, kernel, loop
from kb.engine.layout import BASE, DOCS, MOST, read_positions
from kb.engine.snapshot import Snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import Term

TOGETHER, FIRST = 100, 100  # characters of a passage, of a beginning
TOGETHER_SHARE, FIRST_SHARE = 0.25, 0.05  # of the best score, for an article that has all terms there
ROOM = 1 << 14  # places in one article that are looked at


def rerank(snapshot: Snapshot, docs: Ints, scores: Floats, terms: Sequence[Term]) -> Floats:
    """New scores of the first documents of an order by the terms that they were found with; none falls."""
    asked = snapshot.asked(
        ANY, [(term.field, encoded(term.word)) for term in terms], boosts=[term.boost for term in terms]
    )
    shares = np.zeros((len(docs), 2))
    look_closer(snapshot.table, *asked[1:], snapshot.count, docs, shares)
    raised: Floats = scores + scores.max() * (TOGETHER_SHARE * shares[:, 0] + FIRST_SHARE * shares[:, 1])
    return raised


@kernel
def look_closer(
    table: Ints, words: Bytes, asked: Ints, boost: Floats, count: int, docs: Ints, shares: Floats
) -> None:
    """Of each document which share of the terms' weights stands in its best passage, and in its beginning.

    The terms as in best.find_best; a term's weight is what it weighs in the score.
    """
    n, segments = len(boost), table.shape[1]
    field_of, every, asked_at = asked[:n], np.ones(n, np.int64), asked[3 * n :]
    found, df, weights = np.empty((segments, n), np.int64), np.zeros(n, np.int64), np.empty(n)
    look_up(table, words, asked_at, field_of, found, df)
    weigh(df, boost, count, weights)
    total = weights.sum()
    if total > 0.0:
        weights /= total
    posts, counts, events = np.empty(n, np.int32), np.zeros(n, np.int64), np.empty(ROOM, np.int64)
    for segment in range(segments):
        rows = table[:, segment]
        base, last = rows[0, BASE], rows[0, BASE] + rows[0, DOCS]
        if not has_one(docs, base, last):
            continue
        cursors, starts = open_terms(rows, found[segment], field_of)
        most = 0
        for term in range(n):
            most = max(most, rows[field_of[term], MOST])
        places = np.empty(most, np.int64)
        for one in range(len(docs)):
            if base <= docs[one] < last:
                posts[:] = -1
                find_postings(cursors, starts, every, docs[one] - base, posts)
                size = gather(cursors, posts, places, events)
                events[:size].sort()
                shares[one, 0] = best_passage(events, size, weights, counts)
                shares[one, 1] = beginning(events, size, weights, counts)


@loop
def has_one(docs: Ints, first: int, last: int) -> bool:
    found = False
    for doc in docs:
        found |= first <= doc < last
    return found


@kernel
def gather(cursors: Ints, posts: Array, places: Ints, events: Ints) -> int:
    """Where the terms stand in one document: position << 16 | term, in no order. Returns how many, at most ROOM."""
    size = 0
    for term in range(len(posts)):
        if posts[term] >= 0:
            often = min(read_positions(cursors, term, posts[term], places), ROOM - size)
            for i in range(often):
                events[size + i] = places[i] << 16 | term
            size += often
    return size


@loop
def best_passage(events: Ints, size: int, weights: Floats, counts: Ints) -> float:
    """The largest sum of weights of different terms that begin within TOGETHER characters."""
    best = here = 0.0
    first = 0
    for last in range(size):
        term = events[last] & 0xFFFF
        here += weights[term] if counts[term] == 0 else 0.0
        counts[term] += 1
        while (events[last] >> 16) - (events[first] >> 16) >= TOGETHER:
            term = events[first] & 0xFFFF
            counts[term] -= 1
            here -= weights[term] if counts[term] == 0 else 0.0
            first += 1
        best = max(best, here)
    for one in range(first, size):
        counts[events[one] & 0xFFFF] = 0
    return best


@loop
def beginning(events: Ints, size: int, weights: Floats, counts: Ints) -> float:
    """The sum of weights of different terms among the FIRST characters."""
    here = 0.0
    last = 0
    while last < size and events[last] >> 16 < FIRST:
        term = events[last] & 0xFFFF
        here += weights[term] if counts[term] == 0 else 0.0
        counts[term] = 1
        last += 1
    for one in range(last):
        counts[events[one] & 0xFFFF] = 0
    return here
