"""Articles by their keys, which are the same in every library that took them from the same place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kb.store.tables import articles


@dataclass(frozen=True, slots=True)
class Named:
    """What names an article outside of its library."""

    key: str  # https://gz.example/2024-03/15/content_812.html
    title: str  # for people


def present(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of these ids that are articles, whatever their status."""
    return set(connection.scalars(select(articles.c.id).where(articles.c.id.in_(ids))))


def named(connection: Connection, ids: Collection[int]) -> dict[int, Named]:
    """The articles with these ids, whatever their status; those that are not there are left out."""
    title = articles.c.content["title"].as_string().label("title")
    asked = select(articles.c.id, articles.c.key, title).where(articles.c.id.in_(ids))
    return {row.id: Named(row.key, row.title) for row in connection.execute(asked)}


def ids_of(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """The ids of the articles with these keys; those that are not there are left out."""
    asked = select(articles.c.key, articles.c.id).where(articles.c.key.in_(keys))
    return {row.key: row.id for row in connection.execute(asked)}
