"""Tokens in the order of the text -> postings in the order of the terms, by counting sort."""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import Array, Bytes, Floats, Ints, kernel, loop, whole
from kb.engine.encoding import (
    U_POS,
    W_POS,
    W_POSTINGS,
    Buffers,
    FieldWriter,
    add_term,
    begin_positions,
    fits,
    put_number,
)
from kb.engine.layout import CHUNK, SEGMENT_DOCS
from kb.engine.tokens import Tokens

GAP_BYTES = 5  # of a position at most (layout.py)


@kernel
def sort_by_term(terms: Array, n_terms: int) -> tuple[Array, Ints]:
    """Places of the tokens by term, those of a term in their old order, and where each term begins."""
    at = np.zeros(n_terms + 1, np.int64)
    for i in range(len(terms)):
        at[terms[i] + 1] += 1
    for term in range(n_terms):
        at[term + 1] += at[term]
    order = np.empty(len(terms), np.uint32)
    fill = at[:-1].copy()
    for i in range(len(terms)):
        order[fill[terms[i]]] = i
        fill[terms[i]] += 1
    return order, at


@loop
def collect(order: Array, first: int, behind: int, docs: Array, out_docs: Array, out_tf: Array) -> int:
    """Documents and frequencies of the tokens at places `first` to `behind` of the order. Returns how many documents."""
    count = 0
    last = -1
    for i in range(first, behind):
        doc = whole(docs[order[i]])
        if doc != last:
            out_docs[count], out_tf[count] = doc, 0
            count += 1
            last = doc
        out_tf[count - 1] += 1
    return count


@loop
def put_positions(
    order: Array, token: int, tf: Array, df: int, positions: Array, out: Buffers, written: Ints
) -> None:
    """The positions of a term as gaps, those of a document after the other. `token`: place of its first one."""
    used = written[U_POS]
    for i in range(df):
        start = used
        begin_positions(out, written, written[W_POSTINGS] - df + i)
        before = 0
        for _ in range(tf[i]):
            position = whole(positions[order[token]])
            used = put_number(out.pos, used, position - before)
            before = position
            token += 1
        written[W_POS] += used - start
    written[U_POS] = used


@kernel
def add_terms(
    first: int, letters: Bytes, ends: Ints, order: Array, token_at: Ints, docs: Array, positions: Array,
    norm: Floats, out: Buffers, written: Ints, last: Bytes,
) -> int:  # fmt: skip
    """Adds terms from number `first` on, as far as the buffers reach. Returns the number of the next one."""
    chunks = (len(norm) + CHUNK - 1) // CHUNK
    some_docs, some_tf = np.empty(SEGMENT_DOCS, np.uint16), np.empty(SEGMENT_DOCS, np.uint32)
    for term in range(first, len(ends)):
        token, behind = token_at[term], token_at[term + 1]
        df = collect(order, token, behind, docs, some_docs, some_tf)
        start = ends[term - 1] if term else 0
        if not fits(out, written, ends[term] - start, df, GAP_BYTES * (behind - token), chunks):
            return term
        add_term(out, written, last, letters, start, ends[term] - start, some_docs, some_tf, df, norm)
        put_positions(order, token, some_tf, df, positions, out, written)
    return len(ends)


def invert(tokens: Tokens, writer: FieldWriter) -> None:
    """Writes all terms of a field."""
    order, token_at = sort_by_term(tokens.terms, len(tokens.ends))
    term = 0
    while term < len(tokens.ends):
        term = add_terms(
            term, tokens.letters, tokens.ends, order, token_at, tokens.docs, tokens.positions,
            writer.norm, writer.out, writer.written, writer.last,
        )  # fmt: skip
        writer.empty()
