"""USE CASE  The kept pages read again with today's rules: `kb reparse`. Fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.crawl.shapes import Handed
from kb.crawl.source import Source
from kb.errors import ParseError, StoreError
from kb.ingest import FILES, Failure, Progress, silent
from kb.model import CrawlPage, RawPage
from kb.store import articles, frontier, reviews
from kb.store.articles import NewArticle, Outcome
from kb.store.db import reading
from kb.text.fingerprint import Fingerprints

WAITING = 100_000  # of the files that wait for a person, those that are read again


@dataclass(slots=True)
class ReparseReport:
    """What reading the kept pages again did."""

    added: int = 0  # pages that gave no article before
    changed: int = 0
    unchanged: int = 0
    queued: list[Failure] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def reparse(
    database: Database, settings: Settings, source: str | None = None, progress: Progress = silent
) -> ReparseReport:
    """Read every kept page again, of one source or all: a better rule needs no second crawl."""
    report = ReparseReport()
    handed = ingest.hands(database, settings)
    for done, name in enumerate(_reread(database, settings, handed, source), 1):
        if isinstance(name, Failure):
            (report.queued if name.key == "parse.low_confidence" else report.failed).append(name)
        else:
            setattr(report, name, getattr(report, name) + 1)
        progress("reparse", done, None)
    return report


def _reread(
    database: Database, settings: Settings, handed: Handed, slug: str | None
) -> Iterator[Outcome | Failure]:
    sources = ingest.load_sources(settings)
    with reading(database) as connection:
        crawled = [page for page in frontier.archived(connection, slug) if page.source in sources]
    for page in crawled:
        yield _reread_page(handed, page, sources[page.source])
    if slug in (None, FILES):
        with reading(database) as connection:
            near = articles.fingerprints(connection)
            waiting = reviews.listed(connection, "waiting", limit=WAITING, source=FILES)
        for review in waiting:
            yield _reread_file(settings, handed, review.article.key, review.page_hash, near, review.name)
        for stored in ingest.every_article(database):
            # What was added by hand and crawled later has a page too, which is read above.
            is_file = stored.article.key.startswith(ingest.FILE_KEYS)
            if is_file and stored.article.source == FILES and stored.page_hash is not None:
                yield _reread_file(settings, handed, stored.article.key, stored.page_hash, near)


def _reread_page(handed: Handed, page: CrawlPage, source: Source) -> Outcome | Failure:
    try:
        body = handed.kept(page.page_hash or "")
        raw = RawPage(page.final_url or page.url, body, page.content_type or "", page.fetched_at or "")
        with handed.transaction() as connection:
            outcome = handed.take(connection, raw, page.page_hash or "", source)
            if not isinstance(outcome, ParseError):
                handed.frontier.save(connection, replace(page, state="done", reason=None, detail=None))
        return outcome if not isinstance(outcome, ParseError) else ingest.failed(page.url, outcome)
    except (ParseError, StoreError) as error:
        if page.state == "skipped" and error.key == page.reason:
            return "unchanged"  # still nothing there to store
        return ingest.failed(page.url, error)


def _reread_file(
    settings: Settings, handed: Handed, key: str, page_hash: str, near: Fingerprints, name: str | None = None
) -> Outcome | Failure:
    try:
        article = ingest.read_document(settings, key, handed.kept(page_hash))
        with handed.transaction() as connection:
            taken = ingest.take(
                connection, settings, NewArticle(article, page_hash), near, by="cli", name=name
            )
        return ingest.failed(key, ingest.doubtful(article)) if taken.outcome == "queued" else taken.outcome
    except (ParseError, StoreError) as error:
        return ingest.failed(key, error)
