"""Index generations on disk: folders that are made whole, sealed by a manifest, and switched by one rename.

    index/CURRENT                  gen-0007
    index/gen-0007/MANIFEST.json   what it holds, and size and SHA-256 of each of its files
    index/gen-0008.partial/        being made; left over when its maker was killed
    index/gen-0005.old/            being removed; left over when its remover was killed

A kill at any point leaves the generation that CURRENT names untouched (reliability.md §7.3). Writers are kept
apart by the caller's lock; readers need none.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.engine.arrays import HEAD_BYTES
from kb.errors import EngineDownError

MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
SUMMED = (".kbs", ".kbd")  # files of arrays.py: what follows their head is checked by whoever maps them
JOURNAL = "JOURNAL.json"  # in a partial folder that can be gone on with (rebuilding.py)
_NAME = re.compile(r"gen-(\d{4,})")
_CHUNK = 1 << 20  # bytes read at a time when hashing


@dataclass(frozen=True, slots=True)
class Generation:
    """A sealed generation."""

    folder: Path
    facts: Mapping[str, Any]  # what the engine wrote about it when it was sealed
    files: Mapping[str, Mapping[str, Any]]  # {"MAIN_a1.kbs": {"size": 4711, "sha256": "…", "head": "…"}}


def current(index: Path) -> Path | None:
    """The folder of the generation that is to serve, None when there is none yet.

    Raises EngineDownError("index.damaged") when CURRENT does not name one.
    """
    try:
        name = (index / CURRENT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if sealed(index):
            raise _damaged(CURRENT, "missing") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(CURRENT, "unreadable") from error
    if not _NAME.fullmatch(name):
        raise _damaged(CURRENT, "names no generation")
    return index / name


def sealed(index: Path) -> list[Path]:
    """The folders of all generations that were finished, the newest first, damaged ones too."""
    found = [folder for folder in index.glob("gen-*") if _NAME.fullmatch(folder.name)]
    return sorted(found, key=number, reverse=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """No writer removes the generation in the meantime. Raises EngineDownError when it is gone."""
    where = f"{folder.name}/"
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _damaged(where, "missing") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not folder.exists() or not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise _damaged(where, "missing")
        yield
    finally:
        os.close(descriptor)


def read(folder: Path) -> Generation:
    """The generation in a folder. Raises EngineDownError("index.damaged") when it is seen not to be as it was sealed.

    Every byte is looked at but those behind the first HEAD_BYTES of the large files, which are summed up when mapped.
    """
    generation = _read_manifest(folder)
    for file, known in generation.files.items():
        _check(folder / file, known)
    return generation


def _check(path: Path, known: Mapping[str, Any]) -> None:
    where = f"{path.parent.name}/{path.name}"
    try:
        size = path.stat().st_size
        if size != known["size"]:
            raise _damaged(where, f"{size} bytes, {known['size']} sealed")
        as_sealed = (
            _hash(path, HEAD_BYTES) == known["head"] if "head" in known else _hash(path) == known["sha256"]
        )
        if not as_sealed:
            raise _damaged(where, "SHA-256")
    except OSError as error:
        raise _damaged(where, "missing") from error


def stamp(index: Path) -> tuple[int, ...] | None:
    """Changes whenever CURRENT is replaced or written to: cheap enough to look at before every query."""
    return _identity(index / CURRENT)


def identities(generation: Generation) -> list[tuple[int, ...] | None]:
    """Change when a file of the generation is removed, replaced or written to, but not when it is linked."""
    found = [_identity(generation.folder / name) for name in (MANIFEST, *generation.files)]
    return [one and one[:3] for one in found]


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def begin(index: Path, previous: Generation | None = None) -> Path:
    """A folder for the next generation, empty or with links to the files of `previous`."""
    _make_private(index)
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
    body: dict[str, Any] = {"name": name, "facts": dict(facts), "files": files}
    write(partial / MANIFEST, json.dumps({**body, "sha256": _sum(body)}, ensure_ascii=False, indent=1))
    sync(partial)
    partial.rename(index / name)
    sync(index)
    write(index / f"{CURRENT}.new", name + "\n")
    (index / f"{CURRENT}.new").rename(index / CURRENT)
    sync(index)
    tidy(index)
    return Generation(index / name, body["facts"], files)


def tidy(index: Path) -> None:
    """Remove what killed runs left behind, and every generation but the serving one and the one before it.

    One that a reader is just opening stays until the next time, and a partial folder with a journal too: rebuilding.py
    goes on with it, or removes it. Only for whoever holds the writer's lock.
    """
    for left_over in [*index.glob("*.partial"), *index.glob("*.old"), *index.glob(f"{CURRENT}.new")]:
        if not (left_over / JOURNAL).exists():
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
    try:
        serving = current(index)
    except EngineDownError:
        return  # an older one may have to serve; the next that is published clears up
    folders = sealed(index)
    if serving not in folders:
        return
    for folder in [*folders[: folders.index(serving)], *folders[folders.index(serving) + 2 :]]:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a generation, unless a reader holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = folder.with_name(f"{folder.name}.old")
        folder.rename(gone)
        shutil.rmtree(gone)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def problems(generation: Generation) -> list[str]:
    """Reads every file and compares it with the manifest. Each answer names a file; none means sound."""
    found = []
    try:
        _read_manifest(generation.folder)
    except EngineDownError as error:
        found.append(error.words("zh"))
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
        body = {name: manifest[name] for name in ("name", "facts", "files")}
        as_sealed = manifest["sha256"] == _sum(body) and body["name"] == folder.name
    except OSError as error:
        raise _damaged(where, "missing") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(where, "unreadable") from error
    if not as_sealed:
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
    found = path.stat()
    size = found.st_size
    if previous is not None and path.name in previous.files:
        known = previous.files[path.name]
        if known["size"] == size and path.samefile(previous.folder / path.name):
            return dict(known)
    with path.open("rb") as file:
        if stat.S_IMODE(found.st_mode) != 0o600:  # Whoosh's
            os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
    known = {"size": size, "sha256": _hash(path)}
    return {**known, "head": _hash(path, HEAD_BYTES)} if path.name.endswith(SUMMED) else known


def _hash(path: Path, most: int | None = None) -> str:
    """SHA-256 of a file or of its first `most` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if most is not None:
            digest.update(file.read(most))
        else:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _make_private(index: Path) -> None:
    """The folder of the index, for its owner alone, on the disk."""
    if not index.is_dir():
        index.mkdir(parents=True, mode=0o700)
        sync(index.parent)
    index.chmod(0o700)


def write(path: Path, text: str) -> None:
    """A file for its owner alone, on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Put on the disk what was made, renamed or removed in the folder."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
