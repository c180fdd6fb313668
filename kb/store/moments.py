"""Moments as the store keeps them: UTC, to the second, so that the order of the texts is the order in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = "%Y-%m-%dT%H:%M:%SZ"  # 2026-11-22T06:10:00Z


def moment(at: datetime) -> str:
    """A moment in UTC as it is kept."""
    return at.strftime(SECOND)


def now(days_ago: int = 0) -> str:
    """This moment, or that of some days ago."""
    return moment(datetime.now(UTC) - timedelta(days=days_ago))
