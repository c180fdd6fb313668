"""Articles -> tokens of every field, as arrays. Texts are cut once; bigrams come from the same words.

Positions count characters of the folded texts of an article, one text after the other with a gap of one, the title
first: so words and bigrams share them, a phrase never crosses a border, and what a character belongs to is known by its
position (spans.py). Byline and affiliation follow the body in `text`, so that a word without a field finds them; `grams`
ends with the body, because a literal is looked for in title and body only (DESIGN.md §5).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from kb.engine.compiled import Array, Bytes, Ints, kernel, whole
from kb.engine.spans import (
    AFFILIATION,
    ASIDE,
    AUTHOR,
    BODY,
    HEADING,
    HEADS,
    KICKER,
    SUBTITLE,
    TITLE,
    Piece,
    spans_of,
    within_text,
)
from kb.model import BODY_KINDS, Article, Block
from kb.text.segment import Segmenter

T = TypeVar("T")
ARTICLE_LIMIT = 500_000  # characters of an article that are indexed (reliability.md §7.9)
WORDS_KEPT = 200_000  # words whose parts are remembered between batches
END = "\n"  # second character of the bigram at the end of a text; folding leaves no white space

GRAM_KINDS = (*HEADS, HEADING, BODY, ASIDE)
FIELDS = ("text", "grams")


class Tokens(NamedTuple):
    """Tokens of one field in order of document and position."""

    letters: Bytes  # UTF-8 of the terms that occur, one after the other, sorted
    ends: Ints  # where each term ends in them
    terms: Array  # u4, number of each token's term
    docs: Array  # u2
    positions: Array  # u4


def encoded(word: str) -> bytes:
    """A term as the dictionary holds it."""
    return word.encode("utf-8", "surrogatepass")


def texts_of(article: Article) -> Iterator[tuple[int, str]]:
    """What is indexed of an article, with its kind. The title comes first, the affiliation last."""
    room = ARTICLE_LIMIT
    heads = [(kind, text) for kind, text in ((KICKER, article.kicker), (SUBTITLE, article.subtitle)) if text]
    body = [(_kind_of(block), block.text) for block in article.blocks]
    for kind, text in [(TITLE, article.title), *heads, *body]:
        if room > 0:
            yield kind, text[:room]
            room -= len(text)
    yield from ((AUTHOR, author.name) for author in article.authors)
    if article.affiliation:
        yield AFFILIATION, article.affiliation


def _kind_of(block: Block) -> int:
    if block.kind == "heading":
        return HEADING
    return BODY if block.kind in BODY_KINDS else ASIDE


def quoted_in(article: Article, texts: Sequence[tuple[int, str]]) -> Iterator[Piece]:
    """Where the words of its quotations lie. `texts`: what `texts_of` gave."""
    heads = sum(kind in HEADS for kind, _ in texts)
    block_of = {block.anchor: heads + place for place, block in reversed([*enumerate(article.blocks)])}
    for quotation in article.quotations:
        place = block_of.get(quotation.anchor, len(texts))
        if place < len(texts) and texts[place][0] in (HEADING, BODY, ASIDE):  # it may have been cut off
            end = quotation.start + len(quotation.words)
            yield Piece(place, *within_text(texts[place][1], quotation.start, end))


class _Entries(dict[str, int]):
    """Word -> number of its entry: the terms it gives (its parts, then itself) and where each begins in it."""

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self._parts = segmenter.parts
        self.terms: dict[str, int] = {}
        self.term_of, self.offset_of, self.part_at = array("I"), array("I"), array("I", [0])
        self.size_of = array("I")

    def __missing__(self, word: str) -> int:
        for part, offset in self._parts(word):
            self.term_of.append(self.terms.setdefault(part, len(self.terms)))
            self.offset_of.append(offset)
        self.term_of.append(self.terms.setdefault(word, len(self.terms)))
        self.offset_of.append(0)
        self.part_at.append(len(self.term_of))
        self.size_of.append(len(word))
        number = self[word] = len(self.size_of) - 1
        return number


@kernel
def expand(
    entries: Array,
    words_at: Ints,
    doc_of: Array,
    term_of: Array,
    offset_of: Array,
    part_at: Array,
    size_of: Array,
) -> tuple[Array, Array, Array, Ints, Ints]:
    """Terms and positions of all texts; where each text's tokens begin; where each text's characters begin and end."""
    total = 0
    for place in range(len(entries)):
        total += part_at[entries[place] + 1] - part_at[entries[place]]
    terms, positions = np.empty(total, np.uint32), np.empty(total, np.uint32)
    texts = len(words_at) - 1
    token_at, begins, ends = (
        np.zeros(texts + 1, np.int64),
        np.zeros(texts, np.int64),
        np.zeros(texts, np.int64),
    )
    token = 0
    start = 0
    for text in range(texts):
        if text and doc_of[text] != doc_of[text - 1]:
            start = 0
        begins[text] = start
        for place in range(words_at[text], words_at[text + 1]):
            entry = entries[place]
            for part in range(part_at[entry], part_at[entry + 1]):
                terms[token] = term_of[part]
                positions[token] = start + offset_of[part]
                token += 1
            start += size_of[entry]
        ends[text] = start
        start += 1
        token_at[text + 1] = token
    return terms, positions, token_at, begins, ends


@kernel
def number_grams(codes: Array, begins: Ints, ends: Ints, is_asked: Array) -> tuple[Array, Array, Array, Ints]:
    """Bigrams of the asked texts as numbers of keys (first << 32 | second), the keys, positions, tokens of each text."""
    total = 0
    for text in range(len(begins)):
        if is_asked[text]:
            total += ends[text] - begins[text]
    terms, positions = np.empty(total, np.uint32), np.empty(total, np.uint32)
    counts = np.zeros(len(begins), np.int64)
    slots = np.full(1 << 16, -1, np.int64)
    keys = np.empty(1 << 15, np.uint64)
    known = token = at = 0
    for text in range(len(begins)):
        size = ends[text] - begins[text]
        for i in range(size if is_asked[text] else 0):
            second = codes[at + i + 1] if i + 1 < size else np.uint32(10)
            key = np.uint64(codes[at + i]) << np.uint64(32) | np.uint64(second)
            slot = _slot(slots, keys, key)
            if slots[slot] < 0:
                if known == len(keys):
                    slots, keys = _grown(keys)
                    slot = _slot(slots, keys, key)
                slots[slot] = known
                keys[known] = key
                known += 1
            terms[token] = slots[slot]
            positions[token] = begins[text] + i
            token += 1
        if is_asked[text]:
            counts[text] = size
        at += size
    return terms, keys[:known].copy(), positions, counts


@kernel
def _slot(slots: Ints, keys: Array, key: np.uint64) -> int:
    """Where the key stands in an open hash table of twice the size, or the free place for it."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot = whole(mixed >> np.uint64(20)) & (len(slots) - 1)
    while slots[slot] >= 0 and keys[slots[slot]] != key:
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@kernel
def _grown(keys: Array) -> tuple[Ints, Array]:
    """A table and a list of keys of twice the size."""
    more = np.empty(2 * len(keys), np.uint64)
    more[: len(keys)] = keys
    slots = np.full(4 * len(keys), -1, np.int64)
    for number in range(len(keys)):
        slots[_slot(slots, more, keys[number])] = number
    return slots, more


