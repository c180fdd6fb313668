"""A run over one source: fetch what is due, keep the raw bytes, hand articles on, follow links.

Safe to stop anywhere: per page, raw bytes are on disk first, then ONE transaction = article stored + links
inserted + state done. A killed run leaves leased pages, which the next run takes up; what is done twice has no
effect.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone

from kb.config import Settings
from kb.crawl.address import Address, canonical, read, read_mirrors
from kb.crawl.fetch import Fetcher, Response
from kb.crawl.links import followed, matching, start_pages, window
from kb.crawl.pace import DEFAULT_SECONDS, LONGEST_WAIT, STAMP, Clock, Pace, back_off_seconds, scheduled
from kb.crawl.robots import READ_BYTES, Robots
from kb.crawl.shapes import CrawlReport, Handed, Outcome, Problem, Progress, silent
from kb.crawl.source import Source
from kb.crawl.wire import MIB
from kb.errors import ConfigError, FetchError, KbError, ParseError, StoreError
from kb.model import CrawlPage, PageState, RawPage

log = logging.getLogger(__name__)

CHINA = timezone(timedelta(hours=8))  # issues carry the day of Beijing
LEASE = timedelta(minutes=15)  # longer than any fetch with its waiting
RESUMED_WITHIN = timedelta(days=1)  # how long lists count as read when a run over named days was interrupted
MAX_TRIES = 4  # of one page in one run
MAX_FAILURES_IN_A_ROW = 5
KEPT_PROBLEMS = 200
TRANSIENT = frozenset({"fetch.timeout", "fetch.unreachable", "fetch.no_host", "fetch.broken"})
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
ENDS_RUN = frozenset({"fetch.robots_unreachable", "fetch.wait"})
# Pages that were read well but hold nothing to store: a programme, a picture, an empty list.
NOTHING_THERE = frozenset({"parse.no_body", "parse.image_only", "crawl.no_links"})


@dataclass(slots=True)
class _Run:
    """One run over one source."""

    source: Source
    handed: Handed
    settings: Settings
    fetcher: Fetcher
    robots: Robots
    pace: Pace  # between any two requests
    delay: Pace  # between two pages: the Crawl-delay, which does not count robots.txt itself
    clock: Clock
    since: date | None
    today: date
    report: CrawlReport
    asked: int = 0  # pages leased so far, held against the budget
    failures_in_a_row: int = 0


def _fetcher(source: Source, settings: Settings) -> Fetcher:
    """The fetcher of a source as the settings want it. Raises ConfigError("config.bad_value")."""
    return Fetcher(
        hosts=source.hosts,
        user_agent=settings.crawl_user_agent,
        mirrors=read_mirrors(settings.crawl_mirrors),
        deadline_seconds=settings.fetch_deadline_seconds,
        wire_bytes=int(settings.fetch_wire_mib * MIB),
        decoded_bytes=int(settings.fetch_decoded_mib * MIB),
    )


def walk(
    source: Source,
    handed: Handed,
    settings: Settings,
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = silent,
    clock: Clock | None = None,
) -> CrawlReport:
    """Crawl one source until nothing is due. The caller holds the writer lock.

    Without `since` and `until` the last `source.days` days are looked at, and only what is due is fetched
    again. With one of them the list pages of those days are fetched again, whenever that was last done.
    `progress` is called after every page; Ctrl+C passes through as KeyboardInterrupt.

    Raises ConfigError("source.no_start"), ("crawl.bad_range") or ("config.bad_value").
    """
    if not source.start:
        raise ConfigError("source.no_start", slug=source.slug, path=source.path)
    clock = clock or Clock()
    today = clock.now().astimezone(CHINA).date()
    first, last = window(source, since, until, today)
    fetcher = _fetcher(source, settings)
    robots = Robots(lambda origin: _fetch_robots(run, origin), clock.now)
    report = CrawlReport(source.slug)
    paces = Pace(clock), Pace(clock)
    run = _Run(source, handed, settings, fetcher, robots, *paces, clock, first, today, report)
    _open(run, last, forced=since is not None or until is not None)
    while run.report.stopped is None and (page := _next_page(run)) is not None:
        _visit(run, page)
        progress(run.report, page.url)
    with handed.transaction() as connection:
        return replace(run.report, left=handed.frontier.waiting(connection, source.slug))


def _open(run: _Run, until: date, *, forced: bool) -> None:
    """Put the start pages on the frontier and queue what is to be fetched again."""
    frontier, slug = run.handed.frontier, run.source.slug
    starts = start_pages(run.source, run.since, until)
    first = run.since.isoformat() if run.since else ""
    with run.handed.transaction() as connection:
        # A long backfill that was interrupted goes on where it was; it does not read yesterday's lists again first.
        interrupted = frontier.waiting(connection, slug) > 0
        frontier.add(connection, starts)
        frontier.open_round(
            connection,
            slug,
            now=run.clock.stamp(),
            again=[page.url for page in starts if page.issue is None],
            issues=(first, until.isoformat()) if forced else None,
            fetched_until=run.clock.stamp(-RESUMED_WITHIN if interrupted else timedelta()),
        )
        last_fetched = frontier.last_fetched(connection, slug)
    if last_fetched is not None:
        # A Crawl-delay of a day holds from run to run.
        for origin in {read(page.url).origin for page in starts}:
            run.delay.touch(origin, _moment(last_fetched))


def _next_page(run: _Run) -> CrawlPage | None:
    """The next page to fetch, after waiting for it where that is worth while; None when the run is over."""
    frontier, slug = run.handed.frontier, run.source.slug
    budget = run.source.pages or run.settings.crawl_page_budget
    while True:
        with run.handed.transaction() as connection:
            left = frontier.waiting(connection, slug)
            if run.asked >= budget:
                if left:
                    _stop(run, KbError("crawl.budget", pages=budget))
                return None
            page = frontier.lease(connection, slug, now=run.clock.stamp(), until=run.clock.stamp(LEASE))
            start = frontier.next_start(connection, slug)
        if page is not None:
            run.asked += 1
            run.report = replace(run.report, left=left - 1)
            return page
        if start is None:
            return None
        seconds = (_moment(start) - run.clock.now()).total_seconds()
        if seconds > LONGEST_WAIT:
            _stop(run, KbError("fetch.wait", host=slug, seconds=seconds))
            return None
        run.clock.sleep(max(seconds, 0.0) + 1.0)  # stamps hold whole seconds


def _stop(run: _Run, why: KbError) -> None:
    run.report = replace(run.report, stopped=why)
    log.warning("crawl.stopped", extra={"source": run.source.slug, "key": why.key})


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


# --- one page -------------------------------------------------------------------------------------


def _visit(run: _Run, page: CrawlPage) -> None:
    known = _known_bytes(run, page)
    try:
        response = _fetch(run, page, conditional=known is not None)
    except FetchError as error:
        _not_fetched(run, page, error)
        return
    run.failures_in_a_row = 0
    _count(run, "fetched", *(["not_modified"] if response.status == 304 else []))
    done = _answered(run, page, response)
    body = response.body if response.status == 200 or known is None else known
    raw = RawPage(done.final_url or done.url, body, done.content_type or "", done.fetched_at or "")
    try:
        _settle(run, done, raw, is_known=response.status == 304)
    except ParseError as error:
        _record(run, done, "skipped" if error.key in NOTHING_THERE else "failed", error)
    except StoreError:
        raise
    except Exception as error:
        # One page must not end the run. When the store itself is broken, so is recording this.
        log.exception("crawl.page_error", extra={"url": page.url})
        reason = f"{type(error).__name__}: {error}"[:200]
        _record(run, done, "failed", ParseError("crawl.page_error", url=page.url, reason=reason))


def _known_bytes(run: _Run, page: CrawlPage) -> bytes | None:
    """The raw bytes of a page that was read well before; only such a page is asked for conditionally."""
    if page.page_hash is None or page.reason is not None:
        return None
    try:
        return run.handed.kept(page.page_hash)
    except StoreError:
        return None  # fetched and kept anew


def _fetch(run: _Run, page: CrawlPage, *, conditional: bool) -> Response:
    def before_hop(address: Address) -> None:
        run.robots.check(address)
        run.delay.wait(address.origin, run.robots.delay_seconds(address))
        run.pace.wait(address.origin, _gap(run, address))

    response = run.fetcher.get(
        page.url,
        etag=page.etag if conditional else None,
        last_modified=page.last_modified if conditional else None,
        before_hop=before_hop,
    )
    for pace in (run.delay, run.pace):
        pace.touch(read(response.url).origin)
    facts = {
        "source": run.source.slug,
        "url": page.url,
        "status": response.status,
        "bytes": len(response.body),
    }
    log.info("crawl.fetched", extra=facts)
    return replace(response, url=canonical(response.url))


def _fetch_robots(run: _Run, origin: Address) -> tuple[int, bytes]:
    def before_hop(address: Address) -> None:
        run.pace.wait(address.origin, _gap(run, address))

    return run.fetcher.get_robots(origin, first_bytes=READ_BYTES, before_hop=before_hop)


def _gap(run: _Run, address: Address) -> float:
    """Seconds between two requests: the source's own word, else the setting, else 2, and 0 for a mirror."""
    for seconds in (run.source.pace_seconds, run.settings.pace_seconds):
        if seconds is not None:
            return seconds
    return 0.0 if run.fetcher.is_mirrored(address) else DEFAULT_SECONDS


