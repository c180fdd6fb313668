"""What topics have, as rows of bits, so that the articles of a hundred topics are counted in one go."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.engine import bits
from kb.engine.bits import Bits
from kb.engine.compiled import Ints
from kb.engine.facets import NO_ROWS, Counts
from kb.engine.matching import matching
from kb.engine.snapshot import Snapshot
from kb.engine.tree import Member
from kb.model import TopicSet

TOPIC = "topic"  # the name of the facet
_working = threading.Lock()


@dataclass(frozen=True, slots=True)
class Topics:
    """The documents of topics: one row of bits for each name."""

    names: tuple[str, ...]
    rows: Ints  # i8[topics, ceil(documents / 64)]
    every: Bits

    def having(self, names: Sequence[str]) -> Bits:
        """The documents of these topics; "" stands for those of none."""
        if not self.names:
            return self.every if "" in names else self.every & 0
        wanted = np.array([name in names for name in self.names], np.bool_)
        found: Bits = np.bitwise_or.reduce(self.rows[wanted], axis=0, initial=0)
        return found | (self.every & ~self._any()) if "" in names else found

    def counts(self, among: Bits) -> Counts:
        """Topics with their counts, the most frequent first; none ("") last. Nothing where there are no topics."""
        if not self.names:
            return ()
        totals = np.bitwise_count(self.rows & among).sum(axis=1, dtype=np.int64).tolist()
        found = sorted(
            ((name, total) for name, total in zip(self.names, totals, strict=True) if total),
            key=lambda pair: (-pair[1], pair[0]),
        )
        rest = bits.size(among & ~self._any())
        return (*found, ("", rest)) if rest else tuple(found)

    def _any(self) -> Bits:
        found: Bits = np.bitwise_or.reduce(self.rows, axis=0, initial=0)
        return found


def topics_of(snapshot: Snapshot, asked: TopicSet, members: Sequence[Member]) -> Topics:
    """Worked out once for a snapshot and a set, by one thread, and whatever the time: the next to ask would begin anew."""
    if not asked.members:
        return Topics((), NO_ROWS, snapshot.every)
    known: tuple[TopicSet, Topics] | None = snapshot.kept.get(TOPIC)
    if known is None or known[0] is not asked:
        with _working:
            known = snapshot.kept.get(TOPIC)
            if known is None or known[0] is not asked:
                known = snapshot.kept[TOPIC] = asked, _topics(snapshot, asked, members)
    return known[1]


def _topics(snapshot: Snapshot, asked: TopicSet, members: Sequence[Member]) -> Topics:
    rows = [matching(snapshot, member) for member in members]
    return Topics(tuple(one.name for one in asked.members), np.array(rows, np.int64), snapshot.every)
