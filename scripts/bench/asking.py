"""Every engine asked every query in turn, and every answer of kb's held against the exhaustive scan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import measure
import numpy as np
from checking import Reference, same, same_found, sane, some_of
from kb_index import Kb
from peers import Question

from kb.model import Page

SLOW_PASSES = 2  # of slow peers: the one that warms up, and one
STORED_IDS, HITS_ONLY = "tantivy_stored_ids", "tantivy_hits_only"  # the same index, timed only

Result = dict[str, Any]
Classes = dict[str, list[Question]]


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


class Exact:
    """Counts answers that were checked, and those that differ; each of these is told on stderr."""

    def __init__(self) -> None:
        self.queries = self.differences = 0

    def note(self, is_same: bool, what: str, question: Question) -> None:
        self.queries += 1
        if not is_same:
            self.differences += 1
            say(f"DIFFERENT {what} {question.kind} {' '.join(question.words)}")


class Odd:
    """Counts answers of peers that cannot be right (checking.sane)."""

    def __init__(self, names: Sequence[str]) -> None:
        self.counts = {name: {"answers": 0, "odd": 0} for name in names}

    def note(self, name: str, is_sane: bool) -> None:
        self.counts[name]["answers"] += 1
        self.counts[name]["odd"] += not is_sane


def best_of_all_engines(
    kb: Kb, opened: dict[str, Any], classes: Classes, passes: int, reference: Reference, exact: Exact, odd: Odd
) -> Result:  # fmt: skip
    """Figures of every class: the ten best ids from a list of terms. `opened`: the peers."""
    asks = {"kb": kb.best} | {name: peer.ask for name, peer in opened.items()}
    if "tantivy" in opened:
        asks[STORED_IDS] = opened["tantivy"].ask_stored
        asks[HITS_ONLY] = opened["tantivy"].hits
    counts = dict.fromkeys(asks, 1 + passes)
    counts |= {name: min(SLOW_PASSES, 1 + passes) for name, peer in opened.items() if peer.is_slow}
    figures: Result = {}
    for name, some in classes.items():
        say(f"{name}: {len(some)} queries{' with bigrams' if some[0].grams else ''}")
        check = _check_best(some, reference, exact, odd)
        figures[name] = measure.interleaved(asks, some, counts, check)
    return figures


def _check_best(
    some: Sequence[Question], reference: Reference, exact: Exact, odd: Odd
) -> Callable[[str, int, Any], None]:
    right = [reference.best(one) for one in some]
    first: dict[Any, Any] = {}

    def check(engine: str, number: int, answer: Any) -> None:
        question = some[number]
        known = first.setdefault((engine, number), answer)
        if engine == "kb" and known is not answer and known != answer:
            exact.note(False, "best, asked again", question)
        if known is not answer or engine in (STORED_IDS, HITS_ONLY):
            return
        if engine == "kb":
            ids, scores = answer
            exact.note(same(ids, scores, right[number]), "best", question)
        elif not question.grams:
            odd.note(engine, sane(engine, question, answer, right[number], reference.matches(question)))

    return check


def finding(kb: Kb, classes: Classes, passes: int, reference: Reference, exact: Exact) -> Result:
    """Figures of Engine.find: the exact total, and where dated, only between two days, with counts of newspapers and years."""
    since, until = _middle_days(reference.published)
    where = (reference.published >= _number(since)) & (reference.published <= _number(until))
    plain, dated = Page(), Page(since=since, until=until, facets=("newspaper", "year"))
    asks: dict[str, measure.Ask] = {
        "words_best": lambda question: kb.best(question[0]),
        "words_dated": lambda question: kb.find_words(question[0], dated),
        "both_plain": lambda question: kb.find(question[1], plain),
        "both_dated": lambda question: kb.find(question[1], dated),
    }
    figures: Result = {}
    for name, some in classes.items():
        say(f"find, {name}: {len(some)} queries")
        pairs = [(one._replace(grams=()), one) for one in some]
        check = _check_find(pairs, where, reference, exact)
        figures[name] = measure.interleaved(asks, pairs, dict.fromkeys(asks, 1 + passes), check)
    return {"since": since, "until": until, "classes": figures}


def _check_find(
    pairs: Sequence[tuple[Question, Question]], where: Any, reference: Reference, exact: Exact
) -> Callable[[str, int, Any], None]:
    first: dict[Any, Any] = {}

    def check(kind: str, number: int, answer: Any) -> None:
        if kind == "words_best":
            return  # checked before
        words, both = pairs[number]
        known = first.setdefault((kind, number), answer)
        if known is not answer:
            if known != answer:
                exact.note(False, f"find, {kind}, asked again", both)
            return
        among = where if kind.endswith("dated") else None
        if kind == "words_dated":
            right, mask = reference.find_words(words, among)
            is_right = same_found(answer, right, reference.facets(mask))
        else:
            matches, mask = reference.find(both, among)
            is_right = some_of(answer, matches, reference.facets(mask) if among is not None else {})
        exact.note(is_right, f"find, {kind}", both)

    return check


def _middle_days(published: Any) -> tuple[str, str]:
    """Two days between which lie four of ten of the dated articles."""
    known = np.sort(published[published > 0])
    if not len(known):
        return "0001-01-01", "9999-12-31"
    first, last = (f"{known[int(len(known) * part)]:08d}" for part in (0.3, 0.7))
    return f"{first[:4]}-{first[4:6]}-{first[6:]}", f"{last[:4]}-{last[4:6]}-{last[6:]}"


def _number(day: str) -> int:
    return int(date.fromisoformat(day).strftime("%Y%m%d"))
