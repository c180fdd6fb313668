"""What an index must answer, worked out from the texts by an exhaustive scan: trees, columns, orders, facets, pages.

Shares with kb.engine only what a question is made of (tree.py, answer.Page): not its tokens, postings, columns or kernels.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain

import numpy as np

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
from kb.model import BODY_KINDS, Article, Page, StoredArticle
from kb.text.normalize import fold
from kb.text.segment import Segmenter
from scripts.bench.exhaustive import Array, Found, Scan, added

FIELDS = ("text", "grams")
Token = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """One page of ids and scores, and what holds for the whole match set."""

    ids: tuple[int, ...]
    scores: tuple[float, ...]
    total: int
    facets: Mapping[str, tuple[tuple[str, int], ...]]
    articles: int = 0  # without collapse


class Reference:
    """The articles that live in an index, looked at one by one."""

    def __init__(self, articles: Iterable[StoredArticle], segmenter: Segmenter) -> None:
        self.articles = sorted(articles, key=lambda one: one.id)
        self.ids = [one.id for one in self.articles]
        self.fields = {
            field: Scan(self.ids, (_tokens(one.article, field, segmenter) for one in self.articles))
            for field in FIELDS
        }
        self._segmenter = segmenter
        articles_only = [one.article for one in self.articles]
        self._texts = _Texts([parts_of(article) for article in articles_only])
        self._quotations = _Texts(
            [[("quotation", one.words) for one in article.quotations] for article in articles_only]
        )
        self.found = lru_cache(64)(self._found)
        self.masks = lru_cache(256)(_Texts.having)
        numbers = {
            "id": self.ids,
            "published": [int((one.article.published or "0").replace("-", "")) for one in self.articles],
            "body_chars": [one.body_chars for one in self.articles],
            "group": [one.reprint_of or one.id for one in self.articles],
        }
        self.numbers = {name: np.array(values, np.int64) for name, values in numbers.items()}
        self._values: dict[str, dict[str, Array]] = {}
        self._words: dict[str, list[str]] = {}  # of each field, sorted

    def values(self, column: str) -> dict[str, Array]:
        """Values of a column of names, "" for unknown, each with the articles that have it."""
        if column not in self._values:
            rows = [_names(column, one) for one in self.articles]
            known = sorted(set().union(*rows))
            self._values[column] = {name: np.array([name in row for row in rows]) for name in known}
        return self._values[column]

    def has(self, column: str, values: Iterable[str]) -> Array:
        known = self.values(column)
        nothing = np.zeros(len(self.ids), np.bool_)
        return np.logical_or.reduce([nothing, *(known[name] for name in values if name in known)])

    def without(self, banned: Mapping[str, Sequence[str]]) -> Array:
        """Articles that have none of the values."""
        return ~np.logical_or.reduce([self.has("year", ()), *(self.has(*one) for one in banned.items())])

    # --- trees -----------------------------------------------------------------------------------------------

    def _found(self, node: Node) -> Found:
        """Which articles match, and their scores; in the order of `ids`."""
        match node:
            case Term(field, word, boost):
                return self.fields[field].term(word, boost)
            case Phrase(field, words, offsets, boost):
                return self.fields[field].places(words, offsets, boost)
            case Literal(text, field, boost):
                often, grams = self._count(text, field), self.fields["grams"]
                return grams.often(often, grams.weight(int(np.count_nonzero(often)), boost))
            case And(parts):
                return added([self.found(part) for part in parts], minimum=len(parts))
            case Or(parts, minimum):
                return added([self.found(part) for part in parts], minimum=minimum)
            case Boost(part, factor):
                mask, scores = self.found(part)
                return Found(mask, scores * factor)
            case Also(part, more):
                mask, _ = self.found(part)
                scores = added([self.found(one) for one in (part, *more)], minimum=0).scores
                return Found(mask, scores * mask)
        mask = self._mask(node)
        return Found(mask, np.zeros(len(mask)))

    def _count(self, text: str, field: str | None) -> Array:
        texts = self._quotations if field == "quotation" else self._texts
        return texts.count(text, PARTS[field])

    def matches(self, node: Node) -> Array:
        """Which articles match, without scores: literals of one character stand in every line."""
        match node:
            case Literal(text, field):
                texts = self._quotations if field == "quotation" else self._texts
                return self.masks(texts, text, field)
            case And(parts):
                return np.logical_and.reduce([self.matches(part) for part in parts])
            case Or(parts, minimum):
                return np.sum([self.matches(part) for part in parts], axis=0) >= minimum
            case Not(part):
                return ~self.matches(part)
        return self.found(node).mask

    def _mask(self, node: Node) -> Array:
        """Of what does not score."""
        match node:
            case Prefix(field, text):
                return self._beginning(field, text)
            case Range(column, low, high):
                return (self.numbers[column] >= low) & (self.numbers[column] <= high)
            case Value(column, values):
                return self.has(column, values)
            case Named(column, text):
                known = self.values(column)
                is_asked = _same_label if column == "edition_page" else _contains
                return self.has(column, [name for name in known if name and is_asked(name, text)])
            case Not(part):
                return ~self.found(part).mask
            case Every():
                return np.ones(len(self.ids), np.bool_)
        raise TypeError(node)

    def _beginning(self, field: str, text: str) -> Array:
        if field not in self._words:
            self._words[field] = sorted(self.fields[field].numbers)
        words = self._words[field]
        mask = self.fields[field].nothing().mask
        for place in range(bisect_left(words, text), len(words)):
            if not words[place].startswith(text):
                break
            mask[self.fields[field].having(words[place])] = True
        return mask

    def ranked(self, asked: Rank, page: Page) -> Answer:
        """The order is that before window.py."""
        mask = self.matches(asked.part)
        tiers = np.sum([self.matches(tier) for tier in asked.tiers], axis=0) if asked.tiers else None
        none = self.fields["text"].nothing()
        return self.answer(Found(mask, added([none, *map(self.found, asked.by)]).scores), page, tiers)

    # --- pages -----------------------------------------------------------------------------------------------

    def answer(self, found: Found, page: Page, tiers: Array | None = None) -> Answer:
        mask = found.mask & self.without(page.without) & self._in_range(page)
        chosen = {facet: self.has(facet, values) for facet, values in page.only.items() if values}
        kept = np.flatnonzero(np.logical_and.reduce([mask, *chosen.values()]))
        shown = kept[np.lexsort([one[kept] for one in self._keys(found.scores, page.sort, tiers)])]
        articles = len(shown)
        if page.collapse:
            shown = self._collapsed(shown)
        on_page = shown[page.offset : page.offset + page.limit]
        facets = {}
        for facet in page.facets:
            others = [one for name, one in chosen.items() if name != facet]
            facets[facet] = self._counts(facet, np.logical_and.reduce([mask, *others]))
        ids, scores = self.numbers["id"][on_page], found.scores[on_page]
        return Answer(tuple(ids.tolist()), tuple(scores.tolist()), len(shown), facets, articles)

    def _collapsed(self, shown: Array) -> Array:
        """Of each group what was published first, unknown dates last."""
        days, groups = self.numbers["published"], self.numbers["group"]
        by_day = sorted(shown, key=lambda doc: (days[doc] or 99_999_999, self.ids[doc]), reverse=True)
        first = {groups[doc]: doc for doc in by_day}
        return np.array([doc for doc in shown if first[groups[doc]] == doc], np.int64)

    def _in_range(self, page: Page) -> Array:
        days, chars = self.numbers["published"], self.numbers["body_chars"]
        mask = np.ones(len(days), np.bool_)
        if page.since or page.until:
            mask &= days >= int((page.since or "0000-00-01").replace("-", ""))
            mask &= days <= int((page.until or "9999-99-99").replace("-", ""))
        mask &= chars >= (page.least_chars or 0)
        return mask if page.most_chars is None else mask & (chars <= page.most_chars)

    def _keys(self, scores: Array, sort: str, tiers: Array | None) -> list[Array]:
        """What articles are ordered by, the last the foremost."""
        dates, lengths = self.numbers["published"], self.numbers["body_chars"]
        sorts = {
            "newest": -dates, "oldest": np.where(dates == 0, 99_999_999, dates), "longest": -lengths,
            "shortest": lengths,
        }  # fmt: skip
        tier = [] if tiers is None else [-tiers]
        return [self.numbers["id"], -scores, *tier, *([sorts[sort]] if sort in sorts else [])]

    def _counts(self, facet: str, mask: Array) -> tuple[tuple[str, int], ...]:
        """Years and months from the newest, names from the most frequent; unknown last."""
        counts = {name: int(np.count_nonzero(mask & has)) for name, has in self.values(facet).items()}
        found = [(name, count) for name, count in counts.items() if count]
        if facet in ("year", "month"):
            return tuple(sorted(found, reverse=True))
        return tuple(sorted(found, key=lambda one: (not one[0], -one[1], one[0])))


def _names(column: str, one: StoredArticle) -> set[str]:
    if column == "author":
        return {author.name for author in one.article.authors} or {""}
    if column == "year":
        return {(one.article.published or "")[:4]}
    if column == "month":
        return {(one.article.published or "")[:7]}
    return {getattr(one.article, "page_name" if column == "edition_name" else column) or ""}


def _contains(name: str, text: str) -> bool:
    return text in fold(name)


def _same_label(name: str, text: str) -> bool:
    """07版 and 7; A01 and a1."""
    plain = [re.sub(r"0*([0-9]+)", r"\1", fold(one).replace("版", "")) for one in (name, text)]
    return plain[0] == plain[1]


PARTS: dict[str | None, frozenset[str]] = {
    None: frozenset({"title", "head", "subtitle", "heading", "body", "aside"}),
    "title": frozenset({"title"}),
    "subtitle": frozenset({"subtitle"}),
    "heading": frozenset({"heading"}),
    "body": frozenset({"heading", "body"}),
    "quotation": frozenset({"quotation"}),
}


class _Texts:
    """Texts of articles as one string."""

    def __init__(self, articles: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Of each article its texts, each with the part that it is."""
        texts = [[(part, fold(text)) for part, text in article] for article in articles]
        every = [*chain.from_iterable(texts)]
        self._docs = len(articles)
        self._all = "\n".join(text for _, text in every) + "\n"
        self._ends = np.array([*accumulate(len(text) + 1 for _, text in every)], np.int64)
        self._doc_of = np.repeat(np.arange(self._docs), [len(one) for one in texts])
        self._parts = np.array([part for part, _ in every], "U9")

    def count(self, text: str, parts: frozenset[str]) -> Array:
        """How often the text begins in such parts of each article, overlapping ones counted."""
        at: list[int] = []
        place = self._all.find(text)
        while place >= 0:
            at.append(place)
            place = self._all.find(text, place + 1)
        texts = np.searchsorted(self._ends, at, side="right")
        texts = texts[np.isin(self._parts[texts], list(parts))]
        return np.bincount(self._doc_of[texts], minlength=self._docs)

    def having(self, text: str, field: str | None) -> Array:
        """Which articles have it in such a part: looked for once in every text."""
        mask = np.zeros(self._docs, np.bool_)
        place = self._all.find(text)
        while place >= 0:
            one = int(np.searchsorted(self._ends, place, side="right"))
            mask[self._doc_of[one]] |= self._parts[one] in PARTS[field]
            place = self._all.find(text, int(self._ends[one]))
        return mask


