"""Articles in the store: saved with versions, sequence numbers and reprint links; read back whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from rapidfuzz import fuzz
from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from kb.model import (
    BODY_KINDS,
    SHOWN_STATUSES,
    Article,
    Author,
    Block,
    Provenance,
    Quotation,
    Status,
    StoredArticle,
)
from kb.store.tables import article_versions, articles, sequence
from kb.text.fingerprint import Fingerprints, body_hash, simhash
from kb.text.normalize import fold

# crawl.md §2.7: 3 % of edited characters move up to 6 of 64 bits; the texts are compared afterwards.
REPRINT_BITS = 6
REPRINT_LEAST_RATIO = 80.0  # rapidfuzz ratio (0–100) of the folded bodies
REPRINT_COMPARED_CHARS = 4000  # the comparison is quadratic; the head of a text is enough to tell
REPRINT_LEAST_CHARS = 60  # shorter texts are linked when equal, never when merely near

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article to be saved."""

    article: Article
    page_hash: str | None = None
    # An archive or file holds no order in time: a text that any version had already is nothing new.
    known_version_is_old: bool = False


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
    return Fingerprints(
        (row.id, row.simhash) for row in connection.execute(select(articles.c.id, articles.c.simhash))
    )


def save(connection: Connection, items: Sequence[NewArticle], near: Fingerprints) -> list[Saved]:
    """Store `items` in order inside the caller's transaction; the same again changes nothing.

    A changed text makes a new version and keeps the old one; a better reading of the same raw page replaces the
    reading. `near` holds the fingerprints of all stored articles and gets those of `items`.
    """
    numbers = _Numbers.read(connection)
    saved = [_save_one(connection, item, numbers, near) for item in items]
    numbers.write(connection)
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


def _save_one(connection: Connection, item: NewArticle, numbers: _Numbers, near: Fingerprints) -> Saved:
    values = _values(item)
    stored = connection.execute(select(articles).where(articles.c.key == item.article.key)).one_or_none()
    if stored is not None and _is_old(connection, stored, item, values["content_hash"]):
        return Saved(stored.id, "unchanged")
    values["seq"] = numbers.next_seq()
    if stored is None:
        article_id = numbers.next_id()
        connection.execute(insert(articles).values(id=article_id, version=1, status="normal", **values))
    else:
        article_id = stored.id
        same_page = item.page_hash is not None and item.page_hash == stored.page_hash
        if not same_page:
            _keep_version(connection, stored)
            values["version"] = stored.version + 1
            values["status"] = "corrected"
        connection.execute(update(articles).where(articles.c.id == article_id).values(**values))
    _link_reprints(connection, article_id, item.article, values, numbers, near)
    near.add(article_id, values["simhash"])
    return Saved(article_id, "added" if stored is None else "changed")


