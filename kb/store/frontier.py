"""The crawler's frontier: which pages of a source are known, waiting, done, and when to look at them again.

Every function works inside the transaction of the connection it is given. One run crawls at a time, under the
writer lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, func, insert, or_, select, update

from kb.model import CrawlPage
from kb.store.tables import frontier

LISTS = ("index", "edition")
_COLUMNS = [frontier.c[name.name] for name in fields(CrawlPage)]
_CHUNK = 500  # addresses in one IN (…): below every database's limit on parameters
_WAITING = ("queued", "leased")


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How far one source is."""

    source: str
    waiting: int  # pages that a next run fetches
    lists: int  # start and edition pages read
    articles: int  # article pages stored
    skipped: int
    failed: int
    blocked: int
    last_fetched: str | None
    next_due: str | None


def add(connection: Connection, pages: Sequence[CrawlPage]) -> int:
    """Put pages of one source on the frontier; known ones stay as they are. Returns how many were new."""
    wanted = {page.url: page for page in pages}
    known: set[str] = set()
    urls = list(wanted)
    for start in range(0, len(urls), _CHUNK):
        known.update(_known(connection, pages[0].source, urls[start : start + _CHUNK]))
    fresh = [asdict(page) for url, page in wanted.items() if url not in known]
    if fresh:
        connection.execute(insert(frontier), fresh)
    return len(fresh)


def _known(connection: Connection, source: str, urls: Sequence[str]) -> Sequence[str]:
    query = select(frontier.c.url).where(frontier.c.source == source, frontier.c.url.in_(urls))
    return connection.scalars(query).all()


def open_round(
    connection: Connection,
    source: str,
    *,
    now: str,
    again: Sequence[str] = (),
    issues: tuple[str, str] | None = None,
    fetched_until: str | None = None,
) -> None:
    """Queue what this run has to fetch: pages that a killed run held, pages that are due, the pages `again`,
    and the list pages of the `issues` from the first to the last day, if last fetched by `fetched_until` (now)."""
    since, until = issues or ("", "")
    due = and_(frontier.c.state.not_in(_WAITING), frontier.c.due_at <= now)
    known_long = or_(frontier.c.fetched_at.is_(None), frontier.c.fetched_at <= (fetched_until or now))
    asked = and_(frontier.c.kind.in_(LISTS), frontier.c.issue.between(since, until), known_long)
    wanted = or_(frontier.c.state == "leased", due, frontier.c.url.in_(list(again)), asked)
    of_source = frontier.c.source == source
    connection.execute(update(frontier).where(of_source, frontier.c.state == "queued").values(tries=0))
    # A page that is queued already keeps its time: the server may have asked for it.
    connection.execute(
        update(frontier)
        .where(of_source, frontier.c.state != "queued", wanted)
        .values(state="queued", tries=0, not_before=None, lease_until=None)
    )


def lease(connection: Connection, source: str, *, now: str, until: str) -> CrawlPage | None:
    """The next page to fetch, in order of discovery, held for this run until `until`; None when none may be
    fetched now. A lease that has run out counts as no lease."""
    ready = or_(frontier.c.not_before.is_(None), frontier.c.not_before <= now)
    page = _first(connection, source, frontier.c.state == "queued", ready)
    page = page or _first(connection, source, frontier.c.state == "leased", frontier.c.lease_until < now)
    if page is not None:
        connection.execute(_row(page).values(state="leased", lease_until=until))
    return page


def _first(connection: Connection, source: str, *conditions: ColumnElement[bool]) -> CrawlPage | None:
    query = select(*_COLUMNS).where(frontier.c.source == source, *conditions).order_by(frontier.c.id).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _page(row)


def save(connection: Connection, page: CrawlPage) -> None:
    """Write back what is known of a page now; ends its lease."""
    connection.execute(_row(page).values(**asdict(page), lease_until=None))


def postpone(connection: Connection, source: str, *, until: str) -> None:
    """Leave every queued page of a source alone until then: its server asked for it."""
    connection.execute(
        update(frontier)
        .where(frontier.c.source == source, frontier.c.state == "queued")
        .values(not_before=until)
    )


def waiting(connection: Connection, source: str) -> int:
    """How many pages of a source are queued or held."""
    query = select(func.count()).where(frontier.c.source == source, frontier.c.state.in_(_WAITING))
    return connection.scalar(query) or 0


