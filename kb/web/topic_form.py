"""The form of a topic: what was typed, what it would bring, and what somebody else kept meanwhile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kb.errors import KbError
from kb.model import Hidden, Hit, Topic, TopicContent
from kb.search import Search
from kb.text.difference import Part, parts

FIELDS = {
    "name": "名称",
    "parent": "上级专题",
    "rule": "收录规则",
    "introduction": "导语",
    "place": "顺序",
    "state": "状态",
}
STATES = {"shown": "公开", "draft": "草稿", "removed": "已移除"}
TRIED_HITS = 5
_PLACE = re.compile(r"[0-9]{1,6}")

Typed = Mapping[str, str]


def typed_of(content: TopicContent) -> dict[str, str]:
    """The fields as a form holds them."""
    return {name: str(getattr(content, name) or "") for name in FIELDS} | {"place": str(content.place)}


def sent(form: Typed) -> dict[str, str]:
    """The fields that a form sends; a rule is one line, whatever box it was typed into."""
    found = {name: form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    return found | {"rule": re.sub(r"[\r\n]", " ", found["rule"])}


def content_of(typed: Typed, kept: TopicContent) -> TopicContent:
    """What was typed, with the articles that people chose. A place that is no number is one that no topic may have."""
    place = typed["place"].strip() or "0"
    return replace(
        kept,
        name=typed["name"],
        rule=typed["rule"],
        introduction=typed["introduction"],
        parent=typed["parent"] or None,
        place=int(place) if _PLACE.fullmatch(place) else -1,
        state="shown" if typed["state"] == "shown" else "draft",
    )


# --- what it would bring --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule finds now, for somebody."""

    found: int  # articles that the rule finds
    members: int  # articles of the topic: with the must-reads, without what was excluded
    hits: tuple[Hit, ...]  # the first of them


def tried(search: Search, content: TopicContent, hidden: Hidden) -> Trial:
    """Raises what a search does: QueryError, TooSlowError, EngineDownError."""
    topic = Topic(0, "", 0, content, "", "")
    found = search.find(content.rule, limit=TRIED_HITS, hidden=hidden)
    members = search.matches(topic=topic, hidden=hidden, limit=0).articles
    if found.fallback:
        return Trial(0, members, ())
    return Trial(found.articles, members, found.hits)


def around(rule: str, error: KbError | None) -> tuple[str, str, str] | None:
    """A rule that cannot be read: what stands before the place, there, and behind it."""
    place = error.facts.get("place") if error else None
    return (rule[: place - 1], rule[place - 1 : place], rule[place:]) if isinstance(place, int) else None


# --- what somebody else kept meanwhile ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clash:
    """A field of which two people made different things."""

    label: str  # 收录规则
    theirs: str
    mine: str
    runs: Sequence[Part]  # from theirs to mine


def merged(mine: Typed, before: TopicContent | None, now: TopicContent) -> dict[str, str]:
    """What was typed, with what somebody else changed in fields that were left as they were."""
    theirs, base = typed_of(now), typed_of(before) if before else {}
    return {name: theirs[name] if text == base.get(name) else text for name, text in mine.items()}


def clashes(mine: Typed, now: TopicContent) -> list[Clash]:
    """Where what was typed is not what is kept now."""
    theirs = typed_of(now)
    return [
        Clash(label, theirs[name], mine[name], parts(theirs[name], mine[name]))
        for name, label in FIELDS.items()
        if theirs[name] != mine[name]
    ]


def is_unchanged(before: TopicContent, now: TopicContent) -> bool:
    """Whether two versions hold the same in every field of the form: then only articles were chosen between them."""
    return typed_of(before) == typed_of(now)
