"""How the commands speak: results on stdout, progress and complaints on stderr, one summary line for cron."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

STAGES = {"store": "入库", "index": "建索引", "fetch": "抓取", "reparse": "重新解析", "eval": "评测"}


@contextmanager
def progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A function that shows (stage, done, total) as bars on a terminal, and nothing under cron."""
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("用时"),
        TimeElapsedColumn(),
        TextColumn("还需"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(
                    STAGES.get(stage, stage), total=total, completed=done, rate="", first=done
                )
                return
            task = bar.tasks[tasks[stage]]
            rate = f"{(done - task.fields['first']) / max(task.elapsed or 0, 1e-3):.0f}/秒"
            bar.update(tasks[stage], completed=done, total=total, rate=rate)

        yield show


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def complain(lines: Iterable[tuple[str, str]]) -> None:
    """One line per thing that failed: where, and the sentence."""
    for where, message in lines:
        click.echo(f"{where}: {message}", err=True)


def summary(verb: str, counts: dict[str, int], started: float, *, partial: bool) -> None:
    """`crawl ok: 3 sources, 41 new, 0 failed, 12.4s`; `started` is time.monotonic() of the start."""
    said = ", ".join(f"{value} {name}" for name, value in counts.items())
    click.echo(f"{verb} {'partial' if partial else 'ok'}: {said}, {time.monotonic() - started:.1f}s")


def measures(rows: dict[str, dict[str, Any]]) -> None:
    """A line for every set of queries: how many, and each measure with the ends of its interval."""
    for name, row in rows.items():
        ends = row["intervals"]
        values = (f"{one} {row[one]:.4f} [{low:.3f}, {high:.3f}]" for one, (low, high) in ends.items())
        click.echo("  ".join((f"{name}  {row['queries']} 条", *values)))
