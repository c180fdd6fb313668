"""USE CASE  Formulations (提法) -> where and when each stands in the library: first, last, by month, how written, with what.

A formulation stands in an article where one of its occurrences stands by itself, as kb.text.formulation judges. What is hidden
from who asks is in none of the numbers, neither above nor below a fraction line.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from kb.errors import EngineDownError, QueryError, TooSlowError
from kb.model import Hidden, Run
from kb.search import Search
from kb.store.db import reading
from kb.store.texts import Text, texts
from kb.text.formulation import QUOTES, Borders, Companion, Finder, Place, companions, sentence
from kb.text.normalize import fold

MOST = 4  # side by side
SHORTEST, LONGEST = 2, 40  # characters of one, folded
SAMPLE = 40  # articles that companions are looked for in, spread over all of them
COMPANIONS = 12
EVERY = 10**9  # articles: all there are
PER = 1000  # articles that a share is told of
CHECK_EVERY = 100  # articles read between two looks at the clock
BETWEEN = "。"  # the texts of an article in one: no occurrence reaches over it, and no word around one


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place in an article."""

    article_id: int  # 812
    title: str
    source: str
    newspaper: str | None
    published: str | None  # 2023-08-02
    edition_page: str | None  # "07"
    anchor: str | None  # b3fa91c02, the block; None: title, kicker or subtitle
    sentence: tuple[Run, ...]  # the formulation is marked


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which a formulation is written."""

    written: str  # “两个确立”
    articles: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Occurrences that were cut out of a longer word."""

    word: str  # 党规党纪, which begins before the formulation or ends behind it
    occurrences: int
    articles: int
    example: Occurrence  # the earliest of them


@dataclass(frozen=True, slots=True)
class Formulation:
    """What is known of one formulation."""

    text: str  # as typed
    articles: int  # that have it
    occurrences: int
    first: Occurrence | None  # by date; None where it is in no article with a known date
    last: Occurrence | None
    months: Mapping[
        str, int
    ]  # {"2023-08": 12}: articles that have it; "" with an unknown date; without noughts
    forms: tuple[Form, ...]  # the most frequent first
    companions: tuple[Companion, ...]  # the surest first
    rejected: tuple[Rejected, ...]  # the most frequent first
    only_rejected: int  # articles in which it has nothing but rejected occurrences


@dataclass(frozen=True, slots=True)
class Traced:
    """Formulations side by side."""

    formulations: tuple[Formulation, ...]
    coverage: Mapping[
        str, int
    ]  # {"2023-08": 3520}: articles of the library; "" unknown dates; a month that is not there: none
    took_ms: float

    def share(self, formulation: Formulation, month: str) -> float | None:
        """Articles with it of each 1,000 of a month; None where the library has nothing."""
        articles = self.coverage.get(month, 0)
        return formulation.months.get(month, 0) * PER / articles if articles else None


def trace(search: Search, wanted: Sequence[str], *, hidden: Hidden) -> Traced:
    """Each of the formulations, in their order; the same typed twice is one.

    Raises QueryError("formulation.…") for what is none, EngineDownError, TooSlowError after the time of one query.
    """
    started = time.perf_counter()
    asked = checked(wanted)
    ends = started + search.query_seconds if search.query_seconds else None
    found = tuple(_traced(search, one, hidden, ends) for one in asked)
    coverage = search.coverage(hidden=hidden)
    return Traced(found, coverage, round((time.perf_counter() - started) * 1000, 1))


def checked(wanted: Sequence[str]) -> list[str]:
    """What was typed, without blanks and repetitions. Raises QueryError."""
    asked: dict[str, str] = {}
    for text in wanted:
        bare = text.translate(dict.fromkeys(map(ord, QUOTES))).strip()
        if not bare:
            continue
        size = len(fold(bare[: LONGEST * 4]))
        if size < SHORTEST:
            raise QueryError("formulation.too_short", text=bare, least=SHORTEST)
        if size > LONGEST:
            raise QueryError("formulation.too_long", length=len(bare), limit=LONGEST)
        asked.setdefault(fold(bare), bare)
    if not asked:
        raise QueryError("formulation.empty")
    if len(asked) > MOST:
        raise QueryError("formulation.too_many", count=len(asked), limit=MOST)
    return list(asked.values())


