from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from kb.model import CrawlPage
from kb.store import frontier
from kb.store.db import reading, writing

NOW, SOON, LATER = "2026-11-22T04:00:00Z", "2026-11-22T04:10:00Z", "2026-11-23T04:00:00Z"


def page(number: int, source: str = "qinghe", **facts: Any) -> CrawlPage:
    return CrawlPage(source, f"https://szb.example.cn/{number}.htm", facts.pop("kind", "article"), **facts)


@pytest.fixture
def stored(database: Database) -> Database:
    """A frontier with pages 1, 2 and 3 queued."""
    with writing(database) as connection:
        frontier.add(connection, [page(1), page(2), page(3)])
    return database


def lease(database: Database, now: str = NOW, until: str = SOON) -> CrawlPage | None:
    with writing(database) as connection:
        return frontier.lease(connection, "qinghe", now=now, until=until)


def save(database: Database, *pages: CrawlPage) -> None:
    with writing(database) as connection:
        for one in pages:
            frontier.save(connection, one)


def open_round(database: Database, **options: Any) -> None:
    with writing(database) as connection:
        frontier.open_round(connection, "qinghe", now=NOW, **options)


def leased_numbers(database: Database) -> list[str]:
    found = []
    while (one := lease(database)) is not None:
        found.append(one.url.rsplit("/", 1)[1][:-4])
    return found


def test_pages_are_added_once_and_known_ones_stay_as_they_are(stored: Database) -> None:
    save(stored, page(1, state="done", page_hash="a" * 64))
    with writing(stored) as connection:
        added = frontier.add(connection, [page(1), page(4), page(4)])
        known = frontier.find(connection, page(1).url)

    assert added == 1
    assert known == page(1, state="done", page_hash="a" * 64)


def test_adding_nothing_or_very_much_works(database: Database) -> None:
    many = [page(number) for number in range(1200)]
    with writing(database) as connection:
        assert frontier.add(connection, []) == 0
        assert frontier.add(connection, many) == 1200
        assert frontier.add(connection, many) == 0


def test_two_sources_may_know_the_same_page(stored: Database) -> None:
    with writing(stored) as connection:
        added = frontier.add(connection, [page(1, source="other")])

    assert added == 1


def test_pages_are_leased_in_order_of_discovery_each_to_one(stored: Database) -> None:
    assert leased_numbers(stored) == ["1", "2", "3"]


def test_a_lease_that_ran_out_is_no_lease(stored: Database) -> None:
    leased_numbers(stored)

    assert lease(stored, now=SOON) is None
    again = lease(stored, now=LATER)
    assert again is not None
    assert again.url == page(1).url


def test_a_page_is_left_alone_until_its_time(stored: Database) -> None:
    save(stored, page(1, not_before=SOON), page(2, not_before=NOW))

    assert leased_numbers(stored) == ["2", "3"]
    with reading(stored) as connection:
        assert frontier.next_start(connection, "qinghe") == SOON


def test_saving_keeps_everything_that_is_known(stored: Database) -> None:
    known = page(
        2,
        state="failed",
        depth=3,
        issue="2026-11-22",
        tries=2,
        checks=1,
        due_at=LATER,
        discovered_from="https://szb.example.cn/",
        final_url="https://szb.example.cn/b.htm",
        http_status=200,
        content_type="text/html; charset=gb2312",
        etag='"v1"',
        last_modified="Fri, 01 Mar 2024 00:00:00 GMT",
        fetched_at=NOW,
        page_hash="b" * 64,
        reason="parse.no_body",
        detail="未找到正文",
    )
    save(stored, known)
    with reading(stored) as connection:
        assert frontier.find(connection, known.url) == known
        assert frontier.find(connection, "https://szb.example.cn/none") is None


def test_a_round_takes_up_what_a_killed_run_held(stored: Database) -> None:
    lease(stored)
    lease(stored)
    open_round(stored)

    assert leased_numbers(stored) == ["1", "2", "3"]


def test_a_round_queues_what_is_due_and_leaves_the_rest(stored: Database) -> None:
    save(
        stored,
        page(1, state="done", due_at=NOW),
        page(2, state="failed", due_at=NOW, tries=3),
        page(3, state="done", due_at=LATER),
    )
    with writing(stored) as connection:
        frontier.add(connection, [page(4), page(5)])
    save(stored, page(4, state="done"), page(5, state="blocked", due_at="2026-11-21T00:00:00Z"))
    open_round(stored)

    assert leased_numbers(stored) == ["1", "2", "5"]


def test_a_round_starts_every_count_of_tries_anew(stored: Database) -> None:
    save(stored, page(1, tries=3), page(2, state="failed", due_at=NOW, tries=4))
    open_round(stored)

    assert [one.tries for one in (lease(stored), lease(stored)) if one] == [0, 0]


