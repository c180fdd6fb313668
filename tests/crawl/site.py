"""A small newspaper on 127.0.0.1, and a crawl of it with stand-ins for parsing and storing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import Column, Connection, MetaData, Table, Text, select
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.crawl.pace import Clock
from kb.crawl.shapes import CrawlReport, Handed, Outcome
from kb.crawl.source import Source
from kb.crawl.walk import walk
from kb.errors import ParseError
from kb.model import ArticleLink, RawPage, SiteRule
from kb.store import frontier, pages
from kb.store.db import reading, writing
from tests.crawl.serving import answer

ORIGIN = "https://szb.qinghe.example"
SOURCE = Source(
    slug="qinghe",
    name="清河日报",
    verified="never",
    facts="自编",
    path=Path("qinghe.toml"),
    hosts=("szb.qinghe.example",),
    start=(ORIGIN + "/html/{date:%Y-%m/%d}/node_1.htm",),
    rule=SiteRule("qinghe", published_from_url=r"/(?P<y>\d{4})-(?P<m>\d\d)/(?P<d>\d\d)/"),
    edition=(r"/node_\d+\.htm$",),
    article=(r"/content_\d+\.htm$",),
)
TODAY = date(2024, 3, 10)
NOON = datetime(2024, 3, 10, 4, 0, tzinfo=UTC)

taken = Table("taken", MetaData(), Column("url", Text, primary_key=True), Column("text", Text))


@dataclass
class Site:
    """Pages by path; counts what is asked for."""

    pages: dict[str, bytes] = field(default_factory=dict)  # path -> the whole answer, or the body of a page
    hits: list[str] = field(default_factory=list)  # robots.txt left out

    def __call__(self, head: bytes) -> Iterable[bytes]:
        path = head.split(b" ")[1].decode()
        if path != "/robots.txt":
            self.hits.append(path)
        found = self.pages.get(path, answer(b"none", status="404 Not Found"))
        if found.startswith(b"HTTP/"):
            yield found
        elif b"If-None-Match: " + etag(found) in head:
            yield answer(status="304 Not Modified", length=False)
        else:
            yield answer(found, f"ETag: {etag(found).decode()}")


def etag(body: bytes) -> bytes:
    return f'"{hash(body)}"'.encode()


def issue(day: str, articles: int = 2, editions: int = 1) -> dict[str, bytes]:
    """One issue, day as 2024-03/10: edition pages, each with its articles; the first one links to the others."""
    found: dict[str, bytes] = {}
    for node in range(1, editions + 1):
        names = [f"content_{node}{number}.htm" for number in range(1, articles + 1)]
        others = [f"node_{number}.htm" for number in range(1, editions + 1)]
        links = "".join(f'<a href="{name}">题</a>' for name in [*others, *names])
        found[f"/html/{day}/node_{node}.htm"] = links.encode()
        found |= {f"/html/{day}/{name}": f"<p>{day} {name} 正文".encode() for name in names}
    return found


class Time:
    """A clock that moves only when it is slept on."""

    def __init__(self) -> None:
        self.at = NOON
        self.slept = 0.0
        self.clock = Clock(lambda: self.at, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.at += timedelta(seconds=seconds)


def take(connection: Connection, page: RawPage, _page_hash: str, _source: Source) -> Outcome:
    """Store the text of a page; a page that says so has no body, is not sure, or makes the program fail."""
    text = page.body.decode()
    if "空" in text:
        raise ParseError("parse.no_body", source=page.url)
    if "疑" in text:
        raise ParseError("parse.low_confidence", source=page.url, confidence=0.2)
    known = connection.scalar(select(taken.c.text).where(taken.c.url == page.url))
    if known is None:
        connection.execute(taken.insert().values(url=page.url, text=text))
    else:
        connection.execute(taken.update().where(taken.c.url == page.url).values(text=text))
    if "崩" in text:
        raise RuntimeError("after writing")
    return "added" if known is None else "unchanged" if known == text else "changed"


def links(page: RawPage) -> list[ArticleLink]:
    found = re.findall(r'href="([^"]+)"', page.body.decode())
    return [ArticleLink(urljoin(page.url, target), "") for target in found]


def refresh(page: RawPage) -> str | None:
    found = re.search(r"URL=([^\">]+)", page.body.decode())
    return urljoin(page.url, found.group(1)) if found else None


def handed(database: Database, settings: Settings) -> Handed:
    with writing(database) as connection:
        taken.create(connection, checkfirst=True)
    return Handed(
        frontier,
        partial(writing, database),
        partial(pages.put, settings.pages),
        partial(pages.get, settings.pages),
        take,
        links,
        refresh,
    )


def crawl(
    database: Database, settings: Settings, base: str, source: Source = SOURCE, **options: Any
) -> CrawlReport:
    """A run over the site served at `base`, on 10 March 2024 unless another clock is given."""
    mirrored = settings.model_copy(update={"crawl_mirrors": f"{ORIGIN}={base}"})
    options.setdefault("clock", Time().clock)
    return walk(source, handed(database, settings), mirrored, **options)


def counts(report: CrawlReport) -> dict[str, int]:
    """What a run did, without the zeros."""
    names = ("fetched", "not_modified", "new", "changed", "unchanged", "skipped", "failed", "blocked", "left")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def articles(database: Database) -> list[str]:
    """Paths of the stored articles."""
    with reading(database) as connection:
        found = connection.scalars(select(taken.c.url).order_by(taken.c.url))
        return [url.removeprefix(ORIGIN + "/html/") for url in found]
