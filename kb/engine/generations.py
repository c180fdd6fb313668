"""Index generations on disk: folders that are made whole, sealed by a manifest, and switched by one rename.

    index/CURRENT                  gen-0007
    index/gen-0007/MANIFEST.json   what it holds, and size and SHA-256 of each of its files
    index/gen-0008.partial/        being made; left over when its maker was killed

A kill at any point leaves the generation that CURRENT names untouched (reliability.md §7.3). Writers are kept
apart by the caller's lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.errors import EngineDownError

MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
JOURNAL = "JOURNAL.json"  # in a partial folder that can be gone on with (rebuilding.py)
_NAME = re.compile(r"gen-(\d{4,})")
SMALL_BYTES = 1 << 20  # of a file that is hashed at every opening: a millisecond
_CHUNK = 1 << 20  # bytes read at a time when hashing


@dataclass(frozen=True, slots=True)
class Generation:
    """A sealed generation."""

    folder: Path
    facts: Mapping[str, Any]  # what the engine wrote about it when it was sealed
    files: Mapping[str, Mapping[str, Any]]  # {"MAIN_a1.seg": {"size": 4711, "sha256": "…"}}


def current(index: Path) -> Generation | None:
    """The generation that serves, None when there is none yet.

    Raises EngineDownError("index.damaged") when its manifest or a file is seen not to be as it was sealed.
    """
    try:
        name = (index / CURRENT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(CURRENT, "unreadable") from error
    if not _NAME.fullmatch(name):
        raise _damaged(CURRENT, "names no generation")
    generation = _read_manifest(index / name)
    for file, sealed in generation.files.items():
        _check(generation.folder / file, sealed)
    return generation


def _check(path: Path, sealed: Mapping[str, Any]) -> None:
    """The quick check at every opening: the size, and the hash of a small file such as Whoosh's TOC, a pickle."""
    where = f"{path.parent.name}/{path.name}"
    try:
        size = path.stat().st_size
        if size != sealed["size"]:
            raise _damaged(where, f"{size} bytes, {sealed['size']} sealed")
        if size <= SMALL_BYTES and _hash(path) != sealed["sha256"]:
            raise _damaged(where, "SHA-256")
    except OSError as error:
        raise _damaged(where, "missing") from error


def stamp(index: Path) -> tuple[int, int] | None:
    """Changes whenever CURRENT is replaced: cheap enough to look at before every query."""
    try:
        found = (index / CURRENT).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def begin(index: Path, previous: Generation | None = None) -> Path:
    """A folder for the next generation, empty or with links to the files of `previous`."""
    index.mkdir(parents=True, exist_ok=True, mode=0o700)
    tidy(index)
    newest = max((number(folder) for folder in index.glob("gen-*")), default=0)
    folder = index / f"gen-{newest + 1:04d}.partial"
    folder.mkdir(mode=0o700)
    if previous is not None:
        for file in previous.files:
            _link(previous.folder / file, folder / file)
    return folder


def publish(partial: Path, facts: Mapping[str, Any], previous: Generation | None = None) -> Generation:
    """Seal a finished folder and let CURRENT name it. The generation before it stays, older ones go.

    Files linked from `previous` keep their known hashes; every other one is read once and put on the disk.
    """
    index, name = partial.parent, partial.name.removesuffix(".partial")
    files = {path.name: _seal(path, previous) for path in sorted(partial.iterdir())}
    body: dict[str, Any] = {"facts": dict(facts), "files": files}
    _write(partial / MANIFEST, json.dumps({**body, "sha256": _sum(body)}, ensure_ascii=False, indent=1))
    _sync(partial)
    partial.rename(index / name)
    _sync(index)
    _write(index / f"{CURRENT}.new", name + "\n")
    (index / f"{CURRENT}.new").rename(index / CURRENT)
    _sync(index)
    tidy(index)
    return Generation(index / name, body["facts"], files)


def tidy(index: Path) -> None:
    """Remove what killed runs left behind, and every generation but the serving one and the one before it.

    A partial folder with a journal stays: rebuilding.py goes on with it, or removes it.

    The one before stays for readers that are opening it. Only for whoever holds the writer's lock.
    """
    for left_over in [*index.glob("*.partial"), *index.glob(f"{CURRENT}.new")]:
        if not (left_over / JOURNAL).exists():
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
    try:
        serving = number(Path((index / CURRENT).read_text(encoding="ascii")))
    except (OSError, UnicodeDecodeError):
        return  # nothing serves; the next generation that is published clears up
    folders = sorted(index.glob("gen-*"), key=number)
    before = [folder for folder in folders if number(folder) < serving]
    for folder in folders:
        if number(folder) != serving and folder not in before[-1:]:
            shutil.rmtree(folder)


def problems(generation: Generation) -> list[str]:
    """Reads every file and compares it with the manifest. Each answer names a file; none means sound."""
    found = []
    for file, sealed in generation.files.items():
        try:
            if _hash(generation.folder / file) != sealed["sha256"]:
                found.append(f"{generation.folder.name}/{file}: SHA-256")
        except OSError as error:
            found.append(f"{generation.folder.name}/{file}: {error.strerror}")
    return found


def _read_manifest(folder: Path) -> Generation:
    where = f"{folder.name}/{MANIFEST}"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        body = {"facts": manifest["facts"], "files": manifest["files"]}
        sealed = manifest["sha256"]
    except OSError as error:
        raise _damaged(where, "missing") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(where, "unreadable") from error
    if sealed != _sum(body):
        raise _damaged(where, "SHA-256")
    return Generation(folder, body["facts"], body["files"])


def _sum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _damaged(file: str, reason: str) -> EngineDownError:
    return EngineDownError("index.damaged", file=file, reason=reason)


def number(folder: Path) -> int:
    """7 for gen-0007."""
    found = _NAME.match(folder.name)
    return int(found[1]) if found else 0


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _seal(path: Path, previous: Generation | None) -> dict[str, Any]:
    size = path.stat().st_size
    if previous is not None and path.name in previous.files:
        known = previous.files[path.name]
        if known["size"] == size and path.samefile(previous.folder / path.name):
            return dict(known)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return {"size": size, "sha256": _hash(path)}


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
