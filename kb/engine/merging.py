"""Several segments -> one, without what is deleted. Positions are copied as bytes: a posting's do not depend on its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.engine import columns, segments
from kb.engine.compiled import Array, Ints, kernel, u1, u4
from kb.engine.encoding import Flat
from kb.engine.layout import (
    AT,
    BIG_AT,
    BIG_TF,
    C_AT,
    C_BIG_AT,
    C_BIG_TF,
    C_N_BIG,
    C_TF,
    C_WIDTH,
    DOCS,
    N_BIG,
    N_TERMS,
    POS,
    POS_STEP,
    TF,
    documents,
    tf_of,
)  # fmt: skip
from kb.engine.segments import Segment
from kb.engine.tokens import FIELDS


@kernel
def count_living(row: Ints, number: Array, new_doc: Ints, counts: Ints) -> None:
    """Adds to `counts` the living documents of each term, under its new number."""
    out = np.empty(row[DOCS], np.int64)
    for term in range(row[N_TERMS]):
        for i in range(documents(row, term, out)):
            counts[number[term]] += new_doc[out[i]] >= 0


@kernel
def copy_postings(
    row: Ints, number: Array, new_doc: Ints, fill: Ints, docs: Array, tf: Array, sizes: Array
) -> None:
    """Appends the living postings of each term, and how many bytes the positions of each take."""
    out = np.empty(row[DOCS], np.int64)
    cursors = _cursors(row)
    at = 0
    for term in range(row[N_TERMS]):
        count = documents(row, term, out)
        cursors[0, C_AT] = u4(row[AT], term)
        for i in range(count):
            often = tf_of(cursors, 0, i)
            start = at
            left = often
            while left > 0:
                left -= 1 - (u1(row[POS], at) >> 7)
                at += 1
            if new_doc[out[i]] >= 0:
                place = fill[number[term]]
                fill[number[term]] += 1
                docs[place], tf[place], sizes[place] = new_doc[out[i]], often, at - start


@kernel
def copy_positions(row: Ints, number: Array, new_doc: Ints, fill: Ints, pos_end: Array, pos: Array) -> None:
    out = np.empty(row[DOCS], np.int64)
    cursors = _cursors(row)
    at = 0
    for term in range(row[N_TERMS]):
        count = documents(row, term, out)
        cursors[0, C_AT] = u4(row[AT], term)
        for i in range(count):
            left = tf_of(cursors, 0, i)
            lives = new_doc[out[i]] >= 0
            to = pos_end[fill[number[term]] - 1] if fill[number[term]] else 0
            while left > 0:
                byte = u1(row[POS], at)
                if lives:
                    pos[to] = byte
                    to += 1
                left -= 1 - (byte >> 7)
                at += 1
            if lives:
                fill[number[term]] += 1


@kernel
def _cursors(row: Ints) -> Ints:
    cursors = np.zeros((1, C_WIDTH), np.int64)
    cursors[0, C_TF], cursors[0, C_BIG_AT] = row[TF], row[BIG_AT]
    cursors[0, C_N_BIG], cursors[0, C_BIG_TF] = row[N_BIG], row[BIG_TF]
    return cursors


def merged_field(parts: Sequence[Segment], field: str, new_docs: Sequence[Ints]) -> Flat:
    """Postings of one field of all parts. `new_docs[i][d]`: the new number of document d of part i, -1 when deleted."""
    names = [part.terms(field) for part in parts]
    terms = sorted(set().union(*names)) if len(parts) > 1 else names[0]
    place = {term: number for number, term in enumerate(terms)}
    numbers = [np.fromiter(map(place.__getitem__, one), np.uint32, len(one)) for one in names]
    rows = [part.row(field) for part in parts]
    counts = np.zeros(len(terms), np.int64)
    for row, number, new_doc in zip(rows, numbers, new_docs, strict=True):
        count_living(row, number, new_doc, counts)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    total = int(starts[-1])
    docs, tf, sizes = np.empty(total, np.uint16), np.empty(total, np.uint32), np.empty(total, np.uint32)
    fill = starts[:-1].copy()
    for row, number, new_doc in zip(rows, numbers, new_docs, strict=True):
        copy_postings(row, number, new_doc, fill, docs, tf, sizes)
    np.cumsum(
        sizes, out=sizes
    )  # in place, because there are tens of millions: from here on where each one's positions end
    pos = np.empty(int(sizes[-1]) if total else 0, np.uint8)
    fill = starts[:-1].copy()
    for row, number, new_doc in zip(rows, numbers, new_docs, strict=True):
        copy_positions(row, number, new_doc, fill, sizes, pos)
    lasting = np.flatnonzero(counts)
    at = np.append(starts[lasting], total)
    pos_at = np.concatenate([np.zeros(1, np.uint32), sizes[POS_STEP - 1 : total - 1 : POS_STEP]])
    return Flat([terms[i] for i in lasting.tolist()], at, docs, tf, pos, pos_at)


def merge(folder: Path, name: str, parts: Sequence[Segment]) -> None:
    """Write a segment of the living documents of all parts, one part after the other."""
    living = [part.living() for part in parts]
    new_docs, count = [], 0
    for alive in living:
        new_docs.append(np.where(alive, np.cumsum(alive) - 1 + count, -1).astype(np.int64))
        count += int(alive.sum())
    lengths = {
        field: np.concatenate(
            [part.arrays[f"{field}.length"][alive] for part, alive in zip(parts, living, strict=True)]
        )
        for field in FIELDS
    }
    fields = {field: merged_field(parts, field, new_docs) for field in FIELDS}
    segments.write(folder, name, fields, lengths, columns.joined([part.columns() for part in parts], living))
