"""USE CASE  Files that editors send: kept as they came, read in a process that can be stopped, stored as `kb add` stores them.

Only transactions of the store are waited for, never the writer's lock; the indexer makes searchable what is stored.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.errors import KbError, ParseError, UploadError
from kb.ingest import ARCHIVES, DOCUMENTS, SAVED_TOGETHER, AddReport, Failure, Input
from kb.model import NOTHING_HIDDEN, Actor, Hidden
from kb.store import articles, audit, content, limits, pages, uploads
from kb.store.articles import NewArticle
from kb.store.db import checkpoint, reading, writing
from kb.store.uploads import TOLD, UploadedFile

KINDS = (*ARCHIVES, *DOCUMENTS)
NAME_CHARS = 120
FILE_SECONDS = 20.0  # without a word from the reader, after which its file is given up
START_SECONDS = 30.0  # for a reader to be there, on a busy machine
ALL_SECONDS = 60.0  # for all files together
FORGOTTEN_SECONDS = 24 * 3600.0  # after which a folder of files belongs to a process that was killed
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_one_at_a_time = threading.Lock()  # of this process: its threads are there to answer searches


@dataclass(slots=True)
class _File:
    """A file on its way."""

    path: Path
    shown: UploadedFile
    report: AddReport = field(default_factory=AddReport)
    page_hash: str | None = None  # of a document; lines of an archive have no page


def shown_name(name: str) -> str:
    """The name of a file as it may be shown: no folders, nothing that hides or turns round what stands beside it."""
    return _UNSAFE.sub("", re.split(r"[\\/]", name)[-1]).strip()[:NAME_CHARS] or "未命名"


def take(
    database: Database,
    settings: Settings,
    actor: Actor,
    sent: Sequence[tuple[str, IO[bytes]]],
    *,
    hidden: Hidden = NOTHING_HIDDEN,
) -> int:
    """Take files in; returns the id of the upload, under which the store tells what became of each.

    Safe to repeat: a document is known by its bytes, a line of an archive by what it says of itself. An article that is
    `hidden` from who sends it stays as it is. Raises UploadError: upload.nothing, upload.busy.
    """
    if not sent:
        raise UploadError("upload.nothing")
    if not _one_at_a_time.acquire(blocking=False):
        raise UploadError("upload.busy")
    try:
        with _folder(settings) as folder:
            files = [_receive(folder, *one) for one in enumerate(sent)]
            with writing(database) as connection:
                upload_id = _begin(connection, actor, files)
            try:
                _take(database, settings, actor, files, upload_id, hidden)
            finally:
                _end(database, upload_id, files)
            return upload_id
    finally:
        _one_at_a_time.release()


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    for old in settings.data.glob(".upload-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > FORGOTTEN_SECONDS:
                shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=settings.data) as name:
        yield Path(name)


def _receive(folder: Path, number: int, sent: tuple[str, IO[bytes]]) -> _File:
    name, stream = sent
    digest, size, coming = hashlib.sha256(), 0, folder / str(number)
    with coming.open("wb") as file:
        while part := stream.read(2**20):
            digest.update(part)
            size += len(part)
            file.write(part)
    kind = next((one for one in KINDS if name.lower().endswith(one)), "")
    path = coming.rename(folder / f"{number}-{digest.hexdigest()}{kind}")
    return _File(path, UploadedFile(shown_name(name), digest.hexdigest(), size))


def _begin(connection: Connection, actor: Actor, files: Sequence[_File]) -> int:
    upload_id = uploads.begin(connection, actor.name, [one.shown for one in files])
    for one in files:
        facts = {"name": one.shown.name, "bytes": one.shown.size, "upload": upload_id}
        audit.record(connection, actor, "file.uploaded", f"file:{one.shown.sha256}", detail=facts)
    return upload_id


def _end(database: Database, upload_id: int, files: Sequence[_File]) -> None:
    """Whatever happened, no file is told to be still on its way."""
    for one in files:
        if not one.shown.is_done:
            one.report.failed.insert(0, _failed(one))
            one.shown.is_done = True
    _tell(database, upload_id, files)


def _take(
    database: Database,
    settings: Settings,
    actor: Actor,
    files: Sequence[_File],
    upload_id: int,
    hidden: Hidden,
) -> None:
    with reading(database) as connection:
        near = articles.fingerprints(connection)
    readable = [one for one in files if _keep(settings, one)]
    batch: list[Input] = []
    for number, entry in _read(settings, readable):
        file = readable[number]
        if entry is not None:
            batch.append(_named(entry, file))
        if batch and (entry is None or len(batch) >= SAVED_TOGETHER):
            batch = _allowed(database, batch, file, hidden)
            ingest.save_batch(database, settings, batch, near, file.report, by=actor.name)
            checkpoint(database, settings.data)
            batch = []
        if entry is None:
            _tell(database, upload_id, files, file)


def _allowed(database: Database, batch: list[Input], file: _File, hidden: Hidden) -> list[Input]:
    """What may be stored: who may not see an article may neither change it nor learn from the answer that it is there."""
    keys = [entry.item.article.key for entry in batch if isinstance(entry.item, NewArticle)]
    with reading(database) as connection:
        refused = limits.hidden_keys(connection, keys, hidden)
    return [
        Input(entry.name, _failed(file))
        if isinstance(entry.item, NewArticle) and entry.item.article.key in refused
        else entry
        for entry in batch
    ]


def _keep(settings: Settings, file: _File) -> bool:
    """Keep the bytes of a document as `kb add` does. False, with the reason told, where it cannot be read at all."""
    shown = file.shown
    try:
        if not file.path.name.endswith(KINDS):
            raise ParseError("add.unknown_type", path=shown.name)
        if file.path.name.endswith(DOCUMENTS):
            size_mib, limit = shown.size / 2**20, settings.fetch_decoded_mib
            if size_mib > limit:
                raise ParseError("parse.too_large", source=shown.name, size_mib=size_mib, limit_mib=limit)
            file.page_hash = pages.put(settings.pages, file.path.read_bytes())
    except KbError as error:
        file.report.failed.append(ingest.failed(shown.name, error))
        shown.is_done = True
        return False
    return True


def _named(entry: Input, file: _File) -> Input:
    """What was read, under the name that the editor knows, with the hash of the kept bytes."""
    name = file.shown.name
    if isinstance(entry.item, Failure):
        message = entry.item.message.replace(file.path.name, name).replace(
            f"upload:{file.path.name.partition('-')[2]}", name
        )
        return Input(name, Failure(name, entry.item.key, message))
    new = NewArticle(entry.item.article, file.page_hash, known_version_is_old=True)
    return Input(name, new, entry.source_text)


def _tell(database: Database, upload_id: int, files: Sequence[_File], done: _File | None = None) -> None:
    for one in files:
        report, shown = one.report, one.shown
        shown.added, shown.changed, shown.unchanged = report.added, report.changed, report.unchanged
        shown.queued, shown.failed = len(report.queued), len(report.failed)
        shown.ids = report.ids[:TOLD]
        shown.reasons = [failure.message for failure in report.failed[:TOLD]]
    if done is not None:
        done.shown.is_done = True
    with writing(database) as connection:
        uploads.note(connection, upload_id, [one.shown for one in files])


# --- the reader -----------------------------------------------------------------------------------------------------


def _read(settings: Settings, files: Sequence[_File]) -> Iterator[tuple[int, Input | None]]:
    """(number of the file, what was read of it or why it was not), and (number, None) when a file is done.

    A reader that says nothing for too long, or dies, is replaced by one that goes on behind the file it had in hand.
    """
    first, until = 0, time.monotonic() + ALL_SECONDS
    while first < len(files) and time.monotonic() <= until:
        reader = Reader.start(settings, [one.path for one in files[first:]], until)
        begun = first
        for line in reader.lines():
            number = begun + line["file"]
            if line.get("done"):
                first = number + 1
                yield number, None
            else:
                yield number, _entry(files[number].path, line)
        if first < len(files):
            yield first, Input("", _given_up(files[first], reader))
            yield first, None
            first += 1
    for number in range(first, len(files)):
        yield number, Input("", _failed(files[number], "upload.not_begun", seconds=ALL_SECONDS))
        yield number, None


def _given_up(file: _File, reader: Reader) -> Failure:
    """Why the file that a reader had in hand was not read to its end."""
    if reader.stopped == "silent":
        return _failed(file, "upload.too_slow", seconds=reader.patience)
    if reader.stopped == "late":
        return _failed(file, "upload.out_of_time", seconds=ALL_SECONDS)
    return _failed(file)


def _failed(file: _File, key: str = "upload.failed", **facts: float) -> Failure:
    name = file.shown.name
    return ingest.failed(name, UploadError(key, name=name, **facts))


def _entry(path: Path, line: dict[str, Any]) -> Input:
    if "failure" in line:
        key, message = line["failure"]
        return Input(path.name, Failure(path.name, key, message))
    new = NewArticle(content.article(line["key"], line["source"], line["article"]))
    return Input(path.name, new, line.get("source_text"))


class Reader:
    """A running kb.file_reader, which is stopped when it says nothing for too long."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        self._process = process
        self._until = until
        self._heard = (
            time.monotonic()
        )  # endless while what it said is dealt with: then it may only be waiting
        self.patience = START_SECONDS
        self.stopped: Literal["silent", "late"] | None = None

    @classmethod
    def start(cls, settings: Settings, files: Sequence[Path], until: float) -> Reader:
        process = subprocess.Popen(
            [sys.executable, "-m", "kb.file_reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        asked = {"settings": settings.model_dump(mode="json"), "files": [str(path) for path in files]}
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as told:
                told.write(json.dumps(asked).encode())
        return cls(process, until)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it says, until it ends."""
        watching = threading.Thread(target=self._watch, name="upload", daemon=True)
        watching.start()
        try:
            for text in self._process.stdout or ():
                line = _whole(text)
                if line is None:
                    return
                if "file" in line:  # and not that it is ready
                    self._heard = math.inf
                    yield line
                self._heard, self.patience = time.monotonic(), FILE_SECONDS
        finally:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            watching.join()

    def _watch(self) -> None:
        while self._process.poll() is None:
            now = time.monotonic()
            if now > self._until or now - self._heard > self.patience:
                self.stopped = "late" if now > self._until else "silent"
                self._process.kill()
                return
            time.sleep(0.1)


def _whole(text: bytes) -> dict[str, Any] | None:
    """A line of the reader; None for the piece of one that it was stopped in."""
    try:
        found: dict[str, Any] | None = json.loads(text) if text.endswith(b"\n") else None
    except ValueError:
        return None
    return found
