"""Topics in the store: every version kept, the present one read with all others at once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from kb.model import Exclusion, Topic, TopicContent
from kb.store import moments
from kb.store.tables import sequence, topic_versions, topics

_PRESENT: Select[Any] = select(
    topics.c.id,
    topics.c.slug,
    topic_versions.c.version,
    topic_versions.c.content,
    topic_versions.c.editor,
    topic_versions.c.changed_at,
    topic_versions.c.note,
).join(topic_versions, topic_versions.c.topic_id == topics.c.id)


def every(connection: Connection) -> list[Topic]:
    """The present version of every topic, drafts and removed ones too, in the order shown."""
    rows = connection.execute(_PRESENT.where(topic_versions.c.version == topics.c.version))
    found = [_topic(row) for row in rows]
    return sorted(found, key=lambda topic: (topic.content.place, topic.id))


def one(connection: Connection, slug: str) -> Topic | None:
    """The present version of a topic, whatever its state."""
    present = _PRESENT.where(topics.c.slug == slug, topic_versions.c.version == topics.c.version)
    row = connection.execute(present).one_or_none()
    return None if row is None else _topic(row)


def history(connection: Connection, topic_id: int) -> list[Topic]:
    """Every version of a topic, the newest first."""
    asked = _PRESENT.where(topics.c.id == topic_id).order_by(topic_versions.c.version.desc())
    return [_topic(row) for row in connection.execute(asked)]


def former_names(connection: Connection) -> dict[str, str]:
    """Names under which shown topics were shown earlier, each with the slug of its topic.

    No topic that is shown now has such a name; of several that had it, the one counts that had it last.
    """
    name, state = (topic_versions.c.content[key].as_string() for key in ("name", "state"))
    asked = (
        select(topics.c.slug, name.label("name"), (topic_versions.c.version == topics.c.version).label("now"))
        .join(topics, topics.c.id == topic_versions.c.topic_id)
        .where(state == "shown")
        .order_by(topic_versions.c.changed_at, topic_versions.c.topic_id, topic_versions.c.version)
    )
    rows = connection.execute(asked).all()
    shown = {row.slug: row.name for row in rows if row.now}
    taken = set(shown.values())
    return {row.name: row.slug for row in rows if row.slug in shown and row.name not in taken}


def add(connection: Connection, slug: str, content: TopicContent, editor: str, note: str = "") -> Topic:
    """Keep a new topic. The slug must be free."""
    made = connection.execute(insert(topics).values(slug=slug, version=1)).inserted_primary_key
    return _keep(connection, int(made[0]), slug, 1, content, editor, note)  # type: ignore[index]  # an insert has one


def change(connection: Connection, topic: Topic, content: TopicContent, editor: str, note: str) -> Topic:
    """Keep a new version of a topic after the one given, which must be the present one."""
    version = topic.version + 1
    connection.execute(update(topics).where(topics.c.id == topic.id).values(version=version))
    return _keep(connection, topic.id, topic.slug, version, content, editor, note)


def _keep(
    connection: Connection,
    topic_id: int,
    slug: str,
    version: int,
    content: TopicContent,
    editor: str,
    note: str,
) -> Topic:
    at = moments.now()
    values = {"content": asdict(content), "editor": editor, "changed_at": at, "note": note}
    connection.execute(insert(topic_versions).values(topic_id=topic_id, version=version, **values))
    _count_change(connection)
    return Topic(topic_id, slug, version, content, editor, at, note)


def _count_change(connection: Connection) -> None:
    """Serving processes look at this number before every query."""
    changed = connection.execute(
        update(sequence).where(sequence.c.name == "topics").values(value=sequence.c.value + 1)
    )
    if not changed.rowcount:
        connection.execute(insert(sequence).values(name="topics", value=1))


def _topic(row: Row[Any]) -> Topic:
    said = dict(row.content)
    said["pinned"] = tuple(said["pinned"])
    said["excluded"] = tuple(Exclusion(**one) for one in said["excluded"])
    return Topic(row.id, row.slug, row.version, TopicContent(**said), row.editor, row.changed_at, row.note)
