"""Matches -> one page of articles with the exact total and facets: filters, exclusion, order, collapse of reprints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.engine import bits, facets
from kb.engine.bits import Bits
from kb.engine.columns import LAST_DAY, MOST_CHARS, day
from kb.engine.compiled import Floats, Ints
from kb.engine.matching import matching
from kb.engine.rank import rank_road
from kb.engine.roads import DenseRoad, Ranked, Road, Scope, fast_road, shape_of
from kb.engine.snapshot import Snapshot
from kb.engine.tree import Node, Not, Range, Rank, Tree, Value
from kb.model import Found, Hidden, Page, Sort

LAST = 99_999_999  # behind every date
KINDS_OF_PEOPLE = 64  # whose documents are remembered with a snapshot: 12 KB each at 100,000 articles


@dataclass(frozen=True, slots=True)
class Chosen:
    """The documents that a page asks for. A facet is counted among `counted` and what was chosen in other facets."""

    counted: Bits | None  # None: all
    by_facet: dict[str, Bits]

    @property
    def scope(self) -> Scope:
        return Scope(self.counted, both(self.counted, *self.by_facet.values()))

    def beside(self, facet: str) -> Bits | None:
        return both(*(found for name, found in self.by_facet.items() if name != facet))


def both(*sets: Bits | None) -> Bits | None:
    """What is in all of them, None being everything."""
    result: Bits | None = None
    for one in sets:
        if one is not None:
            result = one if result is None else result & one
    return result


def find(snapshot: Snapshot, tree: Tree, page: Page, deadline: int) -> Found:
    """Raises TimeoutError after the deadline."""
    if isinstance(tree, Rank):
        asked = chosen(snapshot, page, (), deadline)
        among = snapshot.every if asked.counted is None else asked.counted
        return laid_out(snapshot, rank_road(snapshot, tree, among, deadline), asked, page)
    shape = shape_of(tree)
    if shape is None:
        return laid_out(
            snapshot, DenseRoad(snapshot, tree, deadline), chosen(snapshot, page, (), deadline), page
        )
    road = fast_road(snapshot, shape, deadline)
    return laid_out(snapshot, road, chosen(snapshot, page, shape.conditions, deadline), page)


def laid_out(snapshot: Snapshot, road: Road, chosen: Chosen, page: Page) -> Found:
    scope, last = chosen.scope, page.offset + page.limit
    if page.sort == "relevance" and not page.collapse:
        matches, ranked = road.ranked(scope, min(last, snapshot.docs))
        shown = bits.within(matches, scope.shown)
        articles = bits.size(shown)
    else:
        matches = road.matches(scope.counted)
        shown = bits.within(matches, scope.shown)
        articles = bits.size(shown)
        if page.collapse:
            shown = bits.keep_first(shown, *snapshot.copies)
        ranked = first(snapshot, road, shown, page.sort, last)
    return Found(
        total=bits.size(shown),
        ids=tuple(ranked[0][page.offset :]),
        scores=tuple(ranked[1][page.offset :]),
        facets=counted(snapshot, page, matches, chosen),
        articles=articles,
    )


def counted(snapshot: Snapshot, page: Page, matches: Bits, chosen: Chosen) -> dict[str, facets.Counts]:
    found = {}
    for name in page.facets:
        values = (*page.only.get(name, ()), *page.without.get(name, ()))
        among = bits.within(matches, chosen.beside(name))
        found[name] = facets.counts(snapshot, name, among, page.most_values, values)
    return found


# --- which documents ------------------------------------------------------------------------------------------


def chosen(snapshot: Snapshot, page: Page, conditions: Sequence[Node], deadline: int) -> Chosen:
    """`conditions`: what must hold besides, and scores nothing."""
    nodes = list(conditions)
    if page.since or page.until:
        nodes.append(Range("published", day(page.since) or 1, day(page.until) or LAST_DAY))
    if page.least_chars is not None or page.most_chars is not None:
        most = MOST_CHARS if page.most_chars is None else page.most_chars
        nodes.append(Range("body_chars", page.least_chars or 0, most))
    nodes += [Not(Value(name, frozenset(values))) for name, values in page.without.items() if values]
    living = None if snapshot.count == snapshot.docs else snapshot.living
    seen = visible(snapshot, page.hidden)
    allowed = both(living, seen, *(matching(snapshot, node, deadline) for node in nodes))
    only = {name: facets.having(snapshot, name, values) for name, values in page.only.items() if values}
    return Chosen(allowed, only)


def visible(snapshot: Snapshot, hidden: Hidden) -> Bits | None:
    """The documents without the hidden ones; None stands for all. Worked out once for a snapshot."""
    if hidden.is_empty:
        return None
    known = snapshot.visible
    found = known.get(hidden)
    if found is None:
        if len(known) >= KINDS_OF_PEOPLE:
            known.clear()
        found = known[hidden] = _visible(snapshot, hidden)
    return found


def _visible(snapshot: Snapshot, hidden: Hidden) -> Bits:
    ids = np.fromiter(hidden.articles, np.int64, len(hidden.articles))
    away = bits.of_mask(np.isin(snapshot.article_ids, ids))
    if hidden.sources:
        away |= facets.having(snapshot, "source", tuple(hidden.sources))
    return snapshot.every & ~away


# --- in which order -------------------------------------------------------------------------------------------


def first(snapshot: Snapshot, road: Road, shown: Bits, sort: Sort, limit: int) -> Ranked:
    """The first `limit` of the documents."""
    if sort == "relevance":
        return road.best_of(shown, min(limit, bits.size(shown)))
    docs = bits.members(shown)
    keys = sort_keys(snapshot, docs, sort)
    if len(docs) > limit > 0:
        # Scores are needed only of what can still come among the first.
        near = keys <= np.partition(keys, limit - 1)[limit - 1]
        docs, keys = docs[near], keys[near]
    scores = road.scores(docs) if limit else np.zeros(len(docs))
    order = ordered(snapshot, road, docs, keys, scores)[:limit]
    return snapshot.article_ids[docs[order]].tolist(), scores[order].tolist()


def sort_keys(snapshot: Snapshot, docs: Ints, sort: Sort) -> Ints:
    """What comes first has the lowest. Unknown dates come last in both orders of date."""
    column = "published" if sort in ("newest", "oldest") else "body_chars"
    values: Ints = snapshot.numbers(column)[docs].astype(np.int64)
    if sort == "oldest":
        values[values == 0] = LAST
    return -values if sort in ("newest", "longest") else values


def ordered(snapshot: Snapshot, road: Road, docs: Ints, keys: Ints, scores: Floats) -> Ints:
    """Places of the documents in their order: by key, then relevance, then article id."""
    result: Ints = np.lexsort((snapshot.article_ids[docs], -scores, road.ranks(docs), keys))
    return result
