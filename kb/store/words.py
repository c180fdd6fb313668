"""Lexicon and synonyms: the shipped files with what this library's editors decided over them.

What editors decide lies in the store, so it is in backups. The words that an index was made with lie beside it.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kb import config
from kb.store import moments
from kb.store.tables import lexicon_words, sequence, synonym_groups
from kb.text import lexicon as lines
from kb.text import synonyms
from kb.text.lexicon import Entry, Lexicon, OwnTerm
from kb.text.normalize import fold
from kb.text.synonyms import Table

UNFINISHED = ".words-"  # how files beside the index begin until they are whole
LEFT_OVER_SECONDS = 3600.0  # after which nobody is writing one any more
Kind = Literal["lexicon", "synonyms"]
MADE_WITH_KEPT = (
    6  # files beside the index: of the generations that there are, and of those that rebuilds are making
)


@dataclass(frozen=True, slots=True)
class Versions:
    """Change with every change of the words; any other value means other words."""

    lexicon: int
    synonyms: int
    topics: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """What editors decided about one group of equal names."""

    id: int
    names: tuple[str, ...]
    is_removed: bool


def versions(connection: Connection) -> Versions:
    """Cheap enough to look at before every query."""
    rows = connection.execute(select(sequence).where(sequence.c.name.in_(("lexicon", "synonyms", "topics"))))
    known = {row.name: row.value for row in rows}
    return Versions(known.get("lexicon", 0), known.get("synonyms", 0), known.get("topics", 0))


def _count_change(connection: Connection, kind: Kind) -> None:
    changed = connection.execute(
        update(sequence).where(sequence.c.name == kind).values(value=sequence.c.value + 1)
    )
    if not changed.rowcount:
        connection.execute(insert(sequence).values(name=kind, value=1))


# --- lexicon --------------------------------------------------------------------------------------------------


def lexicon(connection: Connection) -> Lexicon:
    """All terms in force: shipped ones that nobody switched off, and those that editors added."""
    decided = {fold(one.word): one for one in own(connection)}
    kept = [Entry(one.word) for one in shipped() if fold(one.word) not in decided]
    added = [Entry(one.word, one.frequency) for one in decided.values() if not one.is_removed]
    return Lexicon(tuple(sorted([*kept, *added], key=lambda entry: entry.word)))


def shipped() -> list[lines.Term]:
    """The shipped terms. Raises ConfigError("lexicon.bad_line")."""
    return lines.read(config.lexicon_lines())


def own(connection: Connection) -> list[OwnTerm]:
    """Everything that editors decided, what they took out too, by word."""
    columns = (lexicon_words.c.word, lexicon_words.c.frequency, lexicon_words.c.is_removed)
    return [OwnTerm(*row) for row in connection.execute(select(*columns).order_by(lexicon_words.c.word))]


def decide(
    connection: Connection, terms: Sequence[OwnTerm], by: str, *, forgotten: Sequence[str] = ()
) -> None:
    """Keep what an editor decided about terms, in place of what was decided before; the shipped file alone decides again
    about those that are `forgotten`."""
    gone = [{"gone": word} for word in (*forgotten, *(term.word for term in terms))]
    if gone:
        connection.execute(delete(lexicon_words).where(lexicon_words.c.word == bindparam("gone")), gone)
    if terms:
        said = {"changed_at": moments.now(), "changed_by": by}
        rows = [
            {"word": one.word, "frequency": one.frequency, "is_removed": one.is_removed, **said}
            for one in terms
        ]
        connection.execute(insert(lexicon_words), rows)
    _count_change(connection, "lexicon")


# --- synonyms -------------------------------------------------------------------------------------------------


def synonym_table(connection: Connection) -> Table:
    """All groups in force."""
    decided = groups(connection)
    added = [one.names for one in decided if not one.is_removed]
    removed = [one.names for one in decided if one.is_removed]
    return synonyms.over(shipped_synonyms(), added, removed)


def shipped_synonyms() -> Table:
    """The shipped groups. Raises ConfigError("lexicon.bad_synonyms")."""
    return synonyms.read(config.synonyms_text())


def groups(connection: Connection) -> list[Group]:
    """Every group that editors decided about, the newest first."""
    rows = connection.execute(select(synonym_groups).order_by(synonym_groups.c.id.desc()))
    return [Group(row.id, tuple(row.names), row.is_removed) for row in rows]


def add_group(connection: Connection, names: tuple[str, ...], by: str, *, is_removed: bool) -> int:
    """Keep a group, or that a shipped one `is_removed`. Returns its id."""
    values = {"names": list(names), "is_removed": is_removed, "changed_at": moments.now(), "changed_by": by}
    made = connection.execute(insert(synonym_groups).values(values)).inserted_primary_key
    _count_change(connection, "synonyms")
    return int(made[0])  # type: ignore[index]  # an insert has one


def set_removed(connection: Connection, group_id: int, by: str, *, is_removed: bool) -> None:
    """Take a group of the library's own out, or put it back."""
    values = {"is_removed": is_removed, "changed_at": moments.now(), "changed_by": by}
    connection.execute(update(synonym_groups).where(synonym_groups.c.id == group_id).values(values))
    _count_change(connection, "synonyms")


def forget_groups(connection: Connection, names: tuple[str, ...]) -> None:
    """A shipped group is in force again: nothing is decided any more about one of these names."""
    decided = [one.id for one in groups(connection) if one.names == names]
    connection.execute(delete(synonym_groups).where(synonym_groups.c.id.in_(decided)))
    _count_change(connection, "synonyms")


# --- the words that an index was made with ----------------------------------------------------------------------


def keep_made_with(index: Path, fingerprint: str, present: Lexicon) -> None:
    """Keep beside the index the words that a generation of it is about to be made with, in a file that is whole or not there.

    With it a process that starts while the index is behind the lexicon can ask the index as it is.
    """
    _remove_left_over(index)
    path = _made_with_path(index, fingerprint)
    if made_with(index, fingerprint) == present:
        os.utime(path)
        return
    index.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows = [[entry.word, entry.frequency] for entry in present.entries]
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=index)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(rows, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    files = sorted(index.glob("words-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in files[MADE_WITH_KEPT:]:
        old.unlink(missing_ok=True)


def _remove_left_over(index: Path) -> None:
    """Files that runs which were killed did not finish."""
    for path in index.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):  # finished or removed just now
            if time.time() - path.stat().st_mtime > LEFT_OVER_SECONDS:
                path.unlink()


def made_with(index: Path, fingerprint: str) -> Lexicon | None:
    """The words that an index with this fingerprint was made with; None where they are not known."""
    try:
        rows = json.loads(_made_with_path(index, fingerprint).read_text(encoding="utf-8"))
        return Lexicon(tuple(Entry(str(word), frequency) for word, frequency in rows))
    except (OSError, ValueError, TypeError):
        return None


def _made_with_path(index: Path, fingerprint: str) -> Path:
    return index / f"words-{fingerprint}.json"
