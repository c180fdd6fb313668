"""The best so far: a heap with the worst on top. Ties go to the smaller article id."""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import Floats, Ints, brief, kernel, loop, lowest_bit


@loop
def is_worse(score: float, article: int, other_score: float, other: int) -> bool:
    return score < other_score or (score == other_score and article > other)


@loop
def offer(scores: Floats, ids: Ints, size: int, score: float, article: int) -> int:
    """Put a document among the best `len(scores)` if it belongs there. Returns how many there are."""
    k = len(scores)
    if size < k:
        i = size
        while i > 0 and is_worse(score, article, scores[(i - 1) >> 1], ids[(i - 1) >> 1]):
            scores[i], ids[i] = scores[(i - 1) >> 1], ids[(i - 1) >> 1]
            i = (i - 1) >> 1
        scores[i], ids[i] = score, article
        return size + 1
    if k > 0 and is_worse(scores[0], ids[0], score, article):
        sink(scores, ids, k, score, article)
    return size


@loop
def sink(scores: Floats, ids: Ints, size: int, score: float, article: int) -> None:
    """Replace the top of the heap."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and is_worse(scores[child + 1], ids[child + 1], scores[child], ids[child]):
            child += 1
        if not is_worse(scores[child], ids[child], score, article):
            break
        scores[i], ids[i] = scores[child], ids[child]
        i = child
    scores[i], ids[i] = score, article


@loop
def sort(scores: Floats, ids: Ints, size: int) -> None:
    """Turn the heap into a list, the best first."""
    for end in range(size - 1, 0, -1):
        score, article = scores[end], ids[end]
        scores[end], ids[end] = scores[0], ids[0]
        sink(scores, ids, end, score, article)


@kernel
def best_among(bits: Ints, all_scores: Floats, article_ids: Ints, ids: Ints, scores: Floats) -> int:
    """Fills `ids` and `scores` with the best of a set of documents (bits.py), the best first. Returns how many."""
    size, k = 0, len(scores)
    for number in range(len(bits)):
        word = bits[number]
        while word != 0:
            doc = 64 * number + lowest_bit(word)
            word &= word - 1
            if size < k or (k > 0 and all_scores[doc] >= scores[0]):
                size = offer(scores, ids, size, all_scores[doc], article_ids[doc])
    sort(scores, ids, size)
    return size


@brief
def first_articles(bits: Ints, article_ids: Ints, ids: Ints) -> Ints:
    """The lowest article ids of a set of documents, ascending, as many as there is room for in `ids`."""
    size, k = 0, len(ids)
    nothing = np.zeros(k)
    for number in range(len(bits)):
        word = bits[number]
        while word != 0:
            article = article_ids[64 * number + lowest_bit(word)]
            word &= word - 1
            if size < k or article < ids[0]:
                size = offer(nothing, ids, size, 0.0, article)
    sort(nothing, ids, size)
    return ids[:size]


@kernel
def order_chunks(bounds: Floats, order: Ints) -> int:
    """Chunks that can have a match, those with the highest bound first (to a 256th). Returns how many."""
    most = 0.0
    for chunk in range(len(bounds)):
        most = max(most, bounds[chunk])
    if most <= 0.0:
        return 0
    counts = np.zeros(258, np.int64)
    for chunk in range(len(bounds)):
        if bounds[chunk] > 0.0:
            counts[257 - int(bounds[chunk] / most * 256.0)] += 1
    for bucket in range(1, 258):
        counts[bucket] += counts[bucket - 1]
    total: int = counts[257]
    for chunk in range(len(bounds) - 1, -1, -1):
        if bounds[chunk] > 0.0:
            bucket = 257 - int(bounds[chunk] / most * 256.0)
            counts[bucket] -= 1
            order[counts[bucket]] = chunk
    return total
