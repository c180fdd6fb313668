"""Documents with all needed terms, or with a phrase, the best of a segment. See best.py.

The rarest term is gone through, the others are looked up for each of its documents. What was found is kept in a short
list first, so that the processor fetches the scattered bytes of many documents at once.
"""

from __future__ import annotations

import numpy as np

from kb.engine.any_terms import LATE, SHOWN, SLACK, may_be_found, part_of
from kb.engine.compiled import Array, Bytes, Floats, Ints, f8, i8, inlined, kernel, loop, prefetch, u1, whole
from kb.engine.heap import offer
from kb.engine.layout import (
    BIG,
    C_DF,
    C_LOW,
    C_NORM,
    CHUNK,
    fetch_positions,
    fetch_posting,
    find_low,
    read_positions,
    tf_of,
    top_of,
)

AHEAD = 6  # chunks
FEW = 24  # documents of the short list, before it is worked off
HEAVY = 16  # postings of the rarest term in a chunk from which on it pays to look at parts of scores first
PATIENCE = 15  # chunks between two looks at the clock, less one; one less than a power of two


@kernel
def best_of_all(
    is_phrase: bool, cursors: Ints, starts: Array, factors: Floats, weights: Floats, needed: Ints, offsets: Ints,
    article_ids: int, alive: int, mask: Bytes, marks: Bytes, clock: Ints, deadline: int, longest: int, ids: Ints,
    scores: Floats, size: int,
) -> int:  # fmt: skip
    """Returns how many are among the best now, LATE after the deadline.

    `factors`: the largest part that each term can add. `marks`: where it is not empty, every match is set to 1, also those
    that cannot come among the best. A phrase's weight is that of its first term.
    """
    n, k = len(weights), len(scores)
    by_df = np.argsort(cursors[:, C_DF])
    by_df = by_df[needed[by_df] != 0]
    docs, posts = np.empty(FEW + CHUNK, np.int32), np.empty((FEW + CHUNK, n), np.int32)
    places, others = np.empty(longest, np.int64), np.empty(longest, np.int64)
    nothing, reaches = np.empty(0, np.uint8), np.zeros(n)
    rarest, chunks = by_df[0], starts.shape[1] - 1
    is_heavy = cursors[rarest, C_DF] >= HEAVY * chunks
    count = 0
    for chunk in range(chunks):
        if (chunk & PATIENCE) == 0 and clock[0] > deadline:
            return LATE
        if starts[rarest, chunk] == starts[rarest, chunk + 1]:
            continue
        if chunk + AHEAD < chunks:
            fetch_ahead(cursors, starts, by_df, chunk + AHEAD)
        worst = 0.0 if k else np.inf
        if 0 < k == size:
            most = reach_of(is_phrase, cursors, starts, factors, needed, chunk)
            if most * SLACK < scores[0]:
                if len(marks) == 0:
                    continue
                worst = np.inf
            elif is_heavy:
                worst = scores[0]
                for term in range(n):
                    reaches[term] = factors[term] * top_of(cursors, term, chunk)
        # A phrase is marked when its places are known.
        count = collect(
            is_phrase, cursors, starts, by_df, chunk, alive, mask, nothing if is_phrase else marks, weights, reaches,
            0.0 if is_phrase else worst, docs, posts, count,
        )  # fmt: skip
        if count >= FEW:
            size = settle(
                is_phrase, cursors, starts, weights, needed, by_df, offsets, article_ids, alive, mask, marks, docs,
                posts, count, places, others, ids, scores, size,
            )  # fmt: skip
            count = 0
    if count:
        size = settle(
            is_phrase, cursors, starts, weights, needed, by_df, offsets, article_ids, alive, mask, marks, docs,
            posts, count, places, others, ids, scores, size,
        )  # fmt: skip
    return size


@inlined
def reach_of(
    is_phrase: bool, cursors: Ints, starts: Array, factors: Floats, needed: Ints, chunk: int
) -> float:
    """The highest score that a document of the chunk can have."""
    lowest, total = np.inf, 0.0
    for term in range(len(factors)):
        if starts[term, chunk] == starts[term, chunk + 1]:
            if needed[term]:
                return 0.0
            continue
        part = factors[term] * top_of(cursors, term, chunk)
        if is_phrase and needed[term]:
            lowest = min(lowest, part)
        else:
            total += part
    return total + lowest if is_phrase else total


@inlined
def fetch_ahead(cursors: Ints, starts: Array, terms: Ints, chunk: int) -> None:
    for term in terms:
        prefetch(cursors[term, C_LOW] + starts[term, chunk])


