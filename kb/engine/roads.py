"""Two roads from a tree to its matches: kernels that open only what can matter, and one that scores every document.

Both give the same documents, and the same scores to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from kb.engine import best, bits
from kb.engine.any_terms import COUNTED, SHOWN
from kb.engine.bits import Bits
from kb.engine.compiled import Bytes, Floats, Ints
from kb.engine.evaluate import evaluate
from kb.engine.heap import best_among
from kb.engine.matching import is_term
from kb.engine.snapshot import NOTHING, Asked, Snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import Also, And, Every, Named, Node, Not, Or, Phrase, Range, Term, Value

FEW = 500  # documents that are sooner scored one by one than found by going through their chunks
Ranked = tuple[list[int], list[float]]  # article ids and scores, the best first


class Scope(NamedTuple):
    """Which documents may be found: those that count, and of them those that are shown. None stands for all."""

    counted: Bits | None
    shown: Bits | None


class Road(Protocol):
    """One query on one snapshot. Raises TimeoutError after its deadline."""

    def matches(self, counted: Bits | None) -> Bits:
        """All matches among the documents that count."""
        ...

    def ranked(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        """All matches that count, and the best of those that are shown."""
        ...

    def best_of(self, matches: Bits, limit: int) -> Ranked:
        """The best among some matches."""
        ...

    def scores(self, docs: Ints) -> Floats:
        """Scores of some matches, ascending."""
        ...

    def ranks(self, docs: Ints) -> Ints:
        """What comes before the score in the order of relevance, the lowest first."""
        ...


def mask_of(allowed: Bits | None) -> Bytes:
    """The bytes that kernels take."""
    return NOTHING if allowed is None else bits.unpack(allowed, SHOWN | COUNTED)


def mask_of_both(scope: Scope) -> Bytes:
    """The same, where not everything that counts is shown."""
    counted, shown = scope
    if shown is None or shown is counted:
        return mask_of(shown)
    mask = bits.unpack(shown, SHOWN)
    mask |= COUNTED if counted is None else bits.unpack(counted, COUNTED)
    return mask


class FastRoad:
    """Terms of which all or one must be there, or a phrase; others may add to the score."""

    def __init__(self, snapshot: Snapshot, asked: Asked, deadline: int) -> None:
        self._snapshot = snapshot
        self._asked = asked
        self._deadline = deadline
        n = len(asked.boosts)
        self._has_optional = bool((asked.numbers[n : 2 * n] == 0).any())

    def matches(self, counted: Bits | None) -> Bits:
        return self.ranked(Scope(counted, counted), 0)[0]

    def ranked(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        if self._asked.mode == best.ANY:
            return self._ranked_any(scope, limit)
        with bits.clear_marks(self._snapshot.docs) as marks:
            ranked = self._snapshot.best_of(self._asked, limit, mask_of_both(scope), marks, self._deadline)
            return bits.take(marks), ranked

    def _ranked_any(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        snapshot, asked = self._snapshot, self._asked
        with bits.clear_marks(snapshot.docs) as marks:
            best.mark_any(snapshot.table, asked.words, asked.numbers, len(asked.boosts), marks)
            matches = bits.within(bits.take(marks), scope.counted)
        if limit == 0:
            return matches, ([], [])
        if self._has_optional or scope.shown is not None:
            return matches, self.best_of(bits.within(matches, scope.shown), limit)
        return matches, snapshot.best_of(asked, limit, NOTHING, NOTHING, self._deadline)

    def best_of(self, matches: Bits, limit: int) -> Ranked:
        if limit == 0:
            return [], []
        if bits.size(matches) <= FEW:
            docs = bits.members(matches)
            ids, scores = self._snapshot.article_ids[docs], self.scores(docs)
            order = np.lexsort((ids, -scores))[:limit]
            return ids[order].tolist(), scores[order].tolist()
        mask = mask_of(matches)
        return self._snapshot.best_of(self._asked, limit, mask, NOTHING, self._deadline)

    def scores(self, docs: Ints) -> Floats:
        scores = np.empty(len(docs))
        best.score_documents(
            self._asked.mode, self._snapshot.table, *self._asked[1:], self._snapshot.count, docs, scores
        )
        return scores

    def ranks(self, docs: Ints) -> Ints:
        return np.zeros(len(docs), np.int64)


class DenseRoad:
    """Any tree: every document is scored once."""

    def __init__(self, snapshot: Snapshot, tree: Node, deadline: int) -> None:
        self._article_ids = snapshot.article_ids
        mask, self._scores = evaluate(snapshot, tree, deadline)
        self._matches = bits.of_mask(mask)

    def matches(self, counted: Bits | None) -> Bits:
        return bits.within(self._matches, counted)

    def ranked(self, scope: Scope, limit: int) -> tuple[Bits, Ranked]:
        shown = bits.within(self._matches, scope.shown)
        return self.matches(scope.counted), self.best_of(shown, limit)

    def best_of(self, matches: Bits, limit: int) -> Ranked:
        ids, scores = np.empty(limit, np.int64), np.empty(limit)
        size = best_among(matches, self._scores, self._article_ids, ids, scores)
        return ids[:size].tolist(), scores[:size].tolist()

    def scores(self, docs: Ints) -> Floats:
        return self._scores[docs]

    def ranks(self, docs: Ints) -> Ints:
        return np.zeros(len(docs), np.int64)


# --- which road -----------------------------------------------------------------------------------------------


CONDITIONS = (Range, Value, Named, Not, Every)  # score nothing


class Shape(NamedTuple):
    """A tree that the fast road can take. `conditions` score nothing."""

    mode: int
    needed: tuple[Term, ...]  # of a phrase its words
    offsets: tuple[int, ...]
    optional: tuple[Term, ...]
    conditions: tuple[Node, ...]


def shape_of(tree: Node) -> Shape | None:
    """None for a tree that only the dense road can take."""
    if isinstance(tree, Also):
        shape, more = shape_of(tree.part), _terms(tree.more)
        return None if shape is None or shape.optional or more is None else shape._replace(optional=more)
    parts = tree.parts if isinstance(tree, And) else (tree,)
    conditions = tuple(part for part in parts if isinstance(part, CONDITIONS))
    scored = tuple(part for part in parts if not isinstance(part, CONDITIONS))
    terms = _terms(scored)
    if scored and terms is not None:
        return Shape(best.ALL, terms, (), (), conditions)
    return _shape_of_one(scored[0], conditions) if len(scored) == 1 else None


def _shape_of_one(node: Node, conditions: tuple[Node, ...]) -> Shape | None:
    match node:
        case Phrase():
            words = tuple(Term(node.field, word, node.boost) for word in node.words)
            return Shape(best.PHRASE, words, node.offsets, (), conditions)
        case And():
            inner = shape_of(node)
            return inner and inner._replace(conditions=conditions + inner.conditions)
        case Or(minimum=1):
            terms = _terms(node.parts)
            return Shape(best.ANY, terms, (), (), conditions) if terms else None
    return None


def _terms(nodes: Sequence[Node]) -> tuple[Term, ...] | None:
    """The nodes, if all of them are terms."""
    terms = [is_term(node) for node in nodes]
    found = tuple(term for term in terms if term is not None)
    return found if len(found) == len(nodes) else None


def fast_road(snapshot: Snapshot, shape: Shape, deadline: int) -> FastRoad:
    terms = shape.needed + shape.optional
    # One term alone needs no bounds of several: the kernel of ANY goes through its best chunks.
    mode = best.ANY if len(terms) == 1 else shape.mode
    asked = snapshot.asked(
        mode,
        [(term.field, encoded(term.word)) for term in terms],
        boosts=[term.boost for term in terms] if any(term.boost != 1.0 for term in terms) else (),
        needed=[1] * len(shape.needed) + [0] * len(shape.optional) if shape.optional else (),
        offsets=[*shape.offsets, *([0] * len(shape.optional))] if shape.offsets else (),
    )
    return FastRoad(snapshot, asked, deadline)
