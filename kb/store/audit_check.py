"""Does the audit log hold: every seal, the order, both ends, the triggers, the copy in files, a head kept elsewhere."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from kb.errors import AuditError
from kb.store import audit_copy
from kb.store.audit import BROKEN, KEY_FILE, Ends, key_file, key_name, key_of, seal
from kb.store.tables import audit

ROWS = 1000  # read at a time
TRIGGERS = ("audit_is_not_changed", "audit_is_not_cut", "audit_grows_at_its_end")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    first: int  # number of the first record kept; 0: there are none
    last: int
    copied: (
        int  # number of the last record in the copy; it may lag behind by what a crash or a full disk left
    )
    problem: AuditError | None  # None: everything holds; else about the first number that is wrong


def verify(
    connection: Connection,
    *,
    keys: Sequence[bytes] = (),
    head: tuple[int, str] | None = None,
    newest: int | None = None,
) -> Verdict:
    """Look at all records, or the `newest` ones. `keys`: earlier ones. `head`: what `kb audit head` said once.

    Call it inside `reading`: all must be of one moment.
    """
    ends = Ends.read(connection)
    first, last = (ends.sealed[name].seq if name in ends.sealed else 0 for name in ("first", "last"))
    folder = audit_copy.folder_of(connection)
    copied = None
    try:
        copied = audit_copy.last(folder)
        _Looking(connection, ends, [key_of(connection, make=False), *keys], newest).look(head)
        problem = None
    except AuditError as error:
        problem = _of_nothing(connection, ends) if error.key == "audit.key_missing" else error
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}"
        problem = AuditError("audit.copy_unreadable", folder=folder, reason=reason)
    return Verdict(first, last, copied[0] if copied else 0, problem)


def _of_nothing(connection: Connection, ends: Ends) -> AuditError | None:
    """Without a key: a new library has no records either; what is left of an old one cannot be verified."""
    row = connection.execute(select(audit.c.seq).limit(1)).one_or_none()
    if row is None and not ends.sealed and not audit_copy.files(audit_copy.folder_of(connection)):
        return None
    try:
        key_of(connection)
    except AuditError as error:
        return error
    return None


class _Looking:
    """One pass over the log. Raises AuditError about the first number that is wrong."""

    def __init__(
        self, connection: Connection, ends: Ends, keys: Sequence[bytes], newest: int | None = None
    ) -> None:
        self.connection = connection
        self.ends = ends
        self.key = keys[0]
        self.keys = {key_name(key): key for key in keys}
        self.newest = newest
        self.folder = audit_copy.folder_of(connection)
        self.seals: dict[int, str] = {}  # of the head that is asked for

    def look(self, head: tuple[int, str] | None) -> None:
        if not self._anything():
            if head is not None:
                raise AuditError("audit.head_differs", seq=head[0])
            return
        self._records(head)
        self._guards()
        self._copy()
        if head is not None and not hmac.compare_digest(self.seals.get(head[0], ""), head[1]):
            raise AuditError("audit.head_differs", seq=head[0])

    def _anything(self) -> bool:
        if self.ends.sealed or self.connection.scalar(select(audit.c.seq).limit(1)) is not None:
            return True
        if next(audit_copy.lines(self.folder), None) is not None:
            raise AuditError("audit.missing", seq=1)
        path = key_file(self.connection)
        if path.name == KEY_FILE and path.parent == self.folder.parent:
            raise AuditError("audit.wiped", seq=1, path=path)
        return False

    def _records(self, head: tuple[int, str] | None) -> None:
        first, last = (self.ends.sealed.get(name) for name in ("first", "last"))
        rows = self._rows(self.newest)
        start = next(rows, None)
        lowest = start["seq"] if start else 1
        if first is None or last is None or not self.ends.hold(self.key, "first"):
            raise AuditError("audit.ends_altered", seq=lowest)
        expected, before = first.seq, first.seal
        if start and self.newest and lowest > first.seq:
            expected, before = lowest, str(start["previous"])
        for row in self._chained(start, rows):
            self._record(row, expected, before)
            if head and row["seq"] == head[0]:
                self.seals[row["seq"]] = row["seal"]
            expected, before = row["seq"] + 1, row["seal"]
        if not self.ends.hold(self.key, "last"):
            raise AuditError("audit.ends_altered", seq=expected - 1)
        if expected <= last.seq:
            raise AuditError("audit.missing", seq=expected)
        if expected - 1 > last.seq or before != last.seal:
            raise AuditError("audit.added", seq=last.seq + 1 if expected - 1 > last.seq else last.seq)

    def _chained(self, start: Values | None, rows: Iterator[Values]) -> Iterator[Values]:
        if start is not None:
            yield start
            yield from rows

    def _record(self, row: Values, expected: int, before: str) -> None:
        seq = row["seq"]
        if seq < expected:
            raise AuditError("audit.added", seq=seq)
        self._sealed(row)
        if row["previous"] == BROKEN and before != BROKEN:
            raise AuditError("audit.missing" if seq > expected else "audit.broken_before", seq=expected)
        if seq > expected:
            raise AuditError("audit.missing", seq=expected)
        if row["previous"] != before:
            raise AuditError("audit.out_of_order", seq=seq)

    def _sealed(self, row: Values) -> None:
        """A record fits its seal."""
        key = self.keys.get(row["key"]) if isinstance(row["key"], str) else None
        if key is None:
            raise AuditError("audit.other_key", seq=row["seq"], name=row["key"])
        if seal(key, row) != row["seal"]:
            raise AuditError("audit.altered", seq=row["seq"])

    def _guards(self) -> None:
        if self.connection.dialect.name != "sqlite":
            return
        found = self.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        there = set(found.scalars())
        for name in TRIGGERS:
            if name not in there:
                raise AuditError("audit.unguarded", seq=self.ends.sealed["first"].seq, name=name)

    def _copy(self) -> None:
        """Every line is the record of its number, none is missing up to where the copy was known to reach."""
        first, last = self.ends.sealed["first"].seq, self.ends.sealed["last"].seq
        if "copied" in self.ends.sealed and not self.ends.hold(self.key, "copied"):
            raise AuditError("audit.ends_altered", seq=self.ends.sealed["copied"].seq)
        if self.newest is not None:
            found = audit_copy.last(self.folder)
            self._reaches(max(first, found[0] + 1 if found else 0))
            return
        rows = self._rows(None)
        row = next(rows, None)
        expected = 0
        for line in audit_copy.lines(self.folder):
            values = self._read(line, expected or first)
            seq = values["seq"]
            if seq != (expected or min(seq, first)):
                missing = seq > (expected or first)
                key = "audit.copy_missing" if missing else "audit.copy_altered"
                raise AuditError(key, seq=expected or first, folder=self.folder)
            if seq > last:
                raise AuditError("audit.copy_ahead", seq=seq, folder=self.folder)
            while row is not None and row["seq"] < seq:
                row = next(rows, None)
            if row is not None and row["seq"] == seq and dict(row) != values:
                raise AuditError("audit.copy_altered", seq=seq, folder=self.folder)
            if seq < first:
                self._pruned(values)
            expected = seq + 1
        self._reaches(max(first, expected))

    def _reaches(self, expected: int) -> None:
        """The copy was never known to hold what it lacks now."""
        noted = self.ends.sealed.get("copied")
        if noted is not None and expected <= noted.seq:
            raise AuditError("audit.copy_missing", seq=expected, folder=self.folder)

    def _pruned(self, values: Values) -> None:
        try:
            self._sealed(values)
        except AuditError as error:
            if error.key != "audit.other_key":  # pruned since, as are the records of an earlier key
                raise AuditError("audit.copy_altered", seq=values["seq"], folder=self.folder) from error

    def _read(self, line: bytes, expected: int) -> dict[str, Any]:
        try:
            values = json.loads(line)
            if (
                isinstance(values, dict)
                and isinstance(values["seq"], int)
                and {"key", "previous"} <= {*values}
            ):
                return values
        except (ValueError, KeyError):
            pass
        raise AuditError("audit.copy_altered", seq=expected, folder=self.folder)

    def _rows(self, newest: int | None) -> Iterator[Values]:
        """The records in the order of their numbers."""
        after: int | None = None
        if newest is not None:
            order = select(audit.c.seq).order_by(audit.c.seq.desc()).offset(newest).limit(1)
            after = self.connection.scalar(order)
        while True:
            some = select(audit).order_by(audit.c.seq).limit(ROWS)
            rows = self.connection.execute(some if after is None else some.where(audit.c.seq > after)).all()
            for row in rows:
                yield row._asdict()
            if len(rows) < ROWS:
                return
            after = rows[-1].seq


def keys_in(paths: Sequence[Path]) -> list[bytes]:
    """The keys in these files."""
    return [path.read_bytes() for path in paths]
