"""Newspapers as they were printed: their issues by day, the edition pages of an issue, an article's place among them.

Everything here shows only articles that people may see, without those that are hidden from who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select

from kb.model import NOTHING_HIDDEN, SHOWN_STATUSES, Hidden, StoredArticle
from kb.store.limits import visible
from kb.store.tables import articles
from kb.text.order import natural

LARGEST_PAGE = 500  # articles; what claims to be a larger one is no page, and nobody's neighbours
_SHOWN = articles.c.status.in_(SHOWN_STATUSES)


@dataclass(frozen=True, slots=True)
class Newspaper:
    """What is held of one newspaper."""

    name: str  # 贵州法治报
    articles: int
    first: str | None  # day of the earliest issue, 2023-01-03; None when no article is dated
    last: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One article in a list of an issue."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class IssuePage:
    """One edition page (版) of an issue, its articles in printed order."""

    label: str | None  # "07"; None: the articles that do not say their page
    name: str | None  # 理论
    articles: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an article was printed, and its neighbours on that edition page."""

    newspaper: str
    day: str
    label: str | None
    name: str | None
    before: Listed | None
    after: Listed | None


def newspapers(connection: Connection, *, hidden: Hidden = NOTHING_HIDDEN) -> list[Newspaper]:
    """Every newspaper, those with most articles first."""
    grouped = (
        select(articles.c.newspaper, articles.c.status, func.count().label("count"))
        .where(articles.c.newspaper.is_not(None), *visible(hidden))
        .group_by(articles.c.newspaper, articles.c.status)
        .subquery()
    )
    # First and last day by a look into the index each: over the groups they would be read from every row.
    same = and_(
        articles.c.newspaper == grouped.c.newspaper, articles.c.status == grouped.c.status, *visible(hidden)
    )
    first = select(func.min(articles.c.published)).where(same).scalar_subquery()
    last = select(func.max(articles.c.published)).where(same).scalar_subquery()
    found: dict[str, Newspaper] = {}
    for name, status, count, earliest, latest in connection.execute(select(grouped, first, last)):
        if status in SHOWN_STATUSES:
            other = found.get(name, Newspaper(name, 0, None, None))
            days = [day for day in (earliest, latest, other.first, other.last) if day]
            found[name] = Newspaper(
                name, other.articles + count, min(days, default=None), max(days, default=None)
            )
    return sorted(found.values(), key=lambda one: (-one.articles, one.name))


def years(connection: Connection, newspaper: str, *, hidden: Hidden = NOTHING_HIDDEN) -> dict[str, int]:
    """How many articles of a newspaper each year has, the newest first; "" those without a date. Empty when unknown."""
    year = func.coalesce(func.substr(articles.c.published, 1, 4), "")
    rows = connection.execute(
        select(year, func.count())
        .where(articles.c.newspaper == newspaper, _SHOWN, *visible(hidden))
        .group_by(year)
    )
    return dict(sorted((tuple(row) for row in rows), reverse=True))


def days(
    connection: Connection, newspaper: str, year: str, *, hidden: Hidden = NOTHING_HIDDEN
) -> dict[str, int]:
    """How many articles of a newspaper each day of a year has."""
    rows = connection.execute(
        select(articles.c.published, func.count())
        .where(
            articles.c.newspaper == newspaper,
            _SHOWN,
            articles.c.published.between(f"{year}-01-01", f"{year}-12-31"),
            *visible(hidden),
        )
        .group_by(articles.c.published)
    )
    return dict(sorted(tuple(row) for row in rows))


def issue(
    connection: Connection, newspaper: str, day: str, *, hidden: Hidden = NOTHING_HIDDEN
) -> list[IssuePage]:
    """The edition pages of an issue, in the order of their labels; what does not say its page comes last."""
    rows = connection.execute(
        select(
            articles.c.id,
            articles.c.key,
            articles.c.edition_page,
            articles.c.content["title"].as_string(),
            articles.c.content["page_name"].as_string(),
        ).where(_printed(newspaper, day), *visible(hidden))
    )
    pages: dict[str | None, list[tuple[str, Listed, str | None]]] = {}
    for article_id, key, label, title, name in rows:
        pages.setdefault(label or None, []).append((key, Listed(article_id, title), name))
    found = []
    for label, group in sorted(pages.items(), key=lambda page: (page[0] is None, natural(page[0] or ""))):
        name = next((name for _, _, name in group if name), None)
        order = in_order((listed.id, key) for key, listed, _ in group)
        listed = {listed.id: listed for _, listed, _ in group}
        found.append(IssuePage(label, name, tuple(listed[article_id] for article_id in order)))
    return found


def nearest(
    connection: Connection, newspaper: str, day: str, *, hidden: Hidden = NOTHING_HIDDEN
) -> tuple[str | None, str | None]:
    """The days of the last issue before `day` and of the first after it."""
    issues = (articles.c.newspaper == newspaper, _SHOWN, *visible(hidden))
    before = select(func.max(articles.c.published)).where(*issues, articles.c.published < day)
    after = select(func.min(articles.c.published)).where(*issues, articles.c.published > day)
    return connection.scalar(before), connection.scalar(after)


def place(connection: Connection, stored: StoredArticle, *, hidden: Hidden = NOTHING_HIDDEN) -> Place | None:
    """Where an article was printed; None when its newspaper or its date is not known."""
    article = stored.article
    if not article.newspaper or not article.published:
        return None
    rows = connection.execute(
        select(articles.c.id, articles.c.key, articles.c.content["title"].as_string())
        .where(_printed(article.newspaper, article.published), *visible(hidden))
        .where(articles.c.edition_page == article.edition_page)
        .limit(LARGEST_PAGE)
    ).all()
    titles = {article_id: title for article_id, _, title in rows}
    order = [None, *in_order((article_id, key) for article_id, key, _ in rows), None]
    at = order.index(stored.id) if stored.id in titles and len(rows) < LARGEST_PAGE else 0
    before, after = (order[at - 1], order[at + 1]) if at else (None, None)
    neighbours = (Listed(one, titles[one]) if one is not None else None for one in (before, after))
    return Place(article.newspaper, article.published, article.edition_page, article.page_name, *neighbours)


def in_order(printed: Iterable[tuple[int, str]]) -> list[int]:
    """Ids of (id, key) in printed order: by the numbers in their addresses, which newspapers count on from page to page.

    A key that is a hash says nothing; such articles follow in the order in which they were stored.
    """
    keyed = [
        (key.startswith("content:"), () if key.startswith("content:") else natural(key), article_id)
        for article_id, key in printed
    ]
    return [article_id for *_, article_id in sorted(keyed)]


def _printed(newspaper: str, day: str) -> ColumnElement[bool]:
    return and_(articles.c.newspaper == newspaper, _SHOWN, articles.c.published == day)
