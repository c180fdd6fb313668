"""What an index must answer, worked out from the texts by an exhaustive scan: trees, columns, orders, facets, pages.

Shares with kb.engine only what a question is made of (tree.py, answer.Page): not its tokens, postings, columns or kernels.
"""

from __future__ import annotations

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
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Value,
)  # fmt: skip
from kb.model import Article, Page, StoredArticle
from kb.text.normalize import fold
from kb.text.segment import Segmenter
from scripts.bench.exhaustive import Array, Found, Scan, added

FIELDS = ("text", "title", "author", "affiliation", "newspaper", "grams")
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
        self._texts = _Texts([one.article for one in self.articles])
        self.found = lru_cache(64)(self._found)
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
                often, grams = self._texts.count(text, field == "title"), self.fields["grams"]
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

    def _mask(self, node: Node) -> Array:
        """Of what does not score."""
        match node:
            case Prefix(field, text):
                return self._beginning(field, text)
            case Range(column, low, high):
                return (self.numbers[column] >= low) & (self.numbers[column] <= high)
            case Value(column, values):
                return self.has(column, values)
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
        """Years from the newest, names from the most frequent; unknown last."""
        counts = {name: int(np.count_nonzero(mask & has)) for name, has in self.values(facet).items()}
        found = [(name, count) for name, count in counts.items() if count]
        if facet == "year":
            return tuple(sorted(found, reverse=True))
        return tuple(sorted(found, key=lambda one: (not one[0], -one[1], one[0])))


def _names(column: str, one: StoredArticle) -> set[str]:
    if column == "author":
        return {author.name for author in one.article.authors} or {""}
    if column == "year":
        return {(one.article.published or "")[:4]}
    return {getattr(one.article, column) or ""}


class _Texts:
    """All that a literal is looked for in, as one string."""

    def __init__(self, articles: Sequence[Article]) -> None:
        texts = [list(map(fold, literal_texts(article))) for article in articles]
        self._docs = len(articles)
        self._all = "\n".join(chain.from_iterable(texts)) + "\n"
        ends = accumulate(len(text) + 1 for text in chain.from_iterable(texts))
        self._ends = np.array(list(ends), np.int64)
        counts = [len(one) for one in texts]
        self._doc_of = np.repeat(np.arange(self._docs), counts)
        self._is_title = np.zeros(len(self._ends), np.bool_)
        self._is_title[np.cumsum([0, *counts[:-1]])[: self._docs]] = True

    def count(self, text: str, in_title: bool) -> Array:
        """How often the text begins in each article, overlapping ones counted."""
        at: list[int] = []
        place = self._all.find(text)
        while place >= 0:
            at.append(place)
            place = self._all.find(text, place + 1)
        texts = np.searchsorted(self._ends, at, side="right")
        if in_title:
            texts = texts[self._is_title[texts]]
        return np.bincount(self._doc_of[texts], minlength=self._docs)


def literal_texts(article: Article) -> list[str]:
    """A literal is looked for in the title, the kicker, the subtitle and each block (DESIGN.md §5)."""
    heads = [text for text in (article.kicker, article.subtitle) if text]
    return [article.title, *heads, *(block.text for block in article.blocks)]


def _tokens(article: Article, field: str, segmenter: Segmenter) -> Iterator[Token]:
    """Places count folded characters, with one between two texts, so that no phrase crosses from one to the next."""
    people = [author.name for author in article.authors]
    texts = {
        "text": [*literal_texts(article), *people, *([article.affiliation] if article.affiliation else [])],
        "title": [article.title],
        "author": people,
        "affiliation": [article.affiliation or ""],
        "newspaper": [article.newspaper or ""],
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
