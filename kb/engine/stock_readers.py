"""Whoosh's own readers over our segments: every stock query runs on them, slowly and surely. The reference in tests.

Nothing of kb searches through them; stock collectors can lose true best documents (engine.md §B).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from whoosh.codec.base import FieldCursor, PerDocumentReader
from whoosh.codec.base import TermsReader as WhooshTerms
from whoosh.columns import ColumnReader
from whoosh.matching import ListMatcher
from whoosh.query.spans import Span
from whoosh.reading import TermInfo, TermNotFound

from kb.engine import leaves
from kb.engine.compiled import Array, Ints
from kb.engine.schema import NUMERIC_COLUMNS, SCHEMA
from kb.engine.segments import Segment
from kb.engine.tokens import FIELDS


class DocumentsReader(PerDocumentReader):  # type: ignore[misc]  # Whoosh has no types
    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._deleted = frozenset(np.flatnonzero(~segment.living()).tolist())

    def doc_count(self) -> int:
        return self._segment.count

    def doc_count_all(self) -> int:
        return self._segment.docs

    def has_deletions(self) -> bool:
        return bool(self._deleted)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self._deleted

    def deleted_docs(self) -> frozenset[int]:
        return self._deleted

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self._lengths(fieldname)[docnum]) if fieldname in FIELDS else default

    def field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname)[self._segment.living()].sum()) if fieldname in FIELDS else 0

    def min_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).min()) if fieldname in FIELDS else 0

    def max_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).max()) if fieldname in FIELDS else 0

    def stored_fields(self, docnum: int) -> dict[str, int]:
        return {name: int(self._segment.arrays[column][docnum]) for name, column in NUMERIC_COLUMNS.items()}

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname in NUMERIC_COLUMNS

    def column_reader(self, fieldname: str, column: Any) -> NumbersReader:
        return NumbersReader(self._segment.arrays[NUMERIC_COLUMNS[fieldname]])

    def _lengths(self, field: str) -> Array:
        return self._segment.arrays[f"{field}.length"]


class NumbersReader(ColumnReader):  # type: ignore[misc]  # Whoosh has no types
    """A column of numbers."""

    def __init__(self, values: Array) -> None:
        self._values = values
        self._reverse = False

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, docnum: int) -> int:
        return int(self._values[docnum])

    def sort_key(self, docnum: int) -> int:
        return -self[docnum] if self._reverse else self[docnum]

    def set_reverse(self) -> None:
        self._reverse = True


class ArrayMatcher(ListMatcher):  # type: ignore[misc]  # Whoosh has no types
    """Postings of one term, all decoded at once."""

    def __init__(
        self, ids: list[int], places: list[list[int]], scorer: Any, term: Any, info: TermInfo
    ) -> None:
        weights = [float(len(one)) for one in places]
        super().__init__(ids, weights=weights, scorer=scorer, term=term, terminfo=info)
        self._places = places

    def copy(self) -> ArrayMatcher:
        twin = ArrayMatcher(self._ids, self._places, self._scorer, self._term, self._terminfo)
        twin._i = self._i
        return twin

    def id(self) -> int:
        """At the end the last one, as Whoosh's own: its matchers ask once more before they look whether there is one."""
        last: int = self._ids[min(self._i, len(self._ids) - 1)]
        return last

    def supports(self, astype: str) -> bool:
        return astype in ("positions", "frequency")

    def value_as(self, astype: str) -> Any:
        return self._places[self._i] if astype == "positions" else len(self._places[self._i])

    def spans(self) -> list[Span]:
        return [Span(place) for place in self._places[self._i]]


class Cursor(FieldCursor):  # type: ignore[misc]  # Whoosh has no types
    """Walks over a dictionary, for queries that jump from term to term (FuzzyTerm)."""

    def __init__(self, terms: list[bytes], field: Any) -> None:
        self._terms = terms
        self._field = field
        self._place = 0

    def first(self) -> str | None:
        self._place = 0
        return self.text()

    def find(self, string: str | bytes) -> str | None:
        wanted = string if isinstance(string, bytes) else self._field.to_bytes(string)
        self._place = bisect_left(self._terms, wanted)
        return self.text()

    def next(self) -> str | None:
        self._place += 1
        return self.text()

    def text(self) -> str | None:
        """None behind the last."""
        return self._field.from_bytes(self._terms[self._place]) if self.is_valid() else None

    def is_valid(self) -> bool:
        return self._place < len(self._terms)


class TermsReader(WhooshTerms):  # type: ignore[misc]  # Whoosh has no types
    """The dictionaries of the text fields, and the days of `published` as terms of a number field."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._known: dict[str, list[bytes]] = {}

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._place(*term) is not None

    def cursor(self, fieldname: str, fieldobj: Any) -> Cursor:
        return Cursor(self._terms(fieldname), fieldobj)

    def indexed_field_names(self) -> list[str]:
        return [*FIELDS, "published"]

    def terms(self) -> Iterator[tuple[str, bytes]]:
        return ((field, term) for field in sorted(self.indexed_field_names()) for term in self._terms(field))

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        known = self._terms(fieldname)
        return ((fieldname, term) for term in known[bisect_left(known, prefix) :])

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms_from(fieldname, prefix))

    def frequency(self, fieldname: str, text: bytes) -> float:
        return sum(map(len, self._postings(fieldname, text)[1]))

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return len(self._postings(fieldname, text)[0])

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        ids, places = self._postings(fieldname, text)
        counts = list(map(len, places))
        return TermInfo(float(sum(counts)), len(ids), 0, 2**31, float(max(counts)), ids[0], ids[-1])

    def matcher(self, fieldname: str, text: bytes, format_: Any, scorer: Any = None) -> ArrayMatcher:
        try:
            ids, places = self._postings(fieldname, text)
        except KeyError as error:
            raise TermNotFound(f"No term {fieldname}:{text!r}") from error
        return ArrayMatcher(ids, places, scorer, (fieldname, text), self.term_info(fieldname, text))

    def _postings(self, field: str, term: bytes) -> tuple[list[int], list[list[int]]]:
        """Documents and positions. Raises KeyError."""
        place = self._place(field, term)
        if place is None:
            raise KeyError(term)
        if field == "published":
            ids = np.flatnonzero(self._days == np.unique(self._days)[place]).tolist()
            return ids, [[0]] * len(ids)
        docs, counts, places = leaves.all_positions(self._segment.row(field), place)
        return docs.tolist(), [one.tolist() for one in np.split(places, np.cumsum(counts)[:-1])]

    def _place(self, field: str, term: bytes) -> int | None:
        known = self._terms(field)
        place = bisect_left(known, term)
        return place if place < len(known) and known[place] == term else None

    def _terms(self, field: str) -> list[bytes]:
        if field not in self._known:
            number = SCHEMA["published"]
            days = (
                [number.to_bytes(day) for day in np.unique(self._days).tolist()]
                if field == "published"
                else []
            )
            self._known[field] = days or (self._segment.terms(field) if field in FIELDS else [])
        return self._known[field]

    @cached_property
    def _days(self) -> Ints:
        return self._segment.arrays["column.published"]
