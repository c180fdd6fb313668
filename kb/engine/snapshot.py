"""One generation opened for reading: its segments, mapped, and what holds for all of them together.

Nothing in it changes after it is made, so any number of threads may use it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from kb.engine import segments
from kb.engine.arrays import ArraysDamaged
from kb.engine.best import find_best
from kb.engine.clock import CLOCK, NEVER
from kb.engine.codec import KbSegment
from kb.engine.columns import Coded, Columns
from kb.engine.compiled import Array, Floats, Ints
from kb.engine.encoding import norms
from kb.engine.layout import WIDTH
from kb.engine.schema import SCHEMA
from kb.engine.segments import Segment
from kb.engine.tokens import FIELDS
from kb.errors import EngineDownError

log = logging.getLogger(__name__)

INDEX = "MAIN"
NOTHING: Array = np.empty(0, np.uint8)


def listed(folder: Path) -> tuple[list[KbSegment], int]:
    """The segments of Whoosh's table of contents, and its generation."""
    toc = TOC.read(FileStorage(str(folder)), INDEX, schema=SCHEMA)
    return list(toc.segments), int(toc.generation)


def open_snapshot(folder: Path) -> Snapshot:
    """Raises EngineDownError("index.damaged") when a file cannot be made sense of."""
    try:
        found = listed(folder)[0]
        return Snapshot([segments.read(folder, one.file_name, one.deletions) for one in found])
    except Exception as error:
        log.error("index.unreadable", exc_info=error, extra={"generation": folder.name})
        reason = f"{type(error).__name__}: {error}"
        raise EngineDownError("index.damaged", file=folder.name, reason=reason) from error


class Snapshot:
    """Documents are numbered through over all segments; `bases[s]` is the first of segment s."""

    def __init__(self, parts: Sequence[Segment]) -> None:
        self.segments = tuple(parts)
        self.bases = np.concatenate([[0], np.cumsum([part.docs for part in parts])]).astype(np.int64)
        self.docs = int(self.bases[-1])
        self.count = sum(part.count for part in parts)
        self.means: dict[str, float] = {}
        self.norms: dict[str, list[Floats]] = {}
        self.table = np.zeros((len(FIELDS), len(parts), WIDTH), np.int64)
        self.scales = np.ones((len(FIELDS), len(parts)))
        for number, field in enumerate(FIELDS):
            self._weigh(number, field)

    def check(self) -> None:
        """Raises EngineDownError when a file was written to under our feet, which nothing of kb ever does."""
        for part in self.segments:
            for file in part.files:
                try:
                    file.check()
                except ArraysDamaged as error:
                    raise EngineDownError("index.damaged", file=file.name, reason=str(error)) from error

    def _weigh(self, number: int, field: str) -> None:
        """Length norms at the mean length of the living, so that scores do not depend on the layout."""
        lengths = [part.arrays[f"{field}.length"] for part in self.segments]
        total = sum(
            int((length[part.alive != 0] if len(part.alive) else length).sum(dtype=np.int64))
            for length, part in zip(lengths, self.segments, strict=True)
        )
        mean = self.means[field] = total / self.count if self.count else 0.0
        self.norms[field] = [norms(length, mean) for length in lengths]
        for place, part in enumerate(self.segments):
            base = int(self.bases[place])
            self.table[number, place] = part.row(field, base=base, norm=self.norms[field][place])
            # Bounds were worked out with another mean: no part can have grown by more than the mean has.
            self.scales[number, place] = max(1.0, mean / (part.means[field] or 1.0))

    def best(
        self, mode: int, terms: Sequence[tuple[str, bytes]], *, limit: int, boosts: Sequence[float] = (),
        needed: Sequence[bool] = (), offsets: Sequence[int] = (), mask: Array = NOTHING, deadline: int = NEVER,
    ) -> tuple[list[int], list[float]]:  # fmt: skip
        """The best `limit` articles for terms (field, word): ids and scores. See best.find_best.

        Raises TimeoutError after the deadline.
        """
        n = len(terms)
        words = [word for _, word in terms]
        asked = [FIELD_NUMBER[field] for field, _ in terms]
        asked += needed or [1] * n
        asked += offsets or [0] * n
        asked += accumulate(map(len, words), initial=0)
        ids, scores = np.empty(limit, np.int64), np.empty(limit)
        size = find_best(
            mode, self.table, self.scales, np.frombuffer(b"".join(words), np.uint8), np.array(asked, np.int64),
            np.array(boosts) if boosts else np.ones(n), self.count, mask, CLOCK, deadline, ids, scores,
        )  # fmt: skip
        if size < 0:
            raise TimeoutError
        return ids[:size].tolist(), scores[:size].tolist()

    # --- columns, one value for every document ---------------------------------------------------------------

    @cached_property
    def alive(self) -> Array:
        return np.concatenate([np.zeros(0, np.bool_), *(part.living() for part in self.segments)])

    @cached_property
    def _columns(self) -> list[Columns]:
        return [part.columns() for part in self.segments]

    @cached_property
    def article_ids(self) -> Ints:
        return self.numbers("id")

    @cached_property
    def published(self) -> Ints:
        return self.numbers("published")

    @cached_property
    def years(self) -> Ints:
        """Of each document, 0 for unknown."""
        return self.published // 10_000

    def numbers(self, column: str) -> Array:
        """A column of numbers over all segments."""
        return np.concatenate([np.zeros(0, np.int64), *(part.numbers[column] for part in self._columns)])

    def names(self, column: str) -> Coded:
        """A column of names over all segments, with one list of names. Kept once made."""
        made = self._names.get(column)
        if made is None:
            made = self._names[column] = self._joined_names([part.names[column] for part in self._columns])
        return made

    @cached_property
    def _names(self) -> dict[str, Coded]:
        return {}

    def _joined_names(self, parts: Sequence[Coded]) -> Coded:
        names = sorted({""}.union(*(part.names for part in parts)))
        number = {name: code for code, name in enumerate(names)}
        codes = [np.array([number[name] for name in part.names], np.uint32)[part.codes] for part in parts]
        counts = [np.diff(part.at) for part in parts]
        at = np.concatenate(
            [np.zeros(1, np.int64), np.cumsum(np.concatenate([np.zeros(0, np.int64), *counts]))]
        )
        return Coded(names, np.concatenate([np.zeros(0, np.uint32), *codes]), at)


FIELD_NUMBER = {field: number for number, field in enumerate(FIELDS)}
