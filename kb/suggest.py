"""USE CASE  What is being typed -> suggestions; what found nothing -> 您要找的是; what was found -> 相关检索.

The tables are made in the background of the serving process and made again when the store or the index has moved on. They
are made of what everybody may see; nothing that is hidden from who types is shown. They take about 200 bytes a title, 20 MiB at 100,000 articles, twice that while they are replaced, and no more than TITLES
titles; the readings of characters take 45 MiB.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

from kb.engine.tree import Every, Term, Value
from kb.errors import EngineDownError, KbError
from kb.model import (
    NAME_FIELDS,
    NOTHING_HIDDEN,
    And,
    Filters,
    Hidden,
    Node,
    Or,
    Page,
    Phrase,
    Results,
    Scope,
    Word,
)
from kb.search import Search
from kb.store import articles, limits, titles, words
from kb.store.db import reading
from kb.text.completion import Table, table
from kb.text.correction import Vocabulary, vocabulary
from kb.text.normalize import fold

log = logging.getLogger(__name__)

Kind = Literal["term", "newspaper", "author", "title"]
Item = TypeVar("Item")

MOST = 10
SHARES: dict[Kind, int] = {"term": 4, "newspaper": 2, "author": 2, "title": MOST}  # where all have many
TITLES = 300_000  # the newest; older ones are found by searching
TYPED_CHARS = 60  # nobody types a longer one to have it completed
FIRST_SECONDS = 3.0  # that the first of all requests waits for its tables
LOOK_SECONDS = 2.0  # between two looks at whether they are still right
REST = 20  # times as long as making the tables took passes before they are made again
LEAST_ARTICLES = 2  # that hold a word of the index: what one alone holds may be a typing error itself
WORDS = 150_000  # the most frequent
GUESSES = 3  # that are shown
RELATED = 6
LOOKED_AT = 8  # words of a query that are looked up, whether anything has them
DOUBTED = 3  # of those that nothing has, for which others are looked for
TRIED = 12  # candidates that are searched for
STEP_SECONDS = 0.004  # of work in the background, after which requests get as long for theirs


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line under the search box."""

    text: str  # 党建业务深度融合
    kind: Kind
    article_id: int | None = None  # of a title


@dataclass(frozen=True, slots=True)
class Tables:
    """What was made of one state of the store and the index; never changed afterwards."""

    tables: dict[Kind, Table]
    ids: array[int]  # the article of each title

    def texts(self, kind: Kind) -> list[str]:
        return self.tables[kind].shown.string[1:-1].split("\n")

    def find(self, typed: str) -> list[Suggestion]:
        """At most MOST, kinds together, each from the best: begins so before holds it, frequent before rare, short before long."""
        found = {kind: self._of_kind(kind, made, typed) for kind, made in self.tables.items()}
        shares = {kind: some[: SHARES[kind]] for kind, some in found.items()}
        for kind, some in found.items():
            room = MOST - sum(map(len, shares.values()))
            if room > 0:
                shares[kind] += some[len(shares[kind]) :][:room]
        return [one for some in shares.values() for one in some][:MOST]

    def _of_kind(self, kind: Kind, made: Table, typed: str) -> list[Suggestion]:
        places = made.find(typed, 2 * MOST if kind == "title" else MOST)
        if kind != "title":
            return [Suggestion(made.shown.text(place), kind) for place in places]
        # Copies of an article have one title; the newest, which stands first, is shown.
        by_text = {made.chars.text(place): place for place in reversed(places)}
        kept = set(by_text.values())
        return [
            Suggestion(made.shown.text(one), kind, self.ids[one]) for one in places if one in kept
        ][:MOST]  # fmt: skip


NOTHING = Tables({}, array("q"))