@kernel
def spell(keys: Array) -> tuple[Bytes, Ints]:
    """UTF-8 of bigrams (first << 32 | second), one after the other, and where each ends."""
    letters, ends = np.empty(8 * len(keys), np.uint8), np.empty(len(keys), np.int64)
    used = 0
    for i in range(len(keys)):
        used = put_letter(letters, used, whole(keys[i] >> np.uint64(32)))
        used = put_letter(letters, used, whole(keys[i] & np.uint64(0xFFFFFFFF)))
        ends[i] = used
    return letters[:used].copy(), ends


@kernel
def put_letter(letters: Bytes, used: int, code: int) -> int:
    """UTF-8 of one character; a lone surrogate like any other of three bytes, as `encoded` has it."""
    if code < 0x80:
        letters[used] = code
        return used + 1
    size = 2 if code < 0x800 else 3 if code < 0x10000 else 4
    for i in range(size - 1, 0, -1):
        letters[used + i] = 0x80 | (code & 63)
        code >>= 6
    letters[used] = code | (0xF00 >> size & 0xFF)
    return used + size


class Tokenised:
    """A batch, cut. Fields are made one at a time, because each takes as much memory as all texts."""

    def __init__(
        self, shape: _Shape, tokens: _Words, words: list[str], written: str, quoted: list[Piece]
    ) -> None:
        self.docs = shape.docs
        self._shape, self._tokens, self._words, self._written = shape, tokens, words, written
        self.spans = spans_of(shape.docs, shape.kinds, shape.doc_of, tokens.begins, tokens.ends, quoted)

    def field(self, name: str) -> Tokens:
        """The tokens of one of FIELDS."""
        if name == "grams":
            return _grams(self._shape, self._written, self._tokens.begins, self._tokens.ends)
        docs = np.repeat(self._shape.doc_of, np.diff(self._tokens.token_at))
        return _compact(self._words, self._tokens.terms, docs, self._tokens.positions)

    def lengths(self, tokens: Tokens) -> Array:
        """Tokens of a field in each document."""
        return np.bincount(tokens.docs, minlength=self.docs).astype(np.uint32)


