"""The right answer to every query, from an exhaustive scan of the same documents (exhaustive.py), and what differs from it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from exhaustive import K1, Array, B, Scan, added
from peers import GRAM_BOOST, Question
from texts import Looked, Wanted, looked_through

from kb.model import Found

SCORE_TOLERANCE = 1e-6  # relative
TIE_TOLERANCE = 1e-12  # relative: sums of the same numbers in another order
PEER_TOLERANCE = 0.06  # of a score: Tantivy keeps the length of a text in one byte, some 6 % apart
LIMIT = 10


class Right(NamedTuple):
    """The best ten with their scores, and how many match."""

    total: int
    ids: list[int]
    scores: list[float]


class Reference:
    """All documents, of which only what the questions ask for is kept; lengths and columns are those of the whole."""

    def __init__(self, path: Path, questions: Iterable[Question]) -> None:
        """`questions`: all that will be asked, with their bigrams."""
        asked = list(questions)
        phrases = {"".join(one.words) for one in asked if one.kind == "phrase"}
        words = {word for one in asked for word in one.words}
        wanted = Wanted(sorted(words), sorted({gram for one in asked for gram in one.grams}), sorted(phrases))
        looked = list(looked_through(path, wanted))
        ids = [one.line["id"] for one in looked]
        self._text = _scan(
            ids, wanted.words, (one.words for one in looked), [one.lengths[0] for one in looked]
        )
        self._grams = _scan(
            ids, wanted.grams, (one.grams for one in looked), [one.lengths[1] for one in looked]
        )
        self._literals = _frequencies(wanted.literals, looked)
        self.published = np.array([one.line["published"] for one in looked], np.int64)
        self.newspapers = np.array([one.line["newspaper"] for one in looked], object)

    def best(self, question: Question) -> Right:
        """Of Kb.best."""
        return self._right(self._found(question))

    def find_words(self, question: Question, where: Array | None = None) -> tuple[Right, Array]:
        """Of Kb.find_words, and which documents match."""
        found = self._found(question)
        mask = found.mask if where is None else found.mask & where
        return self._right(found._replace(mask=mask)), mask

    def _found(self, question: Question) -> Any:
        """Any word or bigram; all words, bigrams adding to the score; the phrase."""
        kind, words, grams = question
        if kind == "phrase":
            return self._text.places(words, list(accumulate(map(len, words[:-1]), initial=0)))
        parts = [self._text.term(word) for word in words]
        pairs = [self._grams.term(gram, GRAM_BOOST) for gram in grams]
        if kind == "any":
            return added([*parts, *pairs])
        every = added(parts, minimum=len(parts))
        return every._replace(scores=added([every, *pairs]).scores)

    def find(self, question: Question, where: Array | None = None) -> tuple[set[int], Array]:
        """Of Kb.find: the ids of what matches, and which documents match."""
        kind, words, _ = question
        if kind == "phrase":
            mask = self._literals["".join(words)] > 0
        else:
            parts = [self._text.term(word) for word in words]
            mask = added(parts, minimum=len(parts) if kind == "all" else 1).mask
        mask = mask if where is None else mask & where
        return set(self._text.ids[mask].tolist()), mask

    def matches(self, question: Question) -> set[int]:
        """Ids of all documents that have a word of it, all of them, or the phrase."""
        plain = question._replace(grams=())
        found = self._text.any(plain.words) if plain.kind == "any" else self._text.all(plain.words)
        if plain.kind == "phrase":
            offsets = list(accumulate(map(len, plain.words[:-1]), initial=0))
            found = self._text.phrase(plain.words, offsets)
        return set(found[0].tolist())

    def _right(self, found: Any) -> Right:
        docs = np.flatnonzero(found.mask)
        best = docs[np.lexsort([self._text.ids[docs], -found.scores[docs]])[:LIMIT]]
        return Right(len(docs), self._text.ids[best].tolist(), found.scores[best].tolist())

    def facets(self, mask: Array) -> dict[str, dict[str, int]]:
        """Newspapers and years of these documents, "" for unknown."""
        years = Counter((self.published[mask] // 10_000).tolist())
        return {
            "newspaper": dict(Counter(self.newspapers[mask].tolist())),
            "year": {f"{year:04d}" if year else "": count for year, count in years.items()},
        }


def _scan(
    ids: Sequence[int], terms: Sequence[str], kept: Iterable[array[int]], lengths: Sequence[int]
) -> Scan:
    """A scan of the kept tokens only, with the lengths of whole documents."""

    def tokens(pairs: array[int]) -> Iterator[tuple[str, int]]:
        numbers = iter(pairs)
        return ((terms[number], place) for number, place in zip(numbers, numbers, strict=True))

    scan = Scan(ids, (tokens(pairs) for pairs in kept))
    whole = np.array(lengths, np.float64)
    scan.norms = K1 * (1.0 - B + B * whole / max(whole.mean(), 1.0))
    return scan


def _frequencies(literals: Sequence[str], looked: Sequence[Looked]) -> dict[str, Array]:
    found = {literal: np.zeros(len(looked), np.int64) for literal in literals}
    for doc, one in enumerate(looked):
        for number, often in one.literals.items():
            found[literals[number]][doc] = often
    return found


# --- what differs --------------------------------------------------------------------------------------------


def same(ids: Sequence[int], scores: Sequence[float], right: Right) -> bool:
    """The same ids in the same order and the same scores; only what is equal but for rounding may change places."""
    if len(ids) != len(right.ids) or not np.allclose(scores, right.scores, rtol=SCORE_TOLERANCE, atol=0.0):
        return False
    score_of = dict(zip(right.ids, right.scores, strict=True))
    for ours, theirs in zip(ids, right.ids, strict=True):
        if ours != theirs:
            gap = abs(score_of.get(ours, 0.0) - score_of[theirs])
            if not 0.0 < gap <= TIE_TOLERANCE * score_of[theirs]:
                return False
    return True


def same_found(found: Found, right: Right, facets: dict[str, dict[str, int]]) -> bool:
    """Ids, scores, the total and the counts of these facets."""
    counted = {name: dict(found.facets[name]) for name in facets}
    return found.total == right.total and counted == facets and same(found.ids, found.scores, right)


def some_of(found: Found, matches: set[int], facets: dict[str, dict[str, int]]) -> bool:
    """The total and the counts of these facets, and ids of what matches; their order is exactness.py's to check."""
    counted = {name: dict(found.facets[name]) for name in facets}
    return found.total == len(matches) and counted == facets and set(found.ids) <= matches


def sane(
    name: str, question: Question, answer: tuple[list[int], list[float]], right: Right, matches: set[int]
) -> bool:
    """Of a peer: only documents that match, no more of them than there are, and of Tantivy scores near the right ones.

    Peers count words where kb counts characters: they may find fewer places of a phrase, and score it lower.
    """
    ids, scores = answer
    if not set(ids) <= matches or len(ids) > len(right.ids):
        return False
    if name != "tantivy" or question.kind == "phrase":
        return True
    near = zip(scores, right.scores, strict=False)
    return all(abs(one - other) <= PEER_TOLERANCE * max(other, 1.0) for one, other in near)
