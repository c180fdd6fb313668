"""Raw pages as files: one gzip file per page, named for the SHA-256 of its bytes; never changed."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

from kb.errors import StoreError

PART = ".part"  # of a file that is being written; one that is left over belongs to a run that was killed


def put(folder: Path, body: bytes) -> str:
    """Keep `body` and return its SHA-256 in hex. When it returns, the bytes survive a power cut.

    Raises StoreError("store.unwritable"). Order of reliability.md §7.1: temporary file, fsync, rename, fsync of
    the folder; then the database row.
    """
    page_hash = hashlib.sha256(body).hexdigest()
    path = _path(folder, page_hash)
    if path.exists():
        return page_hash
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(folder)
        _write(path, gzip.compress(body, compresslevel=6, mtime=0))
    except OSError as error:
        raise StoreError("store.unwritable", path=path, reason=error.strerror) from error
    return page_hash


def get(folder: Path, page_hash: str) -> bytes:
    """The bytes of a kept page. Raises StoreError("store.page_missing") or ("store.page_damaged")."""
    path = _path(folder, page_hash)
    try:
        body = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise StoreError("store.page_missing", path=path) from error
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError("store.page_damaged", path=path) from error
    if hashlib.sha256(body).hexdigest() != page_hash:
        raise StoreError("store.page_damaged", path=path)
    return body


def clean(folder: Path) -> int:
    """Remove what killed runs left half written; call under the writer lock. Returns how many files went."""
    leftovers = list(folder.glob(f"*/*{PART}"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def _path(folder: Path, page_hash: str) -> Path:
    return folder / page_hash[:2] / f"{page_hash}.gz"


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=path.stem[:16], suffix=PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
