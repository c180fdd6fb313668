"""Documents with at least one of the terms, the best of a segment. See best.py."""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import Array, Bytes, Floats, Ints, f8, i8, kernel, loop, u1
from kb.engine.heap import offer
from kb.engine.layout import BIG, C_AT, C_LOW, C_NORM, C_TF, CHUNK, find_low, tf_of

SLACK = 1.0 + 1e-9  # sums of bounds are rounded; every bound by itself is safe
LATE = -1
LOOK_UP = 12  # what looking up one document costs, in postings gone through
TINY = 1e-300  # below every score
SHOWN, COUNTED = 1, 2  # bits of a mask's bytes: may be among the best, counts as a match


@loop
def part_of(cursors: Ints, term: int, i: int, doc: int, weight: float) -> float:
    """What the term's posting i adds to the document's score."""
    often = float(tf_of(cursors, term, i))
    return weight * often / (often + f8(cursors[term, C_NORM], doc))


@loop
def score_of(cursors: Ints, starts: Array, weights: Floats, chunk: int, low: int) -> float:
    """The document's exact score: its parts in the order in which the terms were asked."""
    score = 0.0
    for term in range(len(weights)):
        i = find_low(cursors[term, C_LOW], starts[term, chunk], starts[term, chunk + 1], low)
        if i >= 0:
            score += part_of(cursors, term, i, chunk * CHUNK + low, weights[term])
    return score


@kernel
def best_of_any(
    cursors: Ints, starts: Array, reach: Floats, bounds: Floats, order: Ints, weights: Floats, article_ids: int,
    alive: int, mask: Bytes, clock: Ints, deadline: int, ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    n, k = len(weights), len(scores)
    by_reach = np.argsort(highest(reach))
    sums, upto = np.zeros(CHUNK), np.empty(n)
    for chunk in order:
        if clock[0] > deadline:
            return LATE
        worst = scores[0] if size == k else -1.0
        if bounds[chunk] * SLACK < worst:
            continue
        if n == 1:
            size = offer_all(cursors, starts, weights[0], chunk, article_ids, alive, mask, ids, scores, size)
            continue
        total = 0.0
        first = 0
        for j in range(n):
            total += reach[by_reach[j], chunk]
            upto[j] = total
            first += total * SLACK < worst
        for term in by_reach[first:]:
            add_up(cursors, starts, term, weights[term], chunk, sums)
        while first > 0 and is_worth_adding(
            starts, by_reach[first - 1], chunk, sums, worst / SLACK - upto[first - 1]
        ):
            first -= 1
            term = by_reach[first]
            add_up(cursors, starts, term, weights[term], chunk, sums)
        size = offer_held(
            cursors,
            starts,
            weights,
            by_reach[:first],
            upto,
            chunk,
            sums,
            article_ids,
            alive,
            mask,
            ids,
            scores,
            size,
        )
    return size


@loop
def is_worth_adding(starts: Array, term: int, chunk: int, sums: Floats, least: float) -> bool:
    """Whether going through the term's postings costs less than looking it up for every document that is still in."""
    count = 0
    for low in range(CHUNK):
        count += sums[low] >= least
    postings: int = starts[term, chunk + 1] - starts[term, chunk]
    return count * LOOK_UP > postings


@loop
def offer_all(
    cursors: Ints, starts: Array, weight: float, chunk: int, article_ids: int, alive: int, mask: Bytes,
    ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    """A single term: every posting of the chunk."""
    k = len(scores)
    worst = scores[0] if size == k else -1.0
    for i in range(starts[0, chunk], starts[0, chunk + 1]):
        doc = chunk * CHUNK + u1(cursors[0, C_LOW], i)
        if len(mask) and (mask[doc] & SHOWN) == 0:
            continue
        score = part_of(cursors, 0, i, doc, weight)
        if score >= worst and may_be_shown(doc, alive, mask):
            size = offer(scores, ids, size, score, i8(article_ids, doc))
            worst = scores[0] if size == k else -1.0
    return size


@kernel
def highest(reach: Floats) -> Floats:
    result = np.zeros(len(reach))
    for term in range(len(reach)):
        for chunk in range(reach.shape[1]):
            result[term] = max(result[term], reach[term, chunk])
    return result


@loop
def may_be_found(doc: int, alive: int, mask: Bytes) -> bool:
    """A mask knows which documents live."""
    return mask[doc] != 0 if len(mask) else alive == 0 or u1(alive, doc) != 0


@loop
def may_be_shown(doc: int, alive: int, mask: Bytes) -> bool:
    return (mask[doc] & SHOWN) != 0 if len(mask) else alive == 0 or u1(alive, doc) != 0


@loop
def add_up(cursors: Ints, starts: Array, term: int, weight: float, chunk: int, sums: Floats) -> None:
    """Adds the term's parts to the sums of the documents of a chunk."""
    lows, tfs, at = cursors[term, C_LOW], cursors[term, C_TF], cursors[term, C_AT]
    norms = cursors[term, C_NORM] + 8 * CHUNK * chunk
    for i in range(starts[term, chunk], starts[term, chunk + 1]):
        place = at + i
        tf = (u1(tfs, place >> 1) >> ((place & 1) << 2)) & 15
        if tf == BIG:
            tf = tf_of(cursors, term, i)
        low = u1(lows, i)
        often = float(tf)
        sums[low] += weight * often / (often + f8(norms, low))


@loop
def offer_held(
    cursors: Ints, starts: Array, weights: Floats, rest: Ints, upto: Floats, chunk: int, sums: Floats,
    article_ids: int, alive: int, mask: Bytes, ids: Ints, scores: Floats, size: int,
) -> int:  # fmt: skip
    """The documents with a sum of the leading terms. The others (`rest`, weakest first) are looked up while it can matter."""
    k = len(scores)
    others = upto[len(rest) - 1] if len(rest) else 0.0
    worst = scores[0] if size == k else -1.0
    least = max(worst / SLACK - others, TINY)
    for low in range(CHUNK):
        score = sums[low]
        sums[low] = 0.0
        if score < least:
            continue
        j = len(rest) - 1
        while j >= 0 and (score + upto[j]) * SLACK >= worst:
            term = rest[j]
            i = find_low(cursors[term, C_LOW], starts[term, chunk], starts[term, chunk + 1], low)
            if i >= 0:
                score += part_of(cursors, term, i, chunk * CHUNK + low, weights[term])
            j -= 1
        doc = chunk * CHUNK + low
        if j < 0 and score * SLACK >= worst and may_be_shown(doc, alive, mask):
            exact = score_of(cursors, starts, weights, chunk, low)
            size = offer(scores, ids, size, exact, i8(article_ids, doc))
            worst = scores[0] if size == k else -1.0
            least = max(worst / SLACK - others, TINY)
    return size
