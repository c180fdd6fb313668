"""One generation opened for reading: Whoosh's segments as numpy arrays, document numbers counted through.

Whoosh's readers move a shared file position, so one thread at a time may read postings here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, chain, compress
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader, TermNotFound

from kb.engine.generations import Generation
from kb.engine.schema import POSITION_BYTES, POSITIONS, SCHEMA
from kb.errors import EngineDownError

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Postings:
    """Where a word occurs: documents in order, how often in each, and the positions still packed."""

    documents: Ints
    counts: Ints
    packed: list[bytes]

    def places(self) -> Ints:
        """Every occurrence as `document << 32 | position`, ascending."""
        positions = np.frombuffer(b"".join(self.packed), dtype=np.uint32).astype(np.int64)
        return np.repeat(self.documents, self.counts) << 32 | positions


class Snapshot:
    """Raises EngineDownError("index.damaged") where Whoosh cannot make sense of its files."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._readers: list[tuple[int, SegmentReader]] = []
        try:
            self._open()
        except Exception as error:
            log.exception("index.unreadable")
            self.close()
            raise self._damaged(error) from error

    def _open(self) -> None:
        index = FileStorage(str(self.generation.folder)).open_index(schema=SCHEMA)
        start = 0
        for segment in index._segments():
            reader = SegmentReader(index.storage, SCHEMA, segment)
            self._readers.append((start, reader))
            start += reader.doc_count_all()
        self.size = start
        self.article_ids = self._column("article_id", ">i8")
        self.published = self._column("published", ">i4")
        self.lengths = self._column("length", ">u4")
        self.newspaper_numbers = self._column("newspaper_number", ">u4")
        self.newspapers: list[str] = list(self.generation.facts["newspapers"])
        if self.newspaper_numbers.max(initial=0) >= len(self.newspapers):
            raise ValueError("a newspaper number outside the list")
        self.alive = np.ones(start, dtype=np.bool_)
        for base, reader in self._readers:
            self.alive[[base + number for number in reader.segment().deleted_docs()]] = False
        self.has_deletions = not self.alive.all()
        self.mean_length = float(self.lengths[self.alive].mean()) if self.alive.any() else 0.0

    def _column(self, name: str, kind: str) -> Ints:
        """A numeric column over all segments. Whoosh leaves out zeros at its end."""
        values = np.zeros(self.size, dtype=np.int64)
        for base, reader in self._readers:
            if reader.has_column(name):
                column = reader.column_reader(name, translate=False)
                packed = column._dbfile.get(column._basepos, column._count * column._fixedlen)
                found = np.frombuffer(packed, dtype=kind)
                values[base : base + len(found)] = found
        return values

    def postings(self, field: str, word: str) -> Postings:
        """Where a word occurs in a field, deleted documents left out."""
        documents: list[Ints] = []
        packed: list[bytes] = []
        encoded = word.encode("utf-8", "surrogatepass")
        try:
            for base, reader in self._readers:
                blocks = list(_blocks(reader, field, encoded))
                numbers = chain.from_iterable(accumulate(deltas) for deltas, _, _ in blocks)
                documents.append(np.fromiter(numbers, dtype=np.int64) + base)
                packed += chain.from_iterable(values for _, _, values in blocks)
            found = np.concatenate(documents) if documents else np.empty(0, dtype=np.int64)
            if len(found) != len(packed) or ((found < 0) | (found >= self.size)).any():
                raise ValueError("postings point outside the index")
        except Exception as error:
            log.exception("index.unreadable")
            raise self._damaged(error) from error
        return self._living(found, packed)

    def _living(self, documents: Ints, packed: list[bytes]) -> Postings:
        if self.has_deletions:
            kept = self.alive[documents]
            documents, packed = documents[kept], list(compress(packed, kept.tolist()))
        counts = np.fromiter(map(len, packed), dtype=np.int64, count=len(packed)) // POSITION_BYTES
        return Postings(documents, counts, packed)

    def close(self) -> None:
        """Let go of the files; also done when the snapshot is forgotten. It must not be used afterwards."""
        while self._readers:
            self._readers.pop()[1].close()

    __del__ = close

    def _damaged(self, error: Exception) -> EngineDownError:
        reason = f"{type(error).__name__}: {error}"
        return EngineDownError("index.damaged", file=self.generation.folder.name, reason=reason)


def _blocks(reader: SegmentReader, field: str, word: bytes) -> Iterator[tuple[Any, Any, Any]]:
    """The blocks of a word's postings: document number deltas, weights, positions.

    Whoosh's matchers go posting by posting; a block at a time is ten times as fast. Names with _ in front are those
    of Whoosh 2.7.4, which is pinned.
    """
    try:
        matcher = reader._terms.matcher(field, word, POSITIONS)
    except TermNotFound:
        return
    while True:
        matcher._read_data()
        yield matcher._data
        if matcher._lastblock:
            return
        matcher._goto(matcher._nextoffset)
