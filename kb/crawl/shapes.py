"""What a crawl is handed by the use case above it, and what it reports.

crawl and store never import each other; kb.ingest joins them by handing functions over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kb.crawl.source import Source
from kb.errors import KbError, ParseError
from kb.model import ArticleLink, CrawlPage, PageState, RawPage

Outcome = Literal["added", "changed", "unchanged"]


class Frontier(Protocol):
    """What the walk asks of the module kb.store.frontier; each function is described there."""

    def add(self, connection: Any, pages: Sequence[CrawlPage]) -> int: ...

    def open_round(
        self,
        connection: Any,
        source: str,
        *,
        now: str,
        again: Sequence[str] = (),
        issues: tuple[str, str] | None = None,
        fetched_until: str | None = None,
    ) -> None: ...

    def lease(self, connection: Any, source: str, *, now: str, until: str) -> CrawlPage | None: ...

    def save(self, connection: Any, page: CrawlPage) -> None: ...

    def postpone(self, connection: Any, source: str, *, until: str) -> None: ...

    def waiting(self, connection: Any, source: str) -> int: ...

    def next_start(self, connection: Any, source: str) -> str | None: ...

    def last_fetched(self, connection: Any, source: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Handed:
    """The functions that a crawl works with."""

    frontier: Frontier  # the module kb.store.frontier
    transaction: Callable[
        [], AbstractContextManager[Any]
    ]  # opens a write transaction and yields its connection
    keep: Callable[[bytes], str]  # raw bytes -> their hash; they are on disk when it returns
    kept: Callable[[str], bytes]  # the reverse; raises StoreError
    # Parse and store one article page inside the connection's transaction; raises ParseError, then having
    # written nothing. A page that waits for a person's judgment is kept, and the error says so. Arguments: connection,
    # page (url canonical, after redirects), hash of bytes, source.
    take: Callable[[Any, RawPage, str, Source], Outcome | ParseError]
    links: Callable[
        [RawPage], Sequence[ArticleLink]
    ]  # of a list page, absolute, in page order; raises ParseError
    refresh: Callable[[RawPage], str | None]  # where its <meta refresh> leads; raises ParseError


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that gave no article, and why."""

    url: str
    state: PageState  # failed | blocked | skipped
    key: str  # parse.no_body
    message: str  # in Chinese


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What a run over one source did."""

    source: str
    fetched: int = 0  # pages that were answered, list pages included
    not_modified: int = 0  # of them, by 304
    new: int = 0  # articles
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0  # pages without an article, days without an issue
    failed: int = 0
    blocked: int = 0  # by robots.txt
    left: int = 0  # pages that wait for the next run
    problems: tuple[Problem, ...] = ()  # the first of them
    stopped: KbError | None = None  # why the run ended before its work did


Progress = Callable[[CrawlReport, str], None]  # the report so far and the page just done


def silent(_report: CrawlReport, _url: str) -> None:
    """Progress for nobody."""
