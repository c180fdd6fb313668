"""`kb digest`: what was added, for a script that sends mail."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from kb import opening, terminal
from kb.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kb.digest import Digest, Part

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--since", type=DAY, required=True, help="从这一天入库的起 · first day")
@click.option("--until", type=DAY, help="到这一天入库的止,不填为今天 · last day (today)")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "json"]), default="text", help="格式 · format"
)
@click.option("--user", "name", help="只含这个账号的检索 · only the searches of this account")
def digest(since: datetime, until: datetime | None, form: str, name: str | None) -> None:
    """Print what was added, per topic and per saved search as its owner sees it. Sends nothing."""
    from kb.digest import digest as told
    from kb.search import open_search

    first, last = since.date(), (until or datetime.now().astimezone()).date()
    if first > last:
        raise ConfigError("crawl.bad_range", since=first, until=last)
    settings, database = opening.store()
    opening.kernels()
    site = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    found = told(open_search(settings, database), database, since=first, until=last, site=site, user=name)
    if form == "json":
        terminal.print_json(asdict(found))
    elif form == "html":
        click.echo(_html(found))
    else:
        click.echo("\n".join(_lines(found)))


def _html(found: Digest) -> str:
    """One page without style sheets, scripts or pictures: mail programs show little else."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from kb import config

    loader = FileSystemLoader(config.shipped("templates"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("digest.html").render(digest=found)


def _lines(found: Digest) -> Iterator[str]:
    yield f"{found.since} 至 {found.until} 新入库"
    for part in found.topics:
        yield from _part("专题", part)
    for person in found.people:
        for part in person.searches:
            yield from _part(f"{person.full_name}的检索", part)


def _part(kind: str, part: Part) -> Iterator[str]:
    yield ""
    yield f"{kind}「{_flat(part.name)}」{part.problem or f'新增 {part.total} 篇'}  {part.url}"
    for item in part.articles:
        place = " ".join(filter(None, (item.newspaper, item.published)))
        yield f"  · {_flat(item.title)}({_flat(place) or '报纸、日期不详'})"
        yield f"    {item.url}"
    if part.total > len(part.articles):
        yield f"  另有 {part.total - len(part.articles)} 篇"


def _flat(text: str) -> str:
    """On one line and without control characters: a title must not write lines of its own."""
    return "".join(one if one.isprintable() else " " for one in text)
