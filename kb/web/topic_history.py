"""What versions of a topic differ in, as its page of history tells it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sqlalchemy import Connection

from kb.model import Hidden, Topic, TopicContent
from kb.store import chosen
from kb.store.chosen import Chosen
from kb.text.difference import Part, parts
from kb.web.topic_form import FIELDS, STATES, typed_of

PINNED, EXCLUDED = "必读", "移出的文章"


@dataclass(frozen=True, slots=True)
class Line:
    """One version in the list of all."""

    topic: Topic
    note: str
    changed: tuple[str, ...]  # labels of what is otherwise than in the version before; of the first, none


@dataclass(frozen=True, slots=True)
class Choice:
    """An article that was chosen, or is not any more."""

    kind: str  # new, gone, or changed: it stays, otherwise
    article: Chosen
    said: str  # the reason of an exclusion; the new place of a must-read


@dataclass(frozen=True, slots=True)
class Change:
    """What of a topic is otherwise: runs of text, or articles."""

    label: str  # 收录规则
    runs: Sequence[Part] = ()
    choices: Sequence[Choice] = ()


def lines(versions: Sequence[Topic], hidden: Hidden) -> list[Line]:
    """`versions`: the newest first. Who may not see everything is not told the note of an exclusion: it says how many there are."""
    found = []
    for one, before in zip_longest(versions, versions[1:]):
        changed = _labels(before.content, one.content) if before else ()
        found.append(Line(one, one.note if hidden.is_empty or EXCLUDED not in changed else "", changed))
    return found


def _labels(old: TopicContent, new: TopicContent) -> tuple[str, ...]:
    before, after = typed_of(old), typed_of(new)
    found = [label for name, label in FIELDS.items() if before[name] != after[name]]
    found += [PINNED] if old.pinned != new.pinned else []
    return (*found, EXCLUDED) if old.excluded != new.excluded else tuple(found)


def changes(connection: Connection, old: TopicContent, new: TopicContent, hidden: Hidden) -> list[Change]:
    """What is otherwise in the newer content. Articles that are hidden from who asks are not told."""
    before, after = _shown(old), _shown(new)
    found = [
        Change(label, parts(before[name], after[name]))
        for name, label in FIELDS.items()
        if before[name] != after[name]
    ]
    for label, (was, now) in {
        PINNED: (_places(old.pinned), _places(new.pinned)),
        EXCLUDED: tuple({one.article_id: one.reason for one in side.excluded} for side in (old, new)),
    }.items():
        moved = _moved(old.pinned, new.pinned) if label == PINNED else _kept_otherwise(was, now)
        choices = _choices(connection, was, now, moved, hidden)
        found += [Change(label, choices=choices)] if choices else []
    return found


def _shown(content: TopicContent) -> dict[str, str]:
    return typed_of(content) | {"state": STATES[content.state]}


def _places(ids: Sequence[int]) -> dict[int, str]:
    return {article_id: f"第 {place} 位" for place, article_id in enumerate(ids, start=1)}


def _moved(old: Sequence[int], new: Sequence[int]) -> set[int]:
    """Must-reads of both whose place among those of both is another."""
    stayed = [one for one in old if one in new]
    return {
        one for one, other in zip(stayed, [one for one in new if one in old], strict=True) if one != other
    }


def _kept_otherwise(old: dict[int, str], new: dict[int, str]) -> set[int]:
    return {one for one in old.keys() & new.keys() if old[one] != new[one]}


def _choices(
    connection: Connection, old: dict[int, str], new: dict[int, str], moved: Collection[int], hidden: Hidden
) -> list[Choice]:
    kinds = {one: "gone" for one in old if one not in new}
    kinds |= {one: "changed" if one in old else "new" for one in new if one not in old or one in moved}
    found, said = chosen.of(connection, kinds, hidden=hidden), old | new
    return [Choice(kind, found[one], said[one]) for one, kind in kinds.items() if one in found]
