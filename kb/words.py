"""USE CASE  Lexicon and synonyms as editors change them: checked, kept in the store, told to the audit log; and what they would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.errors import KbError, QueryError, WordsError
from kb.model import Actor, Hidden
from kb.query import parse
from kb.search import Search, made_with
from kb.store import audit, words
from kb.store.db import reading, writing
from kb.text import lexicon, synonyms
from kb.text.lexicon import Entry, Fault, Lexicon, OwnTerm
from kb.text.normalize import fold
from kb.text.segment import is_taught
from kb.text.synonyms import Table

State = Literal["shipped", "off", "added", "removed"]
TRIED_CHARS = 500  # of a text that is tried


@dataclass(frozen=True, slots=True)
class Line:
    """A term as the page lists it."""

    word: str
    state: State  # shipped; off: shipped, switched off; added by editors; removed: added and taken out again
    frequency: int | None = None
    subject: str = ""  # of a shipped term

    @property
    def is_in_force(self) -> bool:
        return self.state in ("shipped", "added")

    @property
    def is_taught(self) -> bool:
        """Whether it shapes how texts are cut; others are for suggestions alone."""
        return is_taught(self.word)


def every(connection: Connection) -> list[Line]:
    """Every term that is in force or could be again, those that editors decided about first."""
    shipped = {fold(one.word): one for one in words.shipped()}
    decided = {fold(one.word): one for one in words.own(connection)}
    own = [_own_line(one, is_shipped=key in shipped) for key, one in decided.items()]
    rest = [
        Line(one.word, "shipped", subject=one.subject) for key, one in shipped.items() if key not in decided
    ]
    return [*own, *rest]


def _own_line(term: OwnTerm, *, is_shipped: bool) -> Line:
    if term.is_removed:
        return Line(term.word, "off" if is_shipped else "removed", term.frequency)
    return Line(term.word, "added", term.frequency)


# --- changes of the lexicon -----------------------------------------------------------------------------------


def add(database: Database, actor: Actor, word: str, frequency: str = "") -> None:
    """Add a term, or put back one that was taken out. Raises WordsError."""
    word, frequency = word.strip(), frequency.strip()
    faults = lexicon.own_faults(1, word, frequency)
    if not word or word.startswith("#"):  # in a file that would be no term at all
        faults = [Fault(1, "词语", "不能为空或以 # 开头")]
    if faults:
        raise WordsError("words.bad_word", word=word, field=faults[0].field, reason=faults[0].reason)
    term = OwnTerm(word, int(frequency) if frequency else None)
    with writing(database) as connection:
        line = _by_word(connection).get(fold(word), Line(word, "removed"))
        if line.is_in_force:
            raise WordsError("words.known", word=word)
        _decide(connection, actor, line, term)


def remove(database: Database, actor: Actor, word: str) -> None:
    """Take an added term out, or switch a shipped one off. Raises WordsError("words.unknown")."""
    _switch(database, actor, word, on=False)


def put_back(database: Database, actor: Actor, word: str) -> None:
    """Undo `remove`. Raises WordsError("words.unknown")."""
    _switch(database, actor, word, on=True)


def _switch(database: Database, actor: Actor, word: str, *, on: bool) -> None:
    with writing(database) as connection:
        line = _by_word(connection).get(fold(word))
        if line is None:
            raise WordsError("words.unknown", word=word)
        if line.is_in_force != on:
            _decide(connection, actor, line, OwnTerm(line.word, line.frequency, is_removed=not on))


def take_lines(database: Database, actor: Actor, lines: Iterable[str]) -> tuple[int, Sequence[Fault]]:
    """Import what `lexicon.written` writes: every line or, where one cannot be used, none. How many changed something."""
    read = lexicon.read_own(lines)
    if read.faults:
        return 0, read.faults
    with writing(database) as connection:
        known = _by_word(connection)
        changes = [(known.get(fold(term.word), Line(term.word, "removed")), term) for term in read.terms]
        changes = [(line, term) for line, term in changes if _changes(line, term)]
        if changes:
            _keep(connection, actor, changes)
            detail = {line.word: _sides(line, term) for line, term in changes}
            audit.record(connection, actor, "lexicon.changed", "lexicon:import", detail=detail)
    return len(changes), ()


def _by_word(connection: Connection) -> dict[str, Line]:
    return {fold(line.word): line for line in every(connection)}


def _changes(line: Line, term: OwnTerm) -> bool:
    if line.is_in_force == term.is_removed:
        return True
    return line.state == "added" and line.frequency != term.frequency


def _decide(connection: Connection, actor: Actor, line: Line, term: OwnTerm) -> None:
    _keep(connection, actor, [(line, term)])
    detail = _sides(line, term)
    audit.record(connection, actor, "lexicon.changed", f"word:{line.word}", detail=detail)


def _keep(connection: Connection, actor: Actor, changes: Sequence[tuple[Line, OwnTerm]]) -> None:
    """Keep decisions in place of what was decided before. A shipped term that is in force again needs none."""
    needless = {
        line.word for line, term in changes if not term.is_removed and line.state in ("shipped", "off")
    }
    kept = [replace(term, word=line.word) for line, term in changes if line.word not in needless]
    words.decide(connection, kept, actor.name, forgotten=sorted(needless))


def _sides(line: Line, term: OwnTerm) -> dict[str, dict[str, object]]:
    """What was in force before and is now, as the audit log tells it."""
    frequency = term.frequency if line.state not in ("shipped", "off") else None
    return {
        "old": {"in_force": line.is_in_force, "frequency": line.frequency},
        "new": {"in_force": not term.is_removed, "frequency": frequency},
    }


# --- changes of the synonyms ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group of equal names as the page lists it."""

    names: tuple[str, ...]
    state: State
    id: int | None = None  # of what editors decided


