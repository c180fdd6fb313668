"""The engine on Whoosh 2.7.4: an index of its kind in generation folders, read as arrays.

Whoosh calls no fsync, has no checksums, and a commit that fails leaves its writer dead (reliability.md §1): so every
change is made in a folder of its own and sealed, and a writer that failed is thrown away with its folder.
AsyncWriter and BufferedWriter acknowledge what they lose and are never used.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import __version__ as whoosh_version
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader

from kb.engine import generations, ranking
from kb.engine.generations import Generation
from kb.engine.schema import FORMAT, SCHEMA, Newspapers, PostingPool, document
from kb.engine.snapshot import Snapshot
from kb.errors import EngineDownError
from kb.model import SHOWN_STATUSES, Filters, Found, Match, Query, Sort, StoredArticle
from kb.text.segment import Segmenter

TIER = 8  # segments of about one size that are merged into one; each is up to so many times the tier below
OPEN_TRIES = 3  # a generation can be replaced twice while it is being opened
LOCK_SECONDS = 30.0  # of waiting for Whoosh's own lock, which no other process holds


class WhooshEngine:
    """See kb.engine.Engine."""

    def __init__(self, index: Path, segmenter: Segmenter, *, memory_mib: int, batch: int) -> None:
        self._index = index
        self._segmenter = segmenter
        self._memory = memory_mib * 2**20
        self._batch = batch
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._stamp: tuple[int, int] | None = None

    # --- reading ------------------------------------------------------------------------------------------

    def find(
        self, query: Query, *, match: Match, filters: Filters, sort: Sort, offset: int, limit: int
    ) -> Found:
        clauses = ranking.wanted(query.clauses, self._segmenter)
        matcher = ranking.match_all if match == "all" else ranking.match_any
        with self._lock:
            snapshot = self._opened()
            matches = matcher(snapshot, clauses)
            return ranking.answer(snapshot, matches, filters=filters, sort=sort, offset=offset, limit=limit)

    def terms(self, query: Query) -> tuple[str, ...]:
        return ranking.marked(ranking.wanted(query.clauses, self._segmenter))

    def indexed_seq(self) -> int:
        return int(self._facts()["seq"])

    def count(self) -> int:
        return int(self._facts()["count"])

    def problem(self) -> str | None:
        try:
            self._facts()
        except EngineDownError as error:
            return error.words("zh")
        return None

    def verify(self) -> list[str]:
        try:
            generation = self._usable()
        except EngineDownError as error:
            return [error.words("zh")]
        found = generations.problems(generation)
        if found and generations.current(self._index) != generation:
            return self.verify()  # it was replaced and removed while it was being read
        return found

    def _facts(self) -> Any:
        with self._lock:
            return self._opened().generation.facts

    def _opened(self) -> Snapshot:
        """The serving generation, opened again when CURRENT has changed. Called with the lock held."""
        if self._snapshot is None or generations.stamp(self._index) != self._stamp:
            if self._snapshot is not None:
                self._snapshot.close()
                self._snapshot = None
            self._snapshot = self._open()
        return self._snapshot

    def _open(self) -> Snapshot:
        for _ in range(OPEN_TRIES):
            self._stamp = generations.stamp(self._index)
            try:
                return Snapshot(self._usable())
            except EngineDownError:
                if generations.stamp(self._index) == self._stamp:
                    raise
        raise EngineDownError("index.unavailable")

    def _usable(self) -> Generation:
        """The serving generation, if this program can read it. Raises EngineDownError."""
        generation = generations.current(self._index)
        if generation is None:
            raise EngineDownError("index.missing")
        facts = generation.facts
        if (facts.get("format"), facts.get("segmenter")) != (FORMAT, self._segmenter.fingerprint):
            raise EngineDownError("index.outdated")
        return generation

    # --- writing ------------------------------------------------------------------------------------------

    def update(self, articles: Iterable[StoredArticle], *, seq: int) -> None:
        previous = self._usable()
        latest = {stored.id: stored for stored in articles}
        newspapers = Newspapers(previous.facts["newspapers"])
        partial = generations.begin(self._index, previous)
        try:
            index = FileStorage(str(partial)).open_index(schema=SCHEMA)
            if latest:
                removed = self._documents_of(partial, previous.facts, latest)
                self._write(index, [list(latest.values())], newspapers, removed, merge=True)
            self._publish(partial, index, newspapers, seq, previous)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def rebuild(self, batches: Iterable[Sequence[StoredArticle]], *, seq: int) -> None:
        newspapers = Newspapers()
        partial = generations.begin(self._index)
        try:
            index = FileStorage(str(partial)).create_index(SCHEMA)
            self._write(index, batches, newspapers, [], merge=False)
            self._publish(partial, index, newspapers, seq, None)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def tidy(self) -> None:
        generations.tidy(self._index)

    def _documents_of(self, folder: Path, facts: Any, ids: Iterable[int]) -> list[int]:
        """Document numbers of the articles with these ids, as Whoosh's writer counts them."""
        snapshot = Snapshot(Generation(folder, facts, {}))
        try:
            return np.flatnonzero(np.isin(snapshot.article_ids, list(ids)) & snapshot.alive).tolist()
        finally:
            snapshot.close()

    def _write(
        self,
        index: Any,
        batches: Iterable[Sequence[StoredArticle]],
        newspapers: Newspapers,
        removed: Sequence[int],
        *,
        merge: bool,
    ) -> None:
        """Remove documents and add articles, in as many commits as memory and batch size ask for."""
        writer = _Writer(index)
        try:
            for number in removed:
                writer.delete(number)
            for stored in (one for batch in batches for one in batch):
                if stored.status not in SHOWN_STATUSES:
                    continue
                writer.add(document(stored, self._segmenter, newspapers))
                if writer.pool.size >= self._memory or writer.added >= self._batch:
                    writer.commit(self._batch if merge else 0)
                    writer = _Writer(index)
            writer.commit(self._batch if merge else 0)
        except BaseException:
            writer.drop()
            raise

    def _publish(
        self, partial: Path, index: Any, newspapers: Newspapers, seq: int, previous: Generation | None
    ) -> None:
        facts = {
            "format": FORMAT,
            "segmenter": self._segmenter.fingerprint,
            "whoosh": ".".join(map(str, whoosh_version)),
            "seq": seq,
            "count": sum(one.doc_count_all() - one.deleted_count() for one in index._segments()),
            "newspapers": newspapers.names,
        }
        for leftover in partial.glob("*LOCK"):
            leftover.unlink()
        generations.publish(partial, facts, previous)


