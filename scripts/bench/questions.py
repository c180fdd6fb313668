"""Queries of six classes, made of the words of the documents themselves (see docs/benchmarks.md)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from peers import Question
from texts import lines, segmenter

from kb.engine.tokens import grams_of, union
from kb.text.segment import Segmenter

SAMPLE = 3_000  # documents that queries are made from
COMMON = 200  # the commonest words of the sample
TRIES = 100  # for every query wanted; a small corpus has fewer than are wanted
KINDS = {"one": "any", "and": "all", "or": "any", "nl": "any", "phrase": "phrase", "hot": "any"}


class Sampled(NamedTuple):
    """The words of a document that queries are made of, longer than one character and cut whole when they stand alone."""

    title: list[str]  # and, when the title has fewer than five of them, of the text after it
    pairs: list[list[str]]  # runs of two or three words of two characters each that touch


def classes(path: Path, docs: int, queries: int, seed: int) -> dict[str, list[Question]]:
    """Up to `queries` different ones of each class; always the same for the same documents and seed."""
    pick = random.Random(seed)  # noqa: S311 - the same queries every time, not a secret
    chosen = set(pick.sample(range(docs), min(docs, SAMPLE)))
    cut = segmenter()
    sample, held = [], Counter[str]()
    for number, line in enumerate(lines(path)):
        if number in chosen:
            sampled, words = _sampled(json.loads(line)["texts"], cut)
            held.update(words)
            sample.append(sampled)
    common = [word for word, _ in sorted(held.items(), key=lambda item: (-item[1], item[0]))[:COMMON]]
    makers = _makers(sample, common, pick)
    return {
        name: [Question(KINDS[name], words) for words in _different(make, queries)]
        for name, make in makers.items()
    }


def with_grams(question: Question) -> Question:
    """The same with the bigrams of its words."""
    return question._replace(grams=union(grams_of(word) for word in question.words))


def _sampled(texts: list[tuple[list[str], str]], cut: Segmenter) -> tuple[Sampled, set[str]]:
    cuts = [(place == 0, cut.words(text)) for place, (fields, text) in enumerate(texts) if "grams" in fields]
    whole = {word for _, words in cuts for word in words if len(word) > 1 and cut.words(word) == [word]}
    title = [word for is_title, words in cuts if is_title for word in words if word in whole]
    more = [word for is_title, words in cuts if not is_title for word in words[:25] if word in whole]
    title = list(dict.fromkeys(title if len(set(title)) > 4 else title + more))
    pairs = [list(pair) for _, words in cuts for pair in pairwise(words)]
    pairs += [words[at : at + 3] for _, words in cuts for at in range(len(words) - 2)]
    runs = [run for run in pairs if all(len(word) == 2 and word in whole for word in run)]
    return Sampled(title, runs), whole


def _makers(
    sample: list[Sampled], common: list[str], pick: random.Random
) -> dict[str, Callable[[], tuple[str, ...]]]:
    def title(least: int, most: int) -> list[str]:
        words = pick.choice(sample).title
        count = pick.randint(least, most)
        return pick.sample(words, count) if len(words) >= count else []

    def phrase() -> tuple[str, ...]:
        runs = pick.choice(sample).pairs
        return tuple(pick.choice(runs)) if runs else ()

    def question() -> tuple[str, ...]:
        words = title(4, 5)
        return union((words, pick.sample(common, min(len(common), pick.randint(3, 4))))) if words else ()

    return {
        "one": lambda: tuple(title(1, 1)),
        "and": lambda: tuple(title(2, 4)),
        "or": lambda: tuple(title(3, 4)),
        "nl": question,
        "phrase": phrase,
        "hot": lambda: tuple(pick.sample(common, min(len(common), 3))),
    }


def _different(make: Callable[[], tuple[str, ...]], count: int) -> Iterator[tuple[str, ...]]:
    seen: set[tuple[str, ...]] = set()
    for _ in range(count * TRIES):
        made = make()
        if made and made not in seen:
            seen.add(made)
            yield made
        if len(seen) == count:
            return
