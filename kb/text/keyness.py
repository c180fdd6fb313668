"""Which words are more frequent in a part than in the rest, and how surely. Pure.

The measure is the log-likelihood ratio G² of the table of two rows and two columns (Dunning 1993, "Accurate Methods for the
Statistics of Surprise and Coincidence", Computational Linguistics 19:1; for comparing corpora Rayson & Garside 2000,
"Comparing Corpora using Frequency Profiling"), here of articles that hold a word, not of how often they say it: one long
article must not make a word frequent. SURE is the value that Rayson, Berridge & Francis (2004) advise, p < 0.0001. How sure
a difference is says nothing of how large it is (Hardie 2014, "Log Ratio"): what is SHARPLY more frequent comes first, for
总书记 is surely more frequent in most topics of this field, and tells little of any.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

SURE = 15.13
SHARPLY = 8  # times as frequent as in the rest: a log ratio of 3
NOTABLY = 2  # times; less is not told
MOST_OF = 0.5  # a longer phrase stands for a shorter one where it is in so much of its articles


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that are frequent in a part of the library."""

    words: str  # 深度融合
    articles: int  # of the part that hold them
    everywhere: int  # of the library, the part included
    keyness: float  # G²
    times: float  # as frequent as in the rest; of what is in none of the rest as if it were in one


def keyness(inside: int, of_inside: int, outside: int, of_outside: int) -> float:
    """G² of `inside` of `of_inside` against `outside` of `of_outside`; negative where it is less frequent inside."""
    rows = ((inside, of_inside - inside), (outside, of_outside - outside))
    both = max(of_inside + of_outside, 1)
    columns = (inside + outside, both - inside - outside)
    cells = (
        (seen, of * column / both)
        for row, of in zip(rows, (of_inside, of_outside), strict=True)
        for seen, column in zip(row, columns, strict=True)
    )
    ratio = 2 * sum(seen * math.log(seen / expected) for seen, expected in cells if seen)
    return ratio if inside * of_outside >= outside * of_inside else -ratio


def telling(
    words: Iterable[tuple[str, int, int]],
    articles: int,
    everywhere: int,
    most: int,
    known: Collection[str] = (),
) -> list[Phrase]:
    """The phrases that tell a part from the rest, the surest first.

    `words`: each with how many articles of the part and of all hold it, of `articles` and `everywhere`. What stands in one of
    the `known` texts is left out. Of phrases one of which holds the other there is one.
    """
    rest = everywhere - articles
    weighed = (_weighed(one, articles, rest) for one in words if not any(one[0] in text for text in known))
    sure = [one for one in weighed if one.keyness >= SURE and one.times >= NOTABLY]
    chosen: list[Phrase] = []
    for one in sorted(sure, key=_order):
        near = [
            place
            for place, other in enumerate(chosen)
            if one.words in other.words or other.words in one.words
        ]
        if not near and len(chosen) < most:
            chosen.append(one)
        elif len(near) == 1 and _stands_for(one, chosen[near[0]]):
            chosen[near[0]] = one
    return sorted(chosen, key=_order)


def _weighed(counted: tuple[str, int, int], articles: int, rest: int) -> Phrase:
    word, inside, among = counted
    outside = among - inside
    times = (inside / max(articles, 1)) / (max(outside, 1) / max(rest, 1))
    return Phrase(word, inside, among, keyness(inside, articles, outside, rest), times)


def _order(phrase: Phrase) -> tuple[bool, float, str]:
    return phrase.times < SHARPLY, -phrase.keyness, phrase.words


def _stands_for(longer: Phrase, shorter: Phrase) -> bool:
    return shorter.words in longer.words and longer.articles >= MOST_OF * shorter.articles
