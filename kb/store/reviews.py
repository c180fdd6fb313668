"""待审: what was read with too little confidence to be searched unseen, until a person decides. What was decided stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from kb.errors import ReviewError
from kb.model import NOTHING_HIDDEN, REVIEW_BELOW, Article, Hidden, Status
from kb.store import articles, content, moments
from kb.store.articles import NewArticle, Outcome
from kb.store.limits import visible
from kb.store.tables import articles as stored
from kb.store.tables import reviews
from kb.text.fingerprint import Fingerprints

State = Literal["waiting", "passed", "returned"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a person needs to judge a reading that nobody trusts."""

    name: str  # of the file, or the address
    content_type: str
    source_text: str  # what the page says, without its markup
    by: str  # who brought it: zhangsan, cli:kb, crawl


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a reading."""

    outcome: Outcome | Literal["queued"]
    article_id: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What passing a review did to an article, so that it can be undone."""

    article_id: int
    outcome: Outcome
    version: int  # that the article had then
    former_status: Status | None  # that the article had before; None: there was none


@dataclass(frozen=True, slots=True)
class Review:
    """One line of the queue."""

    id: int
    article: Article  # as read, or as decided
    name: str
    page_hash: str
    source_text: str
    confidence: float
    state: State
    created_at: str
    created_by: str
    decided_at: str | None
    decided_by: str | None
    note: str | None
    article_id: int | None
    made: Made | None  # by passing it


def take(connection: Connection, new: NewArticle, near: Fingerprints, doubt: Callable[[], Doubt]) -> Taken:
    """Save the reading of a kept page, or put it into the queue; `doubt` is asked for then.

    Once a person has decided about these bytes nothing is changed. A sure reading takes what waits out of the queue.
    """
    if new.page_hash is None:
        raise ValueError("only a reading of kept bytes can be judged")
    row = _row(connection, new.article.key)
    if row is not None and row.state != "waiting" and row.page_hash == new.page_hash:
        return Taken("unchanged", row.article_id)
    if new.article.provenance.confidence < REVIEW_BELOW:
        _queue(connection, new.article, new.page_hash, doubt(), row)
        return Taken("queued")
    saved = articles.save(connection, [new], near)[0]
    if row is not None and row.state == "waiting":
        connection.execute(delete(reviews).where(reviews.c.id == row.id))
    return Taken(saved.outcome, saved.id)


def _row(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(select(reviews).where(reviews.c.key == key)).one_or_none()


def _queue(
    connection: Connection, article: Article, page_hash: str, doubt: Doubt, row: Row[Any] | None
) -> None:
    values = {
        "key": article.key,
        "source": article.source,
        "name": doubt.name,
        "page_hash": page_hash,
        "content_type": doubt.content_type,
        "content": content.of(article),
        "source_text": doubt.source_text,
        "confidence": round(article.provenance.confidence * 100),
        "state": "waiting",
    }
    if row is None:
        values |= {"created_at": moments.now(), "created_by": doubt.by}
        connection.execute(insert(reviews).values(**values))
        return
    if row.page_hash != page_hash:  # other bytes: what was decided about the former ones is over
        values |= {"created_at": moments.now(), "created_by": doubt.by}
        values |= {"decided_at": None, "decided_by": None, "note": None, **_made(None)}
    connection.execute(update(reviews).where(reviews.c.id == row.id).values(**values))


# --- reading the queue --------------------------------------------------------------------------------------------


def _visible(hidden: Hidden) -> list[ColumnElement[bool]]:
    """What must hold of a review for somebody to see it: neither its source nor the article it is about is hidden."""
    if hidden.is_empty:
        return []
    about = or_(stored.c.key == reviews.c.key, stored.c.id == reviews.c.article_id)
    is_hidden = exists().where(about, not_(and_(*visible(hidden)))).correlate(reviews)
    return [reviews.c.source.not_in(sorted(hidden.sources)), ~is_hidden]


def one(connection: Connection, review_id: int, *, hidden: Hidden = NOTHING_HIDDEN) -> Review | None:
    asked = select(reviews).where(reviews.c.id == review_id, *_visible(hidden))
    row = connection.execute(asked).one_or_none()
    return None if row is None else _review(row)


def listed(
    connection: Connection,
    state: State,
    *,
    limit: int,
    offset: int = 0,
    source: str | None = None,
    hidden: Hidden = NOTHING_HIDDEN,
) -> list[Review]:
    """Those of a state: what waits longest first, what was decided last first."""
    order = reviews.c.id if state == "waiting" else reviews.c.decided_at.desc()
    asked = select(reviews).where(reviews.c.state == state, *_visible(hidden))
    asked = asked.order_by(order, reviews.c.id.desc())
    if source is not None:
        asked = asked.where(reviews.c.source == source)
    return [_review(row) for row in connection.execute(asked.limit(limit).offset(offset))]


def count(connection: Connection, state: State = "waiting", *, hidden: Hidden = NOTHING_HIDDEN) -> int:
    asked = select(func.count()).where(reviews.c.state == state, *_visible(hidden))
    return connection.execute(asked).scalar_one()


def next_waiting(connection: Connection, after: int, *, hidden: Hidden = NOTHING_HIDDEN) -> int | None:
    """The id of what waits behind this one, else of the first that waits."""
    ids = select(func.min(reviews.c.id)).where(reviews.c.state == "waiting", *_visible(hidden))
    later: int | None = connection.scalar(ids.where(reviews.c.id > after))
    return later if later is not None else connection.scalar(ids)


def _review(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        article=content.article(row.key, row.source, row.content),
        name=row.name,
        page_hash=row.page_hash,
        source_text=row.source_text,
        confidence=row.confidence / 100,
        state=row.state,
        created_at=row.created_at,
        created_by=row.created_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        note=row.note,
        article_id=row.article_id,
        made=Made(row.article_id, row.outcome, row.version, row.former_status) if row.outcome else None,
    )


def _made(made: Made | None) -> dict[str, Any]:
    return {
        "outcome": made and made.outcome,
        "version": made and made.version,
        "former_status": made and made.former_status,
    }


# --- deciding -----------------------------------------------------------------------------------------------------


def decide(
    connection: Connection,
    review: Review,
    state: State,
    by: str,
    *,
    article: Article | None = None,
    note: str | None = None,
    made: Made | None = None,
) -> None:
    """Move a review from the state that `review` shows into another.

    `article`: as it was decided, where it was corrected; `made`: what passing it did. Raises ReviewError("review.changed")
    when somebody was faster.
    """
    values: dict[str, Any] = {
        "state": state,
        "decided_at": moments.now() if state != "waiting" else None,
        "decided_by": by if state != "waiting" else None,
        "note": note,
        "article_id": made.article_id if made else review.article_id,
        **_made(made),
    }
    if article is not None:
        values["content"] = content.of(article)
    same = and_(
        reviews.c.id == review.id, reviews.c.state == review.state, reviews.c.page_hash == review.page_hash
    )
    if not connection.execute(update(reviews).where(same).values(**values)).rowcount:
        raise ReviewError("review.changed")
