"""Random queries of every class over the texts of a reference: words as common as they are, and some that are rare or nowhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from kb.engine.tree import (
    Also,
    And,
    Boost,
    Every,
    Literal,
    Named,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Rank,
    Term,
    Value,
)  # fmt: skip
from kb.model import Page
from kb.text.normalize import fold
from kb.text.segment import Segmenter
from scripts.bench.reference import Reference, literal_texts, parts_of

NAMES = ("newspaper", "affiliation", "author")
COLUMNS = (*NAMES, "year", "month", "source", "edition_page", "edition_name")
FIELDS = (None, None, None, "title", "subtitle", "body", "heading", "quotation")
LITERAL_CHARS = (1, 1, 2, 2, 3, 4, 5, 7, 12, 40, 200)
NOWHERE = ("没有这个词呀", "qwxzj", "𠮷𠮷")
SORTS = ("relevance", "relevance", "newest", "oldest", "longest", "shortest")


@dataclass(frozen=True)
class Asked:
    """A tree and the page of its answer."""

    node: Node | Rank
    page: Page


class Words:
    """Where queries take their words from."""

    def __init__(self, reference: Reference, segmenter: Segmenter, pick: random.Random) -> None:
        self.pick = pick
        self.cut = segmenter.words
        self._articles = reference.articles
        scan = reference.fields["text"]
        self._all = list(scan.numbers)
        self._hot = sorted(self._all, key=lambda word: len(scan.having(word)), reverse=True)[:200]
        self._values = {name: sorted(reference.values(name)) for name in COLUMNS}
        self._published = reference.numbers["published"]
        self._body_chars = reference.numbers["body_chars"]

    def text(self) -> str:
        """A folded block or title of some article."""
        texts = literal_texts(self.pick.choice(self._articles).article)
        return fold(self.pick.choice([*texts, texts[0]])) or "党"

    def piece(self) -> str:
        """A few sentences' worth of some text: cutting a whole law for one word is slow."""
        text = self.text()
        start = self.pick.randrange(len(text))
        return text[start : start + 30]

    def word(self) -> str:
        kind = self.pick.random()
        if kind < 0.7:
            return self.pick.choice(self.cut(self.piece()))
        if kind < 0.97:
            return self.pick.choice(self._all if kind < 0.85 else self._hot)
        return self.pick.choice(NOWHERE)

    def words(self, least: int, most: int) -> list[str]:
        """Of one place, as a rule, so that some article has them all."""
        count = self.pick.randint(least, most)
        near = self.cut(self.piece()) if self.pick.random() < 0.6 else []
        return [self.pick.choice(near) if near else self.word() for _ in range(count)]

    def boost(self) -> float:
        return self.pick.choice((0.5, 2.0, 0.1, 3.7, 1.0))

    def terms(self, least: int, most: int) -> tuple[Term, ...]:
        return tuple(Term("text", word) for word in self.words(least, most))

    def phrase(self) -> Phrase:
        cut = self.cut(self.piece())
        size = self.pick.randint(1, 4)
        start = self.pick.randrange(len(cut))
        words = cut[start : start + size]
        if self.pick.random() < 0.1:
            self.pick.shuffle(words)
        return Phrase("text", tuple(words), tuple(sum(map(len, words[:i])) for i in range(len(words))))

    def literal(self) -> Literal:
        text, size = self.text(), self.pick.choice(LITERAL_CHARS)
        start = self.pick.randrange(len(text))
        found = text[start : start + size]
        if self.pick.random() < 0.05:
            found = text[-3:] + self.text()[:3]  # across a border: found only where some text runs on so
        return Literal(found, "title" if self.pick.random() < 0.3 else None)

    def string(self) -> str:
        """Characters of some text as they stand there, folded: inside words and across their borders; a few nowhere."""
        pick = self.pick
        if pick.random() < 0.04:
            return pick.choice(NOWHERE)
        text = pick.choice(parts_of(pick.choice(self._articles).article))[1] or "党"
        start = pick.randrange(len(text))
        found = fold(text[start : start + pick.choice((1, 2, 2, 3, 4, 5, 8, pick.randint(9, 30)))])
        if pick.random() < 0.05:
            found = fold(text[-3:] + text[:3])
        return found or "党"

    def named(self) -> Named:
        column = self.pick.choice((*NAMES, "source", "edition_name", "edition_page"))
        name = fold(self.pick.choice(self._values[column])) or "某"
        if column == "edition_page":
            return Named(column, name.lstrip("0") if self.pick.random() < 0.5 else name)
        start = self.pick.randrange(len(name))
        return Named(column, name[start : start + self.pick.randint(1, 4)])

    def boolean(self, depth: int = 4) -> Node:
        """Literals and names under AND, OR and NOT."""
        kind = self.pick.randrange(7 if depth else 4)
        if kind < 3:
            return Literal(self.string(), self.pick.choice(FIELDS))
        if kind == 3:
            return self.named()
        if kind == 4:
            return Not(self.boolean(depth - 1))
        parts = tuple(self.boolean(depth - 1) for _ in range(self.pick.randint(2, 4)))
        return And(parts) if kind == 5 else Or(parts, self.pick.choice((1, 1, 1, 2)))

    def rank(self) -> Rank:
        pick = self.pick
        by = (*self.terms(0, 3), *(Term("grams", self.string()[:2], 0.5) for _ in range(pick.randint(0, 2))))
        tiers = tuple(self.boolean(1) for _ in range(pick.randint(0, 3))) if pick.random() < 0.3 else ()
        return Rank(self.boolean(), by, tiers)

    def prefix(self) -> Prefix:
        word = self.word()
        field = self.pick.choice(("text", "text", "grams"))
        return Prefix(field, word[: self.pick.randint(1, min(2, len(word)))])

    def range(self) -> Range:
        column = self.pick.choice(("published", "published", "body_chars"))
        values = self._published if column == "published" else self._body_chars
        low, high = sorted(int(values[self.pick.randrange(len(values))]) for _ in range(2))
        return Range(column, low, high)

    def value(self) -> Value:
        name = self.pick.choice(NAMES)
        return Value(name, frozenset(self.some(name, 2)))

    def some(self, column: str, most: int) -> list[str]:
        return [self.pick.choice(self._values[column]) for _ in range(self.pick.randint(1, most))]

    def tree(self, depth: int = 3) -> Node:
        kind = self.pick.randrange(8 if depth else 3)
        if kind < 3:
            leaves = (
                lambda: Term("text", self.word()),
                lambda: Term("grams", self.word()[:2], self.boost()),
                self.phrase, self.literal, self.prefix, self.range, self.value, Every,
            )  # fmt: skip
            return self.pick.choices(leaves, weights=(6, 2, 2, 2, 1, 1, 1, 1))[0]()
        if kind == 3:
            return Not(self.tree(depth - 1))
        if kind == 4:
            return Boost(self.tree(depth - 1), self.boost())
        parts = tuple(self.tree(depth - 1) for _ in range(self.pick.randint(1, 4)))
        if kind == 5:
            return And(parts)
        return Or(parts, self.pick.randint(1, len(parts))) if kind == 6 else Also(parts[0], parts[1:])

    def page(self) -> Page:
        pick = self.pick
        facets = COLUMNS
        chosen = [name for name in facets if pick.random() < 0.05]
        banned = [name for name in facets if pick.random() < 0.03]
        days = self.days() if pick.random() < 0.1 else (None, None)
        chars = self.range().low if pick.random() < 0.05 else None
        return Page(
            since=days[0],
            until=days[1],
            least_chars=chars,
            most_chars=pick.choice((None, None, 300)),
            only={name: tuple(self.some(name, 3)) for name in chosen},
            without={name: tuple(self.some(name, 2)) for name in banned},
            facets=tuple(pick.sample(facets, pick.randint(0, 4))),
            sort=pick.choice(SORTS),
            collapse=pick.random() < 0.2,
            offset=pick.choice((0, 0, 10, 100, 990, 5000)),
            limit=pick.choice((1, 10, 10, 50)),
        )

    def days(self) -> tuple[str | None, ...]:
        """Of two articles, the earlier first; None for unknown."""
        two = sorted(int(self._published[self.pick.randrange(len(self._published))]) for _ in range(2))
        return tuple(
            f"{day // 10000:04d}-{day // 100 % 100:02d}-{day % 100:02d}" if day else None for day in two
        )


