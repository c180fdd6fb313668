from __future__ import annotations

import os

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import update

from kb.store import runs, tables
from kb.store.db import reading, writing
from kb.store.runs import OUTCOMES, Outcome

RUNNING = os.getpid()


@pytest.fixture
def told(database: Database) -> Database:
    """One run of every outcome, each of a source named for it."""
    with writing(database) as connection:
        numbers = {outcome: runs.begin(connection, outcome) for outcome in OUTCOMES}
        killed = update(tables.runs).where(tables.runs.c.id == numbers["interrupted"])
        connection.execute(killed.values(pid=RUNNING + 1))
        runs.note(connection, numbers["running"], {"new": 4}, {"read": 4})
        runs.end(connection, numbers["done"], {"new": 3}, {"read": 3, "date": 1})
        runs.end(connection, numbers["failures"], {"new": 3, "failed": 1}, {})
        runs.end(connection, numbers["stopped"], {"failed": 2}, {}, stopped=("fetch.wait", "请等待"))
    return database


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_run_is_listed_under_its_outcome_and_no_other(told: Database, outcome: Outcome) -> None:
    with reading(told) as connection:
        found, count = runs.some(connection, outcome=outcome, holder=RUNNING)

    assert [one.source for one in found] == [outcome]
    assert [one.outcome(RUNNING) for one in found] == [outcome]
    assert count == 1


def test_the_newest_run_comes_first_and_the_rest_by_pages(told: Database) -> None:
    with reading(told) as connection:
        found, count = runs.some(connection, limit=2, offset=1)

    assert [one.source for one in found] == ["failures", "stopped"]
    assert count == len(OUTCOMES)


def test_what_a_run_did_is_kept(told: Database) -> None:
    with reading(told) as connection:
        last = runs.last(connection)
        [again] = runs.telling(connection, "done", 5)
        news = runs.news(connection, since="2000-01-01T00:00:00Z")

    assert last["done"] == again
    assert news == {source: [again.started_at[:10]] for source in ("done", "failures", "running")}
    assert (again.new, again.lacking) == (3, {"read": 3, "date": 1})
    assert (last["running"].new, last["running"].ended_at) == (4, None)
    assert (last["stopped"].stopped, last["stopped"].detail) == ("fetch.wait", "请等待")
