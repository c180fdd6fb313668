"""What an index can be asked: a tree of frozen nodes. evaluate.py says what each of them matches and how it scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a field."""

    field: str  # text
    word: str  # 党建
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a field at fixed distances from each other, in characters."""

    field: str
    words: tuple[str, ...]  # ("许", "剑虹")
    offsets: tuple[int, ...]  # (0, 1)
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Literal:
    """Any string of characters: in the title, the subtitle, the kicker or one block."""

    text: str  # folded
    field: str | None = None  # only there: title | subtitle | body | heading | quotation
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words of a field that begin so. Scores nothing."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """A column of numbers between two values, both included. Scores nothing. Unknown dates are 0."""

    column: str  # published
    low: int  # 20230101
    high: int  # 20230630


@dataclass(frozen=True, slots=True)
class Value:
    """A column of names that has one of these values; "" stands for unknown. Scores nothing."""

    column: str  # newspaper
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Named:
    """A column of names one of which contains the text. Scores nothing. An unknown name contains nothing.

    A label of an edition page is the text, or another way to write it: 7 is 07版.
    """

    column: str  # newspaper | affiliation | source | author | edition_name | edition_page
    text: str  # folded


@dataclass(frozen=True, slots=True)
class Member:
    """What a topic has: what the part matches or is pinned, without what is excluded. Scores nothing; remembered with a snapshot."""

    part: Node
    pinned: frozenset[int]  # article ids
    excluded: frozenset[int]


@dataclass(frozen=True, slots=True)
class Every:
    """All articles. Scores nothing."""


@dataclass(frozen=True, slots=True)
class And:
    """All parts. The score is the sum of theirs."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least `minimum` parts. The score is the sum of those that match."""

    parts: tuple[Node, ...]
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class Not:
    """Articles that the part does not match. Scores nothing."""

    part: Node


@dataclass(frozen=True, slots=True)
class Boost:
    """The part, its score multiplied."""

    part: Node
    factor: float


@dataclass(frozen=True, slots=True)
class Also:
    """What `part` matches; what of `more` matches too adds to the score."""

    part: Node
    more: tuple[Node, ...]


Node: TypeAlias = (
    Term | Phrase | Literal | Prefix | Range | Value | Named | Member | Every | And | Or | Not | Boost | Also
)


@dataclass(frozen=True, slots=True)
class Rank:
    """What `part` matches, however it scores, in the order of other terms. Only at the top of a tree.

    The score is the sum of the terms `by`; what has none of them comes last, with 0. Before the score comes how many of the
    tiers an article matches. The first of the order are looked at once more by window.py.
    """

    part: Node
    by: tuple[Term, ...]  # of the fields text and grams
    tiers: tuple[Node, ...] = ()


Tree: TypeAlias = Node | Rank
