from __future__ import annotations

from datetime import date, timedelta

import pytest

from kb import sources
from kb.config import Settings
from kb.sources import Shift, Silence
from kb.store.runs import Run


def run(read: int, **lacking: int) -> Run:
    """A run that read so many article pages, of which so many lacked what."""
    none = dict.fromkeys(
        ("fetched", "new", "changed", "unchanged", "failed", "skipped", "blocked", "left"), 0
    )
    moment = "2026-11-22T06:10:00Z"
    return Run(
        1,
        "qinghe",
        moment,
        moment,
        **none,
        stopped=None,
        detail=None,
        pid=1,
        lacking={"read": read, **lacking},
    )


def test_a_field_that_is_suddenly_lacking_is_named() -> None:
    earlier = [run(30, author=3) for _ in range(4)]

    assert sources.shifts([run(25, author=20, unit=1), *earlier]) == (Shift("author", 0.1, 0.8),)


def test_pages_that_give_no_article_any_more_are_named_too() -> None:
    assert [one.field for one in sources.shifts([run(18, body=18), run(4), run(90)])] == ["body"]


@pytest.mark.parametrize(
    ("newest_first", "why"),
    [
        ([run(5, author=5), run(14, author=14), run(500)], "nineteen pages say too little"),
        ([run(25, author=25), run(59)], "nothing to compare with"),
        ([run(25, author=25)], "the first run"),
        ([], "no run"),
        ([run(20, author=5), run(200, author=20)], "not a clear rise"),
        ([run(20, author=19), run(200, author=180)], "always so"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_chance_and_habit_are_no_warning(newest_first: list[Run], why: str) -> None:
    assert sources.shifts(newest_first) == (), why


def days(*gaps: int) -> list[str]:
    """Days with news, the first one on 1 January 2026."""
    found = [date(2026, 1, 1)]
    for gap in gaps:
        found.append(found[-1] + timedelta(days=gap))
    return [day.isoformat() for day in found]


def test_a_daily_paper_that_is_silent_for_days_is_named() -> None:
    daily = days(*[1] * 20)

    assert sources.silence(daily, "2026-01-24") is None
    assert sources.silence(daily, "2026-01-25") == Silence("2026-01-21", 4, 1)


def test_a_weekly_paper_may_be_silent_for_three_weeks() -> None:
    weekly = days(*[7] * 10)

    assert sources.silence(weekly, "2026-04-02") is None
    assert sources.silence(weekly, "2026-04-03") == Silence("2026-03-12", 22, 7)


def test_a_source_that_seldom_had_news_has_no_habit() -> None:
    assert sources.silence(days(1, 1, 1), "2026-12-31") is None


def test_a_source_file_that_cannot_be_used_is_told_and_hides_no_other(settings: Settings) -> None:
    (settings.own_sources / "broken.toml").write_text("slug = ", encoding="utf-8")
    found, problems = sources.known(settings)

    assert "cctv-xwlb" in found
    assert [error.key for error in problems] == ["source.unreadable"]
