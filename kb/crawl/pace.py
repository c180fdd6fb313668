"""How long each host is left alone between two requests, and when a page is looked at again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from kb.errors import FetchError
from kb.model import CrawlPage

DEFAULT_SECONDS = 2.0
LONGEST_WAIT = 300.0  # seconds; a run does not sleep longer, it leaves the rest to the next one
FIRST_BACK_OFF = 2.0  # seconds, doubled with every try
CHECK_DAYS = (1, 7, 30)  # crawl.md §3: articles and lists of past issues, then no more
TODAY_AGAIN = timedelta(minutes=55)  # hourly, a little less so that an hourly timer finds the page due
STAMP = "%Y-%m-%dT%H:%M:%SZ"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time and how it is waited for."""

    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep

    def stamp(self, later: timedelta = timedelta()) -> str:
        return (self.now() + later).strftime(STAMP)


@dataclass(slots=True)
class Pace:
    """Keeps a run's requests to one host apart."""

    clock: Clock
    _last: dict[str, datetime] = field(default_factory=dict)

    def wait(self, host: str, gap_seconds: float) -> None:
        """Sleep until the host may be asked again. Raises FetchError("fetch.wait") when that is too long."""
        now = self.clock.now()
        since_last = (now - self._last[host]).total_seconds() if host in self._last else gap_seconds
        # A clock that was set back must not make the wait longer than the gap.
        seconds = max(min(gap_seconds, gap_seconds - since_last), 0.0)
        if seconds > LONGEST_WAIT:
            raise FetchError("fetch.wait", host=host, seconds=seconds)
        if seconds > 0:
            self.clock.sleep(seconds)
        self.touch(host)

    def touch(self, host: str, at: datetime | None = None) -> None:
        """The host was asked, or answered, just now or `at` an earlier time."""
        self._last[host] = at or self.clock.now()


def back_off_seconds(tries: int) -> float:
    """How long to wait after the `tries`-th failure, from 1; up to half more by chance, to spread them."""
    return float(FIRST_BACK_OFF * 2 ** (tries - 1) * random.uniform(1.0, 1.5))  # noqa: S311 - no secret


def scheduled(page: CrawlPage, now: datetime, today: date) -> tuple[int, str | None]:
    """(checks, due_at) of a page that was just looked at: a list of today is due within the hour, everything
    else 1, 7 and 30 days later, then never. One looked at before it was due keeps its date."""
    if page.kind != "article" and (page.issue is None or page.issue >= today.isoformat()):
        return page.checks, (now + TODAY_AGAIN).strftime(STAMP)
    early = page.due_at is not None and page.due_at > now.strftime(STAMP)
    finished = page.due_at is None and page.fetched_at is not None
    if early or finished or page.checks >= len(CHECK_DAYS):
        return page.checks, page.due_at if early else None
    return page.checks + 1, (now + timedelta(days=CHECK_DAYS[page.checks])).strftime(STAMP)
