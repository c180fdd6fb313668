"""The index as Whoosh knows it: its fields. See codec.py for the segments."""

from __future__ import annotations

from typing import Any

from whoosh.analysis import IDAnalyzer
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, NUMERIC, FieldType, Schema
from whoosh.formats import Positions

from kb.engine.tokens import FIELDS


class Words(FieldType):  # type: ignore[misc]  # Whoosh has no types
    """A field whose postings the codec keeps; texts never pass through Whoosh."""

    def __init__(self) -> None:
        super().__init__(Positions(), analyzer=IDAnalyzer(), scorable=True)

    def index(self, value: Any, **_options: Any) -> Any:
        raise TypeError("articles are written by kb.engine, not by Whoosh's writer")


SCHEMA = Schema(
    **{field: Words() for field in FIELDS},
    article_id=COLUMN(NumericColumn("q")),
    # 20230802, 0 for unknown. Its terms are made from the column: one tier, because days are few.
    published=NUMERIC(int, bits=32, signed=False, shift_step=0, sortable=True),
)
NUMERIC_COLUMNS = {"article_id": "column.id", "published": "column.published"}