# --- one formulation ------------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """An occurrence with its article."""

    text: Text
    place: Place  # in all its pieces, with BETWEEN
    crossing: str | None  # the word that it is cut out of

    @property
    def order(self) -> tuple[str, int]:
        return self.text.published or "9999", self.text.id

    def within(self) -> tuple[str | None, str, Place]:
        """The anchor and the text of its piece, and its place in there."""
        begin = 0
        for anchor, piece in self.text.pieces():
            if self.place.start < begin + len(piece):
                place = self.place._replace(start=self.place.start - begin, end=self.place.end - begin)
                return anchor, piece, place
            begin += len(piece) + len(BETWEEN)
        raise LookupError(f"article {self.text.id} has no text at {self.place.start}")


@dataclass(slots=True)
class _Rejections:
    """Of one word."""

    earliest: _Seen
    occurrences: int = 0
    articles: int = 0


class _Trace:
    """What is found of one formulation while articles are read."""

    def __init__(self, finder: Finder, borders: Borders) -> None:
        self.finder, self.borders = finder, borders
        self.occurrences = self.only_rejected = 0
        self.months, self.forms = Counter[str](), Counter[str]()
        self.rejected: dict[str, _Rejections] = {}
        self.first: _Seen | None = None
        self.last: _Seen | None = None

    def read(self, text: Text) -> bool:
        """Take in an article; whether the formulation stands in it."""
        seen = self._seen(text)
        standing = [one for one in seen if one.crossing is None]
        self._reject([one for one in seen if one.crossing is not None])
        if not standing:
            self.only_rejected += bool(seen)
            return False
        self.occurrences += len(standing)
        self.months[(text.published or "")[:7]] += 1
        self.forms.update({one.place.written for one in standing})
        if text.published:
            if self.first is None or standing[0].order < self.first.order:
                self.first = standing[0]
            if self.last is None or standing[0].order > self.last.order:
                self.last = standing[0]
        return True

    def _seen(self, text: Text) -> list[_Seen]:
        """The occurrences in an article. It is gone through in every script and width only where the quick look shows none that
        stands, and a character could be part of one."""
        whole = BETWEEN.join(piece for _, piece in text.pieces())
        quick = self._in(text, self.finder.quickly(whole))
        if any(one.crossing is None for one in quick) or not self.finder.may_be_elsewhere(whole):
            return quick
        return self._in(text, self.finder.everywhere(whole))

    def _in(self, text: Text, places: Iterable[Place]) -> list[_Seen]:
        return [_Seen(text, place, self.borders.crossing(place)) for place in places]

    def _reject(self, seen: list[_Seen]) -> None:
        for one in seen:
            known = self.rejected.setdefault(one.crossing or "", _Rejections(one))
            known.occurrences += 1
            if one.order < known.earliest.order:
                known.earliest = one
        for word in {one.crossing or "" for one in seen}:
            self.rejected[word].articles += 1


def _traced(search: Search, text: str, hidden: Hidden, ends: float | None) -> Formulation:
    if search.segmenter is None:
        raise EngineDownError("index.missing")
    finder = Finder(text)
    trace = _Trace(finder, Borders(finder.folded, search.segmenter))
    # As a literal: quoted, without equal names, in the order of ids.
    found = search.matches(f"“{finder.folded}”", exact=True, hidden=hidden, sort="added", limit=EVERY)
    having: list[Text] = []
    with reading(search.database) as connection:
        for number, one in enumerate(texts(connection, found.ids, hidden=hidden)):
            if number % CHECK_EVERY == 0 and ends is not None and time.perf_counter() > ends:
                raise TooSlowError("search.too_slow", seconds=search.query_seconds)
            if trace.read(one):
                having.append(one)
    return Formulation(
        text=text,
        articles=len(having),
        occurrences=trace.occurrences,
        first=None if trace.first is None else _occurrence(trace.first),
        last=None if trace.last is None else _occurrence(trace.last),
        months=dict(sorted(trace.months.items())),
        forms=tuple(Form(*pair) for pair in trace.forms.most_common()),
        companions=_companions(trace, search, having),
        rejected=_rejected(trace),
        only_rejected=trace.only_rejected,
    )


