"""Whether a topic can be as an editor wants it: its words, its rule, its place among the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import get_args

from kb.errors import TopicError
from kb.model import Exclusion, Topic, TopicContent, TopicState
from kb.query import parse, topic_place
from kb.text.normalize import fold
from kb.text.visible import visible

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
NAME_CHARS = 40  # one line of a card at 360 px
INTRODUCTION_CHARS = 5000  # a form may have 64 KiB, in which a Chinese character takes nine bytes
REASON_CHARS = 200
NOTE_CHARS = 200
PINNED = 100  # must-reads are few; more is a reading list
EXCLUDED = 2000  # every version holds them all; who must exclude more writes a better rule
PLACES = 9999


def clean(content: TopicContent) -> TopicContent:
    """The content without what cannot be seen and spaces around it. A rule keeps its places: what goes becomes a space."""
    return replace(
        content,
        name=one_line(content.name),
        rule="".join(char if visible(char) == char else " " for char in content.rule).rstrip(),
        introduction=_lines(content.introduction),
        parent=content.parent or None,
        pinned=tuple(dict.fromkeys(content.pinned)),
        excluded=tuple({one.article_id: _clean_reason(one) for one in content.excluded}.values()),
    )


def one_line(text: str) -> str:
    return "".join(char for char in " ".join(text.split()) if visible(char) == char).strip()


def _lines(text: str) -> str:
    lines = re.split(r"\r\n?|\n", text.replace("\t", "    "))
    return "\n".join("".join(char for char in line if visible(char) == char) for line in lines).strip()


def _clean_reason(one: Exclusion) -> Exclusion:
    return replace(one, reason=one_line(one.reason))


def check(slug: str, content: TopicContent, others: Iterable[Topic]) -> None:
    """Whether a topic may be like this beside the others, of which the topic itself may be one; of its rule: `check_rule`.

    `content`: clean. Raises TopicError.
    """
    if not SLUG.fullmatch(slug):
        raise TopicError("topic.bad_slug", slug=slug)
    _check_sizes(content)
    present = [one for one in others if one.slug != slug and one.content.state != "removed"]
    _check_name(slug, content.name, present)
    own_children = [one for one in present if one.content.parent == slug]
    _check_parent(slug, content.parent, present, has_children=bool(own_children))
    if content.state == "removed" and own_children:
        raise TopicError("topic.has_children", name=content.name, count=len(own_children))
    both = set(content.pinned) & {one.article_id for one in content.excluded}
    if both:
        raise TopicError("topic.pinned_and_excluded", article_id=min(both))


def check_rule(rule: str, today: date) -> None:
    """Raises QueryError for what cannot be read as a query, TopicError("topic.in_rule") where it asks for topics.

    The fact `place` of both says where, counted from 1. `today`: what 今年 in it is reckoned from.
    """
    parse(rule, today)
    if found := topic_place(rule):
        raise TopicError("topic.in_rule", place=found[0], name=f"{found[1]}:")


def _check_sizes(content: TopicContent) -> None:
    if len(content.introduction) > INTRODUCTION_CHARS:
        raise _too_long("导语", content.introduction, INTRODUCTION_CHARS)
    for one in content.excluded:
        if not one.reason:
            raise TopicError("topic.no_reason")
        if len(one.reason) > REASON_CHARS:
            raise _too_long("移出理由", one.reason, REASON_CHARS)
    _check_count("必读", content.pinned, PINNED)
    _check_count("移出的文章", content.excluded, EXCLUDED)
    if not 0 <= content.place <= PLACES:
        raise TopicError("topic.bad_value", field=f"顺序(0 到 {PLACES})", value=content.place)
    if content.state not in get_args(TopicState):
        raise TopicError("topic.bad_value", field="状态", value=content.state)


def check_note(note: str) -> None:
    """Raises TopicError("topic.too_long")."""
    if len(note) > NOTE_CHARS:
        raise _too_long("修改说明", note, NOTE_CHARS)


def _check_count(field: str, ids: Collection[object], limit: int) -> None:
    if len(ids) > limit:
        raise TopicError("topic.too_many", field=field, count=len(ids), limit=limit)


def _too_long(field: str, text: str, limit: int) -> TopicError:
    return TopicError("topic.too_long", field=field, length=len(text), limit=limit)


def _check_name(slug: str, name: str, present: Sequence[Topic]) -> None:
    """A name is what 专题: asks for, and so is a slug: neither may mean another topic."""
    key = fold(name)
    if not key or len(name) > NAME_CHARS:
        raise TopicError("topic.bad_name", limit=NAME_CHARS)
    for one in present:
        if key in (fold(one.content.name), fold(one.slug)) or fold(slug) == fold(one.content.name):
            raise TopicError("topic.name_taken", name=one.content.name, slug=one.slug)


def _check_parent(slug: str, parent: str | None, present: Sequence[Topic], *, has_children: bool) -> None:
    if parent is None:
        return
    above = next((one for one in present if one.slug == parent), None)
    if parent == slug:
        reason = "就是它自己"
    elif above is None:
        reason = "没有这个专题,或已移除"
    elif above.content.parent is not None:
        reason = "它自己已在别的专题下面"
    elif has_children:
        reason = "本专题下面还有专题"
    else:
        return
    raise TopicError("topic.bad_parent", parent=parent, reason=reason)


# --- two versions ---------------------------------------------------------------------------------------------


def differences(old: TopicContent, new: TopicContent) -> dict[str, dict[str, object]]:
    """What two versions differ in, as the audit log tells it: of long texts and many articles how much there is."""
    told: tuple[dict[str, object], dict[str, object]] = (_told(old), _told(new))
    names = [name for name in told[0] if told[0][name] != told[1][name]]
    if old.introduction != new.introduction:
        names.append("introduction_chars")
        for side, content in zip(told, (old, new), strict=True):
            side["introduction_chars"] = len(content.introduction)
    added, gone = decided(new) - decided(old), decided(old) - decided(new)
    found: dict[str, dict[str, object]] = {
        name: {"old": told[0][name], "new": told[1][name]} for name in names
    }
    if added or gone:
        found["articles"] = {"added": sorted(added), "gone": sorted(gone)}
    return found


def _told(content: TopicContent) -> dict[str, object]:
    return {
        "name": content.name,
        "rule": content.rule,
        "parent": content.parent,
        "state": content.state,
        "place": content.place,
        "pinned": list(content.pinned),
        "excluded": len(content.excluded),
    }


def decided(content: TopicContent) -> set[int]:
    """The articles that people decided about."""
    return {*content.pinned, *(one.article_id for one in content.excluded)}
