"""USE CASE  Topics as files: those that kb brings, taken in once; export and import, which move them between libraries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb import config, topic_checks
from kb.config import Settings
from kb.errors import KbError, TopicError
from kb.export.topic_file import Kept, TopicFile, read, write
from kb.model import Actor, Exclusion, Topic, TopicContent
from kb.store import article_keys, audit, library_facts, moments, topics
from kb.store.db import reading, writing

STARTERS = "starter_topics"  # the library fact that they were taken in, and when
SHIPPED = Actor("kb")
FILE_BYTES = 2**20  # 2,000 exclusions with their titles have less
What = Literal["added", "changed", "unchanged"]


# --- export ---------------------------------------------------------------------------------------------------


def as_file(connection: Connection, topic: Topic) -> str:
    """The TOML file of a version of a topic. An article that is in the library no more is left out."""
    content = topic.content
    known = article_keys.named(connection, topic_checks.decided(content))
    return write(
        TopicFile(
            slug=topic.slug,
            name=content.name,
            rule=content.rule,
            introduction=content.introduction,
            parent=content.parent,
            place=content.place,
            state=content.state,
            pinned=tuple(Kept(known[one].key, known[one].title) for one in content.pinned if one in known),
            excluded=tuple(
                Kept(known[one.article_id].key, known[one.article_id].title, one.reason)
                for one in content.excluded
                if one.article_id in known
            ),
        )
    )


def export(database: Database, folder: Path, slugs: Sequence[str] = ()) -> list[Path]:
    """Write a file SLUG.toml for each of the topics named, or for every one that is shown or a draft.

    Raises TopicError("topic.unknown") before anything is written, TopicError("topic.bad_file") where that cannot be done.
    """
    with reading(database) as connection:
        found = topics.every(connection)
        for slug in slugs:
            if slug not in {topic.slug for topic in found}:
                raise TopicError("topic.unknown", slug=slug)
        wanted = [one for one in found if (one.slug in slugs if slugs else one.content.state != "removed")]
        texts = {folder / f"{topic.slug}.toml": as_file(connection, topic) for topic in wanted}
    for path, text in texts.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = f"写不进去:{error.strerror}"
            raise TopicError("topic.bad_file", path=path, reason=reason) from None
    return list(texts)


# --- import ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did, or would do, with one file."""

    slug: str
    name: str
    what: What
    version: int  # the present one after it
    missing: tuple[Kept, ...] = ()  # must-reads and exclusions that are not in this library


def files_in(paths: Iterable[Path]) -> list[tuple[str, TopicFile]]:
    """Path and content of the files named, and of every *.toml in the folders named. Raises TopicError("topic.bad_file")."""
    found: list[tuple[str, TopicFile]] = []
    for path in paths:
        for one in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            found.append((str(one), read(_text(one), str(one))))
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES:
            raise TopicError("topic.bad_file", path=path, reason="超过 1 MiB")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TopicError("topic.bad_file", path=path, reason=str(error)) from None