def _least(words: Words) -> Node:
    parts = words.terms(2, 6)
    return Or(parts, words.pick.randint(2, len(parts)))


def _weighed(words: Words) -> Node:
    parts = tuple(Term("text", one.word, words.boost()) for one in words.terms(1, 4))
    return words.pick.choice((And, Or))(parts)


def _both(words: Words) -> Node:
    """Words, and half as heavy the bigrams of the same text."""
    text = words.piece()[: words.pick.randint(2, 12)]
    parts = tuple(Term("text", word) for word in words.cut(text)) or words.terms(1, 1)
    grams = tuple(Term("grams", text[i : i + 2], 0.5) for i in range(len(text) - 1))
    return Also(words.pick.choice((And, Or))(parts), grams)


def _field(words: Words) -> Node:
    """Literals in parts of an article, which score there."""
    parts = tuple(Literal(words.string(), words.pick.choice(FIELDS)) for _ in range(words.pick.randint(1, 3)))
    return words.pick.choice((And, Or))((*parts, *[words.named()] * words.pick.randint(0, 1)))


def _page(node: Callable[[Words], Node | Rank]) -> Callable[[Words], Asked]:
    return lambda words: Asked(node(words), words.page())


CLASSES: dict[str, Callable[[Words], Asked]] = {
    "one": _page(lambda words: Term("text", words.word())),
    "and": _page(lambda words: And(words.terms(2, 4))),
    "or": _page(lambda words: Or(words.terms(2, 8))),
    "least": _page(_least),
    "not": _page(lambda words: And((*words.terms(1, 2), Not(Term("text", words.word()))))),
    "tree": _page(lambda words: words.tree()),
    "phrase": _page(lambda words: words.phrase()),
    "literal": _page(lambda words: words.literal()),
    "prefix": _page(lambda words: And((words.prefix(), *words.terms(0, 1)))),
    "range": _page(lambda words: And((words.range(), *words.terms(0, 2)))),
    "filter": _page(lambda words: And((Or(words.terms(1, 3)), words.value(), Not(words.value())))),
    "boost": _page(_weighed),
    "both": _page(_both),
    "field": _page(_field),
    "boolean": _page(Words.rank),
}
