"""`kb audit`: the audit log from the command line. Looking at it and taking it along are themselves on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb import opening

if TYPE_CHECKING:
    from sqlalchemy import Engine as Database

    from kb.store.audit_lines import Asked

DAY = click.DateTime(["%Y-%m-%d"])
KEY = click.Path(exists=True, dir_okay=False, path_type=Path)
since_option = click.option("--since", type=DAY, help="从这一天起 · first day")
until_option = click.option("--until", type=DAY, help="到这一天止 · last day")


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command()
@click.option("--head", "told", help="与另存的一行对照 · what `kb audit head` said once: SEQ:SEAL")
@click.option(
    "--key", "keys", multiple=True, type=KEY, help="以前的密钥文件,可多次 · an earlier key, repeatable"
)
def verify(told: str | None, keys: tuple[Path, ...]) -> None:
    """Verify every record, the order, both ends and the copy in files; exits with 1 at the first that is wrong."""
    from kb.store import audit_check
    from kb.store.db import reading

    settings, database = opening.store()
    with reading(database) as connection:
        found = audit_check.verify(connection, keys=audit_check.keys_in(keys), head=_head(told))
    if found.problem is not None:
        raise found.problem
    if not found.last:
        click.echo("audit ok: no records")
        return
    click.echo(f"audit ok: records {found.first}-{found.last}, copy to {found.copied}")
    if found.copied < found.last:
        click.echo(
            f"副本落后 {found.last - found.copied} 条;下一条记录会补上,补不上时请检查 {settings.audit_copy}。",
            err=True,
        )


def _head(told: str | None) -> tuple[int, str] | None:
    from kb.errors import AuditError

    if told is None:
        return None
    seq, _, seal = told.strip().partition(":")
    if not (seq.isascii() and seq.isdecimal() and seal):
        raise AuditError("audit.bad_head", value=told)
    return int(seq), seal


@audit.command()
def head() -> None:
    """Print number and seal of the last record, for a second place: kb audit head | logger -t kb-audit"""
    from kb.store import audit_lines
    from kb.store.db import reading

    _settings, database = opening.store()
    with reading(database) as connection:
        found = audit_lines.head(connection)
    if found is not None:
        click.echo(f"{found[0]}:{found[1]}")


@audit.command()
@since_option
@until_option
@click.option("--actor", default="", help="谁 · who: zhangsan, cli:kb")
@click.option("--action", default="", help="做了什么 · what: user.locked, or user. for all of them")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, help="条数 · records (50)")
def show(limit: int, **asked: Any) -> None:
    """Print the newest records, one a line, the newest last."""
    from kb.store import audit_lines
    from kb.store.db import reading
    from kb.text.visible import visible

    _settings, database = opening.store()
    _reading_recorded(database)
    with reading(database) as connection:
        rows = audit_lines.page(connection, _asked(asked), before=None, limit=limit)
    for row in reversed(rows):
        place = f" {row.address}" if row.address else ""
        who = f"{row.actor or '-'}{place}"
        said = f"{row.seq}  {row.at}  {who}  {row.action}  {row.object}  {row.outcome}  {row.detail}"
        click.echo(visible(said))


@audit.command()
@since_option
@until_option
@click.option(
    "--output", "-o", type=click.File("w", encoding="utf-8", atomic=True), default="-", help="文件 · file"
)
def export(output: Any, **asked: Any) -> None:
    """Write records as lines of JSON, the oldest first; this is recorded."""
    from kb.store import audit as audit_log
    from kb.store import audit_copy, audit_lines
    from kb.store.db import reading, writing

    _settings, database = opening.store()
    wanted = _asked(asked)
    with writing(database) as connection:
        detail = {"format": "jsonl", **wanted.named()}
        audit_log.record(connection, opening.actor(), "audit.exported", "audit", detail=detail)
    with reading(database) as connection:
        until = (audit_lines.head(connection) or (0, ""))[0]
    for values in audit_lines.every(database, wanted, until=until):
        output.write(audit_copy.line(values))


@audit.command()
def prune() -> None:
    """Drop records older than the setting KB_AUDIT_DAYS says; what is kept can be verified as before."""
    from kb.store import audit as audit_log
    from kb.store import audit_check, audit_copy
    from kb.store.db import reading, writing

    settings, database = opening.store()
    with reading(database) as connection:
        found = audit_check.verify(connection)
    if found.problem is not None:  # what is wrong must be looked into before anything goes
        raise found.problem
    with writing(database) as connection:
        before = datetime.now(UTC) - timedelta(days=settings.audit_days)
        gone = audit_log.prune(connection, opening.actor(), before)
    if gone:
        audit_copy.prune(settings.audit_copy, found.first + gone)
    click.echo(f"prune ok: {gone} records, older than {before:%Y-%m-%d}")


def _asked(asked: dict[str, Any]) -> Asked:
    from kb.store.audit_lines import Asked

    days = {name: asked[name] and asked[name].date() for name in ("since", "until")}
    return Asked(asked.get("actor", ""), asked.get("action", ""), **days)


def _reading_recorded(database: Database) -> None:
    from kb.store import audit as audit_log
    from kb.store import audit_lines
    from kb.store.db import reading, writing

    who = opening.actor()
    with reading(database) as connection:
        if audit_lines.has_read(connection, who):
            return
    with writing(database) as connection:
        audit_log.record(connection, who, "audit.read", "audit")
