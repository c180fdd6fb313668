"""A file of named numpy arrays, written once and mapped into memory for reading.

Layout: 8 bytes of magic, length and CRC-32 of the header (4 bytes each), the header (JSON: facts, and for each array its
dtype, length and offset, and size and checksum of all that follows), then the arrays, each at a multiple of 64 bytes.
Numbers are little-endian. Nothing is ever unpickled.

Kernels follow what stands in these files without looking left or right, so no byte is handed out unchecked: a file is
summed up when it is first mapped (some 10 GB a second), and again when it looks as if it had been written to.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import weakref
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb.engine.compiled import Array, address, i8, kernel

MAGIC = b"KBARRAY2"
ALIGNMENT = 64
Stamp = tuple[int, int, int, int]  # device, inode, size, time of the last change of the content

_sound: set[Stamp] = set()  # files that this process has summed up; a hard link has the same stamp


class ArraysDamaged(Exception):
    """The file is not what `write` made."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """An opened file: facts and arrays, mapped, read-only."""

    facts: dict[str, Any]
    by_name: dict[str, Array]
    descriptor: Descriptor

    def __getitem__(self, name: str) -> Array:
        return self.by_name[name]


class Descriptor:
    """An open file, to see whether anyone has written to it. Closed when nothing refers to it any more."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)
        self.name = path.name
        self.stamp = self._stamp()
        weakref.finalize(self, os.close, self.number)

    def _stamp(self) -> Stamp:
        found = os.fstat(self.number)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def check(self) -> None:
        """Raises ArraysDamaged when the file has been written to since it was opened."""
        if self._stamp() != self.stamp:
            raise ArraysDamaged(f"{self.name}: changed while it was in use")


def write(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write `arrays` to `path` and fsync it. The file is private to its owner."""
    table: dict[str, tuple[str, int, int]] = {}
    offset = 0
    for name, array in arrays.items():
        table[name] = (array.dtype.str, len(array), offset)
        offset += _aligned(array.nbytes)
    known = {"facts": dict(facts), "arrays": table, "size": offset, "sum": checksum(arrays.values())}
    header = json.dumps(known, ensure_ascii=False).encode()
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
    """Map the file at `path`. Raises ArraysDamaged when a byte of it is not as it was written."""
    descriptor = Descriptor(path)
    try:
        mapped = mmap.mmap(descriptor.number, 0, access=mmap.ACCESS_READ)
        length = int.from_bytes(mapped[8:12], "little")
        header = mapped[16 : 16 + length]
        if mapped[:8] != MAGIC or zlib.crc32(header) != int.from_bytes(mapped[12:16], "little"):
            raise ArraysDamaged(f"{path.name}: header")
        known = json.loads(header)
        body = np.frombuffer(mapped, np.uint8, known["size"], _aligned(16 + length))
        if descriptor.stamp not in _sound:
            if checksum([body]) != known["sum"]:
                raise ArraysDamaged(f"{path.name}: checksum")
            _sound.add(descriptor.stamp)
        arrays = {name: _view(body, np.dtype(kind), *rest) for name, (kind, *rest) in known["arrays"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ArraysDamaged(f"{path.name}: cut short") from error
    return Arrays(known["facts"], arrays, descriptor)


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
    lanes = np.arange(1, 5, dtype=np.uint64)
    for array in arrays:
        body = _bytes_of(array)
        even = len(body) - len(body) % ALIGNMENT
        sum_up(address(body), even // 8, lanes)
        rest = np.concatenate([body[even:], np.zeros(_missing(len(body)), np.uint8)])
        sum_up(address(rest), len(rest) // 8, lanes)
    return int.from_bytes(hashlib.blake2b(lanes.tobytes(), digest_size=8).digest(), "little")


@kernel
def sum_up(start: int, words: int, lanes: Array) -> None:
    """Four independent chains of xor and multiplication by an odd number, each step of which can be undone."""
    a, b, c, d = lanes[0], lanes[1], lanes[2], lanes[3]
    prime, half = np.uint64(0x9E3779B185EBCA87), np.uint64(32)
    for i in range(0, words, 4):
        a = (a ^ np.uint64(i8(start, i))) * prime
        b = (b ^ np.uint64(i8(start, i + 1))) * prime
        c = (c ^ np.uint64(i8(start, i + 2))) * prime
        d = (d ^ np.uint64(i8(start, i + 3))) * prime
        a, b, c, d = a ^ (a >> half), b ^ (b >> half), c ^ (c >> half), d ^ (d >> half)
    lanes[0], lanes[1], lanes[2], lanes[3] = a, b, c, d
