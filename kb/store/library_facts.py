"""What holds for this library as a whole, by name."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, delete, insert, select

from kb.store.tables import library_facts

ID = "id"


def value(connection: Connection, name: str) -> str | None:
    """What is known under a name; None when nothing is."""
    found: str | None = connection.scalar(select(library_facts.c.value).where(library_facts.c.name == name))
    return found


def put(connection: Connection, name: str, text: str) -> None:
    """Keep what is known under a name, instead of what was known before."""
    connection.execute(delete(library_facts).where(library_facts.c.name == name))
    connection.execute(insert(library_facts).values(name=name, value=text))


def library_id(connection: Connection) -> uuid.UUID:
    """What this library and its feeds are known by, whatever its address. The migration makes it once."""
    return uuid.UUID(value(connection, ID))
