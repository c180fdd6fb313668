"""Changes to an index, all inside one partial generation folder: new segments, deletions, merges, the table of contents.

Whoosh's SegmentWriter, which poisons its process when a commit fails (reliability.md §1), is not used. Nothing is written
in place: files of the generation before are linked, and a change is a new file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from kb.engine import segments
from kb.engine.codec import KbSegment
from kb.engine.compiled import Array, Ints
from kb.engine.layout import SEGMENT_DOCS, SEGMENT_TOKENS
from kb.engine.parallel import CHARS, Cut, Workers, pieces
from kb.engine.schema import SCHEMA
from kb.engine.snapshot import INDEX, listed
from kb.model import StoredArticle

TIER = 8  # segments of about one size that are merged into one; each is up to so many times the tier below
SMALL = 512  # documents, or as many tokens as they have; all segments below are of one tier, which is merged sooner:
SMALL_TIER = 2  # each costs every query some microseconds, and to merge them a tenth of a second
TOKENS_A_DOC = 2_000
MOST_DELETED = 0.3  # of a segment; from here on it is written again without them


class IndexWriter:
    """Over a folder that holds an index, or none yet. `seal` ends it; without it the folder is good for nothing."""

    def __init__(
        self,
        folder: Path,
        workers: Workers,
        *,
        is_new: bool,
        chars: int = CHARS,
        tokens: int = SEGMENT_TOKENS,
    ) -> None:
        """`chars` of the articles that become one segment, `tokens` of one that is merged: what fits into memory."""
        self._folder = folder
        self._workers = workers
        self._chars, self._tokens = chars, tokens
        self._segments, self._generation = ([], 0) if is_new else listed(folder)

    @property
    def count(self) -> int:
        """Living articles."""
        return sum(one.doc_count() for one in self._segments)

    def replace(self, articles: Iterable[StoredArticle], *, batch: int = SEGMENT_DOCS) -> None:
        """Take in articles, each in the place of what has its id; those not shown are only removed."""
        latest = {stored.id: stored for stored in articles}
        self._remove(np.array(sorted(latest), np.int64))
        self.add(latest.values(), batch=batch)

    def add(self, articles: Iterable[StoredArticle], *, batch: int = SEGMENT_DOCS) -> None:
        """Take in articles that the index does not have, but those not shown. A segment holds at most `batch` of them."""
        cut = Cut(min(batch, SEGMENT_DOCS), self._chars)
        for built in self._workers.build(self._folder, pieces(articles, cut.docs, cut.chars), cut):
            self._segments += built.segments

    def take(self, made: Sequence[KbSegment]) -> None:
        """Segments that were built in the folder already."""
        self._segments += made

    def _remove(self, ids: Ints) -> None:
        for one in self._segments:
            part = segments.read(self._folder, one.file_name, one.deletions)
            self.delete(one, part, np.isin(part.arrays["column.id"], ids))

    def delete(self, one: KbSegment, part: segments.Segment, doomed: Array) -> None:
        """Marks those of the documents of a segment as deleted for which `doomed` is true."""
        places = np.flatnonzero(doomed & part.living())
        if not len(places):
            return
        before = one.deletions
        one.deletions += 1
        one.deleted += len(places)
        segments.delete(self._folder, part, places, one.deletions)
        if before:
            (self._folder / f"{one.file_name}.{before}.kbd").unlink()

    def merge(self, *, everything: bool = False) -> None:
        """Keep segments few: those of one tier go together when there are TIER of them; `everything`: as few as can be.

        So a thousand small updates leave a handful of segments, and no large one is written again more than a few times.
        """
        self._drop([one for one in self._segments if not one.doc_count()])
        groups = self._all_groups() if everything else self._groups()
        merging = [self.start_merge(group) for group in groups]
        for group, future in zip(groups, merging, strict=True):
            self.replace_merged(group, future.result())

    def start_merge(self, group: Sequence[KbSegment]) -> Future[KbSegment]:
        return self._workers.merge(self._folder, [(one.file_name, one.deletions) for one in group])

    def replace_merged(self, group: Sequence[KbSegment], made: KbSegment) -> None:
        """Put the merged segment in the place of its parts, whose files go."""
        self._segments.insert(self._segments.index(group[0]), made)
        self._drop(group)

    def _groups(self) -> list[list[KbSegment]]:
        tiers: dict[int, list[KbSegment]] = {}
        for one in self._segments:
            tiers.setdefault(_tier(max(one.doc_count(), one.tokens // TOKENS_A_DOC)), []).append(one)
        full = [group for tier, group in tiers.items() if len(group) >= (TIER if tier else SMALL_TIER)]
        groups = [some for group in full for some in self.fitting(group) if len(some) > 1]
        taken = {id(one) for group in groups for one in group}
        worn = [
            one for one in self._segments if one.deleted > MOST_DELETED * one.docs and id(one) not in taken
        ]
        return groups + [[one] for one in worn]

    def _all_groups(self) -> list[list[KbSegment]]:
        return [group for group in self.fitting(self._segments) if len(group) > 1 or group[0].deleted]

    def fitting(self, group: Sequence[KbSegment]) -> list[list[KbSegment]]:
        """The segments in their order, put together as long as a segment can hold them."""
        groups: list[list[KbSegment]] = []
        docs = tokens = 0
        for one in group:
            docs, tokens = docs + one.doc_count(), tokens + one.tokens
            if not groups or docs > SEGMENT_DOCS or tokens > self._tokens:
                groups.append([])
                docs, tokens = one.doc_count(), one.tokens
            groups[-1].append(one)
        return groups

    def _drop(self, group: Sequence[KbSegment]) -> None:
        for one in group:
            self._segments.remove(one)
            for path in self._folder.glob(f"{one.file_name}.*"):
                path.unlink()

    def seal(self) -> None:
        """Write the table of contents, and remove what is not in it: the one before, and what killed workers left."""
        generation = self._generation + 1
        TOC(SCHEMA, self._segments, generation).write(FileStorage(str(self._folder)), INDEX)
        kept = {f"_{INDEX}_{generation}.toc"} | {f"{one.file_name}.kbs" for one in self._segments}
        kept |= {f"{one.file_name}.{one.deletions}.kbd" for one in self._segments if one.deletions}
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink()


def _tier(size: int) -> int:
    tier = 0
    while size >= SMALL:
        size //= TIER
        tier += 1
    return tier
