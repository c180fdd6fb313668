"""A topic <-> a TOML file, which another library takes in. Pure.

Articles are named by their keys, because ids are of one library; their titles stand beside them for people.
What is written is read back the same: `read(write(file)) == file` for a file whose texts are clean (kb.topic_checks).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from kb.errors import TopicError
from kb.model import TopicState

NAMES = {
    "slug": str, "name": str, "rule": str, "introduction": str, "parent": str, "place": int, "state": str,
    "pinned": list, "excluded": list,
}  # fmt: skip
NEEDED = ("slug", "name", "rule")
KEPT_NAMES = ("key", "title", "reason")


@dataclass(frozen=True, slots=True)
class Kept:
    """An article that people decided about."""

    key: str  # https://gz.example/2024-03/15/content_812.html
    title: str = ""
    reason: str = ""  # of an exclusion


@dataclass(frozen=True, slots=True)
class TopicFile:
    """What a file says of a topic."""

    slug: str
    name: str
    rule: str
    introduction: str = ""
    parent: str | None = None
    place: int = 0
    state: TopicState = "shown"
    pinned: tuple[Kept, ...] = ()
    excluded: tuple[Kept, ...] = ()


# --- writing --------------------------------------------------------------------------------------------------


def write(topic: TopicFile) -> str:
    """The text of the file."""
    return "\n".join(_lines(topic)) + "\n"


def _lines(topic: TopicFile) -> Iterator[str]:
    yield f"slug = {_string(topic.slug)}"
    yield f"name = {_string(topic.name)}"
    if topic.parent is not None:
        yield f"parent = {_string(topic.parent)}"
    yield f"place = {topic.place}"
    yield f"state = {_string(topic.state)}"
    yield f"rule = {_string(topic.rule)}"
    if topic.introduction:
        yield f'introduction = """\n{_escaped(topic.introduction, kept=_LINE_END)}"""'
    for table, articles in (("pinned", topic.pinned), ("excluded", topic.excluded)):
        for one in articles:
            yield f"\n[[{table}]]"
            for name in KEPT_NAMES:
                if text := getattr(one, name):
                    yield f"{name} = {_string(text)}"


_LINE_END = "\n"


def _string(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str, *, kept: str = "") -> str:
    """Text of a basic string of TOML 1.0: backslash, quotation mark and control characters are written as escapes."""
    return "".join(char if char in kept else _character(char) for char in text)


def _character(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    return f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else char


# --- reading --------------------------------------------------------------------------------------------------


def read(text: str, path: str) -> TopicFile:
    """What a file says; of its meaning nothing is checked. `path`: for people.

    Raises TopicError("topic.bad_file") for what is no TOML, for names that are not known and for values of a wrong kind.
    """
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TopicError("topic.bad_file", path=path, reason=f"不是 TOML({error})") from None
    problem = next(_problems(said), None)
    if problem is not None:
        raise TopicError("topic.bad_file", path=path, reason=problem)
    pinned, excluded = (_kept(said.get(name, [])) for name in ("pinned", "excluded"))
    return TopicFile(**(said | {"pinned": pinned, "excluded": excluded}))


def _kept(rows: Sequence[Mapping[str, Any]]) -> tuple[Kept, ...]:
    return tuple(Kept(**row) for row in rows)


def _problems(said: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about what cannot be used."""
    for name in NEEDED:
        if name not in said:
            yield f"缺少 {name}"
    for name, value in said.items():
        if name not in NAMES:
            yield f"不认识 {name}"
        elif type(value) is not NAMES[name]:
            yield f"{name} 的值不是{'数字' if NAMES[name] is int else '列表' if NAMES[name] is list else '文字'}"
    if said.get("state", "shown") not in get_args(TopicState):
        yield f"state 要是 {'、'.join(get_args(TopicState))} 之一"
    for name in ("pinned", "excluded"):
        for number, row in enumerate(said.get(name, []), 1):
            if not isinstance(row, dict) or not row.get("key"):
                yield f"{name} 第 {number} 项没有 key"
            elif not all(word in KEPT_NAMES and isinstance(value, str) for word, value in row.items()):
                yield f"{name} 第 {number} 项只能有文字 {'、'.join(KEPT_NAMES)}"
