"""The fallback when nothing has all clauses: articles that have most of them first. Dates stay a must."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kb.engine import bits
from kb.engine.answer import chosen, laid_out
from kb.engine.bits import Bits
from kb.engine.matching import matching
from kb.engine.plan import Wanted, grams
from kb.engine.rank import RankRoad
from kb.engine.roads import DenseRoad, Road, fast_road, shape_of
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
    return laid_out(snapshot, RankRoad(snapshot, matches, road, (), full), asked, page)