def take(
    database: Database, actor: Actor, files: Sequence[tuple[str, TopicFile]], *, is_dry: bool = False
) -> list[Taken]:
    """Make the topics be as the files say: all of them or, where one cannot be, none. What is the same already stays.

    `is_dry`: say what would be done. Raises TopicError("topic.bad_file") with the reason.
    """
    if is_dry:
        with reading(database) as connection:
            return [plan.taken for plan in _plans(connection, files)]
    with writing(database) as connection:
        return [_keep(connection, actor, plan) for plan in _plans(connection, files)]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One file against this library."""

    content: TopicContent
    present: Topic | None
    taken: Taken


def _plans(connection: Connection, files: Sequence[tuple[str, TopicFile]]) -> list[_Plan]:
    """What to do, checked as the topics will stand when all is done: a file may need another, wherever it comes."""
    known = {topic.slug: topic for topic in topics.every(connection)}
    ids = article_keys.ids_of(
        connection, {one.key for _path, file in files for one in (*file.pinned, *file.excluded)}
    )
    contents = {file.slug: topic_checks.clean(_content(file, ids)) for _path, file in files}
    new = {slug: Topic(0, slug, 0, content, "", "") for slug, content in contents.items()}
    later = [*(known | new).values()]
    plans: list[_Plan] = []
    for path, file in files:
        content, present = contents[file.slug], known.get(file.slug)
        if [one.slug for _path, one in files].count(file.slug) > 1:
            raise TopicError("topic.bad_file", path=path, reason=f"{file.slug} 在几个文件里")
        _check(path, file.slug, content, later, present)
        missing = tuple(one for one in (*file.pinned, *file.excluded) if one.key not in ids)
        what: What = "added" if present is None else "unchanged" if present.content == content else "changed"
        version = (present.version if present else 0) + (what != "unchanged")
        plans.append(_Plan(content, present, Taken(file.slug, content.name, what, version, missing)))
    return plans


def _content(file: TopicFile, ids: Mapping[str, int]) -> TopicContent:
    return TopicContent(
        name=file.name,
        rule=file.rule,
        introduction=file.introduction,
        parent=file.parent,
        pinned=tuple(ids[one.key] for one in file.pinned if one.key in ids),
        excluded=tuple(Exclusion(ids[one.key], one.reason) for one in file.excluded if one.key in ids),
        state=file.state,
        place=file.place,
    )


def _check(
    path: str, slug: str, content: TopicContent, later: Sequence[Topic], present: Topic | None
) -> None:
    try:
        if present is None or content.rule != present.content.rule:
            topic_checks.check_rule(content.rule, datetime.now().astimezone().date())
        topic_checks.check(slug, content, later)
    except KbError as error:
        raise TopicError("topic.bad_file", path=path, reason=error.words("zh").rstrip("。")) from error


def _keep(connection: Connection, actor: Actor, plan: _Plan) -> Taken:
    taken, present, content = plan.taken, plan.present, plan.content
    if taken.what == "unchanged":
        return taken
    detail: dict[str, object] = {"version": taken.version}
    if present is None:
        topics.add(connection, taken.slug, content, actor.name, "导入")
        detail |= {"name": content.name, "rule": content.rule, "state": content.state}
    else:
        topics.change(connection, present, content, actor.name, "导入")
        detail |= topic_checks.differences(present.content, content)
    audit.record(connection, actor, "topic.imported", f"topic:{taken.slug}", detail=detail)
    return taken


# --- the topics that kb brings --------------------------------------------------------------------------------


def ensure_starters(database: Database, settings: Settings) -> int:
    """Take in the shipped topics, once in the life of a library; afterwards the store is the truth. Returns how many came.

    Whatever would clash with a topic that is there already stays away, and so do those under it.
    Raises StoreError when the store refuses.
    """
    if not settings.starter_topics:
        return 0
    with reading(database) as connection:
        if library_facts.value(connection, STARTERS) is not None:
            return 0
    files = starters()
    with writing(database) as connection:
        if library_facts.value(connection, STARTERS) is not None:  # another process was quicker
            return 0
        free = _free(files, topics.every(connection))
        for plan in _plans(connection, free):
            topics.add(connection, plan.taken.slug, plan.content, "")
        library_facts.put(connection, STARTERS, moments.now())
        if free:
            detail = {"topics": [file.slug for _path, file in free]}
            audit.record(connection, SHIPPED, "topic.imported", "topic:starters", detail=detail)
    return len(free)


def starters() -> list[tuple[str, TopicFile]]:
    """The shipped topics. Raises TopicError("topic.bad_file")."""
    return files_in([config.shipped("corpus") / "topics"])


def _free(files: Sequence[tuple[str, TopicFile]], present: Iterable[Topic]) -> list[tuple[str, TopicFile]]:
    """Those that can stand beside what is there, topics of the upper level first."""
    standing = {topic.slug: topic for topic in present}
    free: list[tuple[str, TopicFile]] = []
    for path, file in sorted(files, key=lambda one: one[1].parent is not None):
        content = topic_checks.clean(_content(file, {}))
        try:
            topic_checks.check(file.slug, content, standing.values())
        except TopicError:
            continue
        if file.slug not in standing:
            standing[file.slug] = Topic(0, file.slug, 1, content, "", "")
            free.append((path, file))
    return free
