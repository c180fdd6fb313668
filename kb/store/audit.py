"""The audit log: who did what, when, from where, to what end. Only ever added to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select

from kb.model import Actor
from kb.store.tables import audit

Outcome = Literal["ok", "refused", "failed"]


def record(
    connection: Connection,
    actor: Actor,
    action: str,
    target: str,
    *,
    outcome: Outcome = "ok",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a record, in the transaction of the action that it is about: neither is without the other.

    `action`: user.locked. `target`: user:zhangsan. `detail`: what changed; never a password, a token or a text that was
    searched for.
    """
    seq = (connection.scalar(select(func.max(audit.c.seq))) or 0) + 1
    values = {
        "seq": seq,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": actor.name,
        "address": actor.address,
        "sign_in": actor.sign_in,
        "action": action,
        "object": target,
        "outcome": outcome,
        "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        "previous": "",
        "seal": "",
    }
    connection.execute(insert(audit).values(values))
