"""USE CASE  What was typed -> one page of results: matches, texts, passages, facets."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.engine import Engine, generations, open_engine
from kb.engine.tree import Every, Range, Rank
from kb.errors import EngineDownError, TooSlowError
from kb.hits import hit_of, other_texts
from kb.model import (
    NOTHING_HIDDEN,
    SHOWN_STATUSES,
    And,
    Filters,
    Found,
    HeldWords,
    Hidden,
    Hit,
    InTopic,
    Mark,
    Match,
    Page,
    Query,
    Relaxed,
    Results,
    Scope,
    Sort,
    StoredArticle,
    Topic,
)
from kb.query import parse
from kb.rewriting import limited_to, wider, within
from kb.store import articles, topics, words
from kb.store.db import reading
from kb.store.reprints import copies
from kb.text import synonyms
from kb.text.segment import Segmenter
from kb.topic_rules import FACET, TopicRules, away

FACETS = ("newspaper", "source", "topic", "year", "month", "author", "affiliation", "edition_page")
FACET_VALUES = 300  # of one facet that are told: the most frequent, those that were chosen, and unknown
Scored = tuple[int, float]  # article id and score
DEPTH = 1000  # results that can be paged through; what lies deeper is reached by narrowing or by kb export
RELAXED = 12  # at most so many ways to find more are tried where nothing was found
RELAXED_SECONDS = 1.0  # for all of them together


def open_search(settings: Settings, database: Database) -> Search:
    """The search over a data folder. The index may be missing or unusable; `Search.problem` says so.

    An index that the lexicon has moved on from is asked with the words that it was made with.
    """
    with reading(database) as connection:
        wanted, table = words.lexicon(connection), words.synonym_table(connection)
        rules = TopicRules(topics.every(connection), table, topics.former_names(connection))
    found = made_with(settings)
    known = words.made_with(settings.index, found) if found else None
    segmenter = (known or wanted).segmenter()
    if known not in (None, wanted) and segmenter.fingerprint != found:  # of another version of kb
        segmenter = wanted.segmenter()
    engine = open_engine(settings.index, segmenter, memory_mib=settings.index_memory_mib)
    return Search(engine, database, settings.query_seconds, table, segmenter, rules)


def made_with(settings: Settings) -> str | None:
    """The fingerprint of the words that the newest index was made with; None where that cannot be known."""
    try:
        folder = generations.current(settings.index)
        if folder is None:
            return None
        with generations.held(folder):
            return str(generations.read(folder).facts["segmenter"])
    except (EngineDownError, KeyError):
        return None


@dataclass(frozen=True, slots=True)
class Search:
    """Answers queries; safe to share between threads."""

    engine: Engine
    database: Database
    query_seconds: float | None = None  # that one query may take
    synonyms: synonyms.Table = field(default_factory=dict)
    segmenter: Segmenter | None = None  # of the engine
    topics: TopicRules = field(default_factory=TopicRules)

    def find(
        self,
        text: str,
        *,
        filters: Filters | None = None,
        sort: Sort = "relevance",
        scope: Scope = "all",
        exact: bool = False,
        grouped: bool = False,
        offset: int = 0,
        limit: int = 10,
        hidden: Hidden = NOTHING_HIDDEN,
        topic: Topic | None = None,
    ) -> Results:
        """The articles that have all that was typed, or, when none has, those that have most of it first.

        `scope`: the field that what was typed without one is looked for in. `exact`: equal names are not looked for.
        `grouped`: of the copies of one text only the first, with the others told. `hidden`: what is nowhere in the answer.
        `topic`: only what it has, also as a draft; then nothing need be typed.
        Raises QueryError for a query that cannot be read, EngineDownError when the index cannot answer, TooSlowError.
        """
        started = time.perf_counter()
        filters = filters or Filters()
        page = self._page(self.topics.filters(filters), hidden)
        typed, inside = self._typed(text, scope, exact, topic), self._inside(topic)
        query = within(limited_to(typed, scope), inside)
        page = replace(
            page,
            facets=FACETS,
            most_values=FACET_VALUES,
            sort=sort,
            collapse=grouped,
            offset=offset,
            limit=max(min(limit, DEPTH - offset), 0),
        )
        found, fallback = self._found(query, page)
        more = () if fallback else self._more(query, page, found)
        whole = () if fallback else found.ids
        scored = (*zip(found.ids, found.scores, strict=True), *more)
        hits, behind = self._hits(
            query, scored, whole, grouped=grouped, hidden=hidden, gone=away(query, page)
        )
        return Results(
            query=query,
            total=found.total,
            articles=found.articles,
            grouped=grouped,
            relaxed=() if found.total and not fallback else self._relaxed(wider(typed, scope, page), inside),
            took_ms=round((time.perf_counter() - started) * 1000, 1),
            fallback="any" if fallback else None,
            hits=tuple(hit for hit in hits if hit.id in found.ids),
            partial=other_texts(hits, found.ids),
            facets=found.facets,
            sort=sort,
            filters=filters,
            offset=offset,
            stale=behind,
            expanded=synonyms.expanded(query),
        )

    def marks(self, text: str, scope: Scope = "all", *, match: Match = "all") -> tuple[Mark, ...]:
        """What of a query to mark in a text that it finds, or ("any") that its fallback finds. Raises QueryError."""
        return self.engine.marks(limited_to(self._typed(text, scope), scope), match=match)

    def count(
        self,
        text: str,
        *,
        filters: Filters | None = None,
        scope: Scope = "all",
        hidden: Hidden = NOTHING_HIDDEN,
        seconds: float = math.inf,
    ) -> int:
        """How many articles have all that was typed, told within `seconds` at most. Raises as `find` does."""
        query, page = self._asked(text, filters or Filters(), scope, hidden=hidden)
        least = min(seconds, page.seconds or math.inf)
        page = replace(page, limit=0, seconds=None if math.isinf(least) else least)
        return self.engine.find(query, page).articles

    def matches(
        self,
        text: str = "",
        *,
        filters: Filters | None = None,
        scope: Scope = "all",
        exact: bool = False,
        topic: Topic | None = None,
        hidden: Hidden = NOTHING_HIDDEN,
        **page: Any,
    ) -> Found:
        """Just what has all that was typed, as ids with the exact total: for feeds, digests and exports, at any depth.

        `page`: of kb.model.Page: sort, after, offset, limit, facets, collapse. Nothing typed, and no topic: all articles.
        Raises as `find` does.
        """
        if not text.strip() and topic is None:
            rest = self._page(self.topics.filters(filters or Filters()), hidden)
            return self.engine.find_tree(Rank(Every(), ()), replace(rest, **page))
        query, rest = self._asked(text, filters or Filters(), scope, exact=exact, hidden=hidden, topic=topic)
        return self.engine.find(query, replace(rest, **page))

    def topics_of(self, article_id: int, *, hidden: Hidden) -> list[str]:
        """The names of the shown topics that have an article, in their order; none of what is hidden or not indexed."""
        found = self._counted(FACET, Range("id", article_id, article_id), hidden)
        return [one.name for one in self.topics.on(_today()).members if one.name in found]

    def counts(self, *, hidden: Hidden) -> dict[str, int]:
        """How many articles each of the shown topics has, by name, in their order."""
        found = self._counted(FACET, Every(), hidden)
        return {one.name: found.get(one.name, 0) for one in self.topics.on(_today()).members}

    def coverage(self, *, hidden: Hidden) -> dict[str, int]:
        """How many articles the library has of each month that it has any of, the newest first: "2023-08", "" for unknown."""
        return self._counted("month", Every(), hidden)

    def held_words(self, topic: Topic, *, hidden: Hidden) -> HeldWords:
        """The longer words that articles of a topic hold, at least two, against those of the library. Raises as `find` does."""
        query, page = self._asked("", Filters(), "all", hidden=hidden, topic=topic)
        return self.engine.held_words(query, page, 2)

    def _counted(self, facet: str, among: Every | Range, hidden: Hidden) -> dict[str, int]:
        """Raises EngineDownError, TooSlowError."""
        page = replace(self._page(Filters(), hidden), facets=(facet,), limit=0)
        return dict(self.engine.find_tree(Rank(among, ()), page).facets[facet])

    def like(
        self, stored: StoredArticle, limit: int, *, hidden: Hidden = NOTHING_HIDDEN
    ) -> list[StoredArticle]:
        """The articles most like one, copies of it left out; none while the index cannot answer."""
        try:
            ids = self.engine.like(stored, limit, hidden=hidden)
        except EngineDownError:
            return []
        if not ids:
            return []
        with reading(self.database) as connection:
            found = articles.many(connection, ids, hidden=hidden)
        return [found[one] for one in ids if one in found and found[one].status in SHOWN_STATUSES]

    def get_ready(self) -> None:
        """Work out what the topics have, where that is not known for this index and day. Raises EngineDownError."""
        self.engine.get_ready(self.topics.on(_today()))

    def problem(self) -> str | None:
        """Why it cannot answer now, in Chinese; None when it can."""
        try:
            self.engine.count()
        except EngineDownError as error:
            return error.words("zh")
        return None

    def _page(self, filters: Filters, hidden: Hidden) -> Page:
        return Page(
            only=filters.only,
            without=filters.without,
            since=filters.since,
            until=filters.until,
            seconds=self.query_seconds,
            hidden=hidden,
            topics=self.topics.on(_today()),
        )

    def _asked(
        self,
        text: str,
        filters: Filters,
        scope: Scope,
        *,
        exact: bool = False,
        hidden: Hidden,
        topic: Topic | None = None,
    ) -> tuple[Query, Page]:
        """What was typed, read, within a topic; and what is asked beside it."""
        typed = self._typed(text, scope, exact, topic)
        query = within(limited_to(typed, scope), self._inside(topic))
        return query, self._page(self.topics.filters(filters), hidden)

    def _typed(self, text: str, scope: Scope, exact: bool = False, topic: Topic | None = None) -> Query:
        if topic is not None and not text.strip():
            return Query("", And(()))
        query = self.topics.meant(parse(text, _today()), _today())
        return query if exact or scope == "author" else synonyms.expand(query, self.synonyms)

    def _inside(self, topic: Topic | None) -> InTopic | None:
        if topic is None:
            return None
        return InTopic(topic.content.name, (self.topics.membership(topic, _today()),))

    def _found(self, query: Query, page: Page) -> tuple[Found, bool]:
        """The page of matches, and whether they are those of the fallback."""
        found = self.engine.find(query, page)
        if found.total:
            return found, False
        some = self.engine.find(query, page, match="any")
        return (some, True) if some.total else (found, False)

    def _more(self, query: Query, page: Page, found: Found) -> tuple[Scored, ...]:
        """What has a part of what was typed, for the rest of a first page that so little with everything does not fill."""
        if page.offset or page.sort != "relevance" or not 0 < found.total < page.limit:
            return ()
        wider = replace(page, facets=(), limit=page.limit + found.total)
        try:
            some = self.engine.find(query, wider, match="any")
        except TooSlowError:  # what has everything is an answer
            return ()
        pairs = zip(some.ids, some.scores, strict=True)
        return tuple(one for one in pairs if one[0] not in found.ids)[: page.limit - found.total]

    def _relaxed(
        self, wider: Iterable[tuple[Relaxed, Query, Page]], inside: InTopic | None
    ) -> tuple[Relaxed, ...]:
        """What each of the wider questions would find, the most first; what brings nothing is left out."""
        ends = time.monotonic() + RELAXED_SECONDS
        found: list[Relaxed] = []
        for relaxed, query, page in islice(wider, RELAXED):
            if relaxed.dropped == "rest" and any(one.dropped == "part" for one in found):
                break  # one word is the hindrance, and is known
            left = ends - time.monotonic()
            try:
                if left > 0 and (
                    total := self.engine.find(within(query, inside), replace(page, seconds=left)).total
                ):
                    found.append(replace(relaxed, total=total))
            except TooSlowError:
                break
        return tuple(sorted(found, key=lambda one: -one.total))

    def _hits(
        self,
        query: Query,
        scored: Sequence[Scored],
        whole: Collection[int],
        *,
        grouped: bool,
        hidden: Hidden,
        gone: Collection[int],
    ) -> tuple[tuple[Hit, ...], int]:
        """The hits with their texts, and how many articles wait to be indexed.

        `whole`: the articles that have everything. `gone`: those that are not told as copies either.
        """
        marks = parts = self.engine.marks(query)
        if any(one not in whole for one, _ in scored):
            parts = self.engine.marks(query, match="any")
        with reading(self.database) as connection:
            # The store has the last word: what was hidden a moment ago is not shown.
            stored = articles.many(connection, [one for one, _ in scored], hidden=hidden)
            roots = {one.reprint_of or one.id for one in stored.values()} if grouped else set()
            groups = copies(connection, sorted(roots), hidden=hidden) if roots else {}
            behind = articles.count_unindexed(connection, self.engine.indexed_seq(), hidden=hidden)
        # What was withdrawn since the index was made is no longer shown.
        shown = {one: article for one, article in stored.items() if article.status in SHOWN_STATUSES}
        hits = [
            hit_of(shown[one], score, marks if one in whole else parts, groups, gone)
            for one, score in scored
            if one in shown
        ]
        return tuple(hits), behind


def _today() -> date:
    return datetime.now().astimezone().date()
