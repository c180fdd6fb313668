"""USE CASE  What would be read from one saved page: `kb source try`, and 试抓一篇 on the web. Nothing is fetched or stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Engine as Database
from sqlalchemy import select

from kb import ingest
from kb.config import Settings
from kb.crawl.address import canonical
from kb.crawl.source import Source
from kb.errors import ConfigError, ParseError
from kb.ingest import doubtful, read_crawled
from kb.model import (
    BODY_KINDS,
    NOTHING_HIDDEN,
    REVIEW_BELOW,
    Article,
    CrawlPage,
    EditionPage,
    Hidden,
    RawPage,
    SiteRule,
)
from kb.parse.article import read_page
from kb.parse.edition import read_edition
from kb.store import frontier, pages
from kb.store.db import reading
from kb.store.tables import articles

ANY_SITE = ""  # in place of a source's slug: read as any site's page is


@dataclass(frozen=True, slots=True)
class Tried:
    """What a page gives."""

    url: str  # of a page that is kept; "" of one that was uploaded without its address
    source: str  # slug, or ANY_SITE
    article: Article | None
    edition: EditionPage | None = None  # of a page that is none, but a list of articles

    @property
    def paragraphs(self) -> int:
        """Pieces of the body."""
        blocks = self.article.blocks if self.article else ()
        return sum(block.kind in BODY_KINDS for block in blocks)

    @property
    def is_sure(self) -> bool:
        """Whether the article would be searchable at once, without a look at it."""
        return self.article is not None and self.article.provenance.confidence >= REVIEW_BELOW


def try_page(settings: Settings, page: RawPage, source: Source) -> Article | EditionPage:
    """The article on the page, or, for the directory page of an issue, its links. Raises ParseError."""
    try:
        article = read_crawled(settings, page, source)
        if article.provenance.confidence < REVIEW_BELOW:
            raise doubtful(article)
        return article
    except ParseError:
        edition = read_edition(page, rule=source.rule, limit_mib=settings.parse_limit_mib)
        if not edition.articles:
            raise
        return edition


def try_saved(settings: Settings, body: bytes, *, url: str, slug: str) -> Tried:
    """What the rules of a source, or those for any site, read from the bytes of a page. Raises ParseError, ConfigError."""
    return _tried(settings, RawPage(url and canonical(url), body), slug)


def try_kept(database: Database, settings: Settings, url: str, *, hidden: Hidden = NOTHING_HIDDEN) -> Tried:
    """The same of a page that kb keeps, by its address and with the rules of its source.

    Raises ParseError("trial.not_kept") also for a page whose article the asker may not see.
    """
    url = canonical(url)
    with reading(database) as connection:
        page = frontier.find(connection, url)
        keys = [url, *([page.final_url] if page and page.final_url else [])]
        ids = set(connection.scalars(select(articles.c.id).where(articles.c.key.in_(keys))))
    if page is None or page.page_hash is None or page.source in hidden.sources or ids & hidden.articles:
        raise ParseError("trial.not_kept", url=url)
    return _tried(settings, _raw(settings, page), page.source)


def _raw(settings: Settings, page: CrawlPage) -> RawPage:
    body = pages.get(settings.pages, page.page_hash or "")
    return RawPage(page.final_url or page.url, body, page.content_type or "", page.fetched_at or "")


def _tried(settings: Settings, page: RawPage, slug: str) -> Tried:
    sources = ingest.load_sources(settings) if slug != ANY_SITE else {}
    if slug != ANY_SITE and slug not in sources:
        raise ConfigError("source.unknown", slug=slug, known="、".join(sources))
    rule = sources[slug].rule if slug in sources else None
    named = page if page.url else replace(page, url="file:page")
    try:
        article = read_page(named, rule=rule, source=slug or ingest.FILES, limit_mib=settings.parse_limit_mib)
    except ParseError:
        edition = read_edition(named, rule=rule or SiteRule(ingest.FILES), limit_mib=settings.parse_limit_mib)
        if not edition.articles:
            raise
        return Tried(page.url, slug, None, edition)
    return Tried(page.url, slug, article)
