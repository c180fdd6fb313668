"""One segment on the disk: a file of arrays, and beside it what of it is deleted.

MAIN_<id>.kbs          the fields and columns of at most 65,536 articles; never changed once written
MAIN_<id>.<n>.kbd      which are deleted, and how many deleted documents each term has; replaced by a new name
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from kb.engine import arrays, columns
from kb.engine.arrays import Arrays
from kb.engine.columns import Columns
from kb.engine.compiled import Array, Ints, address, kernel
from kb.engine.layout import (
    ALIVE,
    ARRAYS,
    BASE,
    BIG,
    DEAD,
    DOCS,
    IDS,
    LONGEST,
    MOST,
    N_BIG,
    N_TERMS,
    NORM,
    WIDTH,
    dictionary,
    documents,
)  # fmt: skip
from kb.engine.tokens import FIELDS

FORMAT = 4  # raised when anything in a segment's files changes; an index of another format is rebuilt


class SegmentDamaged(Exception):
    """A file of a segment is not as it was written."""


@dataclass(frozen=True, slots=True)
class Segment:
    """An opened segment. Everything is mapped from its file and read when it is needed."""

    name: str  # MAIN_1a2b
    arrays: dict[str, Array]
    docs: int  # deleted ones included
    means: dict[str, float]  # mean length of each field when written, which its bounds are worked out with
    sizes: dict[str, tuple[int, int]]  # of each field: terms, and bytes of the longest one
    alive: Array  # u1 of each document; empty when nothing is deleted
    dead: dict[str, Array]  # u4 of each term, by field; empty arrays when nothing is deleted
    files: tuple[Arrays, ...]

    @property
    def count(self) -> int:
        """Living documents."""
        return int(np.count_nonzero(self.alive)) if len(self.alive) else self.docs

    def living(self) -> Array:
        """Whether each document lives, as bools."""
        return self.alive.astype(np.bool_) if len(self.alive) else np.ones(self.docs, np.bool_)

    def columns(self) -> Columns:
        return columns.from_arrays(self.arrays)

    def row(self, field: str, *, base: int = 0, norm: Array | None = None) -> Ints:
        """The line of layout.py's table for a field. `norm` is empty for what does not score."""
        row = np.zeros(WIDTH, np.int64)
        for place, name in enumerate(ARRAYS):
            row[place] = address(self.arrays[f"{field}.{name}"])
        row[N_TERMS], row[LONGEST] = self.sizes[field]
        row[N_BIG] = len(self.arrays[f"{field}.big_at"])
        row[NORM] = address(norm) if norm is not None else 0
        row[IDS] = address(self.arrays["column.id"])
        row[ALIVE], row[DEAD] = address(self.alive), address(self.dead[field])
        row[MOST] = max(BIG, int(self.arrays[f"{field}.big_tf"].max(initial=0)))
        row[DOCS], row[BASE] = self.docs, base
        return row

    def terms(self, field: str) -> list[bytes]:
        """The dictionary of a field, sorted."""
        row = self.row(field)
        ends = np.zeros(self.sizes[field][0] + 1, np.int64)
        spelt = np.empty(dictionary(row, np.empty(0, np.uint8), ends), np.uint8)
        dictionary(row, spelt, ends[1:])
        letters = spelt.tobytes()
        return [letters[start:end] for start, end in pairwise(ends.tolist())]


def read(folder: Path, name: str, deletions: int) -> Segment:
    """Map a segment. `deletions`: number of its file of deletions, 0 for none. Raises SegmentDamaged."""
    try:
        file = arrays.read(folder / f"{name}.kbs")
        if file.facts["format"] != FORMAT:
            raise SegmentDamaged(f"{name}: format {file.facts['format']}")
        alive: Array = np.empty(0, np.uint8)
        dead = {field: np.empty(0, np.uint32) for field in FIELDS}
        files = [file]
        if deletions:
            gone = arrays.read(folder / f"{name}.{deletions}.kbd")
            files.append(gone)
            alive, dead = gone["alive"], {field: gone[field] for field in FIELDS}
        docs, means = int(file.facts["docs"]), file.facts["means"]
        return Segment(name, file.by_name, docs, means, file.facts["sizes"], alive, dead, tuple(files))
    except (arrays.ArraysDamaged, KeyError, TypeError) as error:
        raise SegmentDamaged(f"{name}: {error}") from error


def delete(folder: Path, segment: Segment, doomed: Array, deletions: int) -> None:
    """Write file number `deletions`: what was deleted before and the documents `doomed`."""
    alive = segment.living()
    alive[doomed] = False
    gone = (~alive).astype(np.uint8)
    dead = {field: count_dead(segment.row(field), gone) for field in FIELDS}
    arrays.write(
        folder / f"{segment.name}.{deletions}.kbd",
        {"alive": alive.astype(np.uint8), **dead},
        {"format": FORMAT},
    )


@kernel
def count_dead(row: Ints, gone: Array) -> Array:
    """Deleted documents of each term."""
    counts = np.zeros(row[N_TERMS], np.uint32)
    out = np.empty(row[DOCS], np.int64)
    for term in range(row[N_TERMS]):
        df = documents(row, term, out)
        dead = 0
        for i in range(df):
            dead += gone[out[i]]
        counts[term] = dead
    return counts
