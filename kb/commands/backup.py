"""`kb backup` and `kb restore`: the library as one file, and back."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb import opening, terminal

if TYPE_CHECKING:
    from kb.backup import Backup

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MIB = 1024 * 1024
json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON · print JSON")


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--keep", type=click.IntRange(1, 10_000), help="只留最新的几份 · keep the newest only")
@json_option
def backup(folder: Path, keep: int | None, as_json: bool) -> None:
    """Write the library to one file in DIR while it is being used: database, raw pages, own sources, audit log."""
    from kb import backup as use_case

    started = time.monotonic()
    settings, database = opening.store()
    made = use_case.backup(database, settings, folder, opening.actor(), keep=keep)
    if as_json:
        _printed(made)
        return
    click.echo(made.path)
    terminal.summary("backup", _counts(made) | {"older removed": len(made.removed)}, started, partial=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--check", "only_check", is_flag=True, help="只核对,不恢复 · verify only")
@json_option
def restore(file: Path, only_check: bool, as_json: bool) -> None:
    """Unpack a backup into the data folder, which must be empty; refused when a single byte of it is damaged.

    The sum inside finds damage. Somebody who alters a backup can compute it anew: only where backups are kept keeps him out.
    """
    from kb import backup as use_case
    from kb import config, log

    started = time.monotonic()
    settings = config.load()
    log.configure_library("ERROR")
    found = use_case.check(file) if only_check else use_case.restore(settings, file, opening.actor())
    if as_json:
        _printed(found)
        return
    terminal.summary("check" if only_check else "restore", _counts(found), started, partial=False)
    if only_check:
        return
    click.echo("所有登录已结束。kb serve 会自行重建索引;不开网页时请运行 kb reindex --all。", err=True)
    if found.new_key:
        click.echo(
            "备份里的审计记录由另一把密钥封存,今后的用这里的密钥:核对时请用 kb audit verify --key 指明旧密钥的文件。",
            err=True,
        )


def _counts(found: Backup) -> dict[str, int]:
    articles = found.counts.get("articles", 0)
    return {"articles": articles, "pages": found.pages, "MiB": round(found.bytes / MIB)}


def _printed(found: Backup) -> None:
    terminal.print_json(asdict(found) | {"path": str(found.path)})
