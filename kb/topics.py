"""USE CASE  Topics as editors change them: checked, kept as versions, told to the audit log.

Every change is one version and one record in one transaction; what changes nothing makes neither. Whatever needs no version
of the page it was decided on (a must-read, an exclusion, a removal) is applied to the topic as it is by then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb import topic_checks
from kb.errors import StoreError, TopicError
from kb.model import Actor, Exclusion, Topic, TopicContent
from kb.store import article_keys, audit, topics
from kb.store.db import reading, writing
from kb.topic_checks import clean

Change = Callable[[TopicContent], TopicContent]


# --- reading --------------------------------------------------------------------------------------------------


def one(connection: Connection, slug: str) -> Topic:
    """The present version of a topic, whatever its state. Raises TopicError("topic.unknown")."""
    found = topics.one(connection, slug)
    if found is None:
        raise TopicError("topic.unknown", slug=slug)
    return found


def version(connection: Connection, slug: str, number: int) -> Topic:
    """A version of a topic. Raises TopicError: topic.unknown, topic.no_version."""
    found = [old for old in topics.history(connection, one(connection, slug).id) if old.version == number]
    if not found:
        raise TopicError("topic.no_version", slug=slug, version=number)
    return found[0]


@dataclass(frozen=True, slots=True)
class Branch:
    """A topic and those under it, in the order shown."""

    topic: Topic
    children: tuple[Topic, ...] = ()


def tree(found: Iterable[Topic]) -> list[Branch]:
    """The topics in two levels. One whose topic above is not among those given stands at the top."""
    given = list(found)
    slugs = {topic.slug for topic in given}
    tops = [topic for topic in given if topic.content.parent not in slugs]
    return [Branch(top, tuple(topic for topic in given if topic.content.parent == top.slug)) for top in tops]


def check(
    database: Database, slug: str, content: TopicContent, *, note: str = "", is_new: bool = False
) -> TopicContent:
    """The content as it would be kept; keeps nothing. Raises what `create` and `change` raise, but for a version."""
    content = clean(content)
    with reading(database) as connection:
        others = topics.every(connection)
    if is_new:
        _check_free(slug, others)
    topic_checks.check_rule(content.rule, _today())
    topic_checks.check(slug, content, others)
    topic_checks.check_note(note)
    return content


# --- the topic as a whole -------------------------------------------------------------------------------------


def create(database: Database, actor: Actor, slug: str, content: TopicContent) -> Topic:
    """Keep a new topic.

    Raises TopicError for what cannot be, QueryError for a rule that cannot be read (fact `place`, counted from 1),
    StoreError("store.no_article") for a must-read or an exclusion that is not in the library.
    """
    slug, content = slug.strip(), clean(content)
    with writing(database) as connection:
        others = topics.every(connection)
        topic_checks.check_rule(content.rule, _today())
        topic_checks.check(slug, content, others)
        _check_free(slug, others)
        _check_articles(connection, topic_checks.decided(content))
        made = topics.add(connection, slug, content, actor.name)
        audit.record(
            connection,
            actor,
            "topic.created",
            f"topic:{slug}",
            detail={"version": 1, "name": content.name, "rule": content.rule, "state": content.state},
        )
    return made


def change(
    database: Database, actor: Actor, slug: str, content: TopicContent, *, version: int, note: str = ""
) -> Topic:
    """Keep a new version of a topic. `version`: the one that was edited.

    Raises TopicError("topic.changed_meanwhile") when that is not the present one any more, and what `create` raises.
    """
    with _recorded(database, actor, "topic.changed", slug, note) as edit:
        if edit.topic.version != version:
            raise TopicError(
                "topic.changed_meanwhile", by=edit.topic.editor or "kb", version=edit.topic.version
            )
        edit.to(lambda _present: content)
    return edit.topic


def remove(database: Database, actor: Actor, slug: str) -> Topic:
    """Show a topic nowhere any more; it can be put back. Raises TopicError: topic.unknown, topic.has_children."""
    with _recorded(database, actor, "topic.removed", slug, "移除", is_alive=False) as edit:
        edit.to(lambda present: replace(present, state="removed"))
    return edit.topic


def put_back(database: Database, actor: Actor, slug: str) -> Topic:
    """Undo `remove`: a draft is a draft again. Raises TopicError, also where its name or its parent is gone by now."""
    with _recorded(database, actor, "topic.revived", slug, "恢复", is_alive=False) as edit:
        if edit.topic.content.state == "removed":
            history = topics.history(edit.connection, edit.topic.id)
            states = [old.content.state for old in history if old.content.state != "removed"]
            edit.to(lambda present: replace(present, state=states[0] if states else "draft"))
    return edit.topic


def restore(database: Database, actor: Actor, slug: str, version: int) -> Topic:
    """Make the content of an old version that of a new one. A topic that is shown or a draft stays so.

    Raises TopicError: topic.no_version, and what `change` raises, because the others may have changed since.
    """
    with _recorded(database, actor, "topic.restored", slug, f"恢复第 {version} 版") as edit:
        history = topics.history(edit.connection, edit.topic.id)
        old = next((one for one in history if one.version == version), None)
        if old is None:
            raise TopicError("topic.no_version", slug=slug, version=version)
        content = old.content
        edit.to(lambda present: replace(content, state=present.state))
    return edit.topic


# --- its articles ---------------------------------------------------------------------------------------------
# Their notes name no article and no reason: whoever reads the history may not be one who may see the article.


def pin(database: Database, actor: Actor, slug: str, article_id: int) -> Topic:
    """Make an article the last of the must-reads. Raises TopicError("topic.pinned_and_excluded"), StoreError."""
    with _recorded(database, actor, "topic.changed", slug, "必读加入 1 篇") as edit:
        edit.to(lambda present: replace(present, pinned=(*present.pinned, article_id)))
    return edit.topic


def unpin(database: Database, actor: Actor, slug: str, article_id: int) -> Topic:
    """Take an article out of the must-reads."""
    with _recorded(database, actor, "topic.changed", slug, "必读取消 1 篇") as edit:
        edit.to(lambda present: replace(present, pinned=_without(present.pinned, article_id)))
    return edit.topic


def move(database: Database, actor: Actor, slug: str, article_id: int, to: int) -> Topic:
    """Make an article the must-read number `to`, counted from 1; what is beyond the ends is an end.

    Raises TopicError("topic.not_pinned").
    """
    with _recorded(database, actor, "topic.changed", slug, "必读改顺序") as edit:
        if article_id not in edit.topic.content.pinned:
            raise TopicError("topic.not_pinned", article_id=article_id)
        rest = _without(edit.topic.content.pinned, article_id)
        at = min(max(to, 1), len(rest) + 1) - 1
        edit.to(lambda present: replace(present, pinned=(*rest[:at], article_id, *rest[at:])))
    return edit.topic


def exclude(database: Database, actor: Actor, slug: str, ids: Collection[int], reason: str) -> Topic:
    """Keep articles out of a topic whatever its rule finds. Those excluded before have this reason from now on.

    Raises TopicError: topic.no_reason, topic.pinned_and_excluded, topic.too_many; StoreError("store.no_article").
    """
    added = {article_id: Exclusion(article_id, reason) for article_id in sorted(ids)}
    with _recorded(database, actor, "topic.changed", slug, f"移出 {len(added)} 篇") as edit:
        known = {one.article_id: one for one in edit.topic.content.excluded}
        edit.to(lambda present: replace(present, excluded=tuple((known | added).values())))
    return edit.topic


def readmit(database: Database, actor: Actor, slug: str, article_id: int) -> Topic:
    """Undo `exclude` for one article."""
    with _recorded(database, actor, "topic.changed", slug, "恢复到专题 1 篇") as edit:
        kept = tuple(one for one in edit.topic.content.excluded if one.article_id != article_id)
        edit.to(lambda present: replace(present, excluded=kept))
    return edit.topic


def _without(ids: tuple[int, ...], article_id: int) -> tuple[int, ...]:
    return tuple(one for one in ids if one != article_id)


# --- one change -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Edit:
    """A topic under the write lock."""

    connection: Connection
    actor: Actor
    topic: Topic
    note: str
    action: str

    def to(self, changed: Change) -> None:
        """Keep what a change makes of the present content, as a new version with its record; nothing where it is the same."""
        old, new = self.topic.content, clean(changed(self.topic.content))
        if new == old:
            return
        if new.rule != old.rule:  # one that cannot be read any more keeps nobody from mending the rest
            topic_checks.check_rule(new.rule, _today())
        topic_checks.check(self.topic.slug, new, topics.every(self.connection))
        _check_articles(self.connection, topic_checks.decided(new) - topic_checks.decided(old))
        self.topic = topics.change(self.connection, self.topic, new, self.actor.name, self.note)
        detail = {"version": self.topic.version, "note": self.note, **topic_checks.differences(old, new)}
        audit.record(self.connection, self.actor, self.action, f"topic:{self.topic.slug}", detail=detail)


@contextmanager
def _recorded(
    database: Database, actor: Actor, action: str, slug: str, note: str, *, is_alive: bool = True
) -> Iterator[_Edit]:
    """A topic to change, in a transaction, and what the audit log calls that. `is_alive`: a removed one is refused."""
    note = topic_checks.one_line(note)
    topic_checks.check_note(note)
    with writing(database) as connection:
        topic = one(connection, slug)
        if is_alive and topic.content.state == "removed":
            raise TopicError("topic.is_removed", name=topic.content.name)
        yield _Edit(connection, actor, topic, note, action)


def _check_free(slug: str, others: Iterable[Topic]) -> None:
    for one in others:
        if one.slug == slug:
            raise TopicError("topic.slug_taken", slug=slug, name=one.content.name)


def _check_articles(connection: Connection, ids: Collection[int]) -> None:
    """Raises StoreError("store.no_article") for one that the library does not have."""
    missing = set(ids) - article_keys.present(connection, ids)
    if missing:
        raise StoreError("store.no_article", article_id=min(missing))


def _today() -> date:
    return datetime.now().astimezone().date()
