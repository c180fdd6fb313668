"""A file of named numpy arrays, written once and mapped into memory for reading.

Layout: 8 bytes of magic, length and CRC-32 of the header (4 bytes each), the header (JSON: facts, and for each array its
dtype, length and offset, and size and checksum of all that follows), then the arrays, each at a multiple of 64 bytes.
Numbers are little-endian. Nothing is ever unpickled.

Kernels follow what stands in these files without looking left or right, so no byte is handed out unchecked: a file is
summed up when it is opened, and again when it may have been written to while it is open. The header says what the sum
must be; that the header is the right one is for the manifest to say, which knows the hash of the first HEAD_BYTES.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import weakref
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from kb.engine.compiled import Array, address, intrinsic, loop
from kb.engine.watch import Watch

MAGIC = b"KBARRAY3"
ALIGNMENT = 64
HEAD_BYTES = 16 * 1024  # room for the header of any file
LANES = 32  # independent sums, so that several can be worked on at once
PRIME = 0x9E3779B185EBCA87
PIECE_BYTES = 1 << 20  # summed up by themselves
TOGETHER = 8  # pieces that are handed to a thread; handing over takes as long as summing one
SUMMING = min(4, os.cpu_count() or 1)  # threads; more than that wait for the memory

_null: Any = cgutils.get_null_value


class ArraysDamaged(Exception):
    """The file is not what `write` made."""


class File:
    """An open file. Closed when nothing refers to it any more."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.number)
        self.name = path.name
        found = os.fstat(self.number)
        self.key = found.st_dev, found.st_ino
        self.size = found.st_size
        self.sound: tuple[int, ...] | None = None  # stamp of what was summed up

    def watch(self) -> None:
        self._watch = Watch(self.number)

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever the content may have changed."""
        writes = self._watch.writes()
        found = os.fstat(self.number)
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns if writes is None else -writes


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Arrays:
    """An opened file: facts and arrays, mapped, read-only."""

    facts: dict[str, Any]
    by_name: dict[str, Array]
    file: File
    body: tuple[Array, ...]  # what is summed up: the arrays, each filled up to a multiple of ALIGNMENT
    sum: int  # what it must come to

    def __getitem__(self, name: str) -> Array:
        return self.by_name[name]

    def check(self) -> None:
        """Raises ArraysDamaged when the file is no longer as it was written. Reads it only if it may have changed."""
        stamp = self.file.stamp()
        if stamp == self.file.sound:
            return
        if stamp[0] != self.file.size:  # nothing behind its end may be touched
            raise ArraysDamaged(f"{self.file.name}: {stamp[0]} bytes, {self.file.size} when it was opened")
        if checksum(self.body) != self.sum:
            raise ArraysDamaged(f"{self.file.name}: checksum")
        self.file.sound = stamp


_opened: weakref.WeakValueDictionary[tuple[int, int], Arrays] = weakref.WeakValueDictionary()


def write(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write `arrays` to `path` and fsync it. The file is private to its owner."""
    table: dict[str, tuple[str, int, int]] = {}
    offset = 0
    for name, array in arrays.items():
        table[name] = (array.dtype.str, len(array), offset)
        offset += _aligned(array.nbytes)
    known = {"facts": dict(facts), "arrays": table, "size": offset, "sum": checksum(arrays.values())}
    header = json.dumps(known, ensure_ascii=False).encode()
    if _aligned(16 + len(header)) > HEAD_BYTES:
        raise ValueError(f"{path.name}: a header of {len(header)} bytes")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(
            MAGIC + len(header).to_bytes(4, "little") + zlib.crc32(header).to_bytes(4, "little") + header
        )
        file.write(bytes(_missing(len(MAGIC) + 8 + len(header))))
        for array in arrays.values():
            file.write(_bytes_of(array).data if len(array) else b"")
            file.write(bytes(_missing(array.nbytes)))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Arrays:
    """Map the file at `path`, once in a process. Raises ArraysDamaged when a byte of it is not as it was written."""
    file = File(path)
    arrays = _opened.get(file.key)
    if arrays is None:
        file.watch()
        arrays = _opened[file.key] = _map(file)
    arrays.check()
    return arrays


