"""Columns of names, years and months: which documents have a value, and how many have each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kb.engine import bits
from kb.engine.bits import Bits
from kb.engine.columns import NAMES
from kb.engine.compiled import Array, Bytes, Ints
from kb.engine.snapshot import Snapshot
from kb.text.normalize import fold

TIMES = {"year": 10_000, "month": 100}  # what of 20230802 is left away
FACETS = (*TIMES, *NAMES)
PLAIN_NAMES = 1 << 16  # folded names that are remembered
FEW_VALUES = 256  # so many have a bit set each: at 100,000 documents 12 KB and a microsecond for each value
NO_ROWS: Ints = np.empty((0, 0), np.int64)
Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """`names[codes[at[d] : at[d + 1]]]` are the values of document d; "" is the first name."""

    names: list[str]
    codes: Array
    at: Ints
    is_single: bool  # every document has one value
    rows: Ints  # then the documents of each name, where there are few; else empty


def facet_of(snapshot: Snapshot, name: str) -> Facet:
    """Made when first asked for, then kept with the snapshot."""
    found: Facet | None = snapshot.kept.get(("facet", name))
    if found is None:
        found = snapshot.kept["facet", name] = _made(snapshot, name)
    return found


def _made(snapshot: Snapshot, name: str) -> Facet:
    if name in TIMES:
        times, codes = np.unique(np.append(0, snapshot.published // TIMES[name]), return_inverse=True)
        names = [_written(name, time) for time in times.tolist()]
        codes, at = codes[1:].astype(np.uint32), np.arange(snapshot.docs + 1)
    else:
        names, codes, at = snapshot.names(name)
    is_single = len(codes) == snapshot.docs and bool((np.diff(at) == 1).all())
    rows = bits.rows_of(codes, len(names)) if is_single and len(names) <= FEW_VALUES else NO_ROWS
    return Facet(names, codes, at, is_single, rows)


def _written(name: str, time: int) -> str:
    """2023, or 2023-08 for a month; "" for unknown."""
    if not time:
        return ""
    return f"{time:04d}" if name == "year" else f"{time // 100:04d}-{time % 100:02d}"


def having(snapshot: Snapshot, name: str, values: Sequence[str]) -> Bits:
    """The documents that have one of the values; "" stands for unknown."""
    facet = facet_of(snapshot, name)
    return _with_codes(facet, np.array([one in values for one in facet.names], np.uint8))


def named(snapshot: Snapshot, name: str, text: str) -> Bits:
    """The documents one of whose names in a column contains a folded text, or is that label of an edition page."""
    plain = snapshot.kept.get(("plain", name))
    if plain is None:
        plain = [
            _label(one) if name == "edition_page" else _folded(one) for one in facet_of(snapshot, name).names
        ]
        snapshot.kept["plain", name] = plain
    if name == "edition_page":
        label = _label(text)
        found = [label == one != "" for one in plain]
    else:
        found = [text in one for one in plain]
    found[0] = False  # the unknown
    return _with_codes(facet_of(snapshot, name), np.array(found, np.uint8))


@lru_cache(PLAIN_NAMES)
def _folded(name: str) -> str:
    return fold(name)


@lru_cache(PLAIN_NAMES)
def _label(text: str) -> str:
    """a1 for A01版."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", fold(text).replace("版", ""))


def _code(names: Sequence[str], value: str) -> int:
    """0, that of the unknown, for what is none of the names."""
    place = bisect_left(names, value)
    return place if names[place : place + 1] == [value] else 0


def _with_codes(facet: Facet, wanted: Bytes) -> Bits:
    if not len(facet.rows):
        return bits.with_code(facet.codes, facet.at, wanted)
    found: Bits = np.bitwise_or.reduce(facet.rows[wanted != 0], axis=0, initial=0)
    return found


def counts(
    snapshot: Snapshot, name: str, among: Bits, most: int | None = None, chosen: Sequence[str] = ()
) -> Counts:
    """Values with their counts: years and months from the newest, names from the most frequent; unknown ("") last.

    Of more names than `most` the most frequent ones, and the unknown and the `chosen` as far as they occur.
    """
    facet = facet_of(snapshot, name)
    if facet.is_single:
        totals = bits.count_single(facet.codes, facet.rows, among, len(facet.names))
    else:
        totals = bits.count_codes(facet.codes, facet.at, among, len(facet.names))
    codes = np.flatnonzero(totals)
    by_count = np.lexsort((codes, -totals[codes], codes == 0))  # names are sorted
    codes = codes[::-1] if name in TIMES else codes[by_count]
    if most is not None and len(codes) > most and name not in TIMES:
        told = {0, *(_code(facet.names, value) for value in chosen)}
        more = [code for code in codes[most:].tolist() if code in told]
        codes = np.array([*codes[:most].tolist(), *more])
    pairs = zip(codes.tolist(), totals[codes].tolist(), strict=True)
    return tuple((facet.names[code], total) for code, total in pairs)
