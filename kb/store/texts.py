"""The texts of many articles, as lean as they can be had: for what reads thousands of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from kb.model import SHOWN_STATUSES, Hidden
from kb.store.limits import visible
from kb.store.tables import articles

ROWS = 500  # read at a time


class Text(NamedTuple):
    """An article as far as its texts are concerned."""

    id: int
    source: str
    published: str | None  # 2023-08-02
    content: dict[str, Any]  # as kb.store.content keeps it

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
    columns = (articles.c.id, articles.c.source, articles.c.published, articles.c.content)
    asked = select(*columns).where(articles.c.status.in_(SHOWN_STATUSES), *visible(hidden))
    for at in range(0, len(ids), ROWS):
        chosen = asked.where(articles.c.id.in_(ids[at : at + ROWS]))
        yield from (Text(*row) for row in connection.execute(chosen))
