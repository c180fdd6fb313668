"""Tokens in the order of the text -> postings in the order of the terms, by counting sort."""

from __future__ import annotations

import numpy as np

from kb.engine.compiled import Array, Ints, kernel, whole
from kb.engine.encoding import Flat
from kb.engine.layout import POS_STEP


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


@kernel
def count_postings(order: Array, token_at: Ints, docs: Array) -> Ints:
    """Where each term's postings begin: a posting is a term in a document."""
    at = np.zeros(len(token_at), np.int64)
    for term in range(len(token_at) - 1):
        count = 0
        last = -1
        for place in range(token_at[term], token_at[term + 1]):
            doc = whole(docs[order[place]])
            count += doc != last
            last = doc
        at[term + 1] = at[term] + count
    return at


@kernel
def put_gap(pos: Array, used: int, gap: int) -> int:
    """Seven bits to a byte, the low ones first; all but the last byte have the high bit. Returns the new end."""
    while gap >= 128:
        pos[used] = (gap & 127) | 128
        gap >>= 7
        used += 1
    pos[used] = gap
    return used + 1


@kernel
def fill_postings(
    order: Array, token_at: Ints, docs: Array, positions: Array, at: Ints
) -> tuple[Array, Array, Array, Array]:
    """Documents, frequencies, packed positions and where every POS_STEP-th posting's positions begin."""
    count = at[len(at) - 1]
    out_docs, tf = np.empty(count, np.uint16), np.zeros(count, np.uint32)
    pos_at = np.zeros(count // POS_STEP + 1, np.uint32)
    pos = np.empty(len(order) * 5 // 4 + 64, np.uint8)
    used = 0
    posting = -1
    for term in range(len(token_at) - 1):
        last = -1
        before = 0
        for place in range(token_at[term], token_at[term + 1]):
            token = order[place]
            doc = whole(docs[token])
            if doc != last:
                posting += 1
                out_docs[posting] = doc
                last, before = doc, 0
                if posting % POS_STEP == 0:
                    pos_at[posting // POS_STEP] = used
            tf[posting] += 1
            position = whole(positions[token])
            if used + 5 > len(pos):
                grown = np.empty(len(pos) + len(pos) // 4, np.uint8)
                grown[:used] = pos[:used]
                pos = grown
            used = put_gap(pos, used, position - before)
            before = position
    return out_docs, tf, pos[:used].copy(), pos_at


def invert(words: list[bytes], terms: Array, docs: Array, positions: Array) -> Flat:
    """`words[t]` is the term that number t in `terms` stands for, in any order; tokens in order of document and position."""
    ranked = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), np.uint32)
    rank[ranked] = np.arange(len(words), dtype=np.uint32)
    order, token_at = sort_by_term(rank[terms], len(words))
    at = count_postings(order, token_at, docs)
    return Flat([words[i] for i in ranked], at, *fill_postings(order, token_at, docs, positions, at))
