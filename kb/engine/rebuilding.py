"""The whole index made anew, in steps that a kill does not undo.

Batches become segments, and as soon as there are enough for a full one they are merged. After each batch the journal in
the partial folder says which segments are on the disk and up to which sequence number they reach, so that the next run
goes on from there. What was changed or hidden in the meantime comes again under a newer sequence number: the last place
of an id counts, and hidden articles are kept until the end as empty ones with -id for an id.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import numpy as np

from kb.engine import generations, segments
from kb.engine.codec import KbSegment
from kb.engine.generations import JOURNAL
from kb.engine.index_writer import IndexWriter
from kb.engine.layout import SEGMENT_DOCS
from kb.engine.parallel import Batch, Built, Cut, Workers, pieces
from kb.engine.snapshot import INDEX

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Journal:
    """How far a rebuild has come."""

    folder: Path
    facts: Mapping[str, Any]  # format and segmenter
    seq: int  # everything up to it is in the segments
    segments: tuple[tuple[str, int, int], ...]  # name, documents, tokens

    def save(self) -> None:
        """On the disk when it returns; the segments' files are already."""
        known = {"facts": dict(self.facts), "seq": self.seq, "segments": self.segments}
        new = self.folder / f"{JOURNAL}.new"
        generations.write(new, json.dumps(known))
        new.rename(self.folder / JOURNAL)
        generations.sync(self.folder)

    def listed(self) -> list[KbSegment]:
        """The segments. Raises SegmentDamaged when a file is not as it was written."""
        found = []
        for name, docs, tokens in self.segments:
            segments.read(self.folder, name, 0)
            one = KbSegment(INDEX, docs)
            one.segid, one.tokens = name.removeprefix(f"{INDEX}_"), tokens
            found.append(one)
        return found


def unfinished(index: Path, facts: Mapping[str, Any]) -> Journal | None:
    """The rebuild that was killed, if this program can go on with it; what it cannot go on with is removed."""
    for folder in sorted(index.glob("*.partial")):
        if not (folder / JOURNAL).exists():
            continue
        try:
            known = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
            journal = Journal(folder, known["facts"], known["seq"], tuple(map(tuple, known["segments"])))
            if journal.facts == facts:
                journal.listed()
                return journal
        except (OSError, ValueError, KeyError, TypeError, segments.SegmentDamaged):
            pass  # as good as none
        shutil.rmtree(folder)
    return None


def resume(journal: Journal) -> Journal:
    """The killed rebuild in a folder that is the next generation's, with nothing in it that its journal does not name."""
    index = journal.folder.parent
    newest = max(generations.number(folder) for folder in index.glob("gen-*"))
    folder = index / f"gen-{newest + 1:04d}.partial"
    journal.folder.rename(folder)
    kept = {JOURNAL} | {f"{name}.kbs" for name, _, _ in journal.segments}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    return replace(journal, folder=folder)


def tasks(batches: Iterable[Batch], cut: Cut) -> Iterator[Batch]:
    """Lists put together or cut so that each makes a segment; what reads its articles itself as it is."""
    for is_list, some in groupby(batches, key=lambda batch: isinstance(batch, Sequence)):
        if is_list:
            yield from pieces(chain.from_iterable(some), cut.docs, cut.chars)
        else:
            yield from some


class Rebuild:
    """One run of it, in a folder that is empty or has what the journal names."""

    def __init__(
        self, folder: Path, writer: IndexWriter, facts: Mapping[str, Any], before: Journal | None
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._facts = facts
        self._seq = before.seq if before else 0
        self._done: list[KbSegment] = before.listed() if before else []  # in the order of their articles
        large = [number for number, one in enumerate(self._done) if one.docs > SEGMENT_DOCS // 2]
        self._open = self._done[large[-1] + 1 if large else 0 :]  # not yet enough for a full segment
        self._merging: list[tuple[list[KbSegment], Future[KbSegment]]] = []

    def run(self, workers: Workers, batches: Iterable[Batch], cut: Cut, progress: Progress) -> None:
        """Everything up to the sealing of the folder."""
        articles = 0
        for built in workers.build(self._folder, tasks(batches, cut), cut):
            self._take(built)
            articles += built.articles
            progress(articles)
        self._start(self._writer.fitting(self._open))
        self._collect(wait=True)
        self._writer.take(self._done)
        self._remove_replaced()

    def _take(self, built: Built) -> None:
        self._done += built.segments
        self._open += built.segments
        self._seq = max(self._seq, built.seq)
        *full, self._open = self._writer.fitting(self._open) or [[]]
        self._start(full)
        self._collect(wait=False)
        self._note()

    def _note(self) -> None:
        known = tuple((one.file_name, one.docs, one.tokens) for one in self._done)
        Journal(self._folder, self._facts, self._seq, known).save()

    def _start(self, groups: Iterable[list[KbSegment]]) -> None:
        self._merging += [(group, self._writer.start_merge(group)) for group in groups if len(group) > 1]

    def _collect(self, *, wait: bool) -> None:
        """Put merged segments in the place of their parts, which go once the journal does without them."""
        for group, future in list(self._merging):
            if not wait and not future.done():
                continue
            place = self._done.index(group[0])
            self._done[place : place + len(group)] = [future.result()]
            self._note()
            for one in group:
                (self._folder / f"{one.file_name}.kbs").unlink()
            self._merging.remove((group, future))

    def _remove_replaced(self) -> None:
        """Mark as deleted what a later segment has again, and what stands for hidden articles."""
        parts = [segments.read(self._folder, one.file_name, 0) for one in self._done]
        ids = np.concatenate([np.zeros(0, np.int64), *(part.arrays["column.id"] for part in parts)])
        _, from_end = np.unique(np.abs(ids)[::-1], return_index=True)
        doomed = np.ones(len(ids), np.bool_)
        doomed[len(ids) - 1 - from_end] = False
        doomed |= ids < 0
        start = 0
        for one, part in zip(self._done, parts, strict=True):
            self._writer.delete(one, part, doomed[start : start + part.docs])
            start += part.docs
