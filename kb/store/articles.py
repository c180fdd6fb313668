"""Articles in the store: saved with versions, sequence numbers and reprint links; read back whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from kb.model import (
    BODY_KINDS,
    HIDDEN_STATUSES,
    NOTHING_HIDDEN,
    SHOWN_STATUSES,
    Article,
    Hidden,
    Status,
    StoredArticle,
)
from kb.store import content, moments
from kb.store.limits import visible
from kb.store.reprints import earliest_seen, link, near_ids
from kb.store.tables import article_versions, articles, sequence
from kb.text.fingerprint import Fingerprints, body_hash, simhash

ROWS = 100  # read at a time by what goes through many

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to be saved."""

    article: Article
    page_hash: str | None = None
    # An archive or file holds no order in time: a text that any version had already is nothing new.
    known_version_is_old: bool = False
    keeps_former: bool = False  # as a version, also where the same page is read otherwise


@dataclass(frozen=True, slots=True)
class Saved:
    id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Summary:
    """What the store holds that people may see."""

    count: int
    first_published: str | None
    last_published: str | None
    last_stored: str | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    version: int
    stored_at: str
    body_chars: int


def fingerprints(connection: Connection) -> Fingerprints:
    """The fingerprints of every stored article, for linking reprints while saving."""
    return Fingerprints(iter(connection.execute(select(articles.c.id, articles.c.simhash))))


def save(connection: Connection, items: Sequence[NewArticle], near: Fingerprints) -> list[Saved]:
    """Store `items` in order inside the caller's transaction; the same again changes nothing.

    A changed text makes a new version and keeps the old one; a better reading of the same raw page replaces the
    reading. `near` holds the fingerprints of all stored articles and gets those of `items`.
    """
    saving = _Saving(connection, near, _Numbers.read(connection))
    valued = [(item, _values(item)) for item in items]
    saving.look_up(values for _item, values in valued)
    saved = [_save_one(saving, item, values) for item, values in valued]
    saving.flush()
    saving.numbers.write(connection)
    return saved


@dataclass(slots=True)
class _Numbers:
    """The two counters, read once and written once in a transaction that holds the write lock."""

    seq: int
    article_id: int

    @classmethod
    def read(cls, connection: Connection) -> _Numbers:
        rows = connection.execute(select(sequence.c.name, sequence.c.value).with_for_update())
        values: dict[str, int] = {row.name: row.value for row in rows}
        return cls(values["seq"], values["article_id"])

    def write(self, connection: Connection) -> None:
        for name in ("seq", "article_id"):
            statement = update(sequence).where(sequence.c.name == name)
            connection.execute(statement.values(value=getattr(self, name)))

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def next_id(self) -> int:
        self.article_id += 1
        return self.article_id


@dataclass(slots=True)
class _Saving:
    """What one call of `save` knows. New rows are kept back and inserted together: a statement a row is slow."""

    connection: Connection
    near: Fingerprints
    numbers: _Numbers
    stored: dict[str, Row[Any]] = field(default_factory=dict)  # by key
    bodies: set[str] = field(default_factory=set)  # body hashes in the store and in this call
    fresh: dict[str, dict[str, Any]] = field(default_factory=dict)  # rows to insert, by key

    def look_up(self, valued: Iterable[dict[str, Any]]) -> None:
        wanted = [(values["key"], values["body_hash"]) for values in valued]
        keys, bodies = [key for key, _ in wanted], [body for _, body in wanted]
        rows = self.connection.execute(select(articles).where(articles.c.key.in_(keys)))
        self.stored = {row.key: row for row in rows}
        known = select(articles.c.body_hash).where(articles.c.body_hash.in_(bodies))
        self.bodies = set(self.connection.scalars(known))

    def flush(self) -> None:
        if self.fresh:
            self.connection.execute(insert(articles), list(self.fresh.values()))
            self.fresh = {}

    def row(self, key: str) -> Row[Any] | None:
        """The stored row of a key, also of one that came earlier in this call."""
        if key in self.fresh:
            self.flush()
            self.stored[key] = self.connection.execute(select(articles).where(articles.c.key == key)).one()
        return self.stored.get(key)


def _save_one(saving: _Saving, item: NewArticle, values: dict[str, Any]) -> Saved:
    stored = saving.row(item.article.key)
    if stored is not None and _is_old(saving.connection, stored, item, values["content_hash"]):
        return Saved(stored.id, "unchanged")
    values["seq"] = saving.numbers.next_seq()
    if stored is None:
        article_id = saving.numbers.next_id()
        row = {"id": article_id, "version": 1, "status": "normal", "reprint_of": None, **values}
        saving.fresh[item.article.key] = row
    else:
        article_id = stored.id
        _replace(saving, stored, item, values)
    if stored is not None or _may_have_copies(saving, values):
        saving.flush()
        link(saving.connection, article_id, values, saving.near, saving.numbers.next_seq)
    saving.near.add(article_id, values["simhash"])
    saving.bodies.add(values["body_hash"])
    return Saved(article_id, "added" if stored is None else "changed")