def parts_of(article: Article) -> list[tuple[str, str]]:
    """All that a literal is looked for in."""
    heads = [("title", article.title), ("head", article.kicker), ("subtitle", article.subtitle)]
    kinds = [
        "heading" if block.kind == "heading" else "body" if block.kind in BODY_KINDS else "aside"
        for block in article.blocks
    ]
    blocks = zip(kinds, (block.text for block in article.blocks), strict=True)
    return [(part, text) for part, text in (*heads, *blocks) if text is not None]


def literal_texts(article: Article) -> list[str]:
    """A literal is looked for in the title, the kicker, the subtitle and each block (DESIGN.md §5)."""
    heads = [text for text in (article.kicker, article.subtitle) if text]
    return [article.title, *heads, *(block.text for block in article.blocks)]


def _tokens(article: Article, field: str, segmenter: Segmenter) -> Iterator[Token]:
    """Places count folded characters, with one between two texts, so that no phrase crosses from one to the next."""
    people = [author.name for author in article.authors]
    texts = {
        "text": [*literal_texts(article), *people, *([article.affiliation] if article.affiliation else [])],
        "grams": literal_texts(article),
    }[field]
    start = 0
    for text in texts:
        folded = fold(text)
        if field == "grams":
            yield from ((folded[i : i + 2].ljust(2, "\n"), start + i) for i in range(len(folded)))
        else:
            yield from ((word, start + place) for word, place in segmenter.tokens(text))
        start += len(folded) + 1
