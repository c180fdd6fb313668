"""USE CASE  What was added in some days, for each saved search as its owner sees it, and for each topic as everybody sees it.

"Added" goes by the order of article ids. A page that was only read anew counts as what it was, unless everything after it was
read anew as well: the store keeps the moment of the present reading alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy import Engine as Database

from kb.errors import AccountError, QueryError
from kb.model import SHOWN_STATUSES, Hidden, StoredArticle
from kb.search import Search
from kb.store import articles, limits, moments, saved_searches, topics, users
from kb.store.db import reading
from kb.store.tables import article_versions
from kb.store.tables import articles as table
from kb.store.users import User

LISTED = 20  # articles of one search or topic that are named


@dataclass(frozen=True, slots=True)
class Item:
    """An article that was added."""

    id: int
    title: str
    newspaper: str | None
    published: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Part:
    """What was added to one saved search or topic."""

    name: str
    url: str
    total: int
    articles: tuple[Item, ...]  # the last added first, LISTED at most
    problem: str = ""  # why it cannot be told, in Chinese


@dataclass(frozen=True, slots=True)
class Person:
    """The saved searches of one person."""

    user: str
    full_name: str
    searches: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What was added from the first day to the last."""

    since: str  # 2026-11-16
    until: str
    topics: tuple[Part, ...]
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """Article ids: later than the first, not later than the last."""

    after: int
    last: int


def digest(
    search: Search, database: Database, *, since: date, until: date, site: str, user: str | None = None
) -> Digest:
    """What was added from the day `since` to the day `until`, both by the clock of this machine.

    `site`: address that links begin with, without a slash at its end. `user`: only this person's searches.
    Raises AccountError("account.unknown"), EngineDownError, TooSlowError.
    """
    with reading(database) as connection:
        span = _Span(_last_before(connection, since), _last_before(connection, until + timedelta(days=1)))
        everybody = limits.hidden(connection, ())
        people = [
            (one, limits.hidden(connection, one.units), saved_searches.of_user(connection, one.id))
            for one in _people(connection, user)
        ]
        shown = [one for one in topics.every(connection) if one.content.state == "shown"]
    return Digest(
        since.isoformat(),
        until.isoformat(),
        tuple(
            _part(
                search, database, one.content.name, f"{site}/t/{one.slug}", span, everybody, site, topic=one
            )
            for one in shown
        ),
        tuple(
            Person(
                one.name,
                one.full_name,
                tuple(
                    _part(
                        search,
                        database,
                        saved.name,
                        f"{site}/saved/{saved.code}",
                        span,
                        hidden,
                        site,
                        **saved.question(),
                    )
                    for saved in mine
                ),
            )
            for one, hidden, mine in people
            if mine
        ),
    )


def _people(connection: Connection, name: str | None) -> Sequence[User]:
    """Who may sign in, or one of them."""
    if name is None:
        return [one for one in users.every(connection) if one.locked_at is None]
    found = users.by_name(connection, name)
    if found is None or found.locked_at is not None:
        raise AccountError("account.unknown", name=name)
    return [found]


def _last_before(connection: Connection, day: date) -> int:
    """The id of the last article that was there before a day began."""
    begins = moments.moment(datetime.combine(day, time.min).astimezone(UTC))
    present = select(func.max(table.c.id)).where(table.c.stored_at < begins)
    earlier = select(func.max(article_versions.c.article_id)).where(article_versions.c.stored_at < begins)
    return max(connection.scalar(present) or 0, connection.scalar(earlier) or 0)


def _part(
    search: Search,
    database: Database,
    name: str,
    url: str,
    span: _Span,
    hidden: Hidden,
    site: str,
    **asked: Any,
) -> Part:
    try:
        later = search.matches(**asked, hidden=hidden, after=span.last, limit=0).articles
        most = later + LISTED
        found = search.matches(**asked, hidden=hidden, sort="added_last", after=span.after, limit=most)
    except QueryError as error:
        return Part(name, url, 0, (), error.words("zh"))
    ids = [one for one in found.ids if one <= span.last]
    with reading(database) as connection:
        # The store has the last word: what was hidden or withdrawn since is not told.
        stored = articles.many(connection, ids, hidden=hidden)
    items = tuple(
        _item(stored[one], site) for one in ids if one in stored and stored[one].status in SHOWN_STATUSES
    )
    lost = len(ids) - len(items)
    return Part(name, url, found.articles - later - lost, items[:LISTED])


def _item(stored: StoredArticle, site: str) -> Item:
    article = stored.article
    return Item(stored.id, article.title, article.newspaper, article.published, f"{site}/a/{stored.id}")