def _replace(saving: _Saving, stored: Row[Any], item: NewArticle, values: dict[str, Any]) -> None:
    # Limits go by source: whoever brings an article again does not carry it, and its former texts, out of them.
    values["source"] = stored.source
    same_page = item.page_hash is not None and item.page_hash == stored.page_hash
    if not same_page or item.keeps_former:
        _keep_version(saving.connection, stored)
        values |= {"version": stored.version + 1, "status": "corrected"}
    saving.connection.execute(update(articles).where(articles.c.id == stored.id).values(**values))
    changed = select(articles).where(articles.c.id == stored.id)
    saving.stored[item.article.key] = saving.connection.execute(changed).one()


def _may_have_copies(saving: _Saving, values: dict[str, Any]) -> bool:
    return values["body_hash"] in saving.bodies or bool(near_ids(saving.near, values))


def _values(item: NewArticle) -> dict[str, Any]:
    article = item.article
    kept = content.of(article)
    body = [block.text for block in article.blocks if block.kind in BODY_KINDS]
    return {
        "key": article.key,
        "source": article.source,
        "published": article.published,
        "newspaper": article.newspaper,
        "edition_page": article.edition_page,
        "content": kept,
        "content_hash": content.hashed(kept),
        "body_hash": body_hash(body),
        "simhash": simhash("\n".join(body)),
        "body_chars": sum(len(text) for text in body),
        "page_hash": item.page_hash,
        "stored_at": moments.now(),
    }


def _is_old(connection: Connection, stored: Row[Any], item: NewArticle, new_hash: str) -> bool:
    if stored.content_hash == new_hash:
        return True
    if not item.known_version_is_old:
        return False
    known = select(article_versions.c.version).where(
        article_versions.c.article_id == stored.id, article_versions.c.content_hash == new_hash
    )
    return connection.execute(known).first() is not None


def _keep_version(connection: Connection, stored: Row[Any]) -> None:
    connection.execute(
        insert(article_versions).values(
            article_id=stored.id,
            version=stored.version,
            content=stored.content,
            content_hash=stored.content_hash,
            body_chars=stored.body_chars,
            page_hash=stored.page_hash,
            stored_at=stored.stored_at,
        )
    )


def set_status(connection: Connection, article_id: int, status: Status) -> None:
    """Mark an article withdrawn, gone or shown again. The text stays; the index follows by sequence number."""
    numbers = _Numbers.read(connection)
    changed = connection.execute(
        update(articles)
        .where(articles.c.id == article_id, articles.c.status != status)
        .values(status=status, seq=numbers.seq + 1)
    )
    if changed.rowcount:
        numbers.next_seq()
        numbers.write(connection)


def status_of(connection: Connection, key: str) -> Status | None:
    """The status of what is stored under a key; None when nothing is."""
    found: Status | None = connection.scalar(select(articles.c.status).where(articles.c.key == key))
    return found


def one(connection: Connection, article_id: int, *, hidden: Hidden = NOTHING_HIDDEN) -> StoredArticle | None:
    """The present version of an article, whatever its status."""
    return many(connection, [article_id], hidden=hidden).get(article_id)


def many(
    connection: Connection, ids: Sequence[int], *, hidden: Hidden = NOTHING_HIDDEN
) -> dict[int, StoredArticle]:
    """The articles with these ids, in one query."""
    rows = connection.execute(select(articles).where(articles.c.id.in_(ids), *visible(hidden)))
    return {stored.id: stored for stored in _seen(connection, map(_stored, rows), hidden)}


def shown(connection: Connection, ids: Collection[int], *, hidden: Hidden = NOTHING_HIDDEN) -> set[int]:
    """Those of these articles that people may see now."""
    asked = select(articles.c.id).where(articles.c.id.in_(ids), articles.c.status.not_in(HIDDEN_STATUSES))
    return set(connection.scalars(asked.where(*visible(hidden))))


def newest(connection: Connection, limit: int, *, hidden: Hidden = NOTHING_HIDDEN) -> list[StoredArticle]:
    """The articles published last; those without a date come after all others, the last stored first."""
    # NOT IN, so that SQLite walks the index of dates from its end instead of sorting everything shown.
    of: list[ColumnElement[bool]] = [articles.c.status.not_in(HIDDEN_STATUSES)]
    if not hidden.is_empty:
        # The last thousands may be hidden: the index that covers their sources is walked, each status by itself.
        of = [articles.c.status == status for status in SHOWN_STATUSES]
    ids = [article_id for condition in of for article_id in _newest(connection, condition, limit, hidden)]
    found = many(connection, ids, hidden=hidden)
    ordered = sorted(found.values(), key=lambda one: (one.article.published or "", one.id), reverse=True)
    return ordered[:limit]


