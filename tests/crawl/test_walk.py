from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from kb.config import Settings
from kb.crawl.shapes import CrawlReport
from kb.crawl.walk import walk
from kb.errors import ConfigError
from kb.model import CrawlPage
from kb.store import frontier, pages
from kb.store.db import reading
from tests.crawl.serving import answer, serving
from tests.crawl.site import ORIGIN, SOURCE, Site, Time, articles, counts, crawl, handed, issue


@pytest.fixture
def site() -> Site:
    """Three days of a newspaper: two edition pages with two articles each."""
    return Site(
        issue("2024-03/08", editions=2) | issue("2024-03/09", editions=2) | issue("2024-03/10", editions=2)
    )


@pytest.fixture
def base(site: Site) -> Iterator[str]:
    with serving(site) as served:
        yield served.base


def row(database: Database, path: str) -> CrawlPage:
    with reading(database) as connection:
        found = frontier.find(connection, f"{ORIGIN}/html/{path}")
    assert found is not None
    return found


def test_a_first_run_takes_every_article_of_the_last_days(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    report = crawl(database, settings, base)

    assert counts(report) == {"fetched": 18, "new": 12}
    assert len(articles(database)) == 12
    assert len(site.hits) == len(set(site.hits)) == 18


def test_a_second_run_fetches_nothing_that_is_not_due(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    crawl(database, settings, base)
    site.hits.clear()

    assert counts(crawl(database, settings, base)) == {}
    assert site.hits == []


def test_a_second_run_over_named_days_asks_for_their_lists_only(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    days: dict[str, Any] = {"since": date(2024, 3, 8), "until": date(2024, 3, 10)}
    crawl(database, settings, base, **days)
    site.hits.clear()

    assert counts(crawl(database, settings, base, **days)) == {"fetched": 6, "not_modified": 6}
    assert all("node_" in path for path in site.hits)


def test_the_raw_bytes_of_every_page_are_kept(
    base: str, site: Site, database: Database, settings: Settings
) -> None:
    crawl(database, settings, base)
    page = row(database, "2024-03/10/content_11.htm")

    assert page.page_hash is not None
    assert pages.get(settings.pages, page.page_hash) == site.pages["/html/2024-03/10/content_11.htm"]
    assert (page.http_status, page.content_type) == (200, "text/html; charset=utf-8")
    assert page.final_url == page.url


def test_articles_are_looked_at_again_when_due_and_changes_are_seen(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    crawl(database, settings, base)
    site.pages["/html/2024-03/08/content_11.htm"] = "<p>更正后的正文".encode()
    tomorrow = Time()
    tomorrow.at += timedelta(days=1, minutes=1)
    site.hits.clear()
    report = crawl(database, settings, base, clock=tomorrow.clock)

    assert (report.new, report.changed, report.unchanged, report.failed) == (0, 1, 11, 0)
    assert report.skipped == 1  # 2024-03-11 has no issue
    assert len(site.hits) == 19


def test_an_article_that_is_linked_later_is_found_within_the_hour(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    crawl(database, settings, base)
    site.pages |= issue("2024-03/10", articles=3, editions=2)
    later = Time()
    later.at += timedelta(hours=1)
    report = crawl(database, settings, base, clock=later.clock)

    assert (report.new, report.changed) == (2, 0)


def test_a_day_without_an_issue_is_told_and_is_no_failure(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    del site.pages["/html/2024-03/09/node_1.htm"]
    report = crawl(database, settings, base)

    assert (report.skipped, report.failed) == (1, 0)
    assert [problem.key for problem in report.problems] == ["crawl.no_issue"]


def test_issues_are_followed_backwards_from_the_newest(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    """As Founder's paperindex.htm does it: a refresh to the newest issue, then 上一期."""
    site.pages["/paperindex.htm"] = b'<meta http-equiv="refresh" content="0;URL=html/2024-03/10/node_1.htm">'
    for newer, older in (("10", "09"), ("09", "08")):
        site.pages[f"/html/2024-03/{newer}/node_2.htm"] += (
            f'<a href="../{older}/node_1.htm">上一期</a>'.encode()
        )
    source = replace(SOURCE, start=(ORIGIN + "/paperindex.htm",), days=0, depth=10)

    assert crawl(database, settings, base, source).new == 12
    assert counts(crawl(database, settings, base, source)) == {"fetched": 1, "not_modified": 1}


def test_an_earlier_first_day_is_reached_although_the_lists_are_known(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/html/2024-03/10/node_1.htm"] += '<a href="../09/node_1.htm">上一期</a>'.encode()
    source = replace(SOURCE, start=(ORIGIN + "/html/2024-03/10/node_1.htm",), days=1)
    first = crawl(database, settings, base, source)
    second = crawl(database, settings, base, source, since=date(2024, 3, 9))

    assert (first.new, second.new) == (4, 4)


def test_the_end_of_a_redirect_is_the_address_of_the_article(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    moved = "/html/2024-03/10/content_11.htm"
    site.pages[moved] = answer(b"", "Location: content_99.htm?utm_source=x", status="301 Moved")
    site.pages["/html/2024-03/10/content_99.htm?utm_source=x"] = "<p>搬家".encode()
    crawl(database, settings, base)

    assert "2024-03/10/content_99.htm" in articles(database)
    assert "2024-03/10/content_11.htm" not in articles(database)


def test_a_page_without_an_article_is_skipped_with_its_reason_and_kept(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/html/2024-03/10/content_11.htm"] = "<p>空".encode()
    site.pages["/html/2024-03/10/content_12.htm"] = "<p>疑".encode()
    report = crawl(database, settings, base)
    page = row(database, "2024-03/10/content_11.htm")

    assert (report.new, report.skipped, report.failed) == (10, 1, 1)
    assert (page.state, page.reason) == ("skipped", "parse.no_body")
    assert page.page_hash is not None
    assert row(database, "2024-03/10/content_12.htm").reason == "parse.low_confidence"
    assert {(problem.state, problem.key) for problem in report.problems} == {
        ("skipped", "parse.no_body"),
        ("failed", "parse.low_confidence"),
    }


def test_a_crash_over_one_page_undoes_that_page_and_the_run_goes_on(
    site: Site, base: str, database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    site.pages["/html/2024-03/09/content_11.htm"] = "<p>崩".encode()
    report = crawl(database, settings, base)

    assert (report.new, report.failed) == (11, 1)
    assert "2024-03/09/content_11.htm" not in articles(database)
    assert row(database, "2024-03/09/content_11.htm").reason == "crawl.page_error"
    assert "after writing" in caplog.text


def test_a_store_that_refuses_ends_the_run(base: str, database: Database, settings: Settings) -> None:
    hands = handed(database, settings)

    def full(*_args: Any) -> Any:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    class Full:
        def __getattr__(self, name: str) -> Any:
            return full if name == "save" else getattr(frontier, name)

    mirrored = settings.model_copy(update={"crawl_mirrors": f"{ORIGIN}={base}"})
    with pytest.raises(OperationalError):
        walk(SOURCE, replace(hands, frontier=Full()), mirrored, clock=Time().clock)


def test_a_list_that_names_nothing_is_told(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/html/2024-03/10/node_1.htm"] = "<p>页面不存在".encode()
    report = crawl(database, settings, base)

    assert (report.new, report.skipped) == (8, 1)
    assert row(database, "2024-03/10/node_1.htm").reason == "crawl.no_links"


def test_a_page_that_was_not_understood_is_fetched_whole_when_due(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    """A 304 would leave it misunderstood for ever, although the rules may be better now."""
    site.pages["/html/2024-03/08/content_11.htm"] = "<p>疑".encode()
    crawl(database, settings, base)
    tomorrow = Time()
    tomorrow.at += timedelta(days=1, minutes=1)
    report = crawl(database, settings, base, clock=tomorrow.clock)

    assert (report.failed, report.unchanged) == (1, 11)
    assert report.problems[0].url == f"{ORIGIN}/html/2024-03/08/content_11.htm"


def test_a_list_whose_raw_bytes_were_lost_is_fetched_and_kept_anew(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    days: dict[str, Any] = {"since": date(2024, 3, 10)}
    crawl(database, settings, base, **days)
    page = row(database, "2024-03/10/node_1.htm")
    assert page.page_hash is not None
    (settings.pages / page.page_hash[:2] / f"{page.page_hash}.gz").unlink()
    report = crawl(database, settings, base, **days)

    assert (report.fetched, report.not_modified) == (2, 1)
    assert pages.get(settings.pages, page.page_hash)


# --- trouble --------------------------------------------------------------------------------------------


def flaky(site: Site, path: str, failures: int, data: bytes) -> None:
    """Make the site answer a page with `data` before it answers properly."""
    good = site.pages[path]
    left = [data] * failures

    class Flaky(dict[str, bytes]):
        def get(self, key: str, default: Any = None) -> Any:
            return left.pop() if key == path and left else super().get(key, default)

    site.pages = Flaky(site.pages | {path: good})


@pytest.mark.parametrize(
    "data",
    [answer(status="503 Busy"), answer(status="429 Slow"), answer(b"", "Content-Length: 9", length=False)],
)
def test_passing_trouble_is_tried_again_with_back_off(
    data: bytes, site: Site, base: str, database: Database, settings: Settings
) -> None:
    flaky(site, "/html/2024-03/09/content_11.htm", 2, data)
    time = Time()
    report = crawl(database, settings, base, clock=time.clock)

    assert (report.new, report.failed) == (12, 0)
    assert 2.0 + 4.0 <= time.slept <= 3.0 + 6.0 + 4.0


def test_lasting_trouble_with_one_page_is_given_up_and_tried_again_by_the_next_run(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    path = "/html/2024-03/09/content_11.htm"
    good = site.pages[path]
    site.pages[path] = answer(status="500 Oops")
    time = Time()
    report = crawl(database, settings, base, clock=time.clock)
    site.pages[path] = good

    assert (report.new, report.failed) == (11, 1)
    assert site.hits.count(path) == 4
    assert crawl(database, settings, base, clock=time.clock).new == 1


def test_a_missing_page_is_a_failure_that_is_not_insisted_on(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    del site.pages["/html/2024-03/09/content_11.htm"]
    report = crawl(database, settings, base)
    site.hits.clear()

    assert (report.new, report.failed) == (11, 1)
    assert row(database, "2024-03/09/content_11.htm").http_status == 404
    assert counts(crawl(database, settings, base)) == {}


def test_a_stored_article_that_disappears_stays_and_is_told(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    crawl(database, settings, base)
    del site.pages["/html/2024-03/08/content_11.htm"]
    tomorrow = Time()
    tomorrow.at += timedelta(days=1, minutes=1)
    report = crawl(database, settings, base, clock=tomorrow.clock)

    assert report.failed == 1
    assert "2024-03/08/content_11.htm" in articles(database)
    assert row(database, "2024-03/08/content_11.htm").page_hash is not None


def test_a_site_that_is_down_ends_the_run_early_and_loses_nothing(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    whole = site.pages
    site.pages = dict.fromkeys(whole, answer(status="502 Bad Gateway"))
    report = crawl(database, settings, base)
    site.pages = whole

    assert report.stopped is not None
    assert report.stopped.key == "crawl.host_down"
    assert len(site.hits) == 5
    assert report.left == 3
    assert crawl(database, settings, base).new == 12


def test_a_server_that_asks_for_time_gets_it_from_every_page(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    flaky(site, "/html/2024-03/09/node_1.htm", 1, answer(b"", "Retry-After: 60", status="429 Slow"))
    time = Time()
    report = crawl(database, settings, base, clock=time.clock)

    assert report.new == 12
    assert 60 <= time.slept < 65


def test_a_server_that_asks_for_hours_is_left_to_a_later_run(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    flaky(site, "/html/2024-03/08/node_1.htm", 1, answer(b"", "Retry-After: 7200", status="503 Busy"))
    report = crawl(database, settings, base)
    soon, later = Time(), Time()
    soon.at += timedelta(hours=1)
    later.at += timedelta(hours=2, minutes=1)

    assert report.stopped is not None
    assert report.stopped.key == "fetch.wait"
    assert (len(site.hits), report.left) == (1, 3)
    assert counts(crawl(database, settings, base, clock=soon.clock)) == {"left": 3}
    assert crawl(database, settings, base, clock=later.clock).new == 12


# --- robots.txt and pace --------------------------------------------------------------------------------


def test_pages_that_robots_txt_forbids_are_never_asked_for(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /html/2024-03/09/content_\n")
    report = crawl(database, settings, base)

    assert (report.new, report.blocked) == (8, 4)
    assert not any("09/content" in path for path in site.hits)
    assert row(database, "2024-03/09/content_11.htm").state == "blocked"
    assert row(database, "2024-03/09/content_11.htm").reason == "fetch.robots"


def test_a_redirect_to_a_forbidden_page_is_not_followed(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/robots.txt"] = answer(b"User-agent: *\nDisallow: /secret/\n")
    site.pages["/html/2024-03/10/content_11.htm"] = answer(b"", "Location: /secret/1.htm", status="302 Found")
    site.pages["/secret/1.htm"] = b"<p>secret"
    report = crawl(database, settings, base)

    assert report.blocked == 1
    assert "/secret/1.htm" not in site.hits


def test_a_site_whose_robots_txt_is_broken_is_left_alone_this_time(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/robots.txt"] = answer(status="500 Oops")
    report = crawl(database, settings, base)
    del site.pages["/robots.txt"]

    assert site.hits == []
    assert report.stopped is not None
    assert report.stopped.key == "fetch.robots_unreachable"
    assert crawl(database, settings, base).new == 12


def slept(database: Database, settings: Settings, base: str, **source: Any) -> tuple[float, CrawlReport]:
    time = Time()
    report = crawl(database, settings, base, replace(SOURCE, days=1, **source), clock=time.clock)
    return time.slept, report


def test_a_mirror_is_not_paused_for(base: str, database: Database, settings: Settings) -> None:
    assert slept(database, settings, base)[0] == 0.0


def test_an_explicit_pace_holds_for_a_mirror_too(base: str, database: Database, settings: Settings) -> None:
    paced = settings.model_copy(update={"pace_seconds": 1.5})
    seconds, report = slept(database, paced, base)

    assert seconds == 1.5 * report.fetched  # robots.txt is the first of the requests


def test_the_pace_of_a_source_goes_before_the_setting(
    base: str, database: Database, settings: Settings
) -> None:
    paced = settings.model_copy(update={"pace_seconds": 9.0})
    seconds, report = slept(database, paced, base, pace_seconds=0.5)

    assert seconds == 0.5 * report.fetched


def test_a_crawl_delay_is_obeyed_even_where_no_pause_is_set(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/robots.txt"] = answer(b"User-agent: *\nCrawl-delay: 2.5\n")
    seconds, report = slept(database, settings, base, pace_seconds=0.0)

    assert seconds == 2.5 * (report.fetched - 1)


def test_a_crawl_delay_of_a_day_is_one_page_a_day(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    site.pages["/robots.txt"] = answer(b"User-agent: *\nCrawl-delay: 86400\n")
    today, later, tomorrow = Time(), Time(), Time()
    later.at += timedelta(hours=8)
    tomorrow.at += timedelta(days=1, minutes=1)
    reports = [crawl(database, settings, base, clock=time.clock) for time in (today, later, tomorrow)]

    assert [report.fetched for report in reports] == [1, 0, 1]
    assert {report.stopped.key for report in reports if report.stopped} == {"fetch.wait"}
    assert today.slept == later.slept == 0.0


# --- bounds ---------------------------------------------------------------------------------------------


def test_a_run_keeps_to_its_page_budget_and_the_next_goes_on(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    first = crawl(database, settings, base, replace(SOURCE, pages=10))
    second = crawl(database, settings, base)

    assert first.stopped is not None
    assert first.stopped.key == "crawl.budget"
    assert first.fetched == 10
    assert first.new + second.new == 12
    assert len(site.hits) == 18


def test_an_endless_site_ends_at_the_budget(database: Database, settings: Settings) -> None:
    class Endless(Site):
        def __call__(self, head: bytes) -> Any:
            number = len(self.hits)
            self.hits.append("")
            path = head.split(b" ")[1].decode()
            text = f'<a href="{path.rsplit("/", 1)[0]}/node_{number}.htm"><a href="content_{number}.htm">正文{number}'
            yield answer(text.encode())

    with serving(Endless()) as served:
        report = crawl(database, settings, served.base, replace(SOURCE, pages=40, depth=1000))

    assert report.fetched == 40
    assert report.new > 10


def test_a_stopped_run_can_be_stopped_by_ctrl_c_and_goes_on(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    def interrupt(report: CrawlReport, _url: str) -> None:
        if report.fetched == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crawl(database, settings, base, progress=interrupt)
    crawl(database, settings, base)

    assert len(articles(database)) == 12
    assert len(site.hits) == 18


def test_an_interrupted_run_over_named_days_goes_on_without_reading_its_lists_again(
    site: Site, base: str, database: Database, settings: Settings
) -> None:
    days: dict[str, Any] = {"since": date(2024, 3, 8), "until": date(2024, 3, 10)}
    crawl(database, settings, base, replace(SOURCE, pages=10), **days)
    crawl(database, settings, base, **days)

    assert len(site.hits) == len(set(site.hits)) == 18
    assert crawl(database, settings, base, **days).fetched == 6


def test_progress_is_told_after_every_page(base: str, database: Database, settings: Settings) -> None:
    seen: list[tuple[int, int]] = []
    crawl(database, settings, base, progress=lambda report, _url: seen.append((report.fetched, report.left)))

    assert [fetched for fetched, _ in seen] == list(range(1, 19))
    assert seen[-1][1] == 0


def test_a_source_without_an_address_says_so(database: Database, settings: Settings) -> None:
    with pytest.raises(ConfigError) as caught:
        crawl(database, settings, "http://127.0.0.1:9", replace(SOURCE, start=()))

    assert caught.value.key == "source.no_start"
