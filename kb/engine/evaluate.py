"""A tree over a snapshot: every match and its score, segment by segment. Exact, whatever the tree and the layout.

A segment's masks and scores stay in the processor's cache. A node's score is the sum of its parts' from left to right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kb.engine import bits, clock, leaves
from kb.engine.compiled import Array, Floats, Ints
from kb.engine.encoding import K1
from kb.engine.matching import Words, is_term, letters_of, matching, words_of
from kb.engine.snapshot import FIELD_NUMBER, NOTHING, Snapshot
from kb.engine.spans import PART
from kb.engine.tree import Also, And, Boost, Literal, Node, Or, Phrase, Term


class Matches(NamedTuple):
    """For every document of a snapshot (or of a segment) whether it matches, as bools, and its score, 0 where it does not."""

    mask: Array
    scores: Floats


def evaluate(snapshot: Snapshot, node: Node, deadline: int = clock.NEVER) -> Matches:
    """Raises TimeoutError after the deadline (see clock.py)."""
    run = _Run(snapshot, deadline)
    found = [run.node(node, segment) for segment in range(len(snapshot.segments))]
    mask = np.concatenate([np.zeros(0, np.bool_), *(one.mask for one in found)])
    return Matches(mask & snapshot.alive, np.concatenate([np.zeros(0), *(one.scores for one in found)]))


def weight(snapshot: Snapshot, df: int, boost: float) -> float:
    """Lucene's idf × (k1 + 1) × boost, with the living documents counted."""
    return math.log(1.0 + (snapshot.count - df + 0.5) / (df + 0.5)) * (K1 + 1.0) * boost


class _Run:
    """One evaluation. What holds for all segments is worked out once."""

    def __init__(self, snapshot: Snapshot, deadline: int) -> None:
        self._snapshot = snapshot
        self._deadline = deadline
        self._weights: dict[Node, float] = {}
        self._frequencies: dict[Literal, list[Array]] = {}
        self._words: dict[Node, Words] = {}
        self._masks: dict[Node, Array] = {}

    def node(self, node: Node, segment: int) -> Matches:
        clock.check(self._deadline)
        term = is_term(node)
        if term is not None:
            return self._term(term, segment)
        match node:
            case Phrase():
                frequencies = self._phrase(node, segment)
                return self._weighed(frequencies, self._weight(node), node.field, segment)
            case Literal():
                return self._literal(node, segment)
            case Boost():
                part = self.node(node.part, segment)
                return Matches(part.mask, part.scores * node.factor)
            case Also():
                return self._also(node, segment)
            case And():
                return self._sum(node.parts, len(node.parts), segment)
            case Or():
                return self._sum(node.parts, node.minimum, segment)
        return self._unscored(node, segment)

    def _docs(self, segment: int) -> int:
        return self._snapshot.segments[segment].docs

    def _row(self, field: str, segment: int) -> Ints:
        row: Ints = self._snapshot.table[FIELD_NUMBER[field], segment]
        return row

    def _unscored(self, node: Node, segment: int) -> Matches:
        if node not in self._masks:
            found = matching(self._snapshot, node, self._deadline)
            self._masks[node] = bits.unpack(found, 1).view(np.bool_)
        mask = self._masks[node][self._snapshot.bases[segment] : self._snapshot.bases[segment + 1]]
        return Matches(mask, np.zeros(len(mask)))

    def _sum(self, parts: Sequence[Node], minimum: int, segment: int) -> Matches:
        counts, scores = np.zeros(self._docs(segment), np.uint16), np.zeros(self._docs(segment))
        for part in parts:
            clock.check(self._deadline)
            if isinstance(part, Term):
                row, letters = self._row(part.field, segment), letters_of(part.word)
                leaves.add_term(row, letters, self._weight(part), counts, scores)
            else:
                found = self.node(part, segment)
                counts += found.mask
                scores += found.scores
        return Matches(leaves.keep_enough(counts, minimum, scores), scores)

    def _also(self, node: Also, segment: int) -> Matches:
        mask, scores = self.node(node.part, segment)
        docs = np.flatnonzero(mask)
        for one in node.more:
            clock.check(self._deadline)
            if isinstance(one, Term):
                row, letters = self._row(one.field, segment), letters_of(one.word)
                leaves.add_to(row, letters, self._weight(one), docs, scores)
            else:
                scores = scores + self.node(one, segment).scores * mask
        return Matches(mask, scores)

    # --- leaves ---------------------------------------------------------------------------------------------

    def _term(self, node: Term, segment: int) -> Matches:
        counts, scores = np.zeros(self._docs(segment), np.uint8), np.zeros(self._docs(segment))
        letters = letters_of(node.word)
        leaves.add_term(self._row(node.field, segment), letters, self._weight(node), counts, scores)
        return Matches(counts.view(np.bool_), scores)

    def _weight(self, node: Term | Phrase) -> float:
        """A phrase weighs what its words weigh together, as Lucene has it."""
        if node not in self._weights:
            table = self._snapshot.table[FIELD_NUMBER[node.field]]
            words = node.words if isinstance(node, Phrase) else (node.word,)
            total = 0.0
            for word in words:
                df = leaves.total_living(table, letters_of(word))
                total += weight(self._snapshot, df, node.boost)
            self._weights[node] = total
        return self._weights[node]

    def _phrase(self, node: Phrase | Literal, segment: int) -> Array:
        """How often each document holds a phrase."""
        if node not in self._words:
            self._words[node] = words_of(self._snapshot, node)
        words = self._words[node]
        found = np.zeros(self._docs(segment), np.uint32)
        late = leaves.find_phrase(
            self._row(words.field, segment), *words[1:4], self._snapshot.spans[segment], words.part, words.size, NOTHING,
            clock.CLOCK, self._deadline, MOST, found,
        )  # fmt: skip
        if late:
            raise TimeoutError
        return found

    def _weighed(self, frequencies: Array, weight: float, field: str, segment: int) -> Matches:
        mask = frequencies > 0
        docs = np.flatnonzero(mask)
        often = frequencies[docs].astype(np.float64)
        scores = np.zeros(len(mask))
        scores[docs] = weight * often / (often + self._snapshot.norms[field][segment][docs])
        return Matches(mask, scores)

    def _literal(self, node: Literal, segment: int) -> Matches:
        """A literal is one term, found in exactly as many documents as have it."""
        if node not in self._frequencies:
            segments = range(len(self._snapshot.segments))
            found = self._frequencies[node] = [self._occurrences(node, one) for one in segments]
            df = sum(
                int(np.count_nonzero(often[part.living()]))
                for often, part in zip(found, self._snapshot.segments, strict=True)
            )
            self._weights[node] = weight(self._snapshot, df, node.boost)
        return self._weighed(self._frequencies[node][segment], self._weights[node], "grams", segment)

    def _occurrences(self, node: Literal, segment: int) -> Array:
        if len(node.text) > 1:
            return self._phrase(node, segment)
        found = np.zeros(self._docs(segment), np.uint32)
        row = self._row("grams", segment)
        first, last = leaves.find_range(row, letters_of(node.text))
        late = leaves.count_range(
            row, first, last, self._snapshot.spans[segment], PART[node.field], NOTHING, clock.CLOCK, self._deadline,
            MOST, found,
        )  # fmt: skip
        if late:
            raise TimeoutError
        return found


MOST = 2**32 - 1  # occurrences that are counted
