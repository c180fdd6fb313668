"""Changes to an index, all inside one partial generation folder: new segments, deletions, merges, the table of contents.

Whoosh's SegmentWriter, which poisons its process when a commit fails (reliability.md §1), is not used. Nothing is written
in place: files of the generation before are linked, and a change is a new file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from kb.engine import segments
from kb.engine.codec import KbSegment
from kb.engine.compiled import Array, Ints
from kb.engine.layout import SEGMENT_DOCS
from kb.engine.parallel import Workers
from kb.engine.schema import SCHEMA
from kb.engine.snapshot import INDEX, listed
from kb.model import SHOWN_STATUSES, StoredArticle

TIER = 8  # segments of about one size that are merged into one; each is up to so many times the tier below
MOST_DELETED = 0.3  # of a segment; from here on it is written again without them


class IndexWriter:
    """Over a folder that holds an index, or none yet. `seal` ends it; without it the folder is good for nothing."""

    def __init__(self, folder: Path, workers: Workers, *, is_new: bool) -> None:
        self._folder = folder
        self._workers = workers
        self._segments, self._generation = ([], 0) if is_new else listed(folder)

    @property
    def count(self) -> int:
        """Living articles."""
        return sum(one.doc_count() for one in self._segments)

    def replace(self, articles: Iterable[StoredArticle], *, batch: int) -> None:
        """Take in articles, each in the place of what has its id; those not shown are only removed."""
        latest = {stored.id: stored for stored in articles}
        self._remove(np.array(sorted(latest), np.int64))
        self.add(latest.values(), batch=batch)

    def add(self, articles: Iterable[StoredArticle], *, batch: int) -> None:
        """Take in articles that the index does not have, but those not shown. A segment holds at most `batch` of them."""
        shown = (stored for stored in articles if stored.status in SHOWN_STATUSES)
        made: dict[str, KbSegment] = {}
        for name, count in self._workers.build(self._folder, _named(shown, min(batch, SEGMENT_DOCS), made)):
            made[name].set_doc_count(count)
            self._segments.append(made[name])

    def _remove(self, ids: Ints) -> None:
        for one in self._segments:
            part = segments.read(self._folder, one.file_name, one.deletions)
            doomed = np.flatnonzero(np.isin(part.arrays["column.id"], ids) & part.living())
            if len(doomed):
                self._replace_deletions(one, part, doomed)

    def _replace_deletions(self, one: KbSegment, part: segments.Segment, doomed: Array) -> None:
        before = one.deletions
        one.deletions += 1
        one.deleted += len(doomed)
        segments.delete(self._folder, part, doomed, one.deletions)
        if before:
            (self._folder / f"{one.file_name}.{before}.kbd").unlink()

    def merge(self, *, everything: bool = False) -> None:
        """Keep segments few: those of one tier go together when there are TIER of them; `everything`: as few as can be.

        So a thousand small updates leave a few dozen segments, and no article is written again more than a few times.
        """
        self._drop([one for one in self._segments if not one.doc_count()])
        groups = self._all_groups() if everything else self._groups()
        made = [KbSegment(INDEX, sum(one.doc_count() for one in group)) for group in groups]
        self._workers.merge(
            self._folder,
            [
                (one.file_name, [(part.file_name, part.deletions) for part in group])
                for one, group in zip(made, groups, strict=True)
            ],
        )
        for one, group in zip(made, groups, strict=True):
            self._segments.insert(self._segments.index(group[0]), one)
            self._drop(group)

    def _groups(self) -> list[list[KbSegment]]:
        tiers: dict[int, list[KbSegment]] = {}
        for one in self._segments:
            tiers.setdefault(_tier(one.doc_count()), []).append(one)
        full = [group for group in tiers.values() if len(group) >= TIER]
        groups = [some for group in full for some in _fitting(group) if len(some) > 1]
        taken = {id(one) for group in groups for one in group}
        worn = [
            one for one in self._segments if one.deleted > MOST_DELETED * one.docs and id(one) not in taken
        ]
        return groups + [[one] for one in worn]

    def _all_groups(self) -> list[list[KbSegment]]:
        return [group for group in _fitting(self._segments) if len(group) > 1 or group[0].deleted]

    def _drop(self, group: Sequence[KbSegment]) -> None:
        for one in group:
            self._segments.remove(one)
            for path in self._folder.glob(f"{one.file_name}.*"):
                path.unlink()

    def seal(self) -> None:
        """Write the table of contents, and remove the one before."""
        generation = self._generation + 1
        TOC(SCHEMA, self._segments, generation).write(FileStorage(str(self._folder)), INDEX)
        for path in self._folder.glob(f"_{INDEX}_*.toc*"):
            if path.name != f"_{INDEX}_{generation}.toc":
                path.unlink()


def _named(
    articles: Iterator[StoredArticle], batch: int, made: dict[str, KbSegment]
) -> Iterator[tuple[str, list[StoredArticle]]]:
    """Batches of articles with the names of the segments that they will be, which are put into `made`."""
    while some := list(islice(articles, batch)):
        one = KbSegment(INDEX)
        made[one.file_name] = one
        yield one.file_name, some


def _fitting(group: Sequence[KbSegment]) -> list[list[KbSegment]]:
    """The segments in their order, put together as long as a segment can hold them."""
    groups: list[list[KbSegment]] = []
    room = 0
    for one in group:
        if one.doc_count() > room:
            groups.append([])
            room = SEGMENT_DOCS
        groups[-1].append(one)
        room -= one.doc_count()
    return groups


def _tier(size: int) -> int:
    tier = 0
    while size >= TIER:
        size //= TIER
        tier += 1
    return tier