def test_a_round_asks_again_for_named_pages_and_lists_of_named_days(stored: Database) -> None:
    with writing(stored) as connection:
        frontier.add(
            connection,
            [page(4, kind="index", issue="2024-03-01"), page(5, kind="edition", issue="2024-03-31")],
        )
        frontier.add(connection, [page(6, kind="index", issue="2024-04-01"), page(7, issue="2024-03-05")])
        for number, kind, issue in (
            (1, "article", None),
            (2, "article", None),
            (3, "article", None),
            (4, "index", "2024-03-01"),
            (5, "edition", "2024-03-31"),
            (6, "index", "2024-04-01"),
            (7, "article", "2024-03-05"),
        ):
            frontier.save(connection, page(number, kind=kind, issue=issue, state="done", due_at=LATER))
    open_round(stored, again=[page(2).url], issues=("2024-03-01", "2024-03-31"))

    assert leased_numbers(stored) == ["2", "4", "5"]


def test_a_round_leaves_lists_alone_that_were_fetched_lately(stored: Database) -> None:
    with writing(stored) as connection:
        lists = [page(number, kind="index", issue="2024-03-01") for number in (4, 5, 6)]
        frontier.add(connection, lists)
        for one, moment in zip(lists, (NOW, SOON, None), strict=True):
            frontier.save(connection, replace(one, state="done", fetched_at=moment))
    save(stored, page(1, state="done"), page(2, state="done"), page(3, state="done"))
    open_round(stored, issues=("2024-03-01", "2024-03-01"), fetched_until=NOW)

    assert leased_numbers(stored) == ["4", "6"]


def test_a_round_respects_the_time_a_server_asked_for(stored: Database) -> None:
    with writing(stored) as connection:
        frontier.postpone(connection, "qinghe", until=SOON)
    open_round(stored, again=[page(1).url])

    assert leased_numbers(stored) == []


def test_rounds_of_one_source_leave_the_others_alone(stored: Database) -> None:
    with writing(stored) as connection:
        frontier.add(connection, [page(9, source="other")])
        frontier.save(connection, page(9, source="other", state="done", due_at=NOW))
    open_round(stored)
    with reading(stored) as connection:
        assert frontier.waiting(connection, "other") == 0
        assert frontier.waiting(connection, "qinghe") == 3


def test_archived_article_pages_are_listed_for_reading_again(stored: Database) -> None:
    save(
        stored,
        page(1, state="done", page_hash="a" * 64),
        page(2, state="failed", page_hash="b" * 64, reason="parse.no_title"),
    )
    with writing(stored) as connection:
        frontier.add(connection, [page(4, kind="edition")])
    save(stored, page(4, kind="edition", state="done", page_hash="c" * 64))
    with reading(stored) as connection:
        assert [one.page_hash for one in frontier.archived(connection)] == ["a" * 64, "b" * 64]
        assert list(frontier.archived(connection, "other")) == []


def test_the_status_counts_every_page_once(stored: Database) -> None:
    with writing(stored) as connection:
        frontier.add(connection, [page(4, kind="index"), page(5), page(6), page(7)])
    save(
        stored,
        page(1, state="done", fetched_at=NOW, due_at=LATER),
        page(4, kind="index", state="done", fetched_at=SOON, due_at=SOON),
        page(5, state="skipped", reason="parse.no_body"),
        page(6, state="failed", reason="fetch.status"),
        page(7, state="blocked", reason="fetch.robots"),
    )
    lease(stored)
    with reading(stored) as connection:
        (line,) = frontier.status(connection)
        problems = frontier.problems(connection, "qinghe", limit=2)

    assert (line.source, line.waiting, line.lists, line.articles) == ("qinghe", 2, 1, 1)
    assert (line.skipped, line.failed, line.blocked) == (1, 1, 1)
    assert (line.last_fetched, line.next_due) == (SOON, SOON)
    assert [one.reason for one in problems] == ["fetch.robots", "fetch.status"]


def test_a_page_and_what_was_found_on_it_stand_or_fall_together(stored: Database) -> None:
    with pytest.raises(RuntimeError), writing(stored) as connection:
        frontier.add(connection, [page(8)])
        frontier.save(connection, replace(page(1), state="done"))
        raise RuntimeError

    with reading(stored) as connection:
        assert frontier.find(connection, page(8).url) is None
        assert frontier.find(connection, page(1).url) == page(1)


def test_a_failed_page_that_is_to_be_tried_again_is_fetched_by_the_next_run(stored: Database) -> None:
    failed = {"state": "failed", "due_at": None}
    save(stored, page(1, reason="parse.no_body", **failed), page(2, reason="parse.no_body", **failed))
    save(stored, page(3, state="done"))
    with writing(stored) as connection:
        found = frontier.failures(connection, "qinghe", limit=1)
        tried = [frontier.retry(connection, "qinghe", now=NOW, url=page(number).url) for number in (1, 3)]
    open_round(stored)

    assert ([one.url for one in found.pages], found.total) == ([page(2).url], 2)
    assert found.reasons == (("parse.no_body", 2),)
    assert tried == [1, 0]
    assert leased_numbers(stored) == ["1"]


def test_all_failed_pages_of_a_source_can_be_tried_again_at_once(stored: Database) -> None:
    save(stored, page(1, state="failed"), page(2, state="failed"), page(3, state="blocked"))
    with writing(stored) as connection:
        frontier.add(connection, [page(1, "other", state="failed")])
        tried = frontier.retry(connection, "qinghe", now=NOW)
    open_round(stored)

    assert tried == 2
    assert leased_numbers(stored) == ["1", "2"]
