"""Matches -> one page of articles with the exact total and facets: filters, exclusion, order, collapse of reprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.engine.compiled import Array, Floats, Ints
from kb.engine.snapshot import Snapshot
from kb.model import Found

LAST = 99_999_999  # behind every date
YEAR = "year"
Facet = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What of the matches is asked for. "" among values stands for unknown."""

    only: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # {"newspaper": ("清河日报",), "year": ("2024",)}
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)  # values that leave an article out
    facets: Sequence[str] = ("newspaper", "year")
    sort: str = "relevance"  # relevance | newest | oldest | longest | shortest
    collapse: bool = False  # of the copies of a text only the first in the order
    offset: int = 0
    limit: int = 10


def answer(snapshot: Snapshot, mask: Array, scores: Floats, page: Page, tiers: Ints | None = None) -> Found:
    """`tiers`: comes before the score in the order of relevance, the higher the better."""
    chosen = {facet: has_value(snapshot, facet, values) for facet, values in page.only.items() if values}
    for facet, values in page.without.items():
        mask = mask & ~has_value(snapshot, facet, values)
    documents = np.flatnonzero(_all(mask, list(chosen.values())))
    ordered = order(snapshot, documents, scores, page.sort, tiers)
    if page.collapse:
        groups = snapshot.numbers("group")[ordered]
        ordered = ordered[np.sort(np.unique(groups, return_index=True)[1])]
    shown = ordered[page.offset : page.offset + page.limit]
    facets = {}
    for facet in page.facets:
        others = [one for name, one in chosen.items() if name != facet]
        facets[facet] = counts(snapshot, facet, _all(mask, others))
    return Found(
        total=len(ordered),
        ids=tuple(snapshot.article_ids[shown].tolist()),
        scores=tuple(scores[shown].tolist()),
        facets=facets,
    )


def _all(mask: Array, others: Sequence[Array]) -> Array:
    for other in others:
        mask = mask & other
    return mask


def has_value(snapshot: Snapshot, facet: str, values: Sequence[str]) -> Array:
    """Whether each document has one of the values."""
    if facet == YEAR:
        years = [int(year or 0) for year in values if not year or (year.isascii() and year.isdigit())]
        return np.isin(snapshot.years, years)
    known = snapshot.names(facet)
    wanted = np.array([name in values for name in known.names], np.bool_)
    hits = np.concatenate([np.zeros(1, np.int64), np.cumsum(wanted[known.codes])])
    found: Array = hits[known.at[1:]] > hits[known.at[:-1]]
    return found | (known.at[1:] == known.at[:-1]) if "" in values else found


def counts(snapshot: Snapshot, facet: str, mask: Array) -> Facet:
    """Values with their counts: years from the newest, names from the most frequent; unknown ("") last."""
    if facet == YEAR:
        years = np.bincount(snapshot.years[mask], minlength=1).tolist()
        return tuple(
            (f"{year:04d}" if year else "", years[year])
            for year in reversed(range(len(years)))
            if years[year]
        )
    known = snapshot.names(facet)
    widths = np.diff(known.at)
    if len(known.codes) == len(mask):
        totals = np.bincount(known.codes[mask], minlength=len(known.names))
    else:
        totals = np.bincount(known.codes[np.repeat(mask, widths)], minlength=len(known.names))
        totals[0] += int(np.count_nonzero(mask & (widths == 0)))
    found = [(name, count) for name, count in zip(known.names, totals.tolist(), strict=True) if count]
    return tuple(sorted(found, key=lambda one: (one[0] == "", -one[1], one[0])))


def order(snapshot: Snapshot, documents: Ints, scores: Floats, sort: str, tiers: Ints | None) -> Ints:
    """The documents, the first to be shown first. Equal ones by article id; unknown dates last in both orders of date."""
    keys: list[Array] = [snapshot.article_ids[documents], -scores[documents]]
    if tiers is not None:
        keys.append(-tiers[documents])
    if sort in ("newest", "oldest"):
        dates = snapshot.published[documents].astype(np.int64)
        keys.append(-dates if sort == "newest" else np.where(dates == 0, LAST, dates))
    elif sort in ("longest", "shortest"):
        lengths = snapshot.numbers("body_chars")[documents].astype(np.int64)
        keys.append(-lengths if sort == "longest" else lengths)
    result: Ints = documents[np.lexsort(keys)]
    return result
