"""One file that holds a whole library: a plain tar of plain files, of which every byte is vouched for.

The last member but one is the manifest (hash and size of each member), the last the SHA-256 of all bytes before it. A header
is only what kb itself would write for that name and size, so nothing else can be in an archive: no link, no other kind of
file, no name that leads elsewhere, nothing behind the end. Reading never believes a byte before all of them are checked.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from kb.errors import BackupError

BLOCK = 512
CHUNK = 1024 * 1024
END = bytes(2 * BLOCK)
MANIFEST = "manifest.json"
SEAL = "SHA256"
DATABASE = "kb.sqlite3.gz"
MANIFEST_LIMIT = 512 * CHUNK  # bytes; a library of three million pages has less
NAMES = re.compile(
    rf"{re.escape(DATABASE)}|pages/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}\.gz|sources/[^/\x00-\x1f\\.][^/\x00-\x1f\\]{{0,80}}\.toml|audit/[0-9]{{6}}\.jsonl"
)
GZIP = 16 + zlib.MAX_WBITS
LEVEL = 1  # measured on 393 MB of articles: 9 s and 119 MB; level 6 takes 20 s for 110 MB


class Sink(Protocol):
    """Where the bytes of a member go."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, as the manifest names it."""

    name: str
    size: int  # as packed
    sha256: str  # of the bytes as packed


def header(name: str, size: int) -> bytes:
    """The header of a member: owner, time and mode say nothing."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


class Writer:
    """Writes an archive into an empty file that is open for writing and reading."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.members: list[Member] = []

    def add(self, name: str, chunks: Iterator[bytes]) -> None:
        """Add a member, whose size need not be known before."""
        if not NAMES.fullmatch(name) or len(header(name, 0)) != BLOCK:
            raise BackupError("backup.bad_name", name=name)
        self.members.append(self._member(name, chunks))

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Add manifest, hash and end."""
        listed = [[one.name, one.size, one.sha256] for one in self.members]
        said = json.dumps({**manifest, "members": listed}, ensure_ascii=False, indent=1).encode()
        self._member(MANIFEST, iter([said]))
        self.file.seek(0)
        digest = hashlib.file_digest(self.file, "sha256").hexdigest()  # type: ignore[arg-type]
        self._member(SEAL, iter([f"{digest}\n".encode()]))
        self.file.write(END)

    def _member(self, name: str, chunks: Iterator[bytes]) -> Member:
        first = next(chunks, b"")  # a file that is gone is missed before anything of it is written
        begin = self.file.seek(0, 2)
        self.file.write(header(name, 0))
        digest, size = hashlib.sha256(), 0
        for chunk in chain([first], chunks):
            self.file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        self.file.write(bytes(-size % BLOCK))
        self.file.seek(begin)
        self.file.write(header(name, size))
        self.file.seek(0, 2)
        return Member(name, size, digest.hexdigest())


def packed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """gzip, without a time: the same bytes make the same archive."""
    press = zlib.compressobj(LEVEL, wbits=GZIP)
    for chunk in chunks:
        yield press.compress(chunk)
    yield press.flush()


def chunks_of(path: Path, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of a file, or the first of them."""
    with path.open("rb") as file:
        while limit is None or limit > 0:
            chunk = file.read(CHUNK if limit is None else min(CHUNK, limit))
            if not chunk:
                return
            if limit is not None:
                limit -= len(chunk)
            yield chunk


# --- reading ----------------------------------------------------------------------------------------------------------


def read(path: Path, opened: Callable[[str], Sink | None]) -> dict[str, Any]:
    """Check an archive from its first byte to its last; returns the manifest.

    Each member's bytes go to what `opened` gives for its name; they may be used only when this returns.
    Raises BackupError("backup.damaged") or ("backup.unreadable").
    """
    try:
        with path.open("rb") as file:
            return _Reading(file, path).all(opened)
    except OSError as error:
        raise BackupError("backup.unreadable", path=path, reason=error.strerror) from error
    except zlib.error as error:
        raise BackupError("backup.damaged", path=path, reason=error) from error


class _Reading:
    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file = file
        self.path = path
        self.digest = hashlib.sha256()
        self.members: list[Member] = []

    def all(self, opened: Callable[[str], Sink | None]) -> dict[str, Any]:
        while True:
            name, size = self._header()
            if name == MANIFEST:
                break
            if not NAMES.fullmatch(name):
                self._refuse(f"外来的文件 {name[:80]!r}")
            if self.members and name <= self.members[-1].name:
                self._refuse(f"{name} 的次序不对")
            self.members.append(self._member(name, size, opened(name)))
        if size > MANIFEST_LIMIT:
            self._refuse("清单太大")
        said = _Bytes()
        self._member(MANIFEST, size, said)
        self._seal()
        return self._manifest(bytes(said.data))

    def _header(self) -> tuple[str, int]:
        block = self._take(BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            expected = header(info.name, info.size)
        except (tarfile.HeaderError, ValueError, UnicodeError, OverflowError):
            self._refuse("文件头损坏")
        if expected != block or info.size < 0:
            self._refuse("文件头不是 kb 写的")
        return info.name, info.size

    def _member(self, name: str, size: int, sink: Sink | None) -> Member:
        own, left = hashlib.sha256(), size
        while left:
            data = self._take(min(CHUNK, left))
            own.update(data)
            left -= len(data)
            if sink is not None:
                sink.write(data)
        if any(self._take(-size % BLOCK)):
            self._refuse(f"{name} 之后有多余的内容")
        return Member(name, size, own.hexdigest())

    def _seal(self) -> None:
        expected = f"{self.digest.hexdigest()}\n".encode()
        if self._take(BLOCK) != header(SEAL, len(expected)):
            self._refuse("没有校验和")
        if self._take(BLOCK) != expected.ljust(BLOCK, b"\0"):
            self._refuse("内容与校验和不符")
        if self._take(len(END)) != END or self.file.read(1):
            self._refuse("结尾不对")

    def _manifest(self, said: bytes) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads(said)
            listed = [Member(*one) for one in manifest["members"]]
        except (ValueError, TypeError, KeyError):
            self._refuse("清单读不懂")
        if listed != self.members:
            self._refuse("内容与清单不符")
        return manifest

    def _take(self, size: int) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        if len(data) < size:
            self._refuse("文件被截短")
        return data

    def _refuse(self, reason: str) -> NoReturn:
        raise BackupError("backup.damaged", path=self.path, reason=reason)


class _Bytes:
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


class Unpacked:
    """A sink that unpacks gzip into another, up to `most` bytes: a small archive may unpack to more than a disk has.

    How many there are the manifest must then name, which comes later. Raises BackupError("backup.too_large").
    """

    def __init__(self, sink: Sink | None, most: int | None = None) -> None:
        self.sink = sink
        self.most = most
        self.digest = hashlib.sha256()
        self.size = 0
        self.press = zlib.decompressobj(wbits=GZIP)

    def write(self, data: bytes) -> None:
        while data:
            self._out(self.press.decompress(data, CHUNK))
            data = self.press.unconsumed_tail

    def finish(self) -> tuple[int, str]:
        """Size and SHA-256 of what was unpacked."""
        self._out(self.press.flush())
        return self.size, self.digest.hexdigest()

    def _out(self, out: bytes) -> None:
        self.size += len(out)
        if self.most is not None and self.size > self.most:
            raise BackupError("backup.too_large", mib=max(self.most, 0) // 2**20)
        self.digest.update(out)
        if self.sink is not None:
            self.sink.write(out)
