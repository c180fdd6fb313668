"""A tree over a snapshot: every match and its score, segment by segment. Exact, whatever the tree and the layout.

A segment's masks and scores stay in the processor's cache. A node's score is the sum of its parts' from left to right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from kb.engine import bits, clock, facets, leaves
from kb.engine.bits import Bits
from kb.engine.compiled import Array, Bytes, Floats, Ints
from kb.engine.encoding import K1
from kb.engine.snapshot import FIELD_NUMBER, NOTHING, Snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import (
    Also,
    And,
    Boost,
    Every,
    Literal,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Value,
)  # fmt: skip


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


def matching(snapshot: Snapshot, node: Node, deadline: int = clock.NEVER) -> Bits:
    """The documents that match, deleted ones perhaps among them. Raises TimeoutError after the deadline."""
    run = _Run(snapshot, deadline)
    marks = np.zeros(bits.room(snapshot.docs), np.bool_)
    for segment, part in enumerate(snapshot.segments):
        base = int(snapshot.bases[segment])
        marks[base : base + part.docs] = run.mask(node, segment)
    return bits.pack(marks.view(np.uint8))


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
        self._values: dict[Value, Array] = {}

    def node(self, node: Node, segment: int) -> Matches:
        clock.check(self._deadline)
        match node:
            case Term():
                return self._term(node, segment)
            case Phrase():
                frequencies = self._phrase(segment, node.field, node.words, node.offsets, NO_LIMIT)
                return self._weighed(frequencies, self._weight(node), node.field, segment)
            case Literal(in_title=False) if len(node.text) == 2:
                return self._term(Term("grams", node.text, node.boost), segment)
            case Literal():
                return self._literal(node, segment)
            case Prefix():
                return self._unscored(self._prefix(node, segment))
            case Range():
                values = self._snapshot.segments[segment].arrays[f"column.{node.column}"]
                return self._unscored((values >= node.low) & (values <= node.high))
            case Value():
                return self._unscored(self._value(node, segment))
            case Every():
                return self._unscored(np.ones(self._docs(segment), np.bool_))
            case Not():
                return self._unscored(~self.mask(node.part, segment))
            case Boost():
                part = self.node(node.part, segment)
                return Matches(part.mask, part.scores * node.factor)
            case Also():
                return self._also(node, segment)
            case And():
                return self._sum(node.parts, len(node.parts), segment)
            case Or():
                return self._sum(node.parts, node.minimum, segment)

    def _docs(self, segment: int) -> int:
        return self._snapshot.segments[segment].docs

    def _row(self, field: str, segment: int) -> Ints:
        row: Ints = self._snapshot.table[FIELD_NUMBER[field], segment]
        return row

    def _unscored(self, mask: Array) -> Matches:
        return Matches(mask, np.zeros(len(mask)))

    def mask(self, node: Node, segment: int) -> Array:
        """Which documents match, where scores do not matter."""
        match node:
            case Term():
                marks = np.zeros(self._docs(segment), np.uint8)
                leaves.mark_term(self._row(node.field, segment), _letters(node.word), marks)
                return marks.view(np.bool_)
            case Boost() | Also():
                return self.mask(node.part, segment)
            case Not():
                return ~self.mask(node.part, segment)
            case And():
                parts = (self.mask(part, segment) for part in node.parts)
                return reduce(np.logical_and, parts, np.ones(self._docs(segment), np.bool_))
            case Or(minimum=1):
                parts = (self.mask(part, segment) for part in node.parts)
                return reduce(np.logical_or, parts, np.zeros(self._docs(segment), np.bool_))
            case _:
                return self.node(node, segment).mask

    def _sum(self, parts: Sequence[Node], minimum: int, segment: int) -> Matches:
        counts, scores = np.zeros(self._docs(segment), np.uint16), np.zeros(self._docs(segment))
        for part in parts:
            clock.check(self._deadline)
            if isinstance(part, Term):
                row, letters = self._row(part.field, segment), _letters(part.word)
                leaves.add_term(row, letters, self._weight(part), counts, scores)
            elif isinstance(part, Range | Value | Every | Not | Prefix):
                counts += self.node(part, segment).mask
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
                row, letters = self._row(one.field, segment), _letters(one.word)
                leaves.add_to(row, letters, self._weight(one), docs, scores)
            else:
                scores = scores + self.node(one, segment).scores * mask
        return Matches(mask, scores)

    # --- leaves ---------------------------------------------------------------------------------------------

    def _term(self, node: Term, segment: int) -> Matches:
        counts, scores = np.zeros(self._docs(segment), np.uint8), np.zeros(self._docs(segment))
        letters = _letters(node.word)
        leaves.add_term(self._row(node.field, segment), letters, self._weight(node), counts, scores)
        return Matches(counts.view(np.bool_), scores)

    def _weight(self, node: Term | Phrase) -> float:
        """A phrase weighs what its words weigh together, as Lucene has it."""
        if node not in self._weights:
            table = self._snapshot.table[FIELD_NUMBER[node.field]]
            words = node.words if isinstance(node, Phrase) else (node.word,)
            total = 0.0
            for word in words:
                df = leaves.total_living(table, _letters(word))
                total += weight(self._snapshot, df, node.boost)
            self._weights[node] = total
        return self._weights[node]

    def _phrase(
        self, segment: int, field: str, words: Sequence[str], offsets: Sequence[int], before: Array
    ) -> Array:
        """How often each document holds the words at these distances."""
        letters = [encoded(word) for word in words]
        asked_at = np.concatenate(([0], np.cumsum([len(one) for one in letters]))).astype(np.int64)
        found = np.zeros(self._docs(segment), np.uint32)
        late = leaves.find_phrase(
            self._row(field, segment), np.frombuffer(b"".join(letters), np.uint8), asked_at,
            np.array(offsets, np.int64), before, NOTHING, clock.CLOCK, self._deadline, found,
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
        part = self._snapshot.segments[segment]
        # The title is the first text, so what begins before its end lies in it; the array must have one kind.
        before = part.arrays["column.title_chars"] if node.in_title else NO_LIMIT
        if len(node.text) == 1:
            found = np.zeros(part.docs, np.uint32)
            row = self._row("grams", segment)
            first, last = leaves.find_range(row, _letters(node.text))
            if leaves.count_range(row, first, last, before, clock.CLOCK, self._deadline, found):
                raise TimeoutError
            return found
        offsets = self._cover(node.text)
        words = [node.text[offset : offset + 2] for offset in offsets]
        return self._phrase(segment, "grams", words, offsets, before)

    def _cover(self, text: str) -> list[int]:
        """Where bigrams begin that together hold every character of the text, in the fewest documents.

        The first and the last are always among them, and no two neighbours are more than two apart.
        """
        table = self._snapshot.table[FIELD_NUMBER["grams"]]
        letters = [_letters(text[i : i + 2]) for i in range(len(text) - 1)]
        costs = [leaves.total_living(table, one) + 1 for one in letters]
        best: list[tuple[int, int]] = []  # (cost up to here, the one before)
        for place, cost in enumerate(costs):
            before = min(((best[one][0], one) for one in (place - 1, place - 2) if one >= 0), default=(0, -1))
            best.append((before[0] + cost, before[1]))
        chosen = [len(costs) - 1]
        while chosen[0] > 0:
            chosen.insert(0, best[chosen[0]][1])
        return chosen

    def _prefix(self, node: Prefix, segment: int) -> Array:
        found = np.zeros(self._docs(segment), np.uint32)
        row = self._row(node.field, segment)
        first, last = leaves.find_range(row, _letters(node.text))
        if leaves.count_range(row, first, last, NO_LIMIT, clock.CLOCK, self._deadline, found):
            raise TimeoutError
        return found > 0

    def _value(self, node: Value, segment: int) -> Array:
        if node not in self._values:
            found = facets.having(self._snapshot, node.column, tuple(node.values))
            self._values[node] = bits.unpack(found, 1).view(np.bool_)
        return self._values[node][self._snapshot.bases[segment] : self._snapshot.bases[segment + 1]]


def _letters(word: str) -> Bytes:
    return np.frombuffer(encoded(word), np.uint8)


NO_LIMIT: Array = np.empty(0, np.uint32)
