"""The road of a Rank: what matches is a set of bits; the order comes from terms, by tiers, and its first are looked at again."""

from __future__ import annotations

import numpy as np

from kb.engine import best, bits
from kb.engine.bits import Bits
from kb.engine.compiled import Array, Bytes, Floats, Ints
from kb.engine.heap import first_articles
from kb.engine.matching import counts, matching
from kb.engine.roads import FastRoad, Ranked, Road, Scope
from kb.engine.snapshot import Snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import Rank, Term
from kb.engine.window import rerank

RERANKED = 100  # of the order of relevance


def rank_road(snapshot: Snapshot, tree: Rank, among: Bits, deadline: int) -> RankRoad:
    """`among`: the documents that may match. Raises TimeoutError after the deadline."""
    matches = matching(snapshot, tree.part, deadline, among)
    tiers = counts(snapshot, tree.tiers, deadline, matches).astype(np.uint8) if tree.tiers else None
    return RankRoad(snapshot, matches, _any_of(snapshot, tree.by, deadline), tree.by, tiers)


class RankRoad:
    """See roads.Road. The same order whatever part of it is asked for."""

    def __init__(
        self, snapshot: Snapshot, matches: Bits, road: Road | None, by: tuple[Term, ...], tiers: Bytes | None
    ) -> None:
        """`road`: that scores. `by`: the terms that the first are looked at again by. `tiers`: how many each document matches."""
        self._snapshot = snapshot
        self._matches = matches
        self._road = road
        self._by = by
        self._tiers = tiers

    def matches(self, counted: Bits | None) -> Bits:
        """What does not count has been left out already."""
        return self._matches

    def ranked(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        return self._matches, self.best_of(bits.within(self._matches, scope.shown), limit)

    def best_of(self, matches: Bits, limit: int) -> Ranked:
        if limit == 0:
            return [], []
        if self._tiers is None:
            ids, scores = self._by_score(matches, max(limit, RERANKED))
        else:
            ids, scores = self._by_tiers(matches, self._tiers, max(limit, RERANKED))
        if self._by and len(ids) > 1:
            ids[:RERANKED], scores[:RERANKED] = self._again(ids[:RERANKED], scores[:RERANKED])
        return ids[:limit], scores[:limit]

    def _by_tiers(self, matches: Bits, tiers: Bytes, limit: int) -> Ranked:
        ids: list[int] = []
        scores: list[float] = []
        for tier in range(int(tiers.max(initial=0)), -1, -1):
            here = bits.with_byte(tiers, tier) & matches
            if here.any():
                found = self._by_score(here, limit - len(ids))
                ids += found[0]
                scores += found[1]
            if len(ids) == limit:
                break
        return ids, scores

    def _by_score(self, matches: Bits, limit: int) -> Ranked:
        """Those without any of the terms come last."""
        ids, scores = self._road.best_of(matches, limit) if self._road else ([], [])
        missing = min(limit, bits.size(matches)) - len(ids)
        if missing > 0:
            rest = matches if self._road is None else matches & ~self._road.matches(None)
            more = first_articles(rest, self._snapshot.article_ids, np.empty(missing, np.int64))
            ids, scores = ids + more.tolist(), scores + [0.0] * len(more)
        return ids, scores

    def _again(self, ids: list[int], scores: list[float]) -> Ranked:
        """The first of the order, as window.py sees them; a tier stays together."""
        numbers = np.array(ids)
        docs = self._snapshot.docs_of(numbers)
        made = rerank(self._snapshot, docs, np.array(scores), self._by)
        order = np.lexsort((numbers, -made, self.ranks(docs)))
        return numbers[order].tolist(), made[order].tolist()

    def scores(self, docs: Ints) -> Floats:
        return np.zeros(len(docs)) if self._road is None else self._road.scores(docs)

    def ranks(self, docs: Ints) -> Ints:
        if self._tiers is None:
            return np.zeros(len(docs), np.int64)
        ranks: Array = -self._tiers[docs].astype(np.int64)
        return ranks


def _any_of(snapshot: Snapshot, by: tuple[Term, ...], deadline: int) -> FastRoad | None:
    if not by:
        return None
    terms = [(term.field, encoded(term.word)) for term in by]
    return FastRoad(snapshot, snapshot.asked(best.ANY, terms, boosts=[term.boost for term in by]), deadline)
