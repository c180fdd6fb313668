"""The audit log as a table for spreadsheets: CSV whose cells are text and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kb.text.visible import visible

BOM = "\ufeff"  # or Excel takes the Chinese for another encoding
# What a spreadsheet would take for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Any) -> str:
    """A value that no spreadsheet calculates and no terminal obeys."""
    text = "" if value is None else visible(str(value))
    return f"'{text}" if str("" if value is None else value).startswith(FORMULA) else text


def table(names: Sequence[str], records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of a CSV file, its byte order mark first."""
    yield BOM + _line(names)
    for values in records:
        yield _line([cell(values[name]) for name in names])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
