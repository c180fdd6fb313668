"""USE CASE  What was typed -> one page of results: matches, texts, passages, facets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.engine import Engine, open_engine
from kb.errors import EngineDownError
from kb.model import SHOWN_STATUSES, Filters, Found, Hit, Mark, Page, Query, Results, Sort, StoredArticle
from kb.query import parse
from kb.store import articles
from kb.store.db import reading
from kb.text import snippet
from kb.text.lexicon import load_segmenter

SNIPPET_CHARS = 120
FACETS = ("newspaper", "year")
DEPTH = 1000  # results that can be paged through; what lies deeper is reached by narrowing or by kb export


def open_search(settings: Settings, database: Database) -> Search:
    """The search over a data folder. The index may be missing or unusable; `Search.problem` says so."""
    segmenter = load_segmenter(config.lexicon_lines())
    engine = open_engine(settings.index, segmenter, memory_mib=settings.index_memory_mib)
    return Search(engine, database, settings.query_seconds)


@dataclass(frozen=True, slots=True)
class Search:
    """Answers queries; safe to share between threads."""

    engine: Engine
    database: Database
    query_seconds: float | None = None  # that one query may take

    def find(
        self,
        text: str,
        *,
        filters: Filters | None = None,
        sort: Sort = "relevance",
        offset: int = 0,
        limit: int = 10,
    ) -> Results:
        """The articles that have all that was typed, or, when none has, those that have most of it first.

        Raises QueryError for a query that cannot be read, EngineDownError when the index cannot answer, TooSlowError.
        """
        started = time.perf_counter()
        query, filters = parse(text, datetime.now().astimezone().date()), filters or Filters()
        page = Page(
            only={"newspaper": filters.newspapers, "year": filters.years},
            facets=FACETS,
            sort=sort,
            offset=offset,
            limit=max(min(limit, DEPTH - offset), 0),
            seconds=self.query_seconds,
        )
        found, fallback = self._found(query, page)
        hits, behind = self._hits(query, found)
        return Results(
            query=query,
            total=found.total,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
            fallback="any" if fallback else None,
            hits=hits,
            facets=found.facets,
            sort=sort,
            filters=filters,
            offset=offset,
            stale=behind,
        )

    def marks(self, text: str) -> tuple[Mark, ...]:
        """What of a query to mark in a text. Raises QueryError."""
        return self.engine.marks(parse(text, datetime.now().astimezone().date()))

    def problem(self) -> str | None:
        """Why it cannot answer now, in Chinese; None when it can."""
        try:
            self.engine.count()
        except EngineDownError as error:
            return error.words("zh")
        return None

    def _found(self, query: Query, page: Page) -> tuple[Found, bool]:
        """The page of matches, and whether they are those of the fallback."""
        found = self.engine.find(query, page)
        if found.total:
            return found, False
        some = self.engine.find(query, page, match="any")
        return (some, True) if some.total else (found, False)

    def _hits(self, query: Query, found: Found) -> tuple[tuple[Hit, ...], int]:
        """The hits with their texts, and how many articles wait to be indexed."""
        marks = self.engine.marks(query)
        with reading(self.database) as connection:
            stored = articles.many(connection, found.ids)
            behind = articles.count_unindexed(connection, self.engine.indexed_seq())
        # What was withdrawn since the index was made is no longer shown.
        shown = {one: article for one, article in stored.items() if article.status in SHOWN_STATUSES}
        pairs = zip(found.ids, found.scores, strict=True)
        return tuple(_hit(shown[one], score, marks) for one, score in pairs if one in shown), behind


def _hit(stored: StoredArticle, score: float, marks: Sequence[Mark]) -> Hit:
    article = stored.article
    anchor, passage = snippet.passage(article.blocks, marks, SNIPPET_CHARS)
    return Hit(
        id=stored.id,
        title=article.title,
        title_runs=snippet.runs(article.title, snippet.marked_in(marks, "title")),
        subtitle=article.subtitle,
        newspaper=article.newspaper,
        source=article.source,
        published=article.published,
        edition_page=article.edition_page,
        authors=article.authors,
        affiliation=article.affiliation,
        body_chars=stored.body_chars,
        score=score,
        snippet=passage,
        anchor=anchor,
        reprint_of=stored.reprint_of,
    )
