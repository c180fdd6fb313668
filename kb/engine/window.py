"""The first of an order, looked at once more."""

from __future__ import annotations

from collections.abc import Sequence

from kb.engine.compiled import Floats, Ints
from kb.engine.snapshot import Snapshot
from kb.engine.tree import Term


def rerank(snapshot: Snapshot, docs: Ints, scores: Floats, terms: Sequence[Term]) -> Floats:
    """New scores of the first documents of an order, which are in that order, by the terms that they were found with."""
    return scores
