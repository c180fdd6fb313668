"""Sets of documents as bits, 64 to a number, the first document in the lowest bit of the first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kb.engine.compiled import Array, Bytes, Ints, brief, count_bits, equal64, lowest_bit, spread64, whole

MOST = 2**31 - 1
WORTH_ROWS = 0.1  # what a document costs less than a number of a row

Bits = Ints  # i8[ceil(documents / 64)]; the bits behind the last document are 0


def room(docs: int) -> int:
    """Bytes that `pack` and `unpack` need for this many documents."""
    return -(-docs // 64) * 64


def within(found: Bits, allowed: Bits | None) -> Bits:
    """What of the found ones is allowed; None allows all."""
    return found if allowed is None else found & allowed


@brief
def pack(marks: Bytes) -> Bits:
    """The documents whose byte is not 0. The length is one that `room` gave."""
    bits = np.empty(len(marks) // 64, np.int64)
    at = whole(marks.ctypes.data)
    for word in range(len(bits)):
        bits[word] = ~equal64(at, 64 * word, 0)
    return bits


@brief
def take(marks: Bytes) -> Bits:
    """The same, and sets all bytes to 0 again."""
    bits = np.empty(len(marks) // 64, np.int64)
    at = whole(marks.ctypes.data)
    for word in range(len(bits)):
        bits[word] = ~equal64(at, 64 * word, 0)
        spread64(at, 64 * word, 0, 0)
    return bits


@contextmanager
def clear_marks(docs: int) -> Iterator[Bytes]:
    """Bytes that are 0, one for every document, to be given back so (see `take`): new pages cost more than a query."""
    marks: Bytes | None = getattr(_spare, "marks", None)
    _spare.marks = None
    if marks is None or len(marks) != room(docs):
        marks = np.zeros(room(docs), np.uint8)
    yield marks
    _spare.marks = marks  # after an exception they are not clear


_spare = threading.local()


@brief
def unpack(bits: Bits, byte: int) -> Bytes:
    """`byte` for every document of the set, 0 for the others."""
    marks = np.empty(len(bits) * 64, np.uint8)
    at = whole(marks.ctypes.data)
    for word in range(len(bits)):
        spread64(at, 64 * word, bits[word], byte)
    return marks


@brief
def with_byte(marks: Bytes, byte: int) -> Bits:
    """The documents whose byte is this one, and as many places behind the last as there are."""
    bits = np.empty(len(marks) // 64, np.int64)
    at = whole(marks.ctypes.data)
    for word in range(len(bits)):
        bits[word] = equal64(at, 64 * word, byte)
    return bits


def of_mask(mask: Array) -> Bits:
    """From bools, one for every document."""
    marks = np.zeros(room(len(mask)), np.uint8)
    marks[: len(mask)] = mask
    return pack(marks)


@brief
def size(bits: Bits) -> int:
    total = 0
    for word in bits:
        total += count_bits(word)
    return total


@brief
def members(bits: Bits) -> Ints:
    """The documents, ascending."""
    result = np.empty(size(bits), np.int64)
    count = 0
    for number in range(len(bits)):
        word = bits[number]
        while word != 0:
            result[count] = 64 * number + lowest_bit(word)
            count += 1
            word &= word - 1
    return result


@brief
def keep_first(bits: Bits, docs: Ints, groups: Ints) -> Bits:
    """The set without the documents before which another of their group is in it. `docs`: one group after the other."""
    kept = bits.copy()
    is_taken = False
    for i in range(len(docs)):
        if i == 0 or groups[i] != groups[i - 1]:
            is_taken = False
        doc = docs[i]
        if bits[doc >> 6] >> (doc & 63) & 1:
            if is_taken:
                kept[doc >> 6] &= ~(np.int64(1) << (doc & 63))
            is_taken = True
    return kept


@brief
def in_range(values: Array, low: int, high: int) -> Bits:
    """Documents whose number lies between the two, both included; no number is negative or above MOST."""
    marks = np.empty((len(values) + 63) // 64 * 64, np.uint8)
    marks[len(values) :] = 0
    if high < low or low > MOST:
        return np.zeros(len(marks) // 64, np.int64)
    first = np.uint32(max(low, 0))
    span = np.uint32(min(high, MOST) - first)
    for doc in range(len(values)):
        marks[doc] = np.uint32(np.uint32(values[doc]) - first) <= span
    return pack(marks)


@brief
def rows_of(codes: Array, count: int) -> Ints:
    """The documents of each of `count` codes, where every document has one."""
    rows = np.zeros((count, (len(codes) + 63) // 64), np.int64)
    for doc in range(len(codes)):
        rows[codes[doc], doc >> 6] |= np.int64(1) << (doc & 63)
    return rows


@brief
def with_code(codes: Array, at: Ints, wanted: Bytes) -> Bits:
    """Documents that have a wanted code, or no code while code 0 is wanted."""
    bits = np.zeros((len(at) + 62) // 64, np.int64)
    for doc in range(len(at) - 1):
        has = wanted[0] != 0 and at[doc] == at[doc + 1]
        for place in range(at[doc], at[doc + 1]):
            has |= wanted[codes[place]] != 0
        if has:
            bits[doc >> 6] |= np.int64(1) << (doc & 63)
    return bits


@brief
def count_codes(codes: Array, at: Ints, bits: Bits, count: int) -> Ints:
    """How many documents of the set have each code; those without any count for code 0."""
    totals = np.zeros(count, np.int64)
    for number in range(len(bits)):
        word = bits[number]
        while word != 0:
            doc = 64 * number + lowest_bit(word)
            word &= word - 1
            if at[doc] == at[doc + 1]:
                totals[0] += 1
            for place in range(at[doc], at[doc + 1]):
                totals[codes[place]] += 1
    return totals


@brief
def count_single(codes: Array, rows: Ints, bits: Bits, count: int) -> Ints:
    """The same for documents that have one code each. `rows`: the documents of each code, where there are few; else empty."""
    totals = np.zeros(count, np.int64)
    if len(rows) == 0 or size(bits) < WORTH_ROWS * len(rows) * len(bits):
        for number in range(len(bits)):
            word = bits[number]
            while word != 0:
                totals[codes[64 * number + lowest_bit(word)]] += 1
                word &= word - 1
        return totals
    for number in range(len(rows)):
        row = rows[number]
        total = 0
        for word in range(len(bits)):
            total += count_bits(row[word] & bits[word])
        totals[number] = total
    return totals
