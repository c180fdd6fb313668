"""USE CASE  待审: a person looks at what was read with too little confidence, corrects it, and passes or returns it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb.errors import ReviewError
from kb.model import HIDDEN_STATUSES, NOTHING_HIDDEN, Actor, Article, Author, Hidden, Provenance
from kb.store import articles, audit, content, reviews
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.reprints import most_alike
from kb.store.reviews import Made, Review, State
from kb.text.fingerprint import Fingerprints
from kb.text.normalize import fold

FIELDS: dict[str, str] = {
    "title": "标题",
    "subtitle": "副标题",
    "published": "发布日期",
    "newspaper": "报纸",
    "edition_page": "版次",
    "authors": "作者",
    "affiliation": "作者单位",
}
STATES: dict[State, str] = {"waiting": "待审", "passed": "已通过", "returned": "已退回"}
LONGEST = 300  # characters of a field
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ROLE = re.compile(r"(?P<name>[^()（）]+)(?:[（(](?P<role>[^()（）]{1,20})[)）])?\Z")
_UNIT = re.compile(r"作者单位[:：]\s{0,3}([^\s)）,，;；。]{2,40})")


# --- looking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looked:
    """A review with what its judge should know."""

    review: Review
    warnings: tuple[str, ...]  # 缺日期
    alike: tuple[int, str, int] | None  # id, title and percent of an article with nearly this text


def look(database: Database, found: Sequence[Review], hidden: Hidden) -> list[Looked]:
    """The warnings of each; an article that the judge may not read is not named as a copy."""
    with reading(database) as connection:
        near = articles.fingerprints(connection) if found else Fingerprints()
        return [_looked(connection, review, near, hidden) for review in found]


def _looked(connection: Connection, review: Review, near: Fingerprints, hidden: Hidden) -> Looked:
    alike = most_alike(connection, review.article.key, content.of(review.article), near)
    copy = articles.one(connection, alike[0], hidden=hidden) if alike else None
    named = (copy.id, copy.article.title, alike[1]) if copy and alike else None
    if copy and copy.status in HIDDEN_STATUSES:
        named = None
    return Looked(review, tuple(warnings(review)), named)


def warnings(review: Review) -> list[str]:
    """What to look at."""
    article, flags = review.article, review.article.provenance.flags
    found = [f"把握 {review.confidence:.2f}"]
    found += ["缺标题"] if not article.title.strip() else []
    found += ["标题系推测"] if "title.guessed" in flags else []
    found += ["缺日期"] if not article.published else []
    found += ["缺报纸"] if not article.newspaper else []
    found += ["缺作者"] if not article.authors else []
    found += ["原文编码有损"] if "encoding.damaged" in flags else []
    stated = [fold(unit) for unit in _UNIT.findall(review.source_text)]
    if stated and fold(article.affiliation or "") not in stated:
        found.append("作者单位不一致")
    return found


def typed(article: Article) -> dict[str, str]:
    """The fields as they stand in the form."""
    names = (one.name if one.role == "作者" else f"{one.name}（{one.role}）" for one in article.authors)
    plain = {name: getattr(article, name) or "" for name in FIELDS if name != "authors"}
    return {**plain, "authors": "、".join(names)}


# --- deciding ---------------------------------------------------------------------------------------------------


def pass_on(
    database: Database,
    actor: Actor,
    review_id: int,
    page_hash: str,
    corrections: Mapping[str, str] | None = None,
    *,
    hidden: Hidden = NOTHING_HIDDEN,
) -> int:
    """Store the article as decided; returns its id. `page_hash`: of what the judge has seen.

    Raises ReviewError: review.decided, review.changed (also when it is hidden from the judge), review.bad_field.
    """
    with writing(database) as connection:
        review = _present(connection, review_id, page_hash, hidden, "waiting")
        return _pass(connection, actor, review, corrections or {}, articles.fingerprints(connection))


def send_back(
    database: Database,
    actor: Actor,
    review_id: int,
    page_hash: str,
    note: str = "",
    *,
    hidden: Hidden = NOTHING_HIDDEN,
) -> None:
    """退回: it is no article. The same bytes do not come into the queue again. Raises ReviewError."""
    with writing(database) as connection:
        _return(connection, actor, _present(connection, review_id, page_hash, hidden, "waiting"), note)


def decide_together(
    database: Database,
    actor: Actor,
    ticked: Mapping[int, str],
    to: Literal["passed", "returned"],
    note: str = "",
    *,
    hidden: Hidden = NOTHING_HIDDEN,
) -> dict[int, ReviewError]:
    """Pass or return several, {id: page_hash as seen}; returns why some could not be, by id."""
    refused: dict[int, ReviewError] = {}
    with writing(database) as connection:
        near = articles.fingerprints(connection) if ticked and to == "passed" else Fingerprints()
        for review_id, page_hash in ticked.items():
            try:
                review = _present(connection, review_id, page_hash, hidden, "waiting")
            except ReviewError as error:
                refused[review_id] = error
                continue
            if to == "passed":
                _pass(connection, actor, review, {}, near)
            else:
                _return(connection, actor, review, note)
    return refused


def put_back(
    database: Database, actor: Actor, review_id: int, page_hash: str, *, hidden: Hidden = NOTHING_HIDDEN
) -> None:
    """Undo a decision: an article that it made is withdrawn, one that it changed has its former text again.

    An article that it left as it was stays so. Raises ReviewError: review.changed also where the article is no longer what
    the decision made of it.
    """
    with writing(database) as connection:
        review = _present(connection, review_id, page_hash, hidden, "passed", "returned")
        if review.made is not None:
            _take_out(connection, review.article, review.made)
        reviews.decide(connection, review, "waiting", actor.name)
        detail = {"page": review.page_hash, "was": review.state, "article": review.article_id}
        audit.record(connection, actor, "review.reopened", f"review:{review.id}", detail=detail)


def _pass(
    connection: Connection, actor: Actor, review: Review, corrections: Mapping[str, str], near: Fingerprints
) -> int:
    article = _corrected(review.article, corrections)
    changed = _changes(review.article, article)
    article = replace(article, provenance=_judged(article, changed, actor))
    former_status = articles.status_of(connection, article.key)
    saved = articles.save(connection, [NewArticle(article, review.page_hash, keeps_former=True)], near)[0]
    stored = articles.one(connection, saved.id)
    if stored is not None and stored.status in HIDDEN_STATUSES:
        articles.set_status(connection, saved.id, "normal")
    version = stored.version if stored else 1
    made = Made(saved.id, saved.outcome, version, former_status)
    reviews.decide(connection, review, "passed", actor.name, article=article, made=made)
    detail = {"article": saved.id, "page": review.page_hash, "changed": changed}
    audit.record(connection, actor, "review.passed", f"review:{review.id}", detail=detail)
    return saved.id


def _return(connection: Connection, actor: Actor, review: Review, note: str) -> None:
    note = _UNPRINTABLE.sub(" ", note).strip()[:LONGEST]
    reviews.decide(connection, review, "returned", actor.name, note=note or None)
    detail = {"page": review.page_hash, "note": note}
    audit.record(connection, actor, "review.returned", f"review:{review.id}", detail=detail)


def _take_out(connection: Connection, decided: Article, made: Made) -> None:
    was_out = made.former_status in HIDDEN_STATUSES
    if made.outcome == "unchanged" and not was_out:
        return
    stored = articles.one(connection, made.article_id)
    if stored is None or stored.version != made.version or _hash(stored.article) != _hash(decided):
        raise ReviewError("review.changed")
    status = stored.status if stored.status in HIDDEN_STATUSES else made.former_status
    if made.outcome == "changed":
        before = articles.version(connection, made.article_id, made.version - 1)
        if before is None:
            raise ReviewError("review.changed")
        former = NewArticle(before.article, before.page_hash, keeps_former=True)
        articles.save(connection, [former], articles.fingerprints(connection))
    if made.outcome == "added" and status is None:
        status = "withdrawn"
    if status in HIDDEN_STATUSES:
        articles.set_status(connection, made.article_id, status)


def _hash(article: Article) -> str:
    return content.hashed(content.of(article))


def _present(
    connection: Connection, review_id: int, page_hash: str, hidden: Hidden, *states: State
) -> Review:
    """The review as the judge has seen it. Raises ReviewError."""
    review = reviews.one(connection, review_id, hidden=hidden)
    if review is None or review.page_hash != page_hash:
        raise ReviewError("review.changed")
    if review.state not in states:
        by = review.decided_by or "别人"
        raise ReviewError("review.decided", by=by, state=STATES[review.state])
    return review


def _changes(before: Article, after: Article) -> dict[str, list[str]]:
    """Field: what was read, what was decided."""
    old, new = typed(before), typed(after)
    return {name: [old[name], new[name]] for name in FIELDS if old[name] != new[name]}


def _judged(article: Article, changed: Mapping[str, object], actor: Actor) -> Provenance:
    known = article.provenance
    origins = known.origins | dict.fromkeys(changed, "review") | {"reviewed_by": actor.name}
    return replace(known, origins=origins, flags=tuple(dict.fromkeys((*known.flags, "reviewed"))))


# --- corrections ------------------------------------------------------------------------------------------------


def _corrected(article: Article, corrections: Mapping[str, str]) -> Article:
    """Raises ReviewError("review.bad_field") for the first field that cannot be used."""
    shown, values = typed(article), dict[str, object]()
    for name, label in FIELDS.items():
        text = corrections.get(name, shown[name]).replace("\r\n", "\n").strip()
        if text == shown[name].strip():
            continue
        reason = _fault(name, text)
        if reason is not None:
            raise ReviewError("review.bad_field", field=label, reason=reason)
        values[name] = _authors(text) if name == "authors" else text or None
    return replace(article, **values) if values else article  # type: ignore[arg-type]  # each of its field's type


def _fault(name: str, text: str) -> str | None:
    if name == "title" and not text:
        return "不能为空"
    if len(text) > LONGEST:
        return f"最多 {LONGEST} 个字"
    if _UNPRINTABLE.search(text) or ("\n" in text and name != "subtitle"):
        return "含有不允许的字符"
    if name == "published" and text and not _is_day(text):
        return "应写作 2023-08-02,不能晚于今天"
    if name == "authors" and any(not _ROLE.match(part) for part in _parts(text)):
        return "应写作 张三、李四（记者）"
    return None


def _is_day(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day.isoformat() == text and day.year >= 1900 and day <= datetime.now().astimezone().date()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split("[、,，;；]", text) if part.strip()]


def _authors(text: str) -> tuple[Author, ...]:
    found = (_ROLE.match(part) for part in _parts(text))
    return tuple(Author(one["name"].strip(), one["role"] or "作者") for one in found if one)
