"""A query as typed -> the tree that finds it. What is marked in the texts comes from the same cutting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.engine.columns import day
from kb.engine.tokens import grams_of, union
from kb.engine.tree import Also, And, Literal, Node, Or, Phrase, Range, Term
from kb.model import Clause
from kb.text.normalize import fold
from kb.text.segment import Segmenter

NAME_CHARS = (
    4  # a typed word this short with an unknown piece in it is taken as a name: its pieces must touch
)
GRAM_BOOST = 0.5  # of the bigrams beside the words (engine.md §E)
LAST_DAY = 9999_12_31


@dataclass(frozen=True, slots=True)
class Wanted:
    """A clause, cut into what must stand in one place each. A date has no units."""

    clause: Clause
    units: tuple[tuple[str, ...], ...]  # (("基层", ), ("许", "剑", "虹"))

    @property
    def pieces(self) -> tuple[tuple[Node, str], ...]:
        """What finds each unit, and its text; a date has none."""
        if self.clause.kind == "date":
            since, until = day(self.clause.since) or 1, day(self.clause.until) or LAST_DAY
            return ((Range("published", since, until), ""),)
        if self.clause.kind == "phrase" and self.clause.field in (None, "title"):
            text = fold(self.clause.text)
            return ((Literal(text, self.clause.field), text),)
        return tuple((_node(self.clause.field or "text", unit), "".join(unit)) for unit in self.units)


def _node(field: str, unit: tuple[str, ...]) -> Node:
    if len(unit) == 1:
        return Term(field, unit[0])
    starts = tuple(sum(map(len, unit[:place])) for place in range(len(unit)))
    return Phrase(field, unit, starts)


def wanted(clauses: Sequence[Clause], segmenter: Segmenter) -> list[Wanted]:
    """The clauses with their units, those that nothing can match by (only marks) left out."""
    found = [Wanted(clause, _units(clause, segmenter)) for clause in clauses]
    return [one for one in found if one.units or one.clause.kind == "date"]


def _units(clause: Clause, segmenter: Segmenter) -> tuple[tuple[str, ...], ...]:
    if clause.kind == "date":
        return ()
    words = segmenter.words(clause.text)
    if clause.kind == "phrase":
        return (tuple(words),) if words else ()
    return tuple(_groups(words))


def _groups(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The pieces of one typed word: each for itself, but neighbouring single characters (names) together."""
    if sum(map(len, words)) <= NAME_CHARS and any(len(word) == 1 for word in words):
        return [tuple(words)]
    groups: list[tuple[str, ...]] = []
    for place, word in enumerate(words):
        if place and len(word) == 1 and len(words[place - 1]) == 1:
            groups[-1] += (word,)
        else:
            groups.append((word,))
    return groups


def grams(clauses: Sequence[Wanted]) -> tuple[Node, ...]:
    """The bigrams of the typed words: they match nothing by themselves, and better texts rank higher by them."""
    words = [one.clause.text for one in clauses if one.clause.kind == "word" and one.clause.field is None]
    return tuple(Term("grams", gram, GRAM_BOOST) for gram in union(grams_of(fold(word)) for word in words))


def of_all(clauses: Sequence[Wanted]) -> Node:
    """Articles that have every clause; none when there is no clause left."""
    if not clauses:
        return Or(())
    return Also(And(tuple(node for one in clauses for node, _ in one.pieces)), grams(clauses))


def marked(clauses: Sequence[Wanted]) -> tuple[str, ...]:
    """What to mark in a title or text: pieces of typed words, whole phrases."""
    return union(
        (fold(one.clause.text),)
        if one.clause.kind == "phrase"
        else tuple("".join(unit) for unit in one.units)
        for one in clauses
        if one.clause.field in (None, "title")
    )
