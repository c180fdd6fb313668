"""What shows to people of some units (单位) alone: whole sources, single articles. Takes effect with the commit.

Who belongs to one of the units that a source is limited to sees its articles, save those that are limited themselves to other
units. Nobody's role gives sight.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import Engine as Database

from kb.errors import StoreError
from kb.model import HIDDEN_STATUSES, NOTHING_HIDDEN, SHOWN_STATUSES, Actor, Hidden
from kb.store import audit
from kb.store.tables import article_limits, articles, sequence, source_limits, units

Kind = Literal["source", "article"]
KINDS_OF_PEOPLE = 256  # sets of units whose Hidden a process remembers
_LINES: dict[Kind, tuple[Table, Column[Any]]] = {
    "source": (source_limits, source_limits.c.source),
    "article": (article_limits, article_limits.c.article_id),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a source or an article is limited to."""

    kind: Kind
    name: str  # guizhou-fazhi, of an article its id: 812
    source: str
    units: tuple[str, ...]  # names
    articles: int  # that it hides from everybody else


# --- what somebody may not see ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What is known of one state of the limits."""

    version: int
    by_units: dict[frozenset[int], Hidden]


_known: WeakKeyDictionary[Database, _Known] = WeakKeyDictionary()
_lock = threading.Lock()
_VERSION = "SELECT value FROM sequence WHERE name = 'limits'"  # each request asks, so in the fewest steps


def hidden(connection: Connection, units: Collection[int]) -> Hidden:
    """What somebody who belongs to these units may not see. Reads a number where no limit has changed."""
    version: int = connection.exec_driver_sql(_VERSION).scalar() or 0
    with _lock:
        known = _known.get(connection.engine)
        if known is None or known.version != version or len(known.by_units) >= KINDS_OF_PEOPLE:
            known = _known[connection.engine] = _Known(version, {})
    if not version:
        return NOTHING_HIDDEN
    belongs = frozenset(units)
    found = known.by_units.get(belongs)
    if found is None:
        sources = frozenset(_closed(connection, "source", belongs))
        ids = frozenset(_closed(connection, "article", belongs))
        found = known.by_units[belongs] = Hidden(belongs, sources, ids) if sources or ids else NOTHING_HIDDEN
    return found


def _closed(connection: Connection, kind: Kind, belongs: frozenset[int]) -> Sequence[Any]:
    """What is limited to none of the units."""
    table, column = _LINES[kind]
    opened = func.sum(case((table.c.unit_id.in_(belongs), 1), else_=0))
    return connection.scalars(select(column).group_by(column).having(opened == 0)).all()


def visible(hidden: Hidden) -> list[ColumnElement[bool]]:
    """What must hold of a row of `articles` for it to be seen; nothing where nothing is hidden.

    Ids are looked up, not listed: there may be more of them than a statement takes.
    """
    conditions: list[ColumnElement[bool]] = []
    if hidden.sources:
        conditions.append(articles.c.source.not_in(sorted(hidden.sources)))
    if hidden.articles:
        line = article_limits.c.article_id == articles.c.id
        limited = exists().where(line).correlate(articles)
        is_open = exists().where(line, article_limits.c.unit_id.in_(hidden.units)).correlate(articles)
        conditions.append(or_(~limited, is_open) if hidden.units else ~limited)
    return conditions


def hidden_keys(connection: Connection, keys: Collection[str], hidden: Hidden) -> set[str]:
    """Those of these keys under which an article is stored, of whatever status, that somebody may not see."""
    if hidden.is_empty:
        return set()
    asked = select(articles.c.key).where(articles.c.key.in_(keys))
    return set(connection.scalars(asked.where(not_(and_(true(), *visible(hidden))))))


# --- changes --------------------------------------------------------------------------------------------------------


def put(connection: Connection, actor: Actor, kind: Kind, name: str | int, to: Collection[int]) -> None:
    """Limit a source or an article (by its id) to units, instead of those before. Raises StoreError."""
    table, column = _LINES[kind]
    found = connection.execute(
        select(units.c.id, units.c.name).where(units.c.id.in_(to)).order_by(units.c.id)
    ).all()
    if not found or len(found) != len(set(to)):
        raise StoreError("limit.no_unit")
    if kind == "article" and not connection.scalar(select(articles.c.id).where(articles.c.id == name)):
        raise StoreError("limit.no_article", name=name)
    before = _units_of(connection, kind, name)
    connection.execute(delete(table).where(column == name))
    connection.execute(insert(table), [{column.name: name, "unit_id": row.id} for row in found])
    _count_change(connection)
    detail = {"units": [row.name for row in found], "before": before}
    audit.record(connection, actor, "limit.set", f"{kind}:{name}", detail=detail)


def lift(connection: Connection, actor: Actor, kind: Kind, name: str | int) -> None:
    """Show it to everybody again. Raises StoreError("limit.none")."""
    table, column = _LINES[kind]
    before = _units_of(connection, kind, name)
    if not before:
        raise StoreError("limit.none", name=name)
    connection.execute(delete(table).where(column == name))
    _count_change(connection)
    audit.record(connection, actor, "limit.lifted", f"{kind}:{name}", detail={"before": before})


