"""The texts of many articles, as lean as they can be had: for what reads thousands of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, type_coerce
from sqlalchemy import Text as Characters

from kb.model import SHOWN_STATUSES, Hidden
from kb.store.limits import visible
from kb.store.tables import articles

ROWS = 500  # read at a time


class Text(NamedTuple):
    """An article as far as its texts are concerned."""

    id: int
    source: str
    published: str | None  # 2023-08-02
    stored: str  # the JSON of `content`: thousands of articles as dicts take long to make and to collect

    @property
    def content(self) -> dict[str, Any]:
        """As kb.store.content keeps it, read anew each time."""
        content: dict[str, Any] = json.loads(self.stored)
        return content

    def pieces(self) -> Iterator[tuple[str | None, str]]:
        """Each text that a literal is found in, with the anchor of its block; title, kicker and subtitle have none."""
        content = self.content
        for name in ("title", "kicker", "subtitle"):
            if text := content[name]:
                yield None, text
        for block in content["blocks"]:
            yield block["anchor"], block["text"]


def texts(connection: Connection, ids: Sequence[int], *, hidden: Hidden) -> Iterator[Text]:
    """The articles with these ids that people may see, in no order."""
    stored = type_coerce(articles.c.content, Characters)
    columns = (articles.c.id, articles.c.source, articles.c.published, stored)
    asked = select(*columns).where(articles.c.status.in_(SHOWN_STATUSES), *visible(hidden))
    for at in range(0, len(ids), ROWS):
        chosen = asked.where(articles.c.id.in_(ids[at : at + ROWS]))
        yield from map(Text._make, connection.execute(chosen).all())
