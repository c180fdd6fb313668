"""Reprints: an article and its copies, linked under the one that was published first. Nothing is dropped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import Connection, Select, bindparam, func, or_, select, update

from kb.model import BODY_KINDS, HIDDEN_STATUSES, NOTHING_HIDDEN, Copy, Hidden
from kb.store.limits import visible
from kb.store.tables import articles
from kb.text.fingerprint import Fingerprints, simhash
from kb.text.normalize import fold

BITS = 6  # crawl.md §2.7: 3 % of edited characters move up to 6 of 64 bits; then the texts are compared
LEAST_RATIO = 80.0  # rapidfuzz ratio (0–100) of the folded bodies
COMPARED_CHARS = 4000  # the comparison is quadratic; the head of a text is enough to tell
CANDIDATES = 200  # more near ones than that are looked at no further
CLOSEST = 5  # near ones that `most_alike` compares
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


def most_alike(
    connection: Connection, key: str, kept: dict[str, Any], near: Fingerprints
) -> tuple[int, int] | None:
    """(id, percent) of the stored article that is most like what is `kept` under another key; None when none is a copy."""
    body = [block["text"] for block in kept["blocks"] if block["kind"] in BODY_KINDS]
    values = {"simhash": simhash("\n".join(body)), "body_chars": sum(map(len, body))}
    ids = near_ids(near, values)[:CLOSEST]
    asked = select(articles.c.id, articles.c.content).where(articles.c.id.in_(ids), articles.c.key != key)
    text = _compared(kept)
    found = [(round(fuzz.ratio(text, _compared(row.content))), row.id) for row in connection.execute(asked)]
    percent, article_id = max(found, default=(0, 0))
    return (article_id, percent) if percent >= LEAST_RATIO else None


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


def copies(
    connection: Connection, roots: Sequence[int], *, hidden: Hidden = NOTHING_HIDDEN
) -> dict[int, list[Copy]]:
    """The groups of articles whose earliest copies that are seen are `roots`: by root, the earliest copy first."""
    if hidden.is_empty:
        return _groups(connection, _GROUPS, roots)
    linked = select(articles.c.id, func.coalesce(articles.c.reprint_of, articles.c.id))
    root_of = {row[0]: row[1] for row in connection.execute(linked.where(articles.c.id.in_(roots)))}
    groups = _groups(connection, _GROUPS.where(*visible(hidden)), [*root_of.values()])
    return {seen: groups[root] for seen, root in root_of.items() if root in groups}


def _groups(connection: Connection, asked: Select[Any], roots: Sequence[int]) -> dict[int, list[Copy]]:
    groups: dict[int, list[Copy]] = {}
    for root, *copy in connection.execute(asked, {"roots": roots}):
        groups.setdefault(root, []).append(Copy(*copy))
    return groups


def earliest_seen(connection: Connection, roots: Collection[int], hidden: Hidden) -> dict[int, int | None]:
    """For those earliest copies that are hidden the first other one that is seen."""
    if not roots:
        return {}
    seen = connection.scalars(select(articles.c.id).where(articles.c.id.in_(roots), *visible(hidden)))
    first: dict[int, int | None] = dict.fromkeys(set(roots).difference(seen))
    rows = connection.execute(  # of each group the earliest comes last, and stays
        select(articles.c.reprint_of, articles.c.id)
        .where(
            articles.c.reprint_of.in_([*first]), articles.c.status.not_in(HIDDEN_STATUSES), *visible(hidden)
        )
        .order_by(func.coalesce(articles.c.published, "9999").desc(), articles.c.id.desc())
    )
    return first | dict(tuple(row) for row in rows)