def _map(file: File) -> Arrays:
    try:
        # All pages at once: they are all read now, and to fault them in one by one takes as long as to sum them up.
        mapped = mmap.mmap(file.number, 0, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, prot=mmap.PROT_READ)
        length = int.from_bytes(mapped[8:12], "little")
        header = mapped[16 : 16 + length]
        if mapped[:8] != MAGIC or zlib.crc32(header) != int.from_bytes(mapped[12:16], "little"):
            raise ArraysDamaged(f"{file.name}: header")
        known = json.loads(header)
        if file.size != _aligned(16 + length) + known["size"]:
            raise ArraysDamaged(f"{file.name}: {file.size} bytes")
        body = np.frombuffer(mapped, np.uint8, known["size"], _aligned(16 + length))
        arrays = {name: _view(body, np.dtype(kind), *rest) for name, (kind, *rest) in known["arrays"].items()}
        starts = [start for _, _, start in known["arrays"].values()]
        parts = tuple(body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True))
        return Arrays(known["facts"], arrays, file, parts, int(known["sum"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArraysDamaged(f"{file.name}: cut short") from error


def _view(body: Array, kind: np.dtype[Any], count: int, start: int) -> Array:
    return body[start : start + count * kind.itemsize].view(kind)


def _bytes_of(array: Array) -> Array:
    return np.ascontiguousarray(array).view(np.uint8)


def _missing(size: int) -> int:
    """Bytes to the next multiple of ALIGNMENT."""
    return -size % ALIGNMENT


def _aligned(size: int) -> int:
    return size + _missing(size)


def checksum(arrays: Iterable[Array]) -> int:
    """Of arrays that follow one another, each filled up with zeros to a multiple of ALIGNMENT.

    No change within eight bytes goes unseen, any other once in 2**64.
    """
    digest = hashlib.blake2b(digest_size=8)
    with ThreadPoolExecutor(SUMMING) as threads:  # which start when there is something for them to do
        for array in arrays:
            for lanes in _sums(_bytes_of(array), threads):
                digest.update(lanes)
    return int.from_bytes(digest.digest(), "little")


def _sums(body: Array, threads: ThreadPoolExecutor) -> Iterable[bytes]:
    """Of each piece, in order."""
    pieces = [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]
    if len(pieces) <= TOGETHER or SUMMING < 2:
        return map(_sum, pieces)
    handed = [pieces[start : start + TOGETHER] for start in range(0, len(pieces), TOGETHER)]
    return threads.map(lambda some: b"".join(map(_sum, some)), handed)


def _sum(piece: Array) -> bytes:
    lanes = np.arange(1, LANES + 1, dtype=np.uint64)
    even = len(piece) - len(piece) % lanes.nbytes
    sum_up(address(piece), even, address(lanes))
    if even < len(piece):
        rest = np.zeros(lanes.nbytes, np.uint8)
        rest[: len(piece) - even] = piece[even:]
        sum_up(address(rest), len(rest), address(lanes))
    return lanes.tobytes()


@loop
def sum_up(start: int, size: int, lanes: int) -> None:
    """Of `size` bytes, a multiple of what all lanes take at a time. All but the size are addresses."""
    for at in range(0, size, 8 * LANES):
        mix(start + at, lanes)


@intrinsic
def mix(_context: Any, numbers: Any, lanes: Any) -> Any:
    """Take a number into each lane: xor, and multiplication by an odd number; each step can be undone."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole_number, kind = ir.IntType(64), ir.VectorType(ir.IntType(64), LANES)
        taken, kept = (builder.inttoptr(one, kind.as_pointer()) for one in arguments)
        mixed = builder.xor(builder.load(kept, align=8), builder.load(taken, align=8))
        mixed = builder.mul(mixed, ir.Constant(kind, [whole_number(PRIME)] * LANES))
        mixed = builder.xor(mixed, builder.lshr(mixed, ir.Constant(kind, [whole_number(32)] * LANES)))
        builder.store(mixed, kept, align=8)
        return _null(context.get_value_type(types.none))

    return types.none(types.int64, types.int64), generate
