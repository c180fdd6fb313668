"""A query over a snapshot: exact matches, BM25, facets, order. Every matching document is looked at, none skipped.

Whoosh's own collectors can lose true top-10 documents (engine.md §B), and its matchers take a Python step per
posting; arrays over all documents are exact and faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kb.engine.snapshot import Ints, Snapshot
from kb.model import Clause, Filters, Found, Sort
from kb.text.normalize import fold
from kb.text.segment import Segmenter

K1, B = 1.2, 0.75
NAME_CHARS = 4  # a typed word this short with an unknown piece in it is a name: its pieces must touch
# What a word without a field may stand in. A phrase is looked for in title and body only (DESIGN.md §5).
WORD_FIELDS, PHRASE_FIELDS = ("text", "author", "affiliation"), ("text",)
NO_YEAR = ""

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unit:
    """What must stand in one place: a word, or several that touch."""

    words: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.words)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A clause, cut into what an index can look up. A date has no units."""

    clause: Clause
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Documents that match: a mask over all, their scores, and how many typed words each has in full."""

    mask: Mask
    scores: Floats
    full: Ints


def wanted(clauses: Sequence[Clause], segmenter: Segmenter) -> list[Wanted]:
    """The clauses with their units, those that nothing can match by (only marks) left out."""
    found = [Wanted(clause, _units(clause, segmenter)) for clause in clauses]
    return [one for one in found if one.units or one.clause.kind == "date"]


def _units(clause: Clause, segmenter: Segmenter) -> tuple[Unit, ...]:
    if clause.kind == "date":
        return ()
    words = segmenter.words(clause.text)
    is_phrase = clause.kind == "phrase"
    groups = ([tuple(words)] if words else []) if is_phrase else _groups(words)
    fields = (clause.field,) if clause.field else PHRASE_FIELDS if is_phrase else WORD_FIELDS
    return tuple(Unit(group, fields) for group in groups)


def _groups(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The pieces of one typed word: each for itself, but neighbouring single characters (names) together."""
    if sum(map(len, words)) <= NAME_CHARS and any(len(word) == 1 for word in words):
        return [tuple(words)]
    groups: list[tuple[str, ...]] = []
    for place, word in enumerate(words):
        if place and len(word) == 1 and len(words[place - 1]) == 1:
            groups[-1] += (word,)
        else:
            groups.append((word,))
    return groups


def match_all(snapshot: Snapshot, clauses: Sequence[Wanted]) -> Matches:
    """Documents that have every clause."""
    mask, scores = snapshot.alive & bool(clauses), np.zeros(snapshot.size)
    for one in clauses:
        if one.clause.kind == "date":
            mask &= _dated(snapshot, one.clause)
        for unit in one.units:
            unit_scores = _scores(snapshot, unit)
            mask &= unit_scores > 0
            scores += unit_scores
    return Matches(mask, scores, np.zeros(snapshot.size, dtype=np.int64))


def match_any(snapshot: Snapshot, clauses: Sequence[Wanted]) -> Matches:
    """Documents that have a clause, and when none has: documents that have a piece of one. Dates stay a must."""
    dated, scores = snapshot.alive.copy(), np.zeros(snapshot.size)
    full = np.zeros(snapshot.size, dtype=np.int64)
    pieces = np.zeros(snapshot.size, dtype=np.bool_)
    for one in clauses:
        if one.clause.kind == "date":
            dated &= _dated(snapshot, one.clause)
            continue
        has_all = np.ones(snapshot.size, dtype=np.bool_)
        for unit in one.units:
            unit_scores = _scores(snapshot, unit)
            scores += unit_scores
            has_all &= unit_scores > 0
            if len(unit.text) > 1:  # 的 alone is no reason to show an article
                pieces |= unit_scores > 0
        full += has_all
    mask = dated & (full > 0)
    return Matches(mask if mask.any() else dated & pieces, scores, full)


def _dated(snapshot: Snapshot, clause: Clause) -> Mask:
    since = int((clause.since or "0001-01-01").replace("-", ""))
    until = int((clause.until or "9999-12-31").replace("-", ""))
    return (snapshot.published >= since) & (snapshot.published <= until)


def _scores(snapshot: Snapshot, unit: Unit) -> Floats:
    """BM25 of a unit for every document, with Lucene's idf, which ranks better than Whoosh's (engine.md §E)."""
    frequencies = np.zeros(snapshot.size)
    for field in unit.fields:
        places, counts = _occurrences(snapshot, field, unit.words)
        frequencies[places] += counts
    documents = np.flatnonzero(frequencies)
    scores = np.zeros(snapshot.size)
    if len(documents):
        tf = frequencies[documents]
        count = int(np.count_nonzero(snapshot.alive))
        idf = math.log1p((count - len(documents) + 0.5) / (len(documents) + 0.5))
        # Only `text` has lengths; in the short fields the length of the whole article says nothing.
        share = snapshot.lengths[documents] / max(snapshot.mean_length, 1.0) if "text" in unit.fields else 1.0
        scores[documents] = idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * share))
    return scores