def next_start(connection: Connection, source: str) -> str | None:
    """When the first of the queued pages may be fetched; None when no page is queued behind a time."""
    query = select(func.min(frontier.c.not_before)).where(
        frontier.c.source == source, frontier.c.state == "queued"
    )
    start: str | None = connection.scalar(query)
    return start


def last_fetched(connection: Connection, source: str) -> str | None:
    """When the source last answered."""
    moment: str | None = connection.scalar(
        select(func.max(frontier.c.fetched_at)).where(frontier.c.source == source)
    )
    return moment


def find(connection: Connection, url: str) -> CrawlPage | None:
    """What is known of a page, whatever its source."""
    row = connection.execute(select(*_COLUMNS).where(frontier.c.url == url).order_by(frontier.c.id)).first()
    return None if row is None else _page(row)


def archived(connection: Connection, source: str | None = None) -> Iterator[CrawlPage]:
    """Article pages whose raw bytes are kept, of one source or all, in order of discovery."""
    query = select(*_COLUMNS).where(frontier.c.kind == "article", frontier.c.page_hash.is_not(None))
    if source is not None:
        query = query.where(frontier.c.source == source)
    for row in connection.execute(query.order_by(frontier.c.id).execution_options(yield_per=_CHUNK)):
        yield _page(row)


def knows(connection: Connection, source: str) -> bool:
    """Whether any page of a source is known."""
    return connection.scalar(select(frontier.c.id).where(frontier.c.source == source).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Failures:
    """Some of the pages of a source that failed."""

    pages: tuple[CrawlPage, ...]  # the newest first
    total: int
    reasons: tuple[tuple[str, int], ...]  # (("parse.no_body", 17), …) of all of them, the most first


def failures(connection: Connection, source: str, *, limit: int = 50, offset: int = 0) -> Failures:
    """The pages of a source that failed."""
    failed = (frontier.c.source == source, frontier.c.state == "failed")
    grouped = select(frontier.c.reason, func.count()).where(*failed).group_by(frontier.c.reason)
    reasons = [(row[0] or "", int(row[1])) for row in connection.execute(grouped)]
    asked = select(*_COLUMNS).where(*failed).order_by(frontier.c.id.desc()).limit(limit).offset(offset)
    pages = tuple(_page(row) for row in connection.execute(asked))
    total = sum(count for _reason, count in reasons)
    return Failures(pages, total, tuple(sorted(reasons, key=lambda one: (-one[1], one[0]))))


def count_failed(connection: Connection) -> int:
    """How many pages failed, of all sources."""
    return connection.scalar(select(func.count()).where(frontier.c.state == "failed")) or 0


def retry(connection: Connection, source: str, *, now: str, url: str | None = None) -> int:
    """Make failed pages of a source due, one or all: the next crawl fetches them. Returns how many."""
    failed = [frontier.c.source == source, frontier.c.state == "failed"]
    if url is not None:
        failed.append(frontier.c.url == url)
    return connection.execute(update(frontier).where(*failed).values(due_at=now)).rowcount


def problems(connection: Connection, source: str, limit: int = 50) -> list[CrawlPage]:
    """Pages that failed, are blocked or hold no article, newest first."""
    query = select(*_COLUMNS).where(
        frontier.c.source == source, frontier.c.state.in_(("failed", "blocked", "skipped"))
    )
    return [_page(row) for row in connection.execute(query.order_by(frontier.c.id.desc()).limit(limit))]


def status(connection: Connection) -> list[SourceStatus]:
    """One line for every source that was ever crawled, by name."""

    def count(*conditions: Any) -> Any:
        return func.count(frontier.c.id).filter(*conditions)

    state, kind = frontier.c.state, frontier.c.kind
    query = select(
        frontier.c.source,
        count(state.in_(_WAITING)).label("waiting"),
        count(state == "done", kind.in_(LISTS)).label("lists"),
        count(state == "done", kind == "article").label("articles"),
        count(state == "skipped").label("skipped"),
        count(state == "failed").label("failed"),
        count(state == "blocked").label("blocked"),
        func.max(frontier.c.fetched_at).label("last_fetched"),
        func.min(frontier.c.due_at).label("next_due"),
    )
    rows = connection.execute(query.group_by(frontier.c.source).order_by(frontier.c.source))
    return [SourceStatus(**row._mapping) for row in rows]


def _row(page: CrawlPage) -> Update:
    return update(frontier).where(frontier.c.source == page.source, frontier.c.url == page.url)


def _page(row: Row[Any]) -> CrawlPage:
    return CrawlPage(**row._mapping)
