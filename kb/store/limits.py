"""What shows to people of some units (单位) alone: whole sources, single articles."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from kb.model import NOTHING_HIDDEN, Hidden


def hidden(connection: Connection, units: Collection[int]) -> Hidden:
    """What somebody who belongs to these units may not see."""
    return NOTHING_HIDDEN
