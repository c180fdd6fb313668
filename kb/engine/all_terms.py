"""Documents with all needed terms, or with a phrase, the best of a segment. See best.py."""

from __future__ import annotations

import numpy as np

from kb.engine.any_terms import SLACK, may_be_found, score_of
from kb.engine.compiled import Array, Bytes, Floats, Ints, f8, i8, kernel, loop, prefetch, u1, whole
from kb.engine.heap import offer
from kb.engine.layout import C_AT, C_DF, C_LOW, C_NORM, C_TF, CHUNK, find_low, read_positions, tf_of

LATE = -1
AHEAD = 4  # chunks


@loop
def take_first(cursors: Ints, starts: Array, term: int, chunk: int, lows: Array, posts: Array) -> int:
    """All documents of the chunk that the term has, and its postings of them. Returns how many."""
    start = whole(starts[term, chunk])
    count = whole(starts[term, chunk + 1]) - start
    place = cursors[term, C_LOW] + start
    for i in range(count):
        lows[i] = u1(place, i)
        posts[i] = start + i
    return count


@loop
def keep_shared(
    cursors: Ints,
    starts: Array,
    term: int,
    chunk: int,
    lows: Array,
    posts: Array,
    partial: Floats,
    count: int,
) -> int:
    """Those of the `count` documents that the term has as well, with its postings. Returns how many."""
    start, end = whole(starts[term, chunk]), whole(starts[term, chunk + 1])
    place = cursors[term, C_LOW]
    kept = 0
    for one in range(count):
        low = whole(lows[one])
        i = find_low(place, start, end, low)
        lows[kept] = low
        posts[kept] = i
        partial[kept] = partial[one]
        kept += i >= 0
    return kept


@loop
def keep_promising(
    is_phrase: bool, cursors: Ints, term: int, chunk: int, lows: Array, posts: Array, partial: Floats, weight: float,
    reach: float, worst: float, count: int,
) -> int:  # fmt: skip
    """Those that can still come among the best once the term counts. Returns how many.

    `partial`: the sum so far, to which at most `reach` will be added; for a phrase the lowest frequency so far (0 at
    first), because a phrase is no more frequent than the rarest of its terms.
    """
    kept = 0
    norms = cursors[term, C_NORM] + 8 * CHUNK * chunk
    for one in range(count):
        often = float(tf_of(cursors, term, whole(posts[one])))
        norm = f8(norms, whole(lows[one]))
        if is_phrase:
            value = often if partial[one] == 0.0 else min(partial[one], often)
            enough = weight * value * SLACK >= worst * (value + norm)
        else:
            value = partial[one] + weight * often / (often + norm)
            enough = (value + reach) * SLACK >= worst
        lows[kept] = lows[one]
        partial[kept] = value
        kept += enough
    return kept


@loop
def agreeing(
    is_phrase: bool, cursors: Ints, starts: Array, reach: Floats, by_df: Ints, weights: Floats, chunk: int,
    lows: Array, posts: Array, partial: Floats, total: float, worst: float,
) -> int:  # fmt: skip
    """Documents of the chunk that all terms of `by_df` (rarest first) have and that can come among the best."""
    count = take_first(cursors, starts, by_df[0], chunk, lows, posts)
    partial[:count] = 0.0
    for j in range(len(by_df)):
        term = by_df[j]
        if j:
            count = keep_shared(cursors, starts, term, chunk, lows, posts, partial, count)
        if count == 0:
            break
        if worst > 0.0:
            total -= reach[term, chunk]
            count = keep_promising(
                is_phrase, cursors, term, chunk, lows, posts, partial, weights[term], total, worst, count
            )
    return count


@loop
def fetch_ahead(cursors: Ints, starts: Array, terms: Ints, chunk: int) -> None:
    """Chunks are opened in no order that the processor could foresee."""
    for term in terms:
        start = starts[term, chunk]
        prefetch(cursors[term, C_LOW] + start)
        prefetch(cursors[term, C_TF] + ((cursors[term, C_AT] + start) >> 1))


@kernel
def best_of_all(
    is_phrase: bool, cursors: Ints, starts: Array, reach: Floats, bounds: Floats, order: Ints, weights: Floats,
    needed: Ints, offsets: Ints, article_ids: int, alive: int, mask: Bytes, clock: Ints, deadline: int, most: int,
    ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    k = len(scores)
    by_df = np.argsort(cursors[:, C_DF])
    by_df = by_df[needed[by_df] != 0]
    lows, posts = np.empty(CHUNK, np.int32), np.empty(CHUNK, np.int32)
    partial, places, others = np.empty(CHUNK), np.empty(most, np.int64), np.empty(most, np.int64)
    for place in range(len(order)):
        chunk = order[place]
        if place + AHEAD < len(order):
            fetch_ahead(cursors, starts, by_df, order[place + AHEAD])
        if clock[0] > deadline:
            return LATE
        worst = scores[0] if size == k else -1.0
        if bounds[chunk] * SLACK < worst:
            continue
        count = agreeing(
            is_phrase,
            cursors,
            starts,
            reach,
            by_df,
            weights,
            chunk,
            lows,
            posts,
            partial,
            bounds[chunk],
            worst,
        )
        for one in range(count):
            low = whole(lows[one])
            doc = chunk * CHUNK + low
            if not may_be_found(doc, alive, mask):
                continue
            often = 1.0
            if is_phrase:
                often = shared_places(cursors, starts, by_df, offsets, chunk, low, places, others)
                score = weights[0] * often / (often + f8(cursors[0, C_NORM], doc))
            else:
                score = score_of(cursors, starts, weights, chunk, low)
            if often > 0.0 and score >= worst:
                size = offer(scores, ids, size, score, i8(article_ids, doc))
                worst = scores[0] if size == k else -1.0
    return size


@loop
def shared_places(
    cursors: Ints, starts: Array, by_df: Ints, offsets: Ints, chunk: int, low: int, places: Ints, others: Ints
) -> float:
    """How often the terms stand at their distances in a document that has all of them; where each time, into `places`."""
    count = 0
    for j in range(len(by_df)):
        term = by_df[j]
        i = find_low(cursors[term, C_LOW], starts[term, chunk], starts[term, chunk + 1], low)
        if j == 0:
            count = read_positions(cursors, term, i, places)
            for one in range(count):
                places[one] -= offsets[term]
        else:
            size = read_positions(cursors, term, i, others)
            count = keep_equal(places, count, others, size, offsets[term])
        if count == 0:
            break
    return float(count)


@loop
def keep_equal(places: Ints, count: int, others: Ints, size: int, offset: int) -> int:
    """Those of the ascending `places` that are among `others` less the offset. Returns how many."""
    i = kept = 0
    for number in range(size):
        wanted = others[number] - offset
        while i < count and places[i] < wanted:
            i += 1
        if i < count and places[i] == wanted:
            places[kept] = wanted
            kept += 1
            i += 1
    return kept