def _newest(connection: Connection, of: ColumnElement[bool], limit: int, hidden: Hidden) -> Sequence[int]:
    asked = select(articles.c.id).where(of, *visible(hidden))
    ordered = asked.order_by(articles.c.published.desc().nulls_last(), articles.c.id.desc())
    return connection.scalars(ordered.limit(limit)).all()


def summary(connection: Connection, *, hidden: Hidden = NOTHING_HIDDEN) -> Summary:
    """How many articles, from when to when, and when the last one came."""
    row = connection.execute(
        select(
            func.count(),
            func.min(articles.c.published),
            func.max(articles.c.published),
            func.max(articles.c.stored_at),
        ).where(articles.c.status.in_(SHOWN_STATUSES), *visible(hidden))
    ).one()
    return Summary(*row)


def versions(connection: Connection, article_id: int) -> list[VersionLine]:
    """Every version of an article, the newest first."""
    columns = ("version", "stored_at", "body_chars")
    present = select(*(articles.c[name] for name in columns)).where(articles.c.id == article_id)
    earlier = select(*(article_versions.c[name] for name in columns)).where(
        article_versions.c.article_id == article_id
    )
    rows = [*connection.execute(present), *connection.execute(earlier)]
    return sorted((VersionLine(*row) for row in rows), key=lambda line: -line.version)


def version(
    connection: Connection, article_id: int, number: int, *, hidden: Hidden = NOTHING_HIDDEN
) -> StoredArticle | None:
    """One version of an article, present or earlier."""
    asked = select(articles).where(articles.c.id == article_id, *visible(hidden))
    row = connection.execute(asked).one_or_none()
    if row is None or row.version == number:
        return None if row is None else _seen(connection, [_stored(row)], hidden)[0]
    old = connection.execute(
        select(article_versions).where(
            and_(article_versions.c.article_id == article_id, article_versions.c.version == number)
        )
    ).one_or_none()
    return None if old is None else _seen(connection, [_stored(row, old)], hidden)[0]


def reprints(
    connection: Connection, article_id: int, *, hidden: Hidden = NOTHING_HIDDEN
) -> list[StoredArticle]:
    """The other copies of an article, the earliest first."""
    own = articles.alias()
    root = select(func.coalesce(own.c.reprint_of, own.c.id)).where(own.c.id == article_id).scalar_subquery()
    rows = connection.execute(
        select(articles)
        .where(
            or_(articles.c.id == root, articles.c.reprint_of == root),
            articles.c.id != article_id,
            articles.c.status.not_in(HIDDEN_STATUSES),  # IN would make SQLite walk all that is shown
            *visible(hidden),
        )
        .order_by(func.coalesce(articles.c.published, "9999"), articles.c.id)
    )
    return _seen(connection, map(_stored, rows), hidden)


def changed_since(connection: Connection, seq: int, limit: int) -> list[StoredArticle]:
    """Articles of any status whose last change is later than `seq`, in order of change, at most `limit`."""
    rows = connection.execute(
        select(articles).where(articles.c.seq > seq).order_by(articles.c.seq).limit(limit)
    )
    return [_stored(row) for row in rows]


def changed_between(connection: Connection, after: int, until: int) -> Iterator[StoredArticle]:
    """Articles of any status whose last change is later than `after` and no later than `until`, in order of change."""
    asked = select(articles).where(articles.c.seq > after, articles.c.seq <= until).order_by(articles.c.seq)
    return map(_stored, connection.execution_options(yield_per=ROWS).execute(asked))


def latest_seq(connection: Connection) -> int:
    """The sequence number of the last change."""
    seq: int = connection.execute(select(sequence.c.value).where(sequence.c.name == "seq")).scalar_one()
    return seq


def count_unindexed(connection: Connection, seq: int, *, hidden: Hidden = NOTHING_HIDDEN) -> int:
    """How many articles changed after `seq`."""
    asked = select(func.count()).where(articles.c.seq > seq, *visible(hidden))
    return connection.execute(asked).scalar_one()


def _seen(connection: Connection, stored: Iterable[StoredArticle], hidden: Hidden) -> list[StoredArticle]:
    """The articles as somebody sees them: where the earliest copy is hidden, copies of the first that is not."""
    if hidden.is_empty:
        return list(stored)
    found = list(stored)
    first = earliest_seen(connection, {one.reprint_of for one in found if one.reprint_of}, hidden)
    roots = [first.get(one.reprint_of or 0, one.reprint_of) for one in found]
    return [
        replace(one, reprint_of=None if root == one.id else root)
        for one, root in zip(found, roots, strict=True)
    ]


def _stored(row: Row[Any], old: Row[Any] | None = None) -> StoredArticle:
    said = row if old is None else old
    return StoredArticle(
        id=row.id,
        seq=row.seq,
        version=said.version,
        status=row.status,
        article=content.article(row.key, row.source, said.content),
        reprint_of=row.reprint_of,
        page_hash=said.page_hash,
        stored_at=said.stored_at,
        body_chars=said.body_chars,
    )
