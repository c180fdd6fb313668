"""A small library for the tests of the web: every kind of article once, and enough of one kind for three pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from kb import config, ingest
from kb.config import Settings
from kb.model import Article, Author, Block, Exclusion, Quotation, TopicContent
from kb.store import articles, topics
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.text.fingerprint import anchors
from tests.making import FOR_TESTS, article

# Ids are given in the order of saving.
FULL, REPRINT, UNDATED, HOSTILE, WITHDRAWN, GONE, FIRST_NOTE = range(1, 8)
NOTES = 24

SPOKEN = "江山就是人民,人民就是江山"
PIECES: tuple[tuple[str, int | None, int, str], ...] = (
    ("paragraph", None, 0, f"习近平总书记指出:“{SPOKEN}。”青溪县把党建与业务同谋划、同部署,推动深度融合。"),
    ("heading", 1, 0, "一、为什么要抓融合"),
    ("heading", 2, 0, "(一)把准方向"),
    ("paragraph", None, 8, "一是坚持学用结合。学习12次,覆盖率100%(含派驻检察室);党建工作与办案一同考核。"),
    ("list", None, 0, "1.学习不够深;\n2.结合不够紧。"),
    ("quote", None, 0, "民惟邦本,本固邦宁。"),
    ("table", None, 0, "项目\t次数\n民主评议\t12"),
    ("caption", None, 0, "图为干警开展主题党日活动。"),
    ("heading", 1, 0, "二、怎样抓融合"),
    ("paragraph", None, 0, "坚持问题导向,以党建引领业务,以业务检验党建。"),
)
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def full() -> Article:
    """An article that has everything."""
    marks = anchors([text for *_rest, text in PIECES])
    blocks = tuple(
        Block(anchor, kind, level, text, run_in)  # type: ignore[arg-type]
        for anchor, (kind, level, run_in, text) in zip(marks, PIECES, strict=True)
    )
    quotation = Quotation("习近平总书记", "指出", SPOKEN, marks[0], PIECES[0][3].index(SPOKEN))
    return replace(
        article("检察机关党建与业务融合的探索", key="https://paper.example.cn/2023-08/02/1.html"),
        blocks=blocks,
        quotations=(quotation,),
        kicker="机关党建研究",
        subtitle="——以青溪县人民检察院为例",
        newspaper="青溪法治报",
        published="2023-08-02",
        page_name="理论",
        authors=(Author("周明远", "作者"), Author("李见山", "通讯员")),
        affiliation="青溪县人民检察院",
    )


def hostile() -> Article:
    """An article whose every field tries to leave its place in the page."""
    made = article(f"攻击{ATTACK}", (f"攻击正文{ATTACK}",), key="javascript:alert(3)")
    return replace(
        made,
        kicker=ATTACK,
        subtitle=ATTACK,
        newspaper=f"攻击报{ATTACK}",
        edition_page='"><b>',
        page_name=ATTACK,
        affiliation=ATTACK,
        authors=(Author(ATTACK, ATTACK),),
        quotations=(Quotation(ATTACK, ATTACK, "攻击", made.blocks[0].anchor, 0),),
        continues=ATTACK,
    )


def note(number: int) -> Article:
    """One of many short articles."""
    text = (
        f"第{number}支部开展三会一课,编号{number * 7919},"
        + "大家结合岗位谈体会,"
        * (number % 4)  # under 60 characters: longer ones would be copies of each other
        + "交流心得。"
    )
    return article(
        f"第{number}支部三会一课纪实",
        (text,),
        key=f"https://paper.example.cn/note/{number}.html",
        newspaper=("青溪法治报", "云岭日报")[number % 2],
        published=f"{2020 + number % 3}-05-{1 + number:02}",
    )


def add_topics(connection: Connection) -> None:
    """A topic with one under it, one without articles, a draft, and one that was removed."""
    wide = TopicContent(
        "机关党建",
        "党建 或 三会一课",
        "## 怎样读\n\n先读**必读**,再按[原文](/a/1)核对。",
        pinned=(FULL, GONE),
        excluded=(Exclusion(FIRST_NOTE, "只是记录"),),
    )
    topics.add(connection, "dangjian", wide, "资料员甲")
    topics.add(connection, "sanhui", TopicContent("三会一课", "三会一课", parent="dangjian"), "")
    topics.add(connection, "empty", TopicContent("还没有材料的专题", "“没有一篇有这句话”"), "")
    topics.add(connection, "draft", TopicContent("草拟中的专题", "札记", state="draft"), "资料员甲")
    topics.add(connection, "removed", TopicContent("移除了的专题", "札记", state="removed"), "资料员甲")


def build(data: Path) -> Settings:
    """A data folder with the library stored and indexed."""
    settings = Settings(data=data, **FOR_TESTS)
    config.prepare_data(settings)
    database = open_database(settings.database)
    reprint = replace(full(), key="https://other.example/1", newspaper="云岭日报", published="2023-08-09")
    undated = article(
        "缺日期的调研札记", ("走访青石乡,整理调研札记。",), key="https://paper.example.cn/x", newspaper=None
    )
    singles = [
        full(),
        reprint,
        replace(undated, published=None, edition_page=None, authors=(), affiliation=None, url=None),
        hostile(),
        article("已撤回的札记", ("已撤回的文字甲。",), key="https://paper.example.cn/withdrawn"),
        article("已消失的札记", ("已消失的文字乙。",), key="https://paper.example.cn/gone"),
    ]
    with writing(database) as connection:
        near = articles.fingerprints(connection)
        items = [NewArticle(one) for one in (*singles, *map(note, range(NOTES)))]
        articles.save(connection, items, near)
        corrected = replace(
            full(), blocks=(*full().blocks, Block("b0c0ffee0", "note", None, "更正:学习次数应为12次。"))
        )
        articles.save(connection, [NewArticle(corrected)], near)
        articles.set_status(connection, WITHDRAWN, "withdrawn")
        articles.set_status(connection, GONE, "gone")
        add_topics(connection)
    ingest.reindex(database, settings, everything=True)
    return settings