def _count_change(connection: Connection) -> None:
    """By the clock, so that a database from a backup never comes to a number that a process remembers."""
    later = time.time_ns()
    version = case((sequence.c.value < later, later), else_=sequence.c.value + 1)
    connection.execute(update(sequence).where(sequence.c.name == "limits").values(value=version))


# --- what there is --------------------------------------------------------------------------------------------------


def of_sources(connection: Connection, text: str = "") -> list[Limit]:
    """The limits of sources; those whose slug or one of whose units contains a text."""
    rows = connection.execute(_asked("source", text).order_by(source_limits.c.source)).scalars().all()
    named = _named(connection, "source", rows)
    counts = articles_of(connection, rows)
    return [Limit("source", one, one, named[one], counts.get(one, 0)) for one in rows]


def of_articles(
    connection: Connection, text: str = "", *, offset: int = 0, limit: int = 50
) -> tuple[list[Limit], int]:
    """Some of the limits of single articles, the last articles first, and how many there are."""
    asked = _asked("article", text)
    total = connection.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    page = asked.order_by(article_limits.c.article_id.desc()).offset(offset).limit(limit)
    ids = connection.execute(page).scalars().all()
    named = _named(connection, "article", ids)
    rows = connection.execute(
        select(articles.c.id, articles.c.source, articles.c.status).where(articles.c.id.in_(ids))
    )
    known = {row.id: row for row in rows}
    found = [
        Limit("article", str(one), known[one].source, named[one], int(known[one].status in SHOWN_STATUSES))
        for one in ids
    ]
    return found, total


def readers(connection: Connection, article_id: int, source: str) -> list[tuple[str, ...]]:
    """The names of the units that an article is shown to; of two groups a reader belongs to one each. Empty: everybody.

    Asks nothing where `hidden` has just read that nothing was ever limited.
    """
    known = _known.get(connection.engine)
    if known is not None and not known.version:
        return []
    groups = (_units_of(connection, "source", source), _units_of(connection, "article", article_id))
    return [group for group in dict.fromkeys(groups) if group]


def articles_of(connection: Connection, sources: Collection[str] | None = None) -> dict[str, int]:
    """How many articles that are shown each source has; all sources in the store by default."""
    asked = select(articles.c.source, func.count()).where(articles.c.status.in_(SHOWN_STATUSES))
    if sources is not None:
        asked = asked.where(articles.c.source.in_(sources))
    rows = connection.execute(asked.group_by(articles.c.source).order_by(articles.c.source))
    return dict(tuple(row) for row in rows)


def open_copies(connection: Connection, ids: Collection[int]) -> list[int]:
    """Copies of the texts of these articles that are neither limited nor of a limited source: they tell the same to everybody."""
    root = func.coalesce(articles.c.reprint_of, articles.c.id)
    roots = connection.scalars(select(root).where(articles.c.id.in_(ids))).all()
    limited = exists().where(article_limits.c.article_id == articles.c.id).correlate(articles)
    closed = exists().where(source_limits.c.source == articles.c.source).correlate(articles)
    copies = or_(articles.c.id.in_(roots), articles.c.reprint_of.in_(roots))
    asked = select(articles.c.id).where(copies, articles.c.status.not_in(HIDDEN_STATUSES), ~limited, ~closed)
    return [one for one in connection.scalars(asked.order_by(articles.c.id)) if one not in set(ids)]


def article_named(connection: Connection, text: str) -> int | None:
    """The article of an id, of the address of its page in kb, or of the address that it came from."""
    own = re.fullmatch(r"(?:\S*/a/)?([0-9]{1,18})", text)
    is_it = articles.c.id == int(own[1]) if own else articles.c.key == text
    found: int | None = connection.scalar(select(articles.c.id).where(is_it))
    return found


def _asked(kind: Kind, text: str) -> Select[Any]:
    """What is limited, each once, that a text is about."""
    table, column = _LINES[kind]
    asked = select(column).join(units, units.c.id == table.c.unit_id).group_by(column)
    if not text:
        return asked
    about = [units.c.name.contains(text, autoescape=True)]
    if kind == "source":
        about.append(column.contains(text, autoescape=True))
    else:
        asked = asked.join(articles, articles.c.id == column)
        about.append(articles.c.source.contains(text, autoescape=True))
        if re.fullmatch("[0-9]{1,18}", text):
            about.append(column == int(text))
    return asked.where(or_(*about))


def _units_of(connection: Connection, kind: Kind, name: str | int) -> tuple[str, ...]:
    return _named(connection, kind, [name]).get(name, ())


def _named(connection: Connection, kind: Kind, names: Sequence[Any]) -> dict[Any, tuple[str, ...]]:
    """The names of the units that each of these is limited to."""
    table, column = _LINES[kind]
    asked = select(column, units.c.name).join(units, units.c.id == table.c.unit_id).where(column.in_(names))
    found: dict[Any, tuple[str, ...]] = {}
    for name, unit in connection.execute(asked.order_by(units.c.id)):
        found[name] = (*found.get(name, ()), unit)
    return found
