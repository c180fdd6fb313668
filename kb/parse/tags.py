"""Small questions about single tags of a page's tree. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bs4 import Tag


def marks_of(tag: Tag) -> set[str]:
    """The classes and the id of a tag in lower case: {".content", "#ozoom"}."""
    classes = tag.get("class")
    names = classes.split() if isinstance(classes, str) else list(classes or ())
    found = {f".{name.lower()}" for name in names}
    identity = tag.get("id")
    return found | {f"#{str(identity).strip().lower()}"} if identity else found


def holds(outer: Tag, inner: Tag) -> bool:
    """Whether `inner` is `outer` or lies in it."""
    return inner is outer or any(parent is outer for parent in inner.parents)


def outermost(tags: Iterable[Tag]) -> list[Tag]:
    """`tags` (in document order) without those that lie in another of them."""
    kept: list[Tag] = []
    for tag in tags:
        if not any(holds(one, tag) for one in kept[-3:]):
            kept.append(tag)
    return kept
