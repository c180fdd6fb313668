"""Postings in plain arrays -> the arrays of layout.py. The one place that knows how they are packed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb.engine.compiled import Array, Bytes, Floats, Ints, kernel
from kb.engine.layout import BIG, is_dense

K1, B = 1.2, 0.75
TINY = 1e-6  # how much float32 may round a bound down


class Flat(NamedTuple):
    """Postings of one field, in order of term and document. Positions are packed already (layout.py)."""

    terms: list[bytes]  # sorted
    at: Ints  # where each term begins among the postings, and their number
    docs: Array  # u2
    tf: Array  # u4
    pos: Array  # u1
    pos_at: Array  # u4


@kernel
def count_rows(at: Ints, chunks: int) -> tuple[int, int]:
    """How many terms are dense, and how many postings the others have."""
    rows = thin = 0
    for term in range(len(at) - 1):
        df = at[term + 1] - at[term]
        if is_dense(df, chunks):
            rows += 1
        else:
            thin += df
    return rows, thin


@kernel
def pack_documents(at: Ints, docs: Array, chunks: int, where: Array, high: Bytes, chunk_at: Array) -> None:
    row = thin = 0
    for term in range(len(at) - 1):
        start, end = at[term], at[term + 1]
        if is_dense(end - start, chunks):
            where[term] = row
            chunk = 0
            for i in range(start, end):
                while chunk <= docs[i] >> 8:
                    chunk_at[row * chunks + chunk] = i - start
                    chunk += 1
            while chunk < chunks:
                # A chunk without postings at the end begins where the postings end; 65,536 does not fit and cannot be.
                chunk_at[row * chunks + chunk] = end - start
                chunk += 1
            row += 1
        else:
            where[term] = thin
            for i in range(start, end):
                high[thin] = docs[i] >> 8
                thin += 1


@kernel
def pack_tops(
    at: Ints, docs: Array, tf: Array, norm: Floats, chunks: int, bound: Array, where: Array, chunk_top: Bytes
) -> None:
    top = np.zeros(chunks, np.float64)
    for term in range(len(at) - 1):
        start, end = at[term], at[term + 1]
        most = 0.0
        top[:] = 0.0
        for i in range(start, end):
            often = float(tf[i])
            part = often / (often + norm[docs[i]])
            most = max(most, part)
            chunk = docs[i] >> 8
            top[chunk] = max(top[chunk], part)
        bound[term] = most * (1.0 + TINY)
        if is_dense(end - start, chunks):
            for chunk in range(chunks):
                chunk_top[where[term] * chunks + chunk] = int(
                    np.ceil(top[chunk] / most * 255.0 * (1.0 - 1e-12))
                )


@kernel
def pack_frequencies(tf: Array, packed: Bytes) -> int:
    """Two to a byte; how many do not fit."""
    big = 0
    for i in range(len(tf)):
        often = min(tf[i], BIG)
        big += often == BIG
        packed[i >> 1] |= often << ((i & 1) << 2)
    return big


def norms(lengths: Array, mean: float) -> Floats:
    """k1 * (1 - b + b * length / mean): what a frequency is weighed against."""
    result: Floats = K1 * (1.0 - B + B * lengths.astype(np.float64) / (mean or 1.0))
    return result


def encode(flat: Flat, lengths: Array, mean: float) -> dict[str, Array]:
    """`lengths`: of this field in every document; `mean`: what the bounds are worked out with."""
    terms, count = len(flat.terms), len(flat.docs)
    chunks = (len(lengths) + 255) >> 8
    rows, thin = count_rows(flat.at, chunks)
    where, high, bound = np.zeros(terms, np.uint32), np.empty(thin, np.uint8), np.zeros(terms, np.float32)
    chunk_at, chunk_top = np.zeros(rows * chunks, np.uint16), np.zeros(rows * chunks, np.uint8)
    packed = np.zeros((count + 1) // 2, np.uint8)
    pack_documents(flat.at, flat.docs, chunks, where, high, chunk_at)
    pack_tops(flat.at, flat.docs, flat.tf, norms(lengths, mean), chunks, bound, where, chunk_top)
    pack_frequencies(flat.tf, packed)
    big_at = np.flatnonzero(flat.tf >= BIG)
    sizes = np.fromiter(map(len, flat.terms), np.int64, terms)
    return {
        "terms": np.frombuffer(b"".join(flat.terms), np.uint8),
        "term_at": np.concatenate(([0], np.cumsum(sizes))).astype(np.uint32),
        "at": flat.at.astype(np.uint32),
        "where": where,
        "low": flat.docs.astype(np.uint8),
        "high": high,
        "chunk_at": chunk_at,
        "chunk_top": chunk_top,
        "bound": bound,
        "tf": packed,
        "big_at": big_at.astype(np.uint32),
        "big_tf": flat.tf[big_at].astype(np.uint32),
        "pos": flat.pos,
        "pos_at": flat.pos_at,
    }
