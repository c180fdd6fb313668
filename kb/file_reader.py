"""USE CASE  Files -> articles as JSON lines on standard output: the process in which uploads are read.

No parser is safe on every input, so it is a process that can be stopped, with bounded memory and without the store. Started
by kb.uploads with the settings and the files on standard input: {"settings": {…}, "files": ["/…/0-<sha256>.docx", …]}.
It says when it is ready. For each file it writes lines that begin with the file's number: articles, failures, and one that says that it is done.
"""

from __future__ import annotations

import gzip
import json
import logging
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kb import ingest
from kb.config import Settings
from kb.errors import KbError, ParseError
from kb.ingest import ARCHIVES, Failure, Input
from kb.model import REVIEW_BELOW
from kb.parse.plain import plain_text
from kb.store import content
from kb.store.articles import NewArticle

MEMORY_BYTES = 2 * 2**30  # of addresses; matrices that are never used reserve some
UNPACKED = 8  # times the limit of an upload that an archive may hold
_MIB = 2**20


def main() -> None:
    """Read the files that standard input names."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    logging.disable(logging.CRITICAL)
    asked = json.load(sys.stdin)
    settings = Settings.model_validate(asked["settings"])
    _say({"ready": True})
    for number, path in enumerate(asked["files"]):
        for entry in _inputs(settings, Path(path)):
            _say({"file": number, **_told(entry)})
        _say({"file": number, "done": True})


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _told(entry: Input) -> dict[str, Any]:
    if isinstance(entry.item, Failure):
        return {"failure": [entry.item.key, entry.item.message]}
    article = entry.item.article
    told = {"key": article.key, "source": article.source, "article": content.of(article)}
    return told if entry.source_text is None else {**told, "source_text": entry.source_text}


def _inputs(settings: Settings, path: Path) -> Iterator[Input]:
    try:
        if path.name.endswith(ARCHIVES):
            _check_unpacked(path, settings.upload_limit_mib * UNPACKED)
            yield from ingest.archive_inputs(path)
        else:
            yield _document(settings, key_of(path), path)
    except KbError as error:
        yield Input(path.name, ingest.failed(path.name, error))
    except (OSError, EOFError, MemoryError, RecursionError) as error:
        unreadable = ParseError("add.unreadable", path=path.name, reason=type(error).__name__)
        yield Input(path.name, ingest.failed(path.name, unreadable))


def _document(settings: Settings, key: str, path: Path) -> Input:
    body = path.read_bytes()
    article = ingest.read_document(settings, key, body)
    doubted = article.provenance.confidence < REVIEW_BELOW
    text = plain_text(body, key=key, limit_mib=settings.parse_limit_mib) if doubted else ""
    return Input(path.name, NewArticle(article), text)


def key_of(path: Path) -> str:
    """What the article of a file 3-<sha256>.docx is known by: its bytes and kind, so that the same again is the same."""
    return f"upload:{path.name.partition('-')[2]}"


def _check_unpacked(path: Path, limit_mib: float) -> None:
    if not path.name.endswith(".gz"):
        return
    size = 0
    with gzip.open(path) as file:
        while part := file.read(_MIB):
            size += len(part)
            if size > limit_mib * _MIB:
                raise ParseError(
                    "parse.too_large", source=path.name, size_mib=size / _MIB, limit_mib=limit_mib
                )


if __name__ == "__main__":
    main()