@dataclass(slots=True)
class Suggester:
    """Holds the newest tables; safe to share between threads."""

    search: Search
    _tables: Tables = NOTHING
    _terms: Vocabulary | None = None  # of the field
    _words: Vocabulary | None = None  # these and the words of the index
    # What was hidden from everybody, and what they were made of: store and index by number, the lexicon, the search.
    _state: tuple[Hidden, *tuple[object, ...]] = (NOTHING_HIDDEN,)
    _look_at: float = 0.0  # when to look again, by the monotonic clock
    _making: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _work: threading.Lock = field(default_factory=threading.Lock)  # held while tables are made

    def use(self, search: Search) -> None:
        """Ask another search from now on."""
        self.search = search
        self._look_at = 0.0

    def find(self, typed: str, *, hidden: Hidden = NOTHING_HIDDEN) -> list[Suggestion]:
        """Suggestions for what was typed. The first of all calls waits a little for the tables."""
        thread = self._follow()
        if thread is not None and self._tables is NOTHING:
            thread.join(FIRST_SECONDS)
        return self._shown(self._tables.find(typed), hidden) if len(typed) <= TYPED_CHARS else []

    def _shown(self, found: list[Suggestion], hidden: Hidden) -> list[Suggestion]:
        """Without what was withdrawn or hidden since the tables were made."""
        ids = {one.article_id for one in found if one.article_id is not None}
        if ids:
            with reading(self.search.database) as connection:
                gone = ids - articles.shown(connection, ids, hidden=hidden)
            found = [one for one in found if one.article_id not in gone]
        return [one for one in found if hidden.is_empty or self._is_seen(one, hidden)]

    def _is_seen(self, one: Suggestion, hidden: Hidden) -> bool:
        """Whether some article that is not hidden has this name. Terms of the field come from the lexicon."""
        if one.kind not in ("newspaper", "author"):
            return True
        try:
            page = Page(limit=0, hidden=hidden)
            return self.search.engine.find_tree(Value(one.kind, frozenset((one.text,))), page).total > 0
        except EngineDownError:
            return False

    def meant(
        self, results: Results, scope: Scope, *, hidden: Hidden = NOTHING_HIDDEN
    ) -> tuple[tuple[str, int], ...]:
        """What was probably meant by a query that nothing has all of, and how many articles have each, best first.

        What stands in any text is never doubted. Where the parts of a word are found, only apart from each other, it is
        doubted only when a term of the field is near it.
        """
        if self._words is None or self._terms is None:
            return ()
        typed = _typed_words(results.query.root)
        if results.total and not results.fallback:
            near = {one: self._terms.instead_of(one) for one in typed}
            meant = {
                one: others for one, others in near.items() if others and not self._count(f"“{one}”", hidden)
            }
        else:
            doubted = (
                typed
                if len(typed) == 1
                else [one for one in typed[:LOOKED_AT] if not self._count(one, hidden)]
            )
            meant = {one: self._words.candidates(one) for one in doubted[:DOUBTED]}
        pairs = [(one, other) for one, others in meant.items() for other in others]
        guesses = [
            results.query.text.replace(one, other, 1)
            for one, other in pairs[:TRIED]
            if self._is_said(other, hidden)
        ]
        counted = ((text, self._count(text, hidden, results.filters, scope)) for text in guesses)
        return tuple(islice((pair for pair in counted if pair[1]), GUESSES))

    def related(self, results: Results) -> list[str]:
        """Terms of the field that stand in the titles and passages of these hits, the most telling first."""
        self._follow()
        asked = fold(results.query.text)
        texts = [fold(hit.title + "".join(run.text for run in hit.snippet)) for hit in results.hits]
        everything = "\n".join(texts)
        weighed = []
        # From the most frequent term to the rarest, so the place tells how telling one is.
        for place, term in enumerate(self._terms.words if self._terms else ()):
            if term in everything and term not in asked:
                often = sum(term in text for text in texts)
                weighed.append((often * math.log(2 + place), term))
        return [term for _, term in sorted(weighed, reverse=True)[:RELATED]]

    def refresh(self) -> None:
        """Make the tables anew, if the store or the index has moved on."""
        with self._work:
            self._refresh()

    def _refresh(self) -> None:
        began = time.monotonic()
        state = self._present_state()
        if state != self._state:
            self._tables = make(self.search, hidden=state[0])
            self._terms = vocabulary(fold(one) for one in self._tables.texts("term"))
            self._words = vocabulary(unhurried(_vocabulary(self.search, self._terms.words)))
            self._state = state
        now = time.monotonic()
        self._look_at = now + max(LOOK_SECONDS, REST * (now - began))

    def _is_said(self, word: str, hidden: Hidden) -> bool:
        """Whether it is a term of the field, or stands in a text as a whole."""
        return (self._terms is not None and word in self._terms.words) or self._count(f"“{word}”", hidden) > 0

    def _count(self, text: str, hidden: Hidden, filters: Filters | None = None, scope: Scope = "all") -> int:
        """How many articles a guess would find; none, where it cannot be asked for."""
        try:
            return self.search.count(text, filters=filters, scope=scope, hidden=hidden)
        except KbError:
            return 0

    def _follow(self) -> threading.Thread | None:
        """The thread that is making tables; a new one when it is time to look."""
        with self._lock:
            if self._making is not None and self._making.is_alive():
                return self._making
            self._making = None
            if time.monotonic() >= self._look_at:
                self._making = threading.Thread(target=self._refresh_or_tell, name="suggest", daemon=True)
                self._making.start()
            return self._making

    def _refresh_or_tell(self) -> None:
        try:
            self.refresh()
        except KbError as error:
            log.warning("suggest.not_ready", extra={"key": error.key})
        except Exception:
            log.exception("suggest.failed")
        finally:
            self._look_at = max(self._look_at, time.monotonic() + LOOK_SECONDS)

    def _present_state(self) -> tuple[Hidden, *tuple[object, ...]]:
        with reading(self.search.database) as connection:
            seq, lexicon = articles.latest_seq(connection), words.versions(connection).lexicon
            hidden = limits.hidden(connection, ())
        made_with = self.search.segmenter and self.search.segmenter.fingerprint
        return hidden, seq, _indexed_seq(self.search), lexicon, made_with


