"""How many articles of a set hold each longer word, and how many of all do: what tells a topic's phrases from the library's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb.engine import bits
from kb.engine.answer import visible
from kb.engine.compiled import Array, Bytes, Ints, kernel
from kb.engine.layout import DOCS, N_TERMS, dictionary, documents, entry
from kb.engine.matching import matching
from kb.engine.snapshot import FIELD_NUMBER, Snapshot
from kb.engine.tree import Node
from kb.model import HeldWords, Hidden

LEAST_BYTES = (
    9  # three Chinese characters: what is shorter is a word, and seldom tells more than the rule does
)
LEAST_ARTICLES = 3  # of one segment: rarer words are most words, and are nobody's phrase
FIRST, LAST = 0xE4, 0xE9  # first bytes of Chinese characters in UTF-8
BOTH = 1 << 32  # in one number: the articles of the set above, those of all below


class Candidates(NamedTuple):
    """The longer words of an index."""

    words: list[str]
    terms: list[Ints]  # of each segment: places in its dictionary
    codes: list[Ints]  # and which of the words they are


def held_words(snapshot: Snapshot, node: Node, hidden: Hidden, least: int, deadline: int) -> HeldWords:
    """The longer words that at least so many of the articles hold which match. Raises TimeoutError after the deadline."""
    seen = bits.within(snapshot.living, visible(snapshot, hidden))
    inside = matching(snapshot, node, deadline, seen)
    weights = bits.unpack(seen, 1).astype(np.int64) + bits.unpack(inside, 1).astype(np.int64) * BOTH
    known = candidates(snapshot)
    totals = np.zeros(len(known.words), np.int64)
    for part, base in enumerate(snapshot.bases[:-1]):
        row = snapshot.table[FIELD_NUMBER["text"]][part]
        totals[known.codes[part]] += weigh(row, known.terms[part], weights[base:])
    many = np.flatnonzero(totals >= least * BOTH)
    counts = zip(many.tolist(), (totals[many] // BOTH).tolist(), (totals[many] % BOTH).tolist(), strict=True)
    words = tuple((known.words[code], within, among) for code, within, among in counts)
    return HeldWords(bits.size(inside), bits.size(seen), words)


def candidates(snapshot: Snapshot) -> Candidates:
    """Looked up once for a snapshot: 80 bytes a word."""
    found: Candidates | None = snapshot.kept.get("candidates")
    if found is None:
        numbers: dict[str, int] = {}
        terms, codes = [], []
        for row in snapshot.table[FIELD_NUMBER["text"]]:
            places, words = longer(row)
            terms.append(places)
            codes.append(np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64))
        found = snapshot.kept["candidates"] = Candidates(list(numbers), terms, codes)
    return found


def longer(row: Ints) -> tuple[Ints, list[str]]:
    """The longer words of a segment: their places in the dictionary, and they themselves."""
    ends = np.zeros(row[N_TERMS] + 1, np.int64)
    spelt = np.empty(dictionary(row, np.empty(0, np.uint8), ends), np.uint8)
    dictionary(row, spelt, ends[1:])
    starts = ends[:-1]
    first = spelt[starts] if len(spelt) else np.empty(0, np.uint8)
    fits = (np.diff(ends) >= LEAST_BYTES) & (first >= FIRST) & (first <= LAST)
    places = np.flatnonzero(fits)
    places = places[often(row, places, LEAST_ARTICLES) != 0]
    letters = spelt.tobytes()
    bounds = zip(starts[places].tolist(), ends[places + 1].tolist(), strict=True)
    return places, [letters[start:end].decode("utf-8", "replace") for start, end in bounds]


@kernel
def often(row: Ints, terms: Ints, least: int) -> Bytes:
    """Whether so many documents hold each of the terms."""
    found = np.zeros(len(terms), np.uint8)
    for i in range(len(terms)):
        found[i] = entry(row, terms[i])[1] >= least
    return found


@kernel
def weigh(row: Ints, terms: Ints, weights: Ints) -> Array:
    """The sum of the weights of the documents of each term."""
    totals = np.zeros(len(terms), np.int64)
    docs = np.empty(row[DOCS], np.int64)
    for i in range(len(terms)):
        for place in range(documents(row, terms[i], docs)):
            totals[i] += weights[docs[place]]
    return totals
