"""Arrays that grow at their end: in memory while they are small, then in a file without a name, which no kill can leave."""

from __future__ import annotations

import mmap
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from kb.engine.compiled import Array

KEPT_BYTES = 1 << 20  # of an array that stay in memory: small updates touch no more files than they must


class Spool:
    """One array."""

    def __init__(self, folder: Path, kind: str) -> None:
        """`folder`: on the disk that has room for it."""
        self._folder = folder
        self._kind = np.dtype(kind)
        self._kept: list[Array] = []
        self._file: IO[bytes] | None = None
        self.size = 0  # bytes

    def add(self, numbers: Array) -> None:
        """A copy of the numbers goes to the end."""
        if not len(numbers):
            return
        self.size += numbers.nbytes
        if self._file is None and self.size <= KEPT_BYTES:
            self._kept.append(numbers.copy())
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with the spool
            weakref.finalize(self, self._file.close)
            for one in self._kept:
                self._file.write(one.data)
            self._kept = []
        self._file.write(numbers.data)

    def array(self) -> Array:
        """All numbers; mapped anew at every call when they lie in a file."""
        if self._file is None:
            return np.concatenate([np.empty(0, self._kind), *self._kept])
        self._file.flush()
        return np.memmap(self._file, self._kind, "r")


class Spools(Mapping[str, Array]):
    """Arrays by name, each mapped only while it is looked at, so that writing them all takes the memory of the largest."""

    def __init__(self, spools: Mapping[str, Spool | Array]) -> None:
        self._spools = spools

    def __getitem__(self, name: str) -> Array:
        found = self._spools[name]
        return found.array() if isinstance(found, Spool) else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._spools)

    def __len__(self) -> int:
        return len(self._spools)


def release(array: Array) -> None:
    """Takes the pages of a mapped file, of which the array is a part, out of this process. They come back when read."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
