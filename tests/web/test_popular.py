"""Popular queries for those from whom something is hidden."""

from __future__ import annotations

import time
from typing import Any, cast

from kb.errors import TooSlowError
from kb.model import NOTHING_HIDDEN, Hidden
from kb.search import Search
from kb.web import popular
from kb.web.popular import SHOWN, Popular

QUERIES = [f"词{number}" for number in range(24)]
SOME = Hidden(articles=frozenset({1}))


class Counting:
    """A search that notes what it is asked."""

    def __init__(self, *, finds: bool = True, takes: float = 0.0) -> None:
        self.asked: list[str] = []
        self.finds, self.takes = finds, takes

    def count(self, query: str, *, seconds: float, **_: Any) -> int:
        self.asked.append(query)
        time.sleep(min(self.takes, seconds))
        if self.takes > seconds:
            raise TooSlowError("search.too_slow", seconds=seconds)
        return int(self.finds)


def shown(of: Popular, search: Counting, hidden: Hidden, queries: list[str] = QUERIES) -> list[str]:
    return of.shown(queries, cast(Search, search), hidden)


def test_no_more_is_counted_than_is_shown_and_once_for_all_who_see_the_same() -> None:
    search, of = Counting(), Popular()
    first, again = shown(of, search, SOME), shown(of, search, Hidden(articles=frozenset({1})))
    everything = shown(of, search, NOTHING_HIDDEN)

    assert first == again == everything == QUERIES[:SHOWN]
    assert search.asked == QUERIES[:SHOWN]


def test_what_is_hidden_otherwise_or_popular_now_is_counted_anew() -> None:
    search, of = Counting(), Popular()
    for hidden, queries in ((SOME, QUERIES), (Hidden(articles=frozenset({2})), QUERIES), (SOME, ["新"])):
        shown(of, search, hidden, queries)

    assert search.asked == [*QUERIES[:SHOWN] * 2, "新"]


def test_what_takes_too_long_is_not_shown_and_keeps_no_page(monkeypatch) -> None:
    monkeypatch.setattr(popular, "SECONDS", 0.05)
    begun = time.monotonic()

    assert shown(Popular(), Counting(takes=9.0), SOME) == []
    assert time.monotonic() - begun < 1.0


def test_what_finds_nothing_for_somebody_is_not_shown() -> None:
    assert shown(Popular(), Counting(finds=False), SOME) == []
