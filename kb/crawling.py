"""USE CASE  The sources' pages -> articles in the store: `kb crawl`. Every run leaves a line for each source, however it ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.crawl.shapes import CrawlReport, Handed, Outcome
from kb.crawl.source import Source
from kb.crawl.walk import walk
from kb.errors import KbError, ParseError, StoreError
from kb.ingest import Progress, silent
from kb.model import Article, RawPage
from kb.store import pages, runs, source_states
from kb.store.db import reading, writing
from kb.store.source_states import Paused

NOTED_EVERY_SECONDS = 2.0  # what a run has done so far, for those who watch it
# Pages that gave no article because something was not found on them, by what that was.
NOT_FOUND = {"parse.no_title": "title", "parse.no_body": "body", "parse.low_confidence": "body"}


def crawl(
    database: Database,
    settings: Settings,
    sources: Sequence[Source],
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = silent,
) -> list[CrawlReport]:
    """Crawl the sources one after the other. Stopped anywhere, the next run goes on. See kb.crawl.walk."""
    pages.clean(settings.pages)
    lacking = Lacking()
    handed = _counted(ingest.hands(database, settings, seen=lacking.see), lacking)

    def crawl_one(source: Source) -> CrawlReport:
        lacking.counts.clear()
        noted = _Noted(database, source.slug, lacking.counts)

        def show(report: CrawlReport, _url: str) -> None:
            progress("fetch", report.fetched, report.fetched + report.left)
            noted.note(report)

        return noted.walked(lambda: walk(source, handed, settings, since=since, until=until, progress=show))

    return [crawl_one(source) for source in sources]


def unpaused(database: Database, sources: Sequence[Source]) -> tuple[list[Source], list[Paused]]:
    """The sources to crawl, and those among them that somebody paused (/admin/sources)."""
    with reading(database) as connection:
        paused = source_states.paused(connection)
    wanted = [source for source in sources if source.slug not in paused]
    return wanted, [paused[source.slug] for source in sources if source.slug in paused]


@dataclass(slots=True)
class Lacking:
    """What the article pages of a run lack: a site that changes its pages shows here first."""

    counts: Counter[str] = field(default_factory=Counter)

    def see(self, article: Article) -> None:
        """An article that was read."""
        found = {
            "date": article.published,
            "author": article.authors,
            "unit": article.affiliation,
            "edition_page": article.edition_page,
        }
        self.counts.update(["read", *(name for name, value in found.items() if not value)])


def _counted(handed: Handed, lacking: Lacking) -> Handed:
    """The same, but pages from which no article can be read are counted too."""

    def count(error: ParseError) -> None:
        if error.key in NOT_FOUND:
            lacking.counts.update(["read", NOT_FOUND[error.key]])

    def take(connection: Connection, page: RawPage, page_hash: str, source: Source) -> Outcome | ParseError:
        try:
            outcome = handed.take(connection, page, page_hash, source)
        except ParseError as error:
            count(error)
            raise
        if isinstance(outcome, ParseError):
            count(outcome)
        return outcome

    return replace(handed, take=take)


class _Noted:
    """The line of one run over one source."""

    def __init__(self, database: Database, slug: str, lacking: Mapping[str, int]) -> None:
        self._database, self._lacking, self._noted_at = database, lacking, time.monotonic()
        self._report = CrawlReport(slug)
        with writing(database) as connection:
            self._id = runs.begin(connection, slug)

    def note(self, report: CrawlReport) -> None:
        """Write down how far it is, now and then."""
        self._report = report
        if time.monotonic() - self._noted_at >= NOTED_EVERY_SECONDS:
            with writing(self._database) as connection:
                runs.note(connection, self._id, runs.counts_of(report), self._lacking)
            self._noted_at = time.monotonic()

    def walked(self, walking: Callable[[], CrawlReport]) -> CrawlReport:
        """Walk, and end the line. Killed or interrupted it stays open."""
        try:
            report = walking()
        except KbError as error:
            with suppress(StoreError):  # the store may be what failed
                self._end(self._report, error)
            raise
        self._end(report, report.stopped)
        return report

    def _end(self, report: CrawlReport, stopped: KbError | None) -> None:
        words = (stopped.key, stopped.words("zh")) if stopped else None
        with writing(self._database) as connection:
            runs.end(connection, self._id, runs.counts_of(report), self._lacking, stopped=words)
