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
from kb.engine.topics import TOPIC, Topics, topics_of
from kb.engine.tree import Member, Node, Not, Range, Rank, Tree, Value
from kb.model import Found, Hidden, Page, Sort

LAST = 99_999_999  # behind every date
COLUMNS: dict[Sort, str] = {"newest": "published", "oldest": "published", "added": "id", "added_last": "id"}
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


def find(snapshot: Snapshot, tree: Tree, page: Page, deadline: int, members: Sequence[Member] = ()) -> Found:
    """`members`: what each of `page.topics` has. Raises TimeoutError after the deadline."""
    topics = topics_of(snapshot, page.topics, members)
    if isinstance(tree, Rank):
        asked = chosen(snapshot, page, (), topics, deadline)
        among = snapshot.every if asked.counted is None else asked.counted
        return laid_out(snapshot, rank_road(snapshot, tree, among, deadline), asked, page, topics)
    shape = shape_of(tree)
    if shape is None:
        asked = chosen(snapshot, page, (), topics, deadline)
        return laid_out(snapshot, DenseRoad(snapshot, tree, deadline), asked, page, topics)
    road = fast_road(snapshot, shape, deadline)
    asked = chosen(snapshot, page, shape.conditions, topics, deadline)
    return laid_out(snapshot, road, asked, page, topics)


def laid_out(snapshot: Snapshot, road: Road, chosen: Chosen, page: Page, topics: Topics) -> Found:
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
        facets=counted(snapshot, page, matches, chosen, topics),
        articles=articles,
    )


def counted(
    snapshot: Snapshot, page: Page, matches: Bits, chosen: Chosen, topics: Topics
) -> dict[str, facets.Counts]:
    found = {}
    for name in page.facets:
        among = bits.within(matches, chosen.beside(name))
        if name == TOPIC:
            found[name] = topics.counts(among)
            continue
        values = (*page.only.get(name, ()), *page.without.get(name, ()))
        found[name] = facets.counts(snapshot, name, among, page.most_values, values)
    return found


# --- which documents ------------------------------------------------------------------------------------------


def chosen(
    snapshot: Snapshot, page: Page, conditions: Sequence[Node], topics: Topics, deadline: int
) -> Chosen:
    """`conditions`: what must hold besides, and scores nothing."""
    nodes = list(conditions)
    if page.since or page.until:
        nodes.append(Range("published", day(page.since) or 1, day(page.until) or LAST_DAY))
    if page.least_chars is not None or page.most_chars is not None:
        most = MOST_CHARS if page.most_chars is None else page.most_chars
        nodes.append(Range("body_chars", page.least_chars or 0, most))
    columns = {name: values for name, values in page.without.items() if values and name != TOPIC}
    nodes += [Not(Value(name, frozenset(values))) for name, values in columns.items()]
    living = None if snapshot.count == snapshot.docs else snapshot.living
    seen = visible(snapshot, page.hidden)
    later = bits.of_mask(snapshot.article_ids > page.after) if page.after else None
    among = _among_topics(snapshot, page, topics)
    allowed = both(living, seen, later, among, *(matching(snapshot, node, deadline) for node in nodes))
    only = {
        name: topics.having(values) if name == TOPIC else facets.having(snapshot, name, values)
        for name, values in page.only.items()
        if values
    }
    return Chosen(allowed, only)


def _among_topics(snapshot: Snapshot, page: Page, topics: Topics) -> Bits | None:
    """Without what is in a topic that was left out."""
    away = page.without.get(TOPIC)
    return snapshot.every & ~topics.having(away) if away else None


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
    away = snapshot.with_ids(hidden.articles)
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
    values: Ints = snapshot.numbers(COLUMNS.get(sort, "body_chars"))[docs].astype(np.int64)
    if sort == "oldest":
        values[values == 0] = LAST
    return -values if sort in ("newest", "longest", "added_last") else values


def ordered(snapshot: Snapshot, road: Road, docs: Ints, keys: Ints, scores: Floats) -> Ints:
    """Places of the documents in their order: by key, then relevance, then article id."""
    result: Ints = np.lexsort((snapshot.article_ids[docs], -scores, road.ranks(docs), keys))
    return result