class Tokeniser:
    """Cuts batches of articles. What it has learnt about words is kept between batches."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._entries = _Entries(segmenter)

    def cut(self, articles: Iterable[Article]) -> Tokenised:
        """At most 65,536 articles."""
        if len(self._entries) > WORDS_KEPT:
            self._entries = _Entries(self._segmenter)
        entries, words_at = array("I"), array("q", [0])
        kinds, doc_of = array("B"), array("H")
        count = 0
        written: list[str] = []
        quoted: list[Piece] = []
        number = self._entries.__getitem__
        for doc, article in enumerate(articles):
            texts = list(texts_of(article))
            if article.quotations:
                quoted += (one._replace(text=len(kinds) + one.text) for one in quoted_in(article, texts))
            for kind, text in texts:
                words = self._segmenter.words(text)
                entries.extend(map(number, words))
                words_at.append(len(entries))
                kinds.append(kind)
                doc_of.append(doc)
                written.append("".join(words))
            count = doc + 1
        shape = _Shape(count, np.array(kinds, np.uint8), np.array(doc_of, np.uint16))
        known = self._entries
        tables = [
            np.array(table, np.uint32)
            for table in (known.term_of, known.offset_of, known.part_at, known.size_of)
        ]
        found = expand(np.array(entries, np.uint32), np.array(words_at, np.int64), shape.doc_of, *tables)
        return Tokenised(shape, _Words(*found), list(known.terms), "".join(written), quoted)


class _Shape(NamedTuple):
    docs: int  # how many documents
    kinds: Array  # of each text
    doc_of: Array  # of each text


class _Words(NamedTuple):
    """What `expand` returns."""

    terms: Array
    positions: Array
    token_at: Ints
    begins: Ints
    ends: Ints


def _compact(words: list[str], terms: Array, docs: Array, positions: Array) -> Tokens:
    """Only the words that occur, in the order of their letters."""
    used = np.flatnonzero(np.bincount(terms, minlength=len(words))).tolist()
    spelt = sorted((encoded(words[i]), i) for i in used)
    number = np.zeros(len(words), np.uint32)
    number[[i for _, i in spelt]] = np.arange(len(spelt), dtype=np.uint32)
    letters = np.frombuffer(b"".join(word for word, _ in spelt), np.uint8)
    ends = np.cumsum([len(word) for word, _ in spelt], dtype=np.int64)
    return Tokens(letters, ends, number[terms], docs, positions)


def _grams(shape: _Shape, written: str, begins: Ints, ends: Ints) -> Tokens:
    codes = np.frombuffer(written.encode("utf-32-le", "surrogatepass"), np.uint32)
    asked = np.isin(shape.kinds, GRAM_KINDS)
    terms, keys, positions, counts = number_grams(codes, begins, ends, asked)
    order = np.argsort(keys)
    rank = np.empty(len(keys), np.uint32)
    rank[order] = np.arange(len(keys), dtype=np.uint32)
    # The order of UTF-8 is that of the characters' numbers.
    return Tokens(*spell(keys[order]), rank[terms], np.repeat(shape.doc_of, counts), positions)


def grams_of(folded: str) -> list[str]:
    """The bigrams of a folded text, in order, without the one that marks its end."""
    return [first + second for first, second in pairwise(folded)]


def union(parts: Iterable[Iterable[T]]) -> tuple[T, ...]:
    """All once, in order of first mention."""
    return tuple(dict.fromkeys(chain.from_iterable(parts)))
