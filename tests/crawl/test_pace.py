from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kb.crawl.pace import Clock, Pace, back_off_seconds, scheduled
from kb.errors import FetchError
from kb.model import CrawlPage

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


class Time:
    """A clock that moves only when it is slept on."""

    def __init__(self) -> None:
        self.at = NOON
        self.slept: list[float] = []
        self.clock = Clock(lambda: self.at, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def test_requests_to_one_host_are_kept_apart_and_others_are_not() -> None:
    time = Time()
    pace = Pace(time.clock)
    for host in ("a", "a", "b", "a"):
        pace.wait(host, 2.0)

    assert time.slept == [2.0, 2.0]


def test_the_gap_counts_from_the_end_of_the_last_answer() -> None:
    time = Time()
    pace = Pace(time.clock)
    pace.wait("a", 2.0)
    time.at += timedelta(seconds=5)
    pace.touch("a")
    time.at += timedelta(seconds=0.5)
    pace.wait("a", 2.0)

    assert time.slept == [1.5]


def test_a_gap_of_zero_never_sleeps() -> None:
    time = Time()
    pace = Pace(time.clock)
    for _ in range(3):
        pace.wait("a", 0.0)

    assert time.slept == []


def test_a_wait_that_is_too_long_for_a_run_is_refused() -> None:
    time = Time()
    pace = Pace(time.clock)
    pace.touch("a", NOON - timedelta(hours=1))
    with pytest.raises(FetchError) as caught:
        pace.wait("a", 86400.0)

    assert caught.value.key == "fetch.wait"
    assert caught.value.facts["seconds"] == 86400.0 - 3600.0
    assert time.slept == []


def test_a_clock_set_back_does_not_lengthen_the_gap() -> None:
    time = Time()
    pace = Pace(time.clock)
    pace.touch("a", NOON + timedelta(days=1))
    pace.wait("a", 2.0)

    assert time.slept == [2.0]


def test_back_off_doubles_and_spreads() -> None:
    for tries in (1, 2, 3):
        waits = {back_off_seconds(tries) for _ in range(20)}

        assert all(2.0**tries <= seconds <= 1.5 * 2.0**tries for seconds in waits)
        assert len(waits) > 1


def page(**facts: Any) -> CrawlPage:
    return CrawlPage("qinghe", "https://szb.example.cn/1.htm", facts.pop("kind", "article"), **facts)


def test_an_article_is_looked_at_again_after_1_7_and_30_days_then_never() -> None:
    known, now, gaps = page(), NOON, []
    for _ in range(4):
        checks, due_at = scheduled(known, now, TODAY)
        known = page(checks=checks, due_at=due_at, fetched_at="2026-11-22T04:00:00Z")
        if due_at is not None:
            later = datetime.fromisoformat(due_at)
            gaps.append((later - now).days)
            now = later

    assert gaps == [1, 7, 30]
    assert known.due_at is None
    assert scheduled(known, now, TODAY) == (3, None)


def test_a_list_of_today_or_without_a_date_is_due_within_the_hour() -> None:
    for known in (
        page(kind="index", issue="2026-11-22"),
        page(kind="edition", issue="2026-11-22"),
        page(kind="index"),
    ):
        assert scheduled(known, NOON, TODAY) == (0, "2026-11-22T04:55:00Z")


def test_a_list_of_a_past_issue_follows_the_articles() -> None:
    assert scheduled(page(kind="edition", issue="2026-11-21"), NOON, TODAY) == (1, "2026-11-23T04:00:00Z")


def test_a_page_fetched_before_it_was_due_keeps_its_date() -> None:
    known = page(checks=1, due_at="2026-11-23T00:00:00Z", fetched_at="2026-11-22T00:00:00Z")

    assert scheduled(known, NOON, TODAY) == (1, "2026-11-23T00:00:00Z")


def test_the_next_look_is_never_in_the_past() -> None:
    long_due = page(checks=1, due_at="2020-01-01T00:00:00Z", fetched_at="2019-12-31T00:00:00Z")

    assert scheduled(long_due, NOON, TODAY) == (2, "2026-11-29T04:00:00Z")
