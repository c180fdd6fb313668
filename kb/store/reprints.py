"""Reprints: an article and its copies, linked under the one that was published first. Nothing is dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import Connection, bindparam, func, or_, select, update

from kb.model import BODY_KINDS, HIDDEN_STATUSES, Copy
from kb.store.tables import articles
from kb.text.fingerprint import Fingerprints
from kb.text.normalize import fold

BITS = 6  # crawl.md §2.7: 3 % of edited characters move up to 6 of 64 bits; then the texts are compared
LEAST_RATIO = 80.0  # rapidfuzz ratio (0–100) of the folded bodies
COMPARED_CHARS = 4000  # the comparison is quadratic; the head of a text is enough to tell
CANDIDATES = 200  # more near ones than that are looked at no further
LEAST_CHARS = 60  # shorter texts are linked when equal, never when merely near


def near_ids(near: Fingerprints, values: dict[str, Any]) -> list[int]:
    """Ids of articles whose similarity hash is close to that of the row `values`."""
    if values["body_chars"] < LEAST_CHARS:
        return []
    return near.near(values["simhash"], bits=BITS)[:CANDIDATES]


def link(
    connection: Connection,
    article_id: int,
    values: dict[str, Any],
    near: Fingerprints,
    next_seq: Callable[[], int],
) -> None:
    """Link a stored article and its copies to the earliest of them, which may be this one.

    `values` is the article's row. An article whose link changes counts as changed and gets `next_seq()`.
    """
    roots = _roots_of_copies(connection, article_id, values, near)
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
                change["seq"] = next_seq()
            connection.execute(update(articles).where(articles.c.id == row.id).values(**change))


def _roots_of_copies(
    connection: Connection, article_id: int, values: dict[str, Any], near: Fingerprints
) -> set[int]:
    same = articles.c.body_hash == values["body_hash"]
    columns = (articles.c.id, articles.c.reprint_of, articles.c.body_hash, articles.c.content)
    alike = or_(same, articles.c.id.in_(near_ids(near, values)))
    rows = connection.execute(select(*columns).where(alike, articles.c.id != article_id)).all()
    body = _compared(values["content"])
    return {
        row.reprint_of or row.id
        for row in rows
        if row.body_hash == values["body_hash"] or fuzz.ratio(body, _compared(row.content)) >= LEAST_RATIO
    }


def _compared(content: dict[str, Any]) -> str:
    texts = (block["text"] for block in content["blocks"] if block["kind"] in BODY_KINDS)
    return fold("\n".join(texts)[: COMPARED_CHARS * 2])[:COMPARED_CHARS]


# Made once: making it takes as long as running it.
_GROUPS = (
    select(
        func.coalesce(articles.c.reprint_of, articles.c.id).label("root"),
        articles.c.id,
        articles.c.content["title"].as_string().label("title"),
        articles.c.content["newspaper"].as_string().label("newspaper"),
        articles.c.source,
        articles.c.published,
    )
    .where(
        or_(
            articles.c.id.in_(bindparam("roots", expanding=True)),
            articles.c.reprint_of.in_(bindparam("roots", expanding=True)),
        ),
        articles.c.status.not_in(HIDDEN_STATUSES),  # IN would make SQLite walk all that is shown
    )
    .order_by(func.coalesce(articles.c.published, "9999"), articles.c.id)
)


def copies(connection: Connection, roots: Sequence[int]) -> dict[int, list[Copy]]:
    """The groups of articles whose earliest copies are `roots`, in one query: by root, the earliest copy first."""
    groups: dict[int, list[Copy]] = {}
    for root, *copy in connection.execute(_GROUPS, {"roots": roots}):
        groups.setdefault(root, []).append(Copy(*copy))
    return groups