def _occurrences(snapshot: Snapshot, field: str, words: Sequence[str]) -> tuple[Ints, Ints]:
    """Documents in which the words stand touching each other, and how often."""
    if len(words) == 1:
        postings = snapshot.postings(field, words[0])
        return postings.documents, postings.counts
    found = []
    offset = 0
    for word in words:
        found.append((snapshot.postings(field, word), offset))
        offset += len(word)
    found.sort(key=lambda one: len(one[0].documents))
    starts = found[0][0].places() - found[0][1]
    for postings, offset in found[1:]:
        starts = _kept(starts, postings.places() - offset)
    return np.unique(starts >> 32, return_counts=True)


def _kept(few: Ints, many: Ints) -> Ints:
    """Those of `few` that `many` (ascending) holds."""
    if not len(many):
        return few[:0]
    at = np.searchsorted(many, few)
    at[at == len(many)] = 0
    kept: Ints = few[many[at] == few]
    return kept


# --- facets and order -----------------------------------------------------------------------------------------


def answer(
    snapshot: Snapshot, matches: Matches, *, filters: Filters, sort: Sort, offset: int, limit: int
) -> Found:
    """One page of the matches that pass the filters, with the exact total and the facets."""
    by_newspaper = _chosen_newspapers(snapshot, filters)
    by_year = _chosen_years(snapshot, filters)
    documents = np.flatnonzero(matches.mask & by_newspaper & by_year)
    page = _ordered(snapshot, matches, documents, sort)[offset : offset + limit]
    facets = {
        "newspaper": _newspaper_counts(snapshot, np.flatnonzero(matches.mask & by_year)),
        "year": _year_counts(snapshot, np.flatnonzero(matches.mask & by_newspaper)),
    }
    return Found(
        total=len(documents),
        ids=tuple(snapshot.article_ids[page].tolist()),
        scores=tuple(matches.scores[page].tolist()),
        facets=facets,
    )


def _chosen_newspapers(snapshot: Snapshot, filters: Filters) -> Mask:
    if not filters.newspapers:
        return np.ones(snapshot.size, dtype=np.bool_)
    numbers = [number for number, name in enumerate(snapshot.newspapers) if name in filters.newspapers]
    return np.isin(snapshot.newspaper_numbers, numbers)


def _chosen_years(snapshot: Snapshot, filters: Filters) -> Mask:
    if not filters.years:
        return np.ones(snapshot.size, dtype=np.bool_)
    of_documents = snapshot.published // 10_000
    return np.isin(of_documents, [year for year in np.unique(of_documents) if _year(year) in filters.years])


def _year(number: int) -> str:
    return f"{number:04d}" if number else NO_YEAR


def _newspaper_counts(snapshot: Snapshot, documents: Ints) -> tuple[tuple[str, int], ...]:
    """Newspapers with their counts, the most frequent first, unknown ("") last."""
    counts = np.bincount(snapshot.newspaper_numbers[documents], minlength=1).tolist()
    found = [(snapshot.newspapers[number], count) for number, count in enumerate(counts) if count]
    return tuple(sorted(found, key=lambda one: (one[0] == "", -one[1], one[0])))


def _year_counts(snapshot: Snapshot, documents: Ints) -> tuple[tuple[str, int], ...]:
    """Years with their counts, the newest first, unknown ("") last."""
    years, counts = np.unique(snapshot.published[documents] // 10_000, return_counts=True)
    found = zip(years.tolist(), counts.tolist(), strict=True)
    return tuple((_year(year), count) for year, count in sorted(found, reverse=True))


def _ordered(snapshot: Snapshot, matches: Matches, documents: Ints, sort: Sort) -> Ints:
    dates = snapshot.published[documents]
    keys = [snapshot.article_ids[documents], -matches.scores[documents], -matches.full[documents]]
    if sort == "newest":
        keys.append(-dates)
    elif sort == "oldest":
        keys.append(np.where(dates == 0, np.int64(99_999_999), dates))
    return documents[np.lexsort(keys)]


def marked(clauses: Sequence[Wanted]) -> tuple[str, ...]:
    """What to mark in a title or text: pieces of typed words, whole phrases."""
    seen = [
        fold(one.clause.text) if one.clause.kind == "phrase" else unit.text
        for one in clauses
        if one.clause.field in (None, "title")
        for unit in one.units
    ]
    return tuple(dict.fromkeys(seen))
