"""The fallback when nothing has all clauses: articles that have most of them first. Dates stay a must."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kb.engine import bits
from kb.engine.answer import chosen, laid_out
from kb.engine.bits import Bits
from kb.engine.compiled import Bytes, Floats, Ints
from kb.engine.evaluate import matching
from kb.engine.plan import Wanted, grams
from kb.engine.roads import DenseRoad, Ranked, Road, Scope, fast_road, shape_of
from kb.engine.snapshot import Snapshot
from kb.engine.tree import Also, Node, Or
from kb.model import Found, Page


def find_any(snapshot: Snapshot, clauses: Sequence[Wanted], page: Page, deadline: int) -> Found:
    """Articles that have a clause, and where none has, a piece of one. Raises TimeoutError after the deadline."""
    dates = [node for one in clauses if one.clause.kind == "date" for node, _ in one.pieces]
    words = [one for one in clauses if one.clause.kind != "date"]
    asked = chosen(snapshot, page, dates, deadline)
    pieces: dict[Node, Bits] = {}
    for one in words:
        for node, _ in one.pieces:
            if node not in pieces:
                pieces[node] = matching(snapshot, node, deadline)
    full = np.zeros(bits.room(snapshot.docs), np.uint8)
    for one in words:
        full += bits.unpack(np.bitwise_and.reduce([pieces[node] for node, _ in one.pieces]), 1)
    matches = bits.within(bits.pack(full), asked.counted)
    # 的 alone is no reason to show an article.
    telling = [pieces[node] for one in words for node, text in one.pieces if len(text) > 1]
    if telling and not matches.any():
        matches = bits.within(np.bitwise_or.reduce(telling), asked.counted)
    tree = Also(Or(tuple(node for one in words for node, _ in one.pieces)), grams(words))
    shape = shape_of(tree)
    road: Road = fast_road(snapshot, shape, deadline) if shape else DenseRoad(snapshot, tree, deadline)
    return laid_out(snapshot, TieredRoad(road, matches, full, len(words)), asked, page)


class TieredRoad:
    """Ranks by how many clauses an article has before it ranks by score."""

    def __init__(self, road: Road, matches: Bits, full: Bytes, most: int) -> None:
        """`full`: how many of the `most` clauses each document has."""
        self._road = road
        self._matches = matches
        self._full = full
        self._most = most

    def matches(self, counted: Bits | None) -> Bits:
        """What does not count has been left out already."""
        return self._matches

    def ranked(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        return self._matches, self.best_of(bits.within(self._matches, scope.shown), limit)

    def best_of(self, matches: Bits, limit: int) -> Ranked:
        ids: list[int] = []
        scores: list[float] = []
        for tier in range(self._most, -1, -1):
            here = bits.with_byte(self._full, tier) & matches
            room = min(limit - len(ids), bits.size(here))
            if room > 0:
                found = self._road.best_of(here, room)
                ids += found[0]
                scores += found[1]
        return ids, scores

    def scores(self, docs: Ints) -> Floats:
        return self._road.scores(docs)

    def ranks(self, docs: Ints) -> Ints:
        return -self._full[docs].astype(np.int64)