def make(search: Search, *, hidden: Hidden = NOTHING_HIDDEN) -> Tables:
    """The tables of the present state. An index that is away leaves out newspapers and authors."""
    with reading(search.database) as connection:
        terms = words.lexicon(connection).words
    names = _names(search, hidden)
    counts = _term_counts(search, terms, hidden)
    ordered = sorted(terms, key=lambda term: (-counts.get(term, 0), len(term), term))
    tables: dict[Kind, Table] = {
        "term": table(unhurried(ordered)),
        "newspaper": table(unhurried(names.get("newspaper", ()))),
        "author": table(unhurried(names.get("author", ()))),
    }
    ids = array("q")
    with reading(search.database) as connection:
        tables["title"] = table(unhurried(_noted(titles.by_length(connection, TITLES, hidden=hidden), ids)))
    return Tables(tables, ids)


def _noted(rows: Iterable[tuple[int, str]], ids: array[int]) -> Iterator[str]:
    """The titles; the articles that they are of are added to `ids`."""
    for article_id, title in rows:
        ids.append(article_id)
        yield title


def _vocabulary(search: Search, terms: Sequence[str]) -> Iterator[str]:
    """The terms of the field, then the words of the index, from frequent to rare."""
    yield from terms
    known = set(terms)
    try:
        words = sorted(unhurried(search.engine.words(LEAST_ARTICLES)), key=lambda one: (-one[1], one[0]))
    except EngineDownError:
        return
    yield from (word for word, _ in words[:WORDS] if word not in known)


def _typed_words(node: Node) -> list[str]:
    """The words and phrases that must be in a text, as typed; names of people and papers are never doubted."""
    match node:
        case Word() | Phrase():
            return [] if node.field in NAME_FIELDS else [node.text]
        case And() | Or():
            return [text for part in node.parts for text in _typed_words(part)]
    return []


def unhurried(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with a pause for others after every few milliseconds."""
    until = time.perf_counter() + STEP_SECONDS
    for item in items:
        yield item
        if time.perf_counter() > until:
            time.sleep(STEP_SECONDS)
            until = time.perf_counter() + STEP_SECONDS


def _term_counts(search: Search, terms: Iterable[str], hidden: Hidden) -> dict[str, int]:
    """How many articles have each term as a word."""
    try:
        page = Page(limit=0, hidden=hidden)
        return {
            term: search.engine.find_tree(Term("text", fold(term)), page).total for term in unhurried(terms)
        }
    except EngineDownError:
        return {}


def _names(search: Search, hidden: Hidden) -> dict[str, list[str]]:
    """Newspapers and authors, the most frequent first, the shorter of equals."""
    try:
        page = Page(limit=0, facets=("newspaper", "author"), hidden=hidden)
        found = search.engine.find_tree(Every(), page)
    except EngineDownError:
        return {}
    return {
        facet: [name for name, _ in sorted(counts, key=lambda one: (-one[1], len(one[0]), one[0])) if name]
        for facet, counts in found.facets.items()
    }


def _indexed_seq(search: Search) -> int:
    try:
        return search.engine.indexed_seq()
    except EngineDownError:
        return -1