def _answered(run: _Run, page: CrawlPage, response: Response) -> CrawlPage:
    """The page as known after an answer; the raw bytes of a 200 are on disk then."""
    page = _rescheduled(run, page)
    fresh = response.status == 200
    return replace(
        page,
        state="done",
        final_url=response.url,
        http_status=response.status,
        content_type=response.content_type if fresh else page.content_type,
        etag=response.etag or (None if fresh else page.etag),
        last_modified=response.last_modified or (None if fresh else page.last_modified),
        fetched_at=run.clock.stamp(),
        page_hash=run.handed.keep(response.body) if fresh else page.page_hash,
        reason=None,
        detail=None,
    )


def _rescheduled(run: _Run, page: CrawlPage) -> CrawlPage:
    checks, due_at = scheduled(page, run.clock.now(), run.today)
    return replace(page, tries=0, not_before=None, checks=checks, due_at=due_at)


def _settle(run: _Run, done: CrawlPage, raw: RawPage, *, is_known: bool) -> None:
    """Take what the page holds and mark it done, in one transaction. Raises ParseError, nothing stored then."""
    frontier, transaction = run.handed.frontier, run.handed.transaction
    if done.kind != "article":
        named = matching(run.source, done, run.handed.links(raw), run.handed.refresh(raw))
        if not named:
            raise ParseError("crawl.no_links", url=done.url)
        with transaction() as connection:
            frontier.add(connection, followed(run.source, named, since=run.since, today=run.today))
            frontier.save(connection, done)
        return
    with transaction() as connection:
        outcome: Outcome | ParseError = "unchanged"
        if not is_known:
            outcome = run.handed.take(connection, raw, done.page_hash or "", run.source)
        if not isinstance(outcome, ParseError):
            frontier.save(connection, done)
    if isinstance(outcome, ParseError):
        _record(run, done, "skipped", outcome)
    else:
        _count(run, "new" if outcome == "added" else outcome)


