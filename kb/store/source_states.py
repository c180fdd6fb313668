"""What operators decided about a source beside its TOML file: 暂停, until somebody says 恢复."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from kb.model import Actor
from kb.store import audit, moments
from kb.store.tables import source_states


@dataclass(frozen=True, slots=True)
class Paused:
    """A source that a crawl leaves out."""

    source: str
    since: str  # 2026-11-22T06:10:00Z
    by: str  # zhangsan


def paused(connection: Connection) -> dict[str, Paused]:
    """The paused sources by slug."""
    asked = select(source_states.c.source, source_states.c.changed_at, source_states.c.changed_by)
    return {row.source: Paused(*row) for row in connection.execute(asked.where(source_states.c.is_paused))}


def set_paused(connection: Connection, actor: Actor, source: str, *, is_paused: bool) -> bool:
    """Pause or resume a source, with its line in the audit log. Returns whether that was a change."""
    if (source in paused(connection)) == is_paused:
        return False
    connection.execute(delete(source_states).where(source_states.c.source == source))
    moment = moments.now()
    connection.execute(
        insert(source_states).values(
            source=source, is_paused=is_paused, changed_at=moment, changed_by=actor.name
        )
    )
    audit.record(connection, actor, "source.paused" if is_paused else "source.resumed", f"source:{source}")
    return True