def every_group(connection: Connection) -> list[GroupLine]:
    """Every group that is in force or could be again, those that editors decided about first."""
    shipped = synonyms.groups(words.shipped_synonyms())
    decided = words.groups(connection)
    touched = {fold(name) for group in decided if not group.is_removed for name in group.names}
    off = {group.names for group in decided if group.is_removed}
    own = [GroupLine(group.names, _group_state(group, shipped), group.id) for group in decided]
    rest = [
        names for names in shipped if names not in off and not any(fold(name) in touched for name in names)
    ]
    return [*own, *(GroupLine(names, "shipped") for names in rest)]


def _group_state(group: words.Group, shipped: Sequence[tuple[str, ...]]) -> State:
    if not group.is_removed:
        return "added"
    return "off" if group.names in shipped else "removed"


def add_group(database: Database, actor: Actor, text: str) -> None:
    """Add a group from its names, one a line or parted by 、 or commas. Raises WordsError("words.bad_group")."""
    names = names_in(text)
    with writing(database) as connection:
        reason = synonyms.group_fault(names, words.synonym_table(connection))
        if reason is not None:
            raise WordsError("words.bad_group", reason=reason)
        words.add_group(connection, names, actor.name, is_removed=False)
        _note_group(connection, actor, [], list(names))


def names_in(text: str) -> tuple[str, ...]:
    for mark in "、,，;；\r":
        text = text.replace(mark, "\n")
    return tuple(name.strip() for name in text.split("\n") if name.strip())


def switch_group(database: Database, actor: Actor, names: tuple[str, ...], *, on: bool) -> None:
    """Take a group out of force or put it back. Raises WordsError: words.no_group, words.bad_group."""
    with writing(database) as connection:
        line = next((one for one in every_group(connection) if one.names == names), None)
        if line is None or (line.state in ("shipped", "added")) == on:
            raise WordsError("words.no_group")
        if line.state == "shipped":
            words.add_group(connection, names, actor.name, is_removed=True)
        elif line.id is not None:
            if on and (reason := synonyms.group_fault(names, words.synonym_table(connection))):
                raise WordsError("words.bad_group", reason=reason)
            if line.state == "off":
                words.forget_groups(connection, names)
            else:
                words.set_removed(connection, line.id, actor.name, is_removed=not on)
        _note_group(connection, actor, [] if on else list(names), list(names) if on else [])


def _note_group(connection: Connection, actor: Actor, old: list[str], new: list[str]) -> None:
    target = f"synonyms:{(old or new)[0]}"
    audit.record(connection, actor, "synonyms.changed", target, detail={"old": old, "new": new})


# --- what they do -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether searches go by the lexicon as it is now."""

    is_made: bool  # the newest index is made with it
    is_used: bool  # and this process asks it


def standing(database: Database, settings: Settings, search: Search) -> Standing:
    """Whether the index must be made anew, and whether that is done."""
    with reading(database) as connection:
        wanted = _fingerprint(search, words.lexicon(connection))
    used = search.segmenter.fingerprint if search.segmenter else None
    return Standing(made_with(settings) == wanted, used == wanted)


def _fingerprint(search: Search, wanted: Lexicon) -> str | None:
    return wanted.fingerprint(search.segmenter) if search.segmenter else None


@dataclass(frozen=True, slots=True)
class Tried:
    """How a text is cut now and would be with the lexicon as it is and with more terms, and what synonyms add."""

    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    added: tuple[tuple[str, tuple[str, ...]], ...]  # equal names that a search for it finds too


def try_text(database: Database, search: Search, text: str, more: Iterable[str]) -> Tried:
    """Try a text or a query, with `more` terms that nobody has added yet."""
    text = text[:TRIED_CHARS]
    with reading(database) as connection:
        wanted, table = words.lexicon(connection), words.synonym_table(connection)
    extra = [Entry(word) for word in more if lexicon.own_word_fault(word) is None]
    wanted = Lexicon((*wanted.entries, *extra))
    present = search.segmenter or wanted.segmenter()
    same = wanted.fingerprint(present) == present.fingerprint
    segmenter = present if same else wanted.segmenter()
    return Tried(text, tuple(present.words(text)), tuple(segmenter.words(text)), _equal_names(text, table))


def _equal_names(text: str, table: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    try:
        query = parse(text, datetime.now().astimezone().date())
    except QueryError:  # a text may be anything
        return ()
    return synonyms.expanded(synonyms.expand(query, table))


def affected(search: Search, word: str, hidden: Hidden) -> int | None:
    """How many articles have a word somewhere as it stands, of those not hidden; None while that cannot be counted."""
    try:
        return search.count(f"“{word}”", hidden=hidden)
    except KbError:
        return None