class _Writer:
    """Whoosh's writer for one commit, with the pool of our own."""

    def __init__(self, index: Any) -> None:
        codec = W3Codec()
        # Else Whoosh asks the disk for a column of lengths, which there is not, for every single posting.
        codec.length_stats = False
        # Whoosh copies the parts of a compound file into memory when it opens them: at 74,546 articles opening takes
        # 0.4 s and 260 MiB that way, 5 ms and next to nothing this way.
        self._writer = index.writer(timeout=LOCK_SECONDS, codec=codec, compound=False)
        self._writer.pool = self.pool = PostingPool()
        self.added = 0

    def add(self, fields: dict[str, Any]) -> None:
        self._writer.add_document(**fields)
        self.added += 1

    def delete(self, number: int) -> None:
        self._writer.delete_document(number)

    def commit(self, merge_limit: int) -> None:
        """`merge_limit`: documents of the largest segment that a merge may make, 0 for no merges."""
        self._writer.commit(mergetype=lambda writer, segments: _merged(writer, segments, merge_limit))

    def drop(self) -> None:
        """Let go of files and lock after a failure. Whoosh's cancel itself fails then."""
        with suppress(Exception):
            self._writer.cancel()


def _merged(writer: Any, segments: list[Any], limit: int) -> list[Any]:
    """Whoosh's merge policy: segments of one tier are merged when there are TIER of them; empty ones go.

    So a thousand small updates leave a few dozen segments, and no document is written again more than a few times.
    """
    sizes = {segment: segment.doc_count_all() - segment.deleted_count() for segment in segments}
    kept = [segment for segment in segments if sizes[segment]]
    tiers: dict[int, list[Any]] = {}
    for segment in kept:
        tiers.setdefault(_tier(sizes[segment]), []).append(segment)
    for group in tiers.values():
        if len(group) >= TIER and sum(sizes[segment] for segment in group) <= limit:
            for segment in group:
                reader = SegmentReader(writer.storage, writer.schema, segment)
                writer.add_reader(reader)
                reader.close()
                kept.remove(segment)
    return kept


def _tier(size: int) -> int:
    tier = 0
    while size >= TIER:
        size //= TIER
        tier += 1
    return tier