def _rejected(trace: _Trace) -> tuple[Rejected, ...]:
    found = (
        Rejected(word, one.occurrences, one.articles, _occurrence(one.earliest))
        for word, one in trace.rejected.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.occurrences, one.word)))


def _occurrence(seen: _Seen) -> Occurrence:
    content = seen.text.content
    anchor, piece, place = seen.within()
    return Occurrence(
        article_id=seen.text.id,
        title=content["title"],
        source=seen.text.source,
        newspaper=content["newspaper"],
        published=seen.text.published,
        edition_page=content["edition_page"],
        anchor=anchor,
        sentence=sentence(piece, place),
    )


def _companions(trace: _Trace, search: Search, having: Sequence[Text]) -> tuple[Companion, ...]:
    """Of a sample of the articles, spread evenly over their dates."""
    if search.segmenter is None:
        return ()
    having = sorted(having, key=lambda one: (one.published or "9999", one.id))
    step = max(len(having) / SAMPLE, 1)
    sample = (having[int(place * step)] for place in range(min(len(having), SAMPLE)))
    pieces = [piece for text in sample for _, piece in text.pieces()]
    return tuple(companions(pieces, trace.finder.folded, search.segmenter, COMPANIONS))


def record(traced: Traced) -> dict[str, Any]:
    """As JSON: what `kb formulation --json`, /formulations.json and the API give."""
    return {
        "formulations": [
            {
                "text": one.text,
                "articles": one.articles,
                "occurrences": one.occurrences,
                "first": one.first and _occurrence_record(one.first),
                "last": one.last and _occurrence_record(one.last),
                "months": [
                    {"month": month, "articles": count, "share": _rounded(traced.share(one, month))}
                    for month, count in one.months.items()
                    if month
                ],
                "undated": one.months.get("", 0),
                "forms": [asdict(form) for form in one.forms],
                "companions": [asdict(companion) for companion in one.companions],
                "rejected": [
                    {**asdict(word), "example": _occurrence_record(word.example)} for word in one.rejected
                ],
                "only_rejected": one.only_rejected,
            }
            for one in traced.formulations
        ],
        "coverage": [
            {"month": month, "articles": count} for month, count in sorted(traced.coverage.items()) if month
        ],
        "undated": traced.coverage.get("", 0),
        "per": PER,
        "took_ms": traced.took_ms,
    }


def _occurrence_record(one: Occurrence) -> dict[str, Any]:
    """With its sentence as text, and where in it the formulation stands, in characters."""
    before = next((len(run.text) for run in one.sentence[:1] if not run.matched), 0)
    marked = next((run.text for run in one.sentence if run.matched), "")
    words = "".join(run.text for run in one.sentence)
    return {**asdict(one), "sentence": words, "start": before, "end": before + len(marked)}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 2)


COLUMNS = ("提法", "月份", "有此提法的篇数", "当月全部篇数", "每千篇")


def rows(traced: Traced) -> Iterator[dict[str, Any]]:
    """The table by month, for CSV: every month from the first to the last that the library has anything of, then unknown dates.

    A month of which the library has nothing has an empty share, not nought.
    """
    for one in traced.formulations:
        for month in (*every_month(traced.coverage), ""):
            held, share = traced.coverage.get(month, 0), traced.share(one, month)
            if month or held:
                told = "" if share is None else f"{share:.2f}"
                values = (one.text, month or "日期不详", one.months.get(month, 0), held, told)
                yield dict(zip(COLUMNS, values, strict=True))


def every_month(coverage: Mapping[str, int]) -> list[str]:
    """Each month from the first of the library to its last, also those of which it has nothing."""
    known = sorted(month for month in coverage if month)
    if not known:
        return []
    first, last = (int(one[:4]) * 12 + int(one[5:7]) - 1 for one in (known[0], known[-1]))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]
