"""Secrets of this data folder, each a private file of 32 random bytes, made when it is first needed."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

SECRET_BYTES = 32


def secret(path: Path) -> bytes:
    """The secret kept in `path`. Another process may be making it too: the first one's stays, for both."""
    if not path.exists():
        handle, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(partial, path)
        finally:
            Path(partial).unlink()
        sync_folder(path.parent)
    return path.read_bytes()


def sync_file(path: Path) -> None:
    """When it returns, the bytes of a file survive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """When it returns, the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
