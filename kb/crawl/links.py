"""Which pages of a source are fetched: where a run starts, which links of a list page it follows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from kb.crawl.address import canonical, in_scope, read
from kb.crawl.source import DATE_FIELD, Source, days_between, expand
from kb.errors import ConfigError, FetchError
from kb.model import ArticleLink, CrawlPage, PageKind

LINKS_PER_PAGE = 2000


def window(source: Source, since: date | None, until: date | None, today: date) -> tuple[date | None, date]:
    """First and last day that a run looks at; no first day when neither the source nor the caller has one.

    Raises ConfigError("crawl.bad_range").
    """
    last = until or today
    first = since or (last - timedelta(days=source.days - 1) if source.days else None)
    if first is not None and first > last:
        raise ConfigError("crawl.bad_range", since=first, until=last)
    return first, last


def start_pages(source: Source, since: date | None, until: date) -> list[CrawlPage]:
    """The pages a run starts from: one for every day of the window where the address holds a date."""
    pages: list[CrawlPage] = []
    for template in source.start:
        if DATE_FIELD.search(template):
            days = days_between(since or until, until)
            pages += [_start(source, expand(template, day), day.isoformat()) for day in days]
        else:
            pages.append(_start(source, template, None))
    return pages


def _start(source: Source, url: str, issue: str | None) -> CrawlPage:
    return CrawlPage(source.slug, canonical(url), "index", issue=issue)


def matching(
    source: Source, page: CrawlPage, links: Iterable[ArticleLink], refresh: str | None
) -> list[CrawlPage]:
    """The links of a list page that the source's patterns name and its hosts cover, in page order, each once.

    `refresh` is where the page sends its reader at once: followed as a start page when no pattern names it.
    """
    found: dict[str, CrawlPage] = {}
    for number, link in enumerate(links):
        if number >= LINKS_PER_PAGE:
            break
        for url, kind in _known_kind(source, link.url):
            found.setdefault(url, _next_page(source, page, url, kind))
    if refresh is not None:
        for url, kind in _known_kind(source, refresh, otherwise="index"):
            found.setdefault(url, _next_page(source, page, url, kind))
    return list(found.values())


def _known_kind(
    source: Source, link: str, otherwise: PageKind | None = None
) -> Iterator[tuple[str, PageKind]]:
    """The canonical address and the kind of a link; nothing for one that leads nowhere useful."""
    try:
        url = canonical(link)
        issue_of(source, url)
    except (FetchError, ValueError):
        return  # a stranger's broken link, or a calendar's 30 February, is no failure of ours
    if not in_scope(read(url), source.hosts):
        return
    if any(re.search(pattern, url) for pattern in source.article):
        yield url, "article"
    elif any(re.search(pattern, url) for pattern in source.edition):
        yield url, "edition"
    elif otherwise is not None:
        yield url, otherwise


def _next_page(source: Source, page: CrawlPage, url: str, kind: PageKind) -> CrawlPage:
    issue = issue_of(source, url) or page.issue
    return CrawlPage(source.slug, url, kind, depth=page.depth + 1, issue=issue, discovered_from=page.url)


def followed(
    source: Source, pages: Iterable[CrawlPage], *, since: date | None, today: date
) -> list[CrawlPage]:
    """The pages that a run takes up: every article; list pages not deeper than the source allows, of an issue
    not before `since` and not in the future (one day is allowed for clocks)."""
    first = since.isoformat() if since else ""
    last = (today + timedelta(days=1)).isoformat()
    return [
        page
        for page in pages
        if page.kind == "article"
        or (page.depth <= source.depth and (page.issue is None or first <= page.issue <= last))
    ]


def issue_of(source: Source, url: str) -> str | None:
    """The day that an address names; None when it names none. Raises ValueError for a day that never was."""
    found = re.search(source.rule.published_from_url, url) if source.rule.published_from_url else None
    if found is None:
        return None
    return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
