from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine as Database

from kb.store import searches
from kb.store.db import reading, writing
from kb.store.searches import Searched


def fill(database: Database, *made: tuple[str, int, int]) -> None:
    """Searches just now by query, total and milliseconds."""
    with writing(database) as connection:
        searches.record(connection, [searches.searched(*one) for one in made])


def test_a_report_names_what_is_searched_most_in_vain_and_slowly(database: Database) -> None:
    fill(
        database,
        ("党建", 9, 3),
        ("党建", 8, 1500),
        ("没有的词", 0, 4),
        ("没有的词", 0, 2),
        ("后来有了", 0, 1),
    )
    fill(database, ("后来有了", 2, 1), ("党建", 7, 5))
    with reading(database) as connection:
        said = searches.report(connection, 30)

    assert (said.searches, said.without_result) == (7, 3)
    assert [(one.query, one.times, one.total) for one in said.frequent] == [
        ("党建", 3, 7),
        ("后来有了", 2, 2),
        ("没有的词", 2, 0),
    ]
    assert [one.query for one in said.in_vain] == ["没有的词"]
    assert [(one.query, one.longest_ms) for one in said.slow] == [("党建", 1500)]


def test_a_log_without_lines_says_so(database: Database) -> None:
    with reading(database) as connection:
        said = searches.report(connection, 30)

    assert (said.searches, said.without_result, said.frequent) == (0, 0, ())


def test_what_is_older_than_it_may_be_kept_is_forgotten(database: Database) -> None:
    old = Searched("2020-01-01T00:00:00Z", "旧", 1, 1)
    with writing(database) as connection:
        searches.record(connection, [old, searches.searched("新", 1, 1)])
        forgotten = searches.forget(connection, 180)

    with reading(database) as connection:
        assert [one.query for one in searches.report(connection, 3650).frequent] == ["新"]
    assert forgotten == 1


def fill_hours(database: Database, query: str, hours: Sequence[int], total: int = 3) -> None:
    """One search in each of these hours of a day."""
    with writing(database) as connection:
        made = [Searched(f"2026-11-22T{hour:02}:06:00Z", query, total, 1) for hour in hours]
        searches.record(connection, made)


def popular(database: Database, limit: int = 6) -> list[str]:
    with reading(database) as connection:
        return searches.popular(connection, limit)


@pytest.mark.parametrize(
    ("hours", "total", "shown"),
    [
        ([7, 7, 8, 9, 9], 3, ["党建"]),
        ([7, 8, 9, 9], 3, []),
        ([7, 7, 7, 8, 8, 8], 3, []),
        ([7, 8, 9, 10, 11], 0, []),
    ],
)
def test_only_what_is_searched_for_often_at_several_hours_and_found_is_popular(
    database: Database, hours: list[int], total: int, shown: list[str]
) -> None:
    fill_hours(database, "党建", hours, total)

    assert popular(database) == shown


@pytest.mark.parametrize(
    "query",
    [
        "“党建”",
        "标题:党建",
        "党建 或 业务",
        "党建 与 业务",
        "党建 -业务",
        "日期:2023",
        "党建 “业务”",
        "“党建",
        "长" * 21,
    ],
)
def test_only_plain_words_are_popular(database: Database, query: str) -> None:
    fill_hours(database, query, range(10))
    fill_hours(database, "党建、业务 融合", range(9))
    fill_hours(database, "长" * 20, range(8))

    assert popular(database) == ["党建、业务 融合", "长" * 20]
    assert popular(database, 1) == ["党建、业务 融合"]


def test_white_space_and_length_of_a_query_are_made_even() -> None:
    assert searches.searched("  党建\u3000 业务\n", 1, 2.6).query == "党建 业务"
    assert len(searches.searched("长" * 999, 1, 1).query) == 200
    assert searches.searched("党建", 1, 2.6).took_ms == 3
