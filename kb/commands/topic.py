"""`kb topic`: topics from the command line, also while the server runs; files move them between libraries."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb import opening, terminal

if TYPE_CHECKING:
    from sqlalchemy import Engine as Database

    from kb.model import Topic
    from kb.topic_files import Taken

STATES = {"shown": "", "draft": "  草稿 · draft", "removed": "  已移除 · removed"}
WHATS = {"added": "新增 · added", "changed": "修改 · changed", "unchanged": "不变 · unchanged"}
json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON · print JSON")


@click.group()
def topic() -> None:
    """Topics: rules with must-reads and exclusions."""


@topic.command("list")
@click.option("--all", "everything", is_flag=True, help="已移除的也列出 · removed ones too")
@json_option
def show_all(everything: bool, as_json: bool) -> None:
    """List the topics, those under another behind it."""
    from kb import topics as use
    from kb.store import topics
    from kb.store.db import reading

    with reading(_opened()) as connection:
        found = [one for one in topics.every(connection) if everything or one.content.state != "removed"]
    branches = use.tree(found)
    if as_json:
        terminal.print_json([_record(one) for branch in branches for one in (branch.topic, *branch.children)])
        return
    for branch in branches:
        click.echo(_line(branch.topic))
        for child in branch.children:
            click.echo(f"  {_line(child)}")


@topic.command()
@click.argument("slug")
@click.option("--version", type=click.IntRange(1), help="第几版,不填为现在的 · an old version")
@json_option
def show(slug: str, version: int | None, as_json: bool) -> None:
    """Print a topic as the file that `kb topic import` takes."""
    from kb import topic_files
    from kb import topics as use
    from kb.store.db import reading

    with reading(_opened()) as connection:
        found = use.version(connection, slug, version) if version else use.one(connection, slug)
        text = topic_files.as_file(connection, found)
    if as_json:
        terminal.print_json(_record(found))
    else:
        click.echo(text, nl=False)


@topic.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("slugs", nargs=-1)
@json_option
def write(folder: Path, slugs: tuple[str, ...], as_json: bool) -> None:
    """Write the topics named, or all that are not removed, into FOLDER, each as SLUG.toml."""
    from kb import topic_files

    written = [str(path) for path in topic_files.export(_opened(), folder, slugs)]
    if as_json:
        terminal.print_json(written)
    else:
        click.echo(f"topic export ok: {len(written)} files, {folder}")


@topic.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只说会怎样,不改动 · say what would be done, change nothing")
@json_option
def take(paths: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Make topics be as files say (SLUG.toml, or folders of them): all or, where one cannot be, none. Safe to repeat."""
    from kb import topic_files

    files = topic_files.files_in(paths)
    taken = topic_files.take(_opened(), opening.actor(), files, is_dry=dry_run)
    if as_json:
        terminal.print_json([asdict(one) for one in taken])
    else:
        for one in taken:
            click.echo(f"{one.slug}  {one.name}  {WHATS[one.what]}")
        _complain_missing(taken)
        counts = {name: sum(one.what == name for one in taken) for name in WHATS}
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"topic import {'dry run' if dry_run else 'ok'}: {said}")
    sys.exit(1 if any(one.missing for one in taken) else 0)


def _complain_missing(taken: list[Taken]) -> None:
    terminal.complain(
        (
            one.slug,
            f"库里没有这篇文章,没有{'移出' if kept.reason else '设为必读'}:{kept.title or '(无标题)'} {kept.key}",
        )
        for one in taken
        for kept in one.missing
    )


def _opened() -> Database:
    """The store, with the shipped topics where it is new."""
    from kb import topic_files

    settings, database = opening.store()
    topic_files.ensure_starters(database, settings)
    return database


def _line(one: Topic) -> str:
    content = one.content
    return (
        f"{one.slug}  {content.name}  第 {one.version} 版 · 必读 {len(content.pinned)} · "
        f"移出 {len(content.excluded)} · {one.changed_at[:10]} {one.editor or 'kb'}{STATES[content.state]}"
    )


def _record(one: Topic) -> dict[str, Any]:
    fields = asdict(one)
    del fields["id"]
    return fields
