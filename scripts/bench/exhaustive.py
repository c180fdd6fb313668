"""The reference that answers are held against: every document looked at, nothing of kb's index or kernels (only numpy).

    scan = Scan([7, 9], [[("党建", 0), ("业务", 2)], [("党建", 0)]])
    ids, scores = scan.any(["党建", "业务"])

BM25 with k1 = 1.2, b = 0.75 and Lucene's idf; the statistics are those of the documents given. A score is the sum of the
parts in the order asked. `scan.term` and `scan.places` give the parts themselves, for every document, so that any tree of
operators, columns and further fields (a Scan each, of the same documents in the same order) is a line of numpy.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Ranked: TypeAlias = tuple[Array, Array]  # ids i8[m], scores f8[m]

K1, B = 1.2, 0.75
DOC_BITS = POSITION_BITS = 20  # of a token's key; the rest is its term
MOST_TERMS = 1 << (63 - DOC_BITS - POSITION_BITS)
SHIFT = 1 << POSITION_BITS  # keeps a place minus its offset positive


class Found(NamedTuple):
    """For every document whether it matches, and its score, 0 where it does not."""

    mask: Array  # bool[n]
    scores: Array  # f8[n]


class Scan:
    """Documents of one field, all in memory: about 20 bytes a token while they are taken in, 10 afterwards."""

    def __init__(self, ids: Sequence[int], texts: Iterable[Iterable[tuple[str, int]]]) -> None:
        """`texts[d]`: the tokens of document `ids[d]`, as words with their places. Raises ValueError beyond 2^20 documents or places."""
        self.ids = np.array(ids, np.int64)
        self.docs = len(self.ids)
        self.numbers: dict[str, int] = {}
        keys, lengths = self._keys(texts)
        self.norms = _norms(lengths)
        pairs = keys >> POSITION_BITS
        self._positions = (keys & ((1 << POSITION_BITS) - 1)).astype(np.uint32)
        del keys
        firsts = np.flatnonzero(np.concatenate((np.ones(min(1, len(pairs)), np.bool_), np.diff(pairs) != 0)))
        self._position_at = np.concatenate((firsts, [len(pairs)]))
        pairs = pairs[firsts]
        self._doc_of = (pairs & ((1 << DOC_BITS) - 1)).astype(np.uint32)
        self._posting_at = np.searchsorted(pairs >> DOC_BITS, np.arange(len(self.numbers) + 1))

    def _keys(self, texts: Iterable[Iterable[tuple[str, int]]]) -> tuple[Array, Array]:
        """Tokens as (term, document, place) in one number, sorted; tokens of each document."""
        number = self.numbers
        terms, places, lengths = array("I"), array("q"), array("q")
        for tokens in texts:
            before = len(terms)
            for word, place in tokens:
                terms.append(number.setdefault(word, len(number)))
                places.append(place)
            lengths.append(len(terms) - before)
        if len(lengths) != self.docs:
            raise ValueError(f"{self.docs} ids for {len(lengths)} texts")
        at, counts = np.array(places, np.int64), np.array(lengths, np.int64)
        if self.docs > 1 << DOC_BITS or at.max(initial=0) >= SHIFT or len(number) > MOST_TERMS:
            raise ValueError("more documents, places or terms than a key holds")
        at |= np.repeat(np.arange(self.docs, dtype=np.int64), counts) << POSITION_BITS
        at |= np.array(terms, np.int64) << (DOC_BITS + POSITION_BITS)
        at.sort()
        return at, counts

    # --- parts, for every document ---------------------------------------------------------------------------

    def term(self, word: str, boost: float = 1.0) -> Found:
        docs, counts, _ = self._postings(word)
        found = self.nothing()
        found.mask[docs] = True
        found.scores[docs] = self.weight(len(docs), boost) * counts / (counts + self.norms[docs])
        return found

    def places(self, words: Sequence[str], offsets: Sequence[int], boost: float = 1.0) -> Found:
        """A phrase: its weight is the sum of its words' weights, its frequency the number of places where it begins."""
        asked = [(*self._postings(word), offset) for word, offset in zip(words, offsets, strict=True)]
        weight = sum(self.weight(len(docs), boost) for docs, *_ in asked)
        starts = [
            (np.repeat(docs.astype(np.int64), counts) << (POSITION_BITS + 2)) + at.astype(np.int64) - offset + SHIFT
            for docs, counts, at, offset in asked
        ]  # fmt: skip
        starts.sort(key=len)
        common = np.unique(starts[0])
        for one in starts[1:]:
            common = common[_has(one, common)]
        return self.often(np.bincount(common >> (POSITION_BITS + 2), minlength=self.docs), weight)

    def often(self, frequencies: Array, weight: float) -> Found:
        """`frequencies`: of one thing in every document; `weight`: its idf and all."""
        found = self.nothing()
        docs = np.flatnonzero(frequencies)
        found.mask[docs] = True
        found.scores[docs] = weight * frequencies[docs] / (frequencies[docs] + self.norms[docs])
        return found

    def weight(self, holding: int, boost: float = 1.0) -> float:
        """Of what so many documents hold: Lucene's idf × (k1 + 1) × boost."""
        return math.log(1.0 + (self.docs - holding + 0.5) / (holding + 0.5)) * (K1 + 1.0) * boost

    def having(self, word: str) -> Array:
        """The documents that hold a word, by their places in `ids`."""
        return self._postings(word)[0]

    def nothing(self) -> Found:
        return Found(np.zeros(self.docs, np.bool_), np.zeros(self.docs))

    def _postings(self, word: str) -> tuple[Array, Array, Array]:
        """Documents that hold a word, how often, and all its places."""
        number = self.numbers.get(word, -1)
        first, last = self._posting_at[number : number + 2] if number >= 0 else (0, 0)
        at = self._position_at[first : last + 1]
        return self._doc_of[first:last], np.diff(at), self._positions[at[0] : at[-1]]

    # --- answers ---------------------------------------------------------------------------------------------

    def any(
        self, words: Sequence[str], *, minimum: int = 1, boosts: Sequence[float] = (), without: Sequence[str] = (),
        more: Sequence[Found] = (), where: Array | None = None, limit: int | None = None,
    ) -> Ranked:  # fmt: skip
        """Documents that have at least `minimum` of the words, best first, equal ones by id.

        boosts: of the words, 1 by default
        without: no document with one of these words is found
        more: parts that add to the score of what is found, e.g. 0.5 × bigrams of a second Scan, `grams.term(gram, 0.5)`
        where: bool[n], the documents that may be found (filters on columns)
        limit: only so many of the best
        """
        parts = [self.term(*one) for one in zip(words, boosts or [1.0] * len(words), strict=True)]
        found = added(parts, minimum=minimum) if parts else self.nothing()
        mask = found.mask.copy()
        for word in without:
            mask &= ~self.term(word).mask
        return self.ranked(Found(mask, added([found, *more]).scores), where=where, limit=limit)

    def all(self, words: Sequence[str], **options: Any) -> Ranked:
        """Documents that have all of the words. Options as for `any`."""
        return self.any(words, minimum=len(words), **options)

    def phrase(
        self, words: Sequence[str], offsets: Sequence[int], *, boost: float = 1.0, where: Array | None = None,
        limit: int | None = None,
    ) -> Ranked:  # fmt: skip
        """Documents that have the words at these distances from each other, in the measure of the places given."""
        return self.ranked(self.places(words, offsets, boost), where=where, limit=limit)

    def ranked(self, found: Found, *, where: Array | None = None, limit: int | None = None) -> Ranked:
        docs = np.flatnonzero(found.mask if where is None else found.mask & where)
        scores = found.scores[docs]
        if limit is not None and limit < len(docs):
            kept = (
                scores >= np.partition(scores, len(docs) - limit)[len(docs) - limit] if limit else scores < 0
            )
            docs, scores = docs[kept], scores[kept]
        order = np.lexsort((self.ids[docs], -scores))[:limit]
        return self.ids[docs[order]], scores[order]


def added(parts: Sequence[Found], *, minimum: int = 1) -> Found:
    """Documents that at least `minimum` of the parts match; the score is the sum of those that do, from left to right."""
    counts, scores = np.zeros(len(parts[0].mask), np.int64), np.zeros(len(parts[0].mask))
    for part in parts:
        counts += part.mask
        scores += part.scores
    mask = counts >= minimum
    return Found(mask, scores * mask)


def _norms(lengths: Array) -> Array:
    """k1 × (1 - b + b × length / mean length) of every document."""
    mean = lengths.mean() if len(lengths) and lengths.any() else 1.0
    result: Array = K1 * (1.0 - B + B * lengths / mean)
    return result


def _has(ordered: Array, asked: Array) -> Array:
    """Which of the asked numbers are among the ordered ones."""
    at = np.searchsorted(ordered, asked)
    at[at == len(ordered)] = 0
    return ordered[at] == asked if len(ordered) else np.zeros(len(asked), np.bool_)
