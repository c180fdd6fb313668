"""Random queries as people type them, and what an article must say to be found by them: an oracle in a few plain lines.

It shares nothing with the parser or the engine but folding: a text is found when `fold(literal) in fold(block)`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.model import BODY_KINDS, Article
from kb.text.normalize import fold

TEXTS = ("title", "subtitle", "body", "heading", "quotation")
NAMES = ("author", "affiliation", "newspaper", "source", "edition_name")
SPELT = {
    "title": ("标题", "title"), "subtitle": ("副题", "subtitle"), "body": ("正文", "body"), "heading": ("小标题", "heading"),
    "quotation": ("引语", "quotation"), "author": ("作者", "author"), "affiliation": ("单位", "affiliation"),
    "newspaper": ("报纸", "newspaper"), "source": ("来源", "source"), "edition_name": ("版名", "page_name"),
}  # fmt: skip
QUOTES = (("“", "”"), ('"', '"'), ("「", "」"), ("『", "』"), ("＂", "＂"))
CLOSERS = frozenset('“”"＂„‟「」『』﹁﹂﹃﹄')
ANDS, ORS, NOTS = (" 与 ", " AND ", " ", "　", "、"), (" 或 ", " OR ", " ＯＲ "), ("非 ", "NOT ", "-", "－")
PARENTHESES = (("(", ")"), ("（", "）"))
LONGEST = 200

Found = Callable[["Folded"], bool]


@dataclass(frozen=True, slots=True)
class Folded:
    """The texts of an article, folded, by field; None for what a literal without a field is looked for in."""

    id: int
    texts: dict[str | None, tuple[str, ...]]
    published: str | None
    body_chars: int


def said(article: Article) -> dict[str, list[str]]:
    """What stands in each field."""
    body = [block for block in article.blocks if block.kind in BODY_KINDS]
    texts: dict[str, Sequence[str | None]] = {
        "title": [article.title],
        "subtitle": [article.subtitle],
        "body": [block.text for block in body],
        "heading": [block.text for block in body if block.kind == "heading"],
        "quotation": [quotation.words for quotation in article.quotations],
        "author": [author.name for author in article.authors],
        "affiliation": [article.affiliation],
        "newspaper": [article.newspaper],
        "source": [article.source],
        "edition_name": [article.page_name],
    }
    return {field: [text for text in some if text] for field, some in texts.items()}


def folded(number: int, article: Article) -> Folded:
    anywhere = [article.title, article.subtitle, article.kicker, *(block.text for block in article.blocks)]
    texts: dict[str | None, list[str]] = {None: [text for text in anywhere if text], **said(article)}
    there = {field: tuple(map(fold, some)) for field, some in texts.items()}
    return Folded(number, there, article.published, sum(map(len, texts["body"])))


@dataclass(frozen=True, slots=True)
class Typed:
    """A query and its oracle."""

    text: str
    found: Found


class Typist:
    """Makes queries from the texts of some articles."""

    def __init__(self, articles: Sequence[Folded], raw: Sequence[Article], pick: random.Random) -> None:
        self._articles, self._raw, self._pick = articles, raw, pick

    def query(self) -> Typed:
        """One that can be typed."""
        while True:
            typed = self._tree(self._pick.choice((0, 1, 1, 2, 3)))
            if len(typed.text) <= LONGEST and typed.text.count("”") <= 30:
                return typed

    def _tree(self, depth: int) -> Typed:
        if depth == 0:
            return self._leaf()
        kind = self._pick.choice(("and", "or", "not", "and", "field"))
        if kind == "not":
            return self._both(self._group(depth - 1), self._negated(self._group(depth - 1)), is_and=True)
        if kind == "field":
            return self._fielded()
        return self._both(self._group(depth - 1), self._group(depth - 1), is_and=kind == "and")

    def _both(self, left: Typed, right: Typed, *, is_and: bool) -> Typed:
        word = self._pick.choice(ANDS if is_and else ORS)
        if is_and:
            return Typed(left.text + word + right.text, lambda one: left.found(one) and right.found(one))
        return Typed(left.text + word + right.text, lambda one: left.found(one) or right.found(one))

    def _negated(self, part: Typed) -> Typed:
        return Typed(self._pick.choice(NOTS) + part.text, lambda one: not part.found(one))

    def _group(self, depth: int) -> Typed:
        part = self._tree(depth)
        if depth == 0:
            return part
        left, right = self._pick.choice(PARENTHESES)
        return Typed(left + part.text + right, part.found)

    def _fielded(self) -> Typed:
        """标题:(“甲” 或 “乙”)"""
        field = self._pick.choice(TEXTS)
        name = self._pick.choice(SPELT[field]) + self._pick.choice(":：")
        left, right = self._literal(field), self._literal(field)
        both = self._both(
            left, self._pick.choice((right, self._negated(right))), is_and=self._pick.random() < 0.5
        )
        return Typed(f"{name}（{both.text}）", both.found)

    def _leaf(self) -> Typed:
        kind = self._pick.choice(("plain", "plain", "plain", "text", "name", "date", "length"))
        if kind == "plain":
            return self._literal(None)
        if kind == "date":
            return self._dates()
        if kind == "length":
            return self._length()
        field = self._pick.choice(TEXTS if kind == "text" else NAMES)
        literal = self._literal(field)
        return Typed(self._pick.choice(SPELT[field]) + self._pick.choice(":：") + literal.text, literal.found)

    def _literal(self, field: str | None) -> Typed:
        text = self._stretch(field)
        left, right = self._pick.choice(QUOTES)
        wanted = fold(text)
        return Typed(left + text + right, lambda one: any(wanted in there for there in one.texts[field]))

    def _stretch(self, field: str | None) -> str:
        """Part of a stored text, of one character or more, sometimes with one character wrong."""
        while True:
            article = self._pick.choice(self._raw)
            texts = said(article)[self._pick.choice((*TEXTS, *NAMES)) if field is None else field]
            source = self._pick.choice(texts or [article.title])
            size = min(self._pick.choice((1, 1, 2, 2, 3, 4, 5, 8, 13, 30)), len(source))
            start = self._pick.randint(0, len(source) - size)
            text = source[start : start + size].replace("\n", " ")
            if self._pick.random() < 0.1:
                text += self._pick.choice("的一党Aa1鑫")
            text = "".join(char for char in text if char not in CLOSERS)
            if fold(text):
                return text

    def _dates(self) -> Typed:
        days = sorted({one.published for one in self._articles if one.published}) or ["2023-01-01"]
        first, last = sorted((self._pick.choice(days), self._pick.choice(days)))
        text = f"日期:{first}..{last}"
        return Typed(text, lambda one: one.published is not None and first <= one.published <= last)

    def _length(self) -> Typed:
        least = self._pick.choice(self._articles).body_chars
        return Typed(f"字数:>{least}", lambda one: one.body_chars > least)