def _values(item: NewArticle) -> dict[str, Any]:
    article = item.article
    content = _content(article)
    body = [block.text for block in article.blocks if block.kind in BODY_KINDS]
    return {
        "key": article.key,
        "source": article.source,
        "published": article.published,
        "content": content,
        "content_hash": content_hash(content),
        "body_hash": body_hash(body),
        "simhash": simhash("\n".join(body)),
        "body_chars": sum(len(text) for text in body),
        "page_hash": item.page_hash,
        "stored_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _content(article: Article) -> dict[str, Any]:
    content = asdict(article)
    del content["key"], content["source"]
    return content


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of what a reader sees of an article; provenance and CMS tags do not count."""
    seen = {name: value for name, value in content.items() if name not in ("provenance", "tags")}
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


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


def _link_reprints(
    connection: Connection,
    article_id: int,
    article: Article,
    values: dict[str, Any],
    numbers: _Numbers,
    near: Fingerprints,
) -> None:
    """Link an article and its copies to the earliest of them, which may be this one."""
    copies = _copies(connection, article_id, article, values, near)
    roots = {row.reprint_of or row.id for row in copies}
    own = connection.execute(select(articles.c.reprint_of).where(articles.c.id == article_id)).scalar_one()
    if not roots and own is None:
        return
    group = connection.execute(
        select(articles.c.id, articles.c.published, articles.c.reprint_of).where(
            or_(articles.c.id.in_(roots), articles.c.reprint_of.in_(roots), articles.c.id == article_id)
        )
    ).all()
    earliest = min(group, key=lambda row: (row.published or "9999", row.id)).id
    for row in group:
        wanted = None if row.id == earliest else earliest
        if row.reprint_of != wanted:
            change: dict[str, Any] = {"reprint_of": wanted}
            if row.id != article_id:
                change["seq"] = numbers.next_seq()
            connection.execute(update(articles).where(articles.c.id == row.id).values(**change))


def _copies(
    connection: Connection, article_id: int, article: Article, values: dict[str, Any], near: Fingerprints
) -> list[Row[Any]]:
    columns = (articles.c.id, articles.c.reprint_of, articles.c.body_hash, articles.c.content)
    wanted = articles.c.body_hash == values["body_hash"]
    if values["body_chars"] >= REPRINT_LEAST_CHARS:
        ids = near.near(values["simhash"], bits=REPRINT_BITS)
        wanted = or_(wanted, articles.c.id.in_(ids[:200]))
    rows = connection.execute(select(*columns).where(wanted, articles.c.id != article_id)).all()
    body = _compared_body(block.text for block in article.blocks if block.kind in BODY_KINDS)
    return [
        row
        for row in rows
        if row.body_hash == values["body_hash"]
        or fuzz.ratio(body, _compared_body(_body_texts(row.content))) >= REPRINT_LEAST_RATIO
    ]


def _compared_body(texts: Iterable[str]) -> str:
    return fold("\n".join(texts)[: REPRINT_COMPARED_CHARS * 2])[:REPRINT_COMPARED_CHARS]


def _body_texts(content: dict[str, Any]) -> list[str]:
    return [block["text"] for block in content["blocks"] if block["kind"] in BODY_KINDS]


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


def one(connection: Connection, article_id: int) -> StoredArticle | None:
    """The present version of an article, whatever its status."""
    row = connection.execute(select(articles).where(articles.c.id == article_id)).one_or_none()
    return None if row is None else _stored(row)


def by_key(connection: Connection, key: str) -> StoredArticle | None:
    """The article known by `key` (its URL, for a crawled page)."""
    row = connection.execute(select(articles).where(articles.c.key == key)).one_or_none()
    return None if row is None else _stored(row)


def many(connection: Connection, ids: Sequence[int]) -> dict[int, StoredArticle]:
    """The articles with these ids, in one query."""
    rows = connection.execute(select(articles).where(articles.c.id.in_(ids)))
    return {row.id: _stored(row) for row in rows}


def newest(connection: Connection, limit: int) -> list[StoredArticle]:
    """The articles published last; those without a date come after all others, the last stored first."""
    rows = connection.execute(
        select(articles)
        .where(articles.c.status.in_(SHOWN_STATUSES))
        .order_by(articles.c.published.desc().nulls_last(), articles.c.id.desc())
        .limit(limit)
    )
    return [_stored(row) for row in rows]


def summary(connection: Connection) -> Summary:
    """How many articles, from when to when, and when the last one came."""
    row = connection.execute(
        select(
            func.count(),
            func.min(articles.c.published),
            func.max(articles.c.published),
            func.max(articles.c.stored_at),
        ).where(articles.c.status.in_(SHOWN_STATUSES))
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


def version(connection: Connection, article_id: int, number: int) -> StoredArticle | None:
    """One version of an article, present or earlier."""
    row = connection.execute(select(articles).where(articles.c.id == article_id)).one_or_none()
    if row is None or row.version == number:
        return None if row is None else _stored(row)
    old = connection.execute(
        select(article_versions).where(
            and_(article_versions.c.article_id == article_id, article_versions.c.version == number)
        )
    ).one_or_none()
    return None if old is None else _stored(row, old)


def reprints(connection: Connection, article_id: int) -> list[StoredArticle]:
    """The other copies of an article, the earliest first."""
    root = select(func.coalesce(articles.c.reprint_of, articles.c.id)).where(articles.c.id == article_id)
    root_id = connection.execute(root).scalar()
    rows = connection.execute(
        select(articles)
        .where(
            or_(articles.c.id == root_id, articles.c.reprint_of == root_id),
            articles.c.id != article_id,
            articles.c.status.in_(SHOWN_STATUSES),
        )
        .order_by(func.coalesce(articles.c.published, "9999"), articles.c.id)
    )
    return [_stored(row) for row in rows]


def changed_since(connection: Connection, seq: int, limit: int) -> list[StoredArticle]:
    """Articles of any status whose last change is later than `seq`, in order of change, at most `limit`."""
    rows = connection.execute(
        select(articles).where(articles.c.seq > seq).order_by(articles.c.seq).limit(limit)
    )
    return [_stored(row) for row in rows]


def latest_seq(connection: Connection) -> int:
    """The sequence number of the last change."""
    return connection.execute(select(sequence.c.value).where(sequence.c.name == "seq")).scalar_one()


def count_unindexed(connection: Connection, seq: int) -> int:
    """How many articles changed after `seq`."""
    return connection.execute(select(func.count()).where(articles.c.seq > seq)).scalar_one()


def _stored(row: Row[Any], old: Row[Any] | None = None) -> StoredArticle:
    said = row if old is None else old
    return StoredArticle(
        id=row.id,
        seq=row.seq,
        version=said.version,
        status=row.status,
        article=article_from_content(row.key, row.source, said.content),
        reprint_of=row.reprint_of,
        page_hash=said.page_hash,
        stored_at=said.stored_at,
        body_chars=said.body_chars,
    )


def article_from_content(key: str, source: str, content: dict[str, Any]) -> Article:
    """An Article from the JSON that `save` wrote."""
    fields = dict(content)
    provenance = dict(fields.pop("provenance"))
    provenance["removed"] = tuple(provenance["removed"])
    provenance["flags"] = tuple(provenance["flags"])
    fields["blocks"] = tuple(Block(**block) for block in fields["blocks"])
    fields["quotations"] = tuple(Quotation(**quotation) for quotation in fields["quotations"])
    fields["authors"] = tuple(Author(**author) for author in fields["authors"])
    fields["tags"] = tuple(fields["tags"])
    return Article(key=key, source=source, provenance=Provenance(**provenance), **fields)
