from __future__ import annotations

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


@pytest.mark.parametrize(("times", "total", "shown"), [(5, 3, ["党建"]), (4, 3, []), (9, 0, [])])
def test_only_what_many_searched_for_and_found_is_popular(
    database: Database, times: int, total: int, shown: list[str]
) -> None:
    fill(database, *[("党建", total, 1)] * times)
    with reading(database) as connection:
        assert searches.popular(connection, 6) == shown


def test_white_space_and_length_of_a_query_are_made_even() -> None:
    assert searches.searched("  党建\u3000 业务\n", 1, 2.6).query == "党建 业务"
    assert len(searches.searched("长" * 999, 1, 1).query) == 200
    assert searches.searched("党建", 1, 2.6).took_ms == 3
