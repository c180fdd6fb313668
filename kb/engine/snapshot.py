"""One generation opened for reading: its segments, mapped, and what holds for all of them together.

Nothing in it changes after it is made, so any number of threads may use it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from kb.engine import bits, segments
from kb.engine.arrays import ArraysDamaged
from kb.engine.best import find_best, read_heads
from kb.engine.bits import Bits
from kb.engine.clock import CLOCK, NEVER
from kb.engine.codec import KbSegment
from kb.engine.columns import LAST_DAY, NUMBERS, Coded, names_from
from kb.engine.compiled import Array, Bytes, Floats, Ints, address
from kb.engine.encoding import norms
from kb.engine.layout import HEADS, N_HEADS, WIDTH
from kb.engine.schema import SCHEMA
from kb.engine.segments import Segment
from kb.engine.spans import S_WIDTH, from_arrays, having, row_of
from kb.engine.tokens import FIELDS
from kb.engine.tree import Member
from kb.errors import EngineDownError
from kb.model import Hidden

log = logging.getLogger(__name__)

INDEX = "MAIN"
NOTHING: Bytes = np.empty(0, np.uint8)
ONES: Floats = np.ones(64)


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


class Asked(NamedTuple):
    """Terms as the kernels of best.py take them."""

    mode: int  # best.ANY | ALL | PHRASE
    words: Bytes
    numbers: Ints
    boosts: Floats


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
        self.spans = np.array([row_of(part.arrays) for part in parts], np.int64).reshape(len(parts), S_WIDTH)
        self._heads: list[Ints] = []
        self.scales = np.ones((len(FIELDS), len(parts)))
        self.visible: dict[Hidden, Bits] = {}  # what people may see, by what they may not
        self.members: dict[Member, Bits] = {}  # what topics have (matching.py)
        for number, field in enumerate(FIELDS):
            self._weigh(number, field)

    def check(self) -> None:
        """Raises EngineDownError when a file was written to under our feet, which nothing of kb ever does."""
        for part in self.segments:
            for file in part.files:
                try:
                    file.check()
                except ArraysDamaged as error:
                    raise EngineDownError("index.damaged", file=file.file.name, reason=str(error)) from error

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
            row = part.row(field, base=base, norm=self.norms[field][place])
            self._heads.append(read_heads(row))
            row[HEADS], row[N_HEADS] = address(self._heads[-1]), len(self._heads[-1])
            self.table[number, place] = row
            # Bounds were worked out with another mean: no part can have grown by more than the mean has.
            self.scales[number, place] = max(1.0, mean / (part.means[field] or 1.0))

    def asked(
        self, mode: int, terms: Sequence[tuple[str, bytes]], *, boosts: Sequence[float] = (),
        needed: Sequence[int] = (), offsets: Sequence[int] = (),
    ) -> Asked:  # fmt: skip
        """What the kernels of best.py are handed for terms (field, word)."""
        n = len(terms)
        words = [word for _, word in terms]
        numbers = [FIELD_NUMBER[field] for field, _ in terms]
        numbers += needed or [1] * n
        numbers += offsets or [0] * n
        numbers += accumulate(map(len, words), initial=0)
        weights = np.array(boosts) if boosts else ONES[:n] if n <= len(ONES) else np.ones(n)
        return Asked(mode, np.frombuffer(b"".join(words), np.uint8), np.array(numbers, np.int64), weights)

    def best(
        self, mode: int, terms: Sequence[tuple[str, bytes]], *, limit: int, boosts: Sequence[float] = (),
        needed: Sequence[int] = (), offsets: Sequence[int] = (), mask: Bytes = NOTHING, deadline: int = NEVER,
    ) -> tuple[list[int], list[float]]:  # fmt: skip
        """The best `limit` articles for terms (field, word): ids and scores. See best.find_best.

        Raises TimeoutError after the deadline.
        """
        asked = self.asked(mode, terms, boosts=boosts, needed=needed, offsets=offsets)
        return self.best_of(asked, limit, mask, NOTHING, deadline)

    def best_of(
        self, asked: Asked, limit: int, mask: Bytes, marks: Bytes, deadline: int
    ) -> tuple[list[int], list[float]]:
        ids, scores = np.empty(limit, np.int64), np.empty(limit)
        mode, words, numbers, boosts = asked
        size = find_best(
            mode, self.table, self.scales, words, numbers, boosts, self.count, mask, marks, CLOCK, deadline, ids, scores
        )  # fmt: skip
        if size < 0:
            raise TimeoutError
        return ids[:size].tolist(), scores[:size].tolist()

    # --- columns, one value for every document ---------------------------------------------------------------

    @cached_property
    def alive(self) -> Array:
        return np.concatenate([np.zeros(0, np.bool_), *(part.living() for part in self.segments)])

    @cached_property
    def living(self) -> Bits:
        return bits.of_mask(self.alive)

    @cached_property
    def every(self) -> Bits:
        return bits.of_mask(np.ones(self.docs, np.bool_))

    @cached_property
    def copies(self) -> tuple[Ints, Ints]:
        """The documents that share their text with another, with their groups; in each the earliest published first.

        Unknown dates come last, equal ones in the order of article ids.
        """
        groups, dates = self.numbers("group"), self.published
        _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
        docs = np.flatnonzero(size[group] > 1)
        late = np.where(dates[docs] == 0, LAST_DAY + 1, dates[docs])
        docs = docs[np.lexsort((self.article_ids[docs], late, groups[docs]))]
        return docs, groups[docs]

    @cached_property
    def article_ids(self) -> Ints:
        return self.numbers("id")

    @cached_property
    def published(self) -> Ints:
        return self.numbers("published")

    def with_ids(self, ids: Collection[int]) -> Bits:
        """The documents of these articles, as far as there are any."""
        if not ids:
            return self.every & 0
        return bits.of_mask(np.isin(self.article_ids, np.fromiter(ids, np.int64, len(ids))))

    def docs_of(self, article_ids: Ints) -> Ints:
        """The documents of articles that live."""
        ids, docs = self._living_ids
        found: Ints = docs[np.searchsorted(ids, article_ids)]
        return found

    @cached_property
    def _living_ids(self) -> tuple[Ints, Ints]:
        """Article ids, ascending, and their documents."""
        docs = np.flatnonzero(self.alive)
        docs = docs[np.argsort(self.article_ids[docs], kind="stable")]
        return self.article_ids[docs], docs

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What was worked out from the columns when it was first needed, by name."""
        return {}

    def having_part(self, part: int) -> Bits:
        """The documents that have a subtitle, a heading, a quotation (see spans.py)."""
        made: Bits | None = self.kept.get(("part", part))
        if made is None:
            parts = (having(from_arrays(one.arrays), part) for one in self.segments)
            made = self.kept["part", part] = bits.of_mask(np.concatenate([np.zeros(0, np.bool_), *parts]))
        return made

    def numbers(self, column: str) -> Array:
        """A column of numbers over all segments."""
        made = self.kept.get(("numbers", column))
        if made is None:
            parts = (part.arrays[f"column.{column}"] for part in self.segments)
            made = self.kept["numbers", column] = np.concatenate([np.zeros(0, NUMBERS[column]), *parts])
        return made

    def names(self, column: str) -> Coded:
        """A column of names over all segments, with one list of names."""
        parts = [names_from(part.arrays, column) for part in self.segments]
        names = sorted({""}.union(*(part.names for part in parts)))
        number = {name: code for code, name in enumerate(names)}
        codes = [np.array([number[name] for name in part.names], np.uint32)[part.codes] for part in parts]
        counts = [np.diff(part.at) for part in parts]
        at = np.concatenate(
            [np.zeros(1, np.int64), np.cumsum(np.concatenate([np.zeros(0, np.int64), *counts]))]
        )
        return Coded(names, np.concatenate([np.zeros(0, np.uint32), *codes]), at)


FIELD_NUMBER = {field: number for number, field in enumerate(FIELDS)}
