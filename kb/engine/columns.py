"""What an index knows of every article besides its words: numbers and coded names, for filters, facets and sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kb.engine.compiled import Array, Ints
from kb.model import StoredArticle

NUMBERS = {"id": "<i8", "published": "<i4", "body_chars": "<u4", "group": "<i8"}
SINGLE = {  # an article has one of each: column -> field of Article
    "newspaper": "newspaper",
    "affiliation": "affiliation",
    "edition_page": "edition_page",
    "edition_name": "page_name",
    "source": "source",
}
NAMES = (*SINGLE, "author")  # of which an article has any number

LAST_DAY = 9999_12_31
MOST_CHARS = 2**31 - 1  # no body is as long


class Coded(NamedTuple):
    """Names of documents, coded: `names[codes[at[d] : at[d + 1]]]` are those of document d. Names are sorted, "" first."""

    names: list[str]
    codes: Array  # u4
    at: Ints


class Columns(NamedTuple):
    """Columns of one segment."""

    numbers: dict[str, Array]
    names: dict[str, Coded]


def day(published: str | None) -> int:
    """20230802 for 2023-08-02, 0 for unknown."""
    return int(published.replace("-", "")) if published else 0


def columns_of(articles: Sequence[StoredArticle]) -> Columns:
    values: dict[str, Any] = {
        "id": [stored.id for stored in articles],
        "published": [day(stored.article.published) for stored in articles],
        "body_chars": [stored.body_chars for stored in articles],
        "group": [stored.reprint_of or stored.id for stored in articles],
    }
    single: dict[str, Any] = {
        name: [(getattr(stored.article, known) or "",) for stored in articles]
        for name, known in SINGLE.items()
    }
    authors = [tuple(dict.fromkeys(author.name for author in stored.article.authors)) for stored in articles]
    return Columns(
        {name: np.asarray(values[name]).astype(kind) for name, kind in NUMBERS.items()},
        {name: coded(rows) for name, rows in {**single, "author": authors}.items()},
    )


def coded(rows: Sequence[Sequence[str]]) -> Coded:
    names = sorted({name for row in rows for name in row} | {""})
    number = {name: code for code, name in enumerate(names)}
    at = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64))).astype(np.int64)
    return Coded(names, np.array([number[name] for row in rows for name in row], np.uint32), at)


def joined(parts: Sequence[Columns], kept: Sequence[Array]) -> Columns:
    """The columns of several segments one after the other, without the documents that `kept` leaves out."""
    numbers = {
        name: np.concatenate([part.numbers[name][alive] for part, alive in zip(parts, kept, strict=True)])
        for name in NUMBERS
    }
    return Columns(numbers, {name: _joined([part.names[name] for part in parts], kept) for name in NAMES})


def _joined(parts: Sequence[Coded], kept: Sequence[Array]) -> Coded:
    names = sorted({""}.union(*(part.names for part in parts)))
    number = {name: code for code, name in enumerate(names)}
    codes, counts = [], []
    for part, alive in zip(parts, kept, strict=True):
        count = np.diff(part.at)
        recoded = np.array([number[name] for name in part.names], np.uint32)
        codes.append(recoded[part.codes[np.repeat(alive.astype(bool), count)]])
        counts.append(count[alive.astype(bool)])
    at = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(counts))])
    return _without_unused(Coded(names, np.concatenate(codes), at))


def _without_unused(all_names: Coded) -> Coded:
    used = np.bincount(all_names.codes, minlength=len(all_names.names)) > 0
    used[0] = True
    number = (np.cumsum(used) - 1).astype(np.uint32)
    names = [name for name, wanted in zip(all_names.names, used.tolist(), strict=True) if wanted]
    return Coded(names, number[all_names.codes], all_names.at)


def as_arrays(columns: Columns) -> dict[str, Array]:
    """As they are written: names as one UTF-8 text with where each ends."""
    arrays: dict[str, Array] = {f"column.{name}": values for name, values in columns.numbers.items()}
    for name, one in columns.names.items():
        letters = [text.encode("utf-8", "surrogatepass") for text in one.names]
        arrays[f"column.{name}.codes"] = one.codes
        arrays[f"column.{name}.at"] = one.at.astype("<u4")
        arrays[f"column.{name}.names"] = np.frombuffer(b"".join(letters), np.uint8)
        arrays[f"column.{name}.ends"] = np.cumsum([len(text) for text in letters]).astype("<u4")
    return arrays


def from_arrays(arrays: dict[str, Array]) -> Columns:
    numbers = {name: arrays[f"column.{name}"] for name in NUMBERS}
    return Columns(numbers, {name: names_from(arrays, name) for name in NAMES})


def names_from(arrays: dict[str, Array], name: str) -> Coded:
    """One column of names."""
    prefix = f"column.{name}"
    letters, ends = arrays[f"{prefix}.names"].tobytes(), arrays[f"{prefix}.ends"].tolist()
    names = [
        letters[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip([0, *ends], ends, strict=False)
    ]
    return Coded(names, arrays[f"{prefix}.codes"], arrays[f"{prefix}.at"].astype(np.int64))