@inlined
def collect(
    is_phrase: bool, cursors: Ints, starts: Array, by_df: Ints, chunk: int, alive: int, mask: Bytes, marks: Bytes, weights: Floats,
    reaches: Floats, worst: float, docs: Array, posts: Array, count: int,
) -> int:  # fmt: skip
    """Puts the documents of the chunk that have all terms of `by_df` behind the `count` of the list, with their postings.

    Where `worst` is above 0, only those that can score as much. `reaches`: the most that each term adds in this chunk.
    All are marked, where `marks` is not empty; with a `worst` of infinity that is all.
    """
    rarest = by_df[0]
    lows = cursors[rarest, C_LOW]
    most = 0.0
    for reach in reaches:
        most += reach
    for i in range(whole(starts[rarest, chunk]), whole(starts[rarest, chunk + 1])):
        low = u1(lows, i)
        doc = chunk * CHUNK + low
        if not may_be_found(doc, alive, mask):
            continue
        can = most
        is_hopeless = worst == np.inf
        place = i
        for j in range(len(by_df)):
            term = by_df[j]
            if j:
                start, end = whole(starts[term, chunk]), whole(starts[term, chunk + 1])
                place = find_low(cursors[term, C_LOW], start, end, low)
                if place < 0:
                    break
            posts[count, term] = place
            if worst > 0.0 and not is_hopeless:
                can += part_of(cursors, term, place, doc, weights[term]) - reaches[term]
                is_hopeless = can * SLACK < worst
                if is_hopeless and len(marks) == 0:
                    break
        if place < 0:
            continue
        if len(marks):
            marks[doc] = 1
        if is_hopeless:
            continue
        docs[count] = doc
        count += 1
        if worst == 0.0:
            prefetch(cursors[rarest, C_NORM] + 8 * doc)
            for j in range(len(by_df)):
                fetch_posting(cursors, by_df[j], whole(posts[count - 1, by_df[j]]), is_phrase)
    return count


@loop
def settle(
    is_phrase: bool, cursors: Ints, starts: Array, weights: Floats, needed: Ints, by_df: Ints, offsets: Ints,
    article_ids: int, alive: int, mask: Bytes, marks: Bytes, docs: Array, posts: Array, count: int, places: Ints,
    others: Ints, ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    """Works off the list: looks for the phrase, marks, scores, and offers to the heap."""
    k = len(scores)
    if is_phrase:
        if len(marks) == 0 and 0 < k == size and len(by_df) == len(weights):
            count = keep_frequent(cursors, by_df, weights[by_df[0]], scores[0], docs, posts, count)
        for one in range(count):
            for j in range(len(by_df)):
                fetch_positions(cursors, by_df[j], whole(posts[one, by_df[j]]))
    for one in range(count):
        doc = whole(docs[one])
        worst = scores[0] if 0 < k == size else -1.0
        often = 1.0
        if is_phrase:
            often = float(shared_places(cursors, by_df, offsets, posts[one], places, others))
            if often == 0.0:
                continue
        if is_phrase and len(marks):
            marks[doc] = 1
        if k == 0 or (len(mask) and (mask[doc] & SHOWN) == 0):
            continue
        score = score_found(is_phrase, cursors, starts, weights, needed, posts[one], doc, often)
        if score >= worst:
            size = offer(scores, ids, size, score, i8(article_ids, doc))
    return size


@loop
def keep_frequent(
    cursors: Ints, by_df: Ints, weight: float, worst: float, docs: Array, posts: Array, count: int
) -> int:  # fmt: skip
    """The documents of the list whose phrase can score enough: it is no more frequent than the rarest of its terms."""
    kept = 0
    for one in range(count):
        often = BIG
        for term in by_df:
            often = min(often, tf_of(cursors, term, whole(posts[one, term])))
        norm = f8(cursors[by_df[0], C_NORM], whole(docs[one]))
        docs[kept] = docs[one]
        for term in by_df:
            posts[kept, term] = posts[one, term]
        kept += weight * often * SLACK >= worst * (often + norm) or often == BIG
    return kept


@inlined
def score_found(
    is_phrase: bool, cursors: Ints, starts: Array, weights: Floats, needed: Ints, posts: Array, doc: int, often: float
) -> float:  # fmt: skip
    """The document's exact score: its parts in the order in which the terms were asked."""
    score = 0.0
    chunk, low = doc // CHUNK, doc % CHUNK
    is_first = True
    for term in range(len(weights)):
        if needed[term] == 0:
            start, end = whole(starts[term, chunk]), whole(starts[term, chunk + 1])
            i = find_low(cursors[term, C_LOW], start, end, low)
            if i >= 0:
                score += part_of(cursors, term, i, doc, weights[term])
        elif not is_phrase:
            score += part_of(cursors, term, whole(posts[term]), doc, weights[term])
        elif is_first:
            score += weights[term] * often / (often + f8(cursors[term, C_NORM], doc))
            is_first = False
    return score


@inlined
def shared_places(cursors: Ints, by_df: Ints, offsets: Ints, posts: Array, places: Ints, others: Ints) -> int:
    """How often the terms stand at their distances in a document that has all of them; where each time, into `places`.

    `posts`: the posting of each term in the document.
    """
    count = 0
    for j in range(len(by_df)):
        term = by_df[j]
        if j == 0:
            count = read_positions(cursors, term, whole(posts[term]), places)
            for one in range(count):
                places[one] -= offsets[term]
        else:
            size = read_positions(cursors, term, whole(posts[term]), others)
            count = keep_equal(places, count, others, size, offsets[term])
        if count == 0:
            break
    return count


@inlined
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
