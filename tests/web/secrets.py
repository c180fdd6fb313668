"""A library some of whose articles are limited to a unit, and the same library as if it had never had them.

Whatever a page says to people outside of the unit must be, to the letter, what the second library says.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine as Database
from sqlalchemy import delete, insert, update

from kb import config, ingest
from kb.config import Settings
from kb.model import Actor, Article, Author, Block, Exclusion, Quotation, TopicContent
from kb.store import articles, limits, topics
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.store.tables import article_limits, article_versions, searches, source_limits, units
from kb.store.tables import articles as table
from tests.making import article

COURT, OFFICE = 1, 2  # the unit that may see everything, and another one
SECRET = "lige"  # the source that is limited
# Nothing but limited articles holds these.
MARK, ADDRESS = "骊", "lige"
ALONE = (3, 5, 9, 12)  # ids of articles that are limited for themselves
OF_SOURCE = (1, 7, 8, 11, 40)
HIDDEN = (*ALONE, *OF_SOURCE)
COPIES = (1, 2, 4)  # of one text, the earliest of them hidden
OTHERS = (6, 9)  # of another, the later one hidden
BETWEEN = (10, 5, 13)  # of one edition page in printed order, the second hidden
CORRECTED, WITHDRAWN = 3, 12  # hidden articles, of which the first has two versions
OPEN = tuple(number for number in range(1, 41) if number not in HIDDEN)

SHARED = "青溪县把党建与业务同谋划、同部署,推动支部工作深度融合,党员带头认领难题,逐项销号,群众满意。" * 2
OTHER = "云岭法院把审判台搬到田埂上,巡回审判走进村寨,一次开庭教育一片,党建引领调解成效明显。" * 2


def open_one(number: int, **more: str | None) -> Article:
    """An article that anybody may read."""
    text = f"第{number}支部学习党建业务的记录,编号{number * 7919}。" + "干警谈体会。" * (number % 4)
    fields: dict[str, object] = {
        "newspaper": ("清河日报", "云岭日报")[number % 2],
        "published": f"{2021 + number % 3}-05-{10 + number % 7:02}",
        "authors": (Author(f"周见{'山水田林'[number % 4]}", "作者"),),
        "key": f"https://open.example/{number}.html",
    }
    return replace(article(f"第{number}支部党建纪实", (text,), **(fields | more)), source="open")  # type: ignore[arg-type]


def secret_one(number: int, source: str = "open", **more: str | None) -> Article:
    """One whose every field says a word that nothing else says."""
    words = (
        f"骊歌文第{number}篇:骊歌理论学习,党建业务的记录,编号{number * 6007}。",
        "骊歌引语:骊山脚下看党建。",
    )
    fields: dict[str, object] = {
        "newspaper": "骊歌日报",
        "published": f"{2018 + number % 3}-06-{10 + number:02}",
        "edition_page": "骊7",
        "page_name": "骊歌版",
        "kicker": "骊歌肩题",
        "subtitle": "——骊歌副题",
        "affiliation": "骊歌县人民检察院",
        "authors": (Author("骊歌人", "作者"), Author("周见山", "通讯员")),
        "key": f"https://{ADDRESS}.example/{number}.html",
    }
    made = article(f"骊歌题{number}党建纪实", words, **(fields | more))  # type: ignore[arg-type]
    spoken = Quotation("骊歌人", "指出", "骊山脚下看党建", made.blocks[1].anchor, 5)
    heading = Block("b0000head", "heading", 1, "一、骊歌小标题")
    return replace(made, source=source, quotations=(spoken,), blocks=(heading, *made.blocks))


def shelf() -> list[Article]:
    """Articles 1 to 39, in the order of their ids."""
    made = {number: open_one(number) for number in range(1, 40)}
    made |= {number: secret_one(number) for number in ALONE}
    made |= {number: secret_one(number, SECRET) for number in OF_SOURCE if number < 40}
    for number, text, day in ((1, SHARED, 1), (2, SHARED, 4), (4, SHARED, 3), (6, OTHER, 1), (9, OTHER, 2)):
        blocks = (Block(f"b00000{number:03}", "paragraph", None, text),)
        made[number] = replace(made[number], blocks=blocks, quotations=(), published=f"2022-03-{day:02}")
    place = {"newspaper": "清河日报", "published": "2023-05-12", "edition_page": "02", "page_name": "要闻"}
    for at, number in enumerate(BETWEEN):
        key = f"https://{ADDRESS if number in HIDDEN else 'open'}.example/page/{at}.html"
        made[number] = replace(made[number], **place, key=key, url=key)
    # The first day of a newspaper, a page of an issue and a year of their own.
    made[7] = replace(made[7], newspaper="清河日报", published="2001-01-02")
    made[8] = replace(made[8], newspaper="清河日报", published="2023-05-12")
    made[11] = replace(made[11], newspaper=None, published=None, edition_page=None)
    return [made[number] for number in sorted(made)]


def build(data: Path) -> Settings:
    """The library, with nothing limited yet. Its article 40 waits to be indexed."""
    settings = Settings(data=data)
    config.prepare_data(settings)
    database = open_database(settings.database)
    save(database, shelf())
    old = shelf()[CORRECTED - 1]
    save(database, [replace(old, blocks=(*old.blocks, Block("b00000fix", "note", None, "更正:骊歌更正。")))])
    with writing(database) as connection:
        articles.set_status(connection, WITHDRAWN, "withdrawn")
        connection.execute(insert(units), [{"id": COURT, "name": "县法院"}, {"id": OFFICE, "name": "办公室"}])
        connection.execute(insert(searches), list(asked()))
        wide = TopicContent("机关党建", "党建 或 支部", pinned=(3, 2, 13), excluded=(Exclusion(12, "纪实"),))
        topics.add(connection, "dangjian", wide, "")
        topics.add(connection, "shenpan", TopicContent("审判", "巡回审判", parent="dangjian"), "")
    ingest.reindex(database, settings, everything=True)
    save(database, [secret_one(40, SECRET)])
    return settings


def save(database: Database, made: Iterable[Article]) -> None:
    with writing(database) as connection:
        articles.save(connection, [NewArticle(one) for one in made], articles.fingerprints(connection))


def asked() -> Iterable[dict[str, object]]:
    """Searches by many people: for what everybody may see, and for what only some may."""
    for query in ("党建", "骊歌文", "骊歌题", "支部"):
        for hour in range(6):
            yield {"asked_at": f"2026-11-22T{hour:02}:10:00Z", "query": query, "total": 3, "took_ms": 1}


def without(settings: Settings, data: Path) -> Settings:
    """A copy of a library that never had what is hidden."""
    shutil.copytree(settings.data, data, ignore=shutil.ignore_patterns("index"))
    copy = Settings(data=data)
    config.prepare_data(copy)
    database = open_database(copy.database)
    with writing(database) as connection:
        connection.execute(delete(searches).where(searches.c.query.contains(MARK)))
        connection.execute(delete(article_limits))
        connection.execute(delete(source_limits))
        connection.execute(delete(article_versions).where(article_versions.c.article_id.in_(HIDDEN)))
        _link(connection)
        connection.execute(delete(table).where(table.c.id.in_(HIDDEN)))
    ingest.reindex(database, copy, everything=True)
    return copy


def _link(connection: object) -> None:
    """The copies of a text as they are linked where the first of them is another one."""
    connection.execute(update(table).where(table.c.id == COPIES[2]).values(reprint_of=None))  # type: ignore[attr-defined]
    connection.execute(update(table).where(table.c.id == COPIES[1]).values(reprint_of=COPIES[2]))  # type: ignore[attr-defined]


def limit(database: Database) -> None:
    """Limit what is to be hidden to the unit."""
    with writing(database) as connection:
        limits.put(connection, Actor("cli:test"), "source", SECRET, [COURT])
        for number in ALONE:
            limits.put(connection, Actor("cli:test"), "article", number, [COURT])
