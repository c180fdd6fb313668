"""A page's tags by name, class and id, so that tables of known templates are looked up, not searched. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property

from bs4 import BeautifulSoup, Tag

from kb.parse.lines import PlacedLine, frame_lines, place_lines
from kb.parse.tags import marks_of

_PART = re.compile(r"(?P<tag>[a-z][\w-]*)?(?P<marks>(?:[.#][\w-]+)*)$")


class Marks:
    """The tags of one tree. Classes and ids are compared without case: templates are copied by hand."""

    def __init__(self, tree: BeautifulSoup) -> None:
        self.tree = tree  # broken pages have several <html>, so nothing below it is the whole page
        self._order: dict[int, int] = {}
        self._tags: list[Tag] = tree.find_all(True)
        self._by_mark: dict[str, list[Tag]] = defaultdict(list)
        for tag in self._tags:
            self._order[id(tag)] = len(self._order)
            self._by_mark[tag.name].append(tag)
            for mark in marks_of(tag):
                self._by_mark[mark].append(tag)

    @cached_property
    def lines(self) -> list[PlacedLine]:
        """Every visible line of the page."""
        return place_lines(self.tree)

    @cached_property
    def texts(self) -> list[str]:
        """Every visible line of the page as text, words of different tags set apart."""
        return frame_lines(self.tree)

    def all(self, *paths: str) -> list[Tag]:
        """The tags that any of `paths` names, in document order. A path: `td.font01`, `#title`, `.article h1`."""
        found = {id(tag): tag for path in paths for tag in self._along(path.split())}
        return sorted(found.values(), key=self.position)

    def first(self, *paths: str) -> Tag | None:
        """The first tag of the first path that names one."""
        return next((tag for path in paths for tag in self.all(path)), None)

    def position(self, tag: Tag) -> int:
        """The place of a tag in the document, counted in tags."""
        return self._order.get(id(tag), len(self._order))

    def between(self, first: int, last: int) -> list[Tag]:
        """The tags whose places lie between two places, in document order."""
        return self._tags[first + 1 : max(last, first + 1)]

    def _along(self, path: list[str]) -> list[Tag]:
        tags = self._named(path[-1])
        if len(path) == 1:
            return tags
        above = {id(tag) for tag in self._along(path[:-1])}
        return [tag for tag in tags if any(id(parent) in above for parent in tag.parents)]

    def _named(self, part: str) -> list[Tag]:
        found = _PART.match(part)
        assert found is not None, part  # noqa: S101 - the tables of templates are ours
        marks = re.findall(r"[.#][\w-]+", found["marks"])
        keys = [*marks, *([found["tag"]] if found["tag"] else [])]
        rarest = min((self._by_mark.get(key, []) for key in keys), key=len)
        if len(keys) == 1:
            return list(rarest)
        wanted = set(keys)
        return [tag for tag in rarest if wanted <= {tag.name, *marks_of(tag)}]
