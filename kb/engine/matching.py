"""Which documents a tree matches, as bits, whatever it scores.

A part is asked only about the documents on which it depends, what is cheap first: in 党建 AND “不忘初心” the positions of the
phrase are read in documents with 党建 alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from kb.engine import best, bits, clock, facets, leaves
from kb.engine.bits import Bits
from kb.engine.compiled import Array, Bytes, Ints
from kb.engine.snapshot import FIELD_NUMBER, NOTHING, Snapshot
from kb.engine.spans import ANYWHERE, PART, SPANNED
from kb.engine.tokens import encoded
from kb.engine.tree import (
    Also,
    And,
    Boost,
    Every,
    Literal,
    Member,
    Named,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Value,
)  # fmt: skip

MEMBERS = 1024  # topics whose documents are remembered with a snapshot: 12 KB each at 100,000 articles


class Words(NamedTuple):
    """A phrase as kernels take it."""

    field: str
    letters: Bytes
    at: Ints  # where each word begins in the letters, and their end
    offsets: Ints
    part: int  # see spans.py
    size: int  # characters


def words_of(snapshot: Snapshot, node: Phrase | Literal) -> Words:
    """A literal of two characters or more is a phrase of bigrams."""
    if isinstance(node, Phrase):
        return _words(node.field, node.words, node.offsets, ANYWHERE, 0)
    offsets = cover(snapshot, node.text)
    pairs = [node.text[offset : offset + 2] for offset in offsets]
    return _words("grams", pairs, offsets, PART[node.field], len(node.text))


def _words(field: str, words: Sequence[str], offsets: Sequence[int], part: int, size: int) -> Words:
    letters = [encoded(word) for word in words]
    at = np.array([*accumulate(map(len, letters), initial=0)], np.int64)
    return Words(
        field, np.frombuffer(b"".join(letters), np.uint8), at, np.array(offsets, np.int64), part, size
    )


def letters_of(word: str) -> Bytes:
    return np.frombuffer(encoded(word), np.uint8)


def cover(snapshot: Snapshot, text: str) -> list[int]:
    """Where bigrams begin that together hold every character of the text, in the fewest documents.

    The first and the last are always among them, and no two neighbours are more than two apart.
    """
    table = snapshot.table[FIELD_NUMBER["grams"]]
    pairs = [letters_of(text[i : i + 2]) for i in range(len(text) - 1)]
    costs = [leaves.total_living(table, one) + 1 for one in pairs] if len(pairs) > 1 else [1]
    best_to: list[tuple[int, int]] = []  # (cost up to here, the one before)
    for place, cost in enumerate(costs):
        before = min(((best_to[one][0], one) for one in (place - 1, place - 2) if one >= 0), default=(0, -1))
        best_to.append((before[0] + cost, before[1]))
    chosen = [len(costs) - 1]
    while chosen[0] > 0:
        chosen.insert(0, best_to[chosen[0]][1])
    return chosen


def is_term(node: Node) -> Term | None:
    """Two characters side by side are a term of the bigrams."""
    if isinstance(node, Literal) and len(node.text) == 2 and node.field is None:
        return Term("grams", node.text, node.boost)
    return node if isinstance(node, Term) else None


def matching(snapshot: Snapshot, node: Node, deadline: int = clock.NEVER, among: Bits | None = None) -> Bits:
    """The documents of `among` that match; None stands for all, deleted ones too. Raises TimeoutError after the deadline."""
    return _Run(snapshot, deadline).found(node, snapshot.every if among is None else among)


def counts(snapshot: Snapshot, nodes: Sequence[Node], deadline: int, among: Bits) -> Array:
    """How many of the nodes each document of `among` matches. Raises TimeoutError after the deadline."""
    return _Run(snapshot, deadline).counts(nodes, among)


class _Run:
    def __init__(self, snapshot: Snapshot, deadline: int) -> None:
        self._snapshot = snapshot
        self._deadline = deadline

    def found(self, node: Node, among: Bits) -> Bits:
        """What of `among` matches."""
        clock.check(self._deadline)
        term = is_term(node)
        if term is not None:
            return self._terms([term]) & among
        match node:
            case Boost() | Also():
                return self.found(node.part, among)
            case Not():
                return among & ~self.found(node.part, among)
            case And():
                return self._all(node.parts, among)
            case Or():
                return self._some(node.parts, node.minimum, among)
            case Phrase() | Literal() | Prefix():
                return self._placed(node, among)
            case Every():
                return among
            case Member():
                return among & self._member(node)
            case Range():
                return among & bits.in_range(self._snapshot.numbers(node.column), node.low, node.high)
            case Value():
                return among & facets.having(self._snapshot, node.column, tuple(node.values))
            case Named():
                return among & facets.named(self._snapshot, node.column, node.text)
        raise TypeError(node)

    def _all(self, parts: Sequence[Node], among: Bits) -> Bits:
        for part in sorted(parts, key=cost):
            among = self.found(part, among)
            if not among.any():
                break
        return among

    def _some(self, parts: Sequence[Node], minimum: int, among: Bits) -> Bits:
        """Terms are marked together."""
        if minimum == 1:
            terms = [term for term in map(is_term, parts) if term is not None]
            found = self._terms(terms) & among if terms else among & 0
            for part in sorted((part for part in parts if is_term(part) is None), key=cost):
                found |= self.found(part, among & ~found)
            return found
        if minimum < 1:
            return among
        return bits.of_mask(self.counts(parts, among) >= minimum)

    def counts(self, parts: Sequence[Node], among: Bits) -> Array:
        """How many of the parts each document of `among` matches; bytes, where they can hold it."""
        counts: Array = np.zeros(64 * len(among), np.uint8 if len(parts) < 256 else np.uint32)
        for part in parts:
            counts += bits.unpack(self.found(part, among), 1)
        return counts

    def _member(self, node: Member) -> Bits:
        """What a topic has: worked out once for a snapshot."""
        snapshot = self._snapshot
        known = snapshot.members
        found = known.get(node)
        if found is None:
            if len(known) >= MEMBERS:
                known.clear()
            found = self.found(node.part, snapshot.every) | snapshot.with_ids(node.pinned)
            found = known[node] = found & ~snapshot.with_ids(node.excluded)
        return found

    def _terms(self, terms: Sequence[Term]) -> Bits:
        """The documents with one of the terms."""
        snapshot = self._snapshot
        asked = snapshot.asked(best.ANY, [(term.field, encoded(term.word)) for term in terms])
        with bits.clear_marks(snapshot.docs) as marks:
            best.mark_any(snapshot.table, asked.words, asked.numbers, len(terms), marks)
            return bits.take(marks)

    def _placed(self, node: Phrase | Literal | Prefix, among: Bits) -> Bits:
        """What goes by positions, or through many terms."""
        snapshot, deadline = self._snapshot, self._deadline
        if isinstance(node, Literal) and PART[node.field] in SPANNED:
            among = among & snapshot.having_part(PART[node.field])
        with bits.clear_marks(snapshot.docs) as marks:
            if isinstance(node, Prefix) or (
                isinstance(node, Literal) and len(node.text) == 1 and not node.field
            ):
                field = node.field if isinstance(node, Prefix) else "grams"
                rows = snapshot.table[FIELD_NUMBER[field or "grams"]]
                late = leaves.mark_prefix(rows, letters_of(node.text), clock.CLOCK, deadline, marks)
            elif isinstance(node, Literal) and len(node.text) == 1:
                rows = snapshot.table[FIELD_NUMBER["grams"]]
                late = leaves.mark_character(
                    rows, letters_of(node.text), snapshot.spans, PART[node.field], self._mask(among), clock.CLOCK,
                    deadline, marks,
                )  # fmt: skip
            else:
                words = words_of(snapshot, node)
                late = leaves.mark_phrase(
                    snapshot.table[FIELD_NUMBER[words.field]], *words[1:4], snapshot.spans, words.part, words.size,
                    self._mask(among), clock.CLOCK, deadline, marks,
                )  # fmt: skip
            if late:
                raise TimeoutError
            return bits.take(marks) & among

    def _mask(self, among: Bits) -> Bytes:
        return NOTHING if among is self._snapshot.every else bits.unpack(among, 1)


def cost(node: Node) -> int:
    """0 for what costs microseconds, more for what reads positions."""
    match node:
        case Phrase() | Prefix():
            return 1
        case Literal():
            return 0 if is_term(node) is not None else 1
        case Not() | Boost() | Also():
            return cost(node.part)
        case And() | Or():
            return max(map(cost, node.parts), default=0)
    return 0