def _count(run: _Run, *names: str) -> None:
    run.report = replace(run.report, **{name: getattr(run.report, name) + 1 for name in names})


def _record(run: _Run, page: CrawlPage, state: PageState, error: KbError) -> None:
    """Keep a page that gave no article, with the reason."""
    words = error.words("zh")
    with run.handed.transaction() as connection:
        run.handed.frontier.save(connection, replace(page, state=state, reason=error.key, detail=words))
    _count(run, state)
    if len(run.report.problems) < KEPT_PROBLEMS:
        problem = Problem(page.url, state, error.key, words)
        run.report = replace(run.report, problems=(*run.report.problems, problem))
    log.info("crawl.no_article", extra={"url": page.url, "state": state, "key": error.key})


# --- a page that could not be fetched -------------------------------------------------------------


def _not_fetched(run: _Run, page: CrawlPage, error: FetchError) -> None:
    status = error.facts.get("status")
    if error.key in ENDS_RUN:
        _put_back(run, page)
        _stop(run, error)
    elif error.key in TRANSIENT or status in TRANSIENT_STATUS:
        _try_later(run, page, error)
    elif error.key == "fetch.robots":
        _record(run, _rescheduled(run, page), "blocked", error)
    elif status in (404, 410) and page.kind == "index" and page.issue is not None:
        none_today = FetchError("crawl.no_issue", url=page.url, status=status)
        _record(run, replace(_rescheduled(run, page), http_status=404), "skipped", none_today)
    else:
        failed = replace(_rescheduled(run, page), http_status=status if isinstance(status, int) else None)
        _record(run, failed, "failed", error)


def _put_back(run: _Run, page: CrawlPage, **facts: int | str) -> None:
    with run.handed.transaction() as connection:
        run.handed.frontier.save(connection, replace(page, state="queued", **facts))  # type: ignore[arg-type]


def _try_later(run: _Run, page: CrawlPage, error: FetchError) -> None:
    """Back off; give the page up for this run after MAX_TRIES, the run when nothing comes through."""
    run.failures_in_a_row += 1
    asked = error.facts.get("retry_after")
    seconds = asked if isinstance(asked, float) else back_off_seconds(page.tries + 1)
    again_at = run.clock.stamp(timedelta(seconds=seconds))
    if isinstance(asked, float):
        # The server speaks for itself, not for one page.
        with run.handed.transaction() as connection:
            run.handed.frontier.postpone(connection, run.source.slug, until=again_at)
    if page.tries + 1 >= MAX_TRIES:
        # Due at once, so that the next run tries again.
        _record(run, replace(page, tries=0, not_before=None, due_at=run.clock.stamp()), "failed", error)
    else:
        _put_back(run, page, tries=page.tries + 1, not_before=again_at)
    if run.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
        count, reason = run.failures_in_a_row, error.words("zh")
        _stop(run, KbError("crawl.host_down", source=run.source.name, count=count, reason=reason))
