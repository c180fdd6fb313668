"""What a source file would read from one saved page: `kb source try`. Nothing is fetched or stored."""

from __future__ import annotations

from kb.config import Settings
from kb.crawl.source import Source
from kb.errors import ParseError
from kb.ingest import doubtful, read_crawled
from kb.model import REVIEW_BELOW, Article, EditionPage, RawPage
from kb.parse.edition import read_edition


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
