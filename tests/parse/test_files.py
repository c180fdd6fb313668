"""Pages saved as text: every field right, every line accounted for."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import config
from kb.errors import ParseError
from kb.model import Article, SiteRule
from kb.parse.files import read_text

TITLE = "基层检察机关党建工作的思考"
BODY = """\
  习近平总书记指出:“空谈误国,实干兴邦。”近年来,青山县人民检察院坚持党建引领,各项工作取得新成效。
  一、主要做法
  党组坚持把党建摆在首位,层层压实责任。
  (一)抓学习
  一是加强政治建设。各支部把学习作为“三会一课”的内容,防止“吃老本”。
  (二)抓队伍
  一是落实工作责任。党组书记负总责,支部书记具体抓。
  二、几点体会
  要持续用力,久久为功。"""
FOOT = """\

某省互联网出版业务许可证:某新出网证字001号某ICP备00000001号-1 Copyright @ 2003-2023 QINGSHAN.EXAMPLE 青山网 Inc. All rights reserved
青山日报融媒体集团主管主办 技术支持:青禾科技"""


def _page(
    head: str, below: str = "  (作者单位:青山县人民检察院)", body: str = BODY, foot: str = FOOT
) -> bytes:
    return f"{head}\n{body}\n{below}\n{foot}".encode()


def _read(data: bytes, rule: SiteRule | None = None) -> Article:
    return read_text(data, key="file:/a.txt", source="files", rule=rule)


SEED_LIKE = _page(
    f"通版阅读请点击:\n展开通版\n收缩通版\n当前版:07版\n发布日期:\n{TITLE}\n——以青山县人民检察院为例\n  ■王晓明"
)


def test_every_field_of_the_known_layout_is_right():
    article = _read(SEED_LIKE)

    assert (article.kicker, article.title, article.subtitle) == (None, TITLE, "——以青山县人民检察院为例")
    assert [(author.name, author.role) for author in article.authors] == [("王晓明", "作者")]
    assert (article.affiliation, article.edition_page) == ("青山县人民检察院", "07")
    assert (article.published, article.newspaper, article.page_name, article.continues) == (
        None,
        None,
        None,
        None,
    )
    assert [block.level for block in article.blocks if block.kind == "heading"] == [1, 2, 2, 1]
    assert [block.run_in for block in article.blocks if block.run_in] == [9, 9]
    assert [(one.speaker, one.verb, one.words) for one in article.quotations] == [
        ("习近平总书记", "指出", "空谈误国,实干兴邦。")
    ]


def test_text_is_stored_untouched_and_page_furniture_only_in_provenance():
    article = _read(SEED_LIKE)
    lines = [line.strip() for line in BODY.splitlines()]

    assert [block.text for block in article.blocks] == lines
    assert article.provenance.removed[:5] == (
        "通版阅读请点击:",
        "展开通版",
        "收缩通版",
        "当前版:07版",
        "发布日期:",
    )
    assert [line[:8] for line in article.provenance.removed[-2:]] == ["某省互联网出版业", "青山日报融媒体集"]
    assert article.provenance.confidence > 0.9


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ("当前版:A03版\n发布日期:2023-08-02", ("A03", None, "2023-08-02", None)),
        ("当前版：第05-08版：理论\n发布日期：2023年8月2日", ("05-08", "理论", "2023-08-02", None)),
        ("当前版:07版:法治时评\n发布日期:2023/8/2", ("07", "法治时评", "2023-08-02", None)),
        ("当前版：０７版\n发布日期：２０２３年８月２日", ("07", None, "2023-08-02", None)),
        ("《青山法治报》2023年8月2日 第07版", ("07", None, "2023-08-02", "青山法治报")),
        ("青山法治报\n2023年8月2日 星期三\n第07版：理论", ("07", "理论", "2023-08-02", "青山法治报")),
        ("上一版 下一版\n07版\n2023年8月2日", ("07", None, "2023-08-02", None)),
    ],
)
def test_the_masthead_is_read_in_other_layouts(head: str, facts: tuple[str | None, ...]):
    article = _read(_page(f"{head}\n{TITLE}\n■王晓明"))

    assert (article.edition_page, article.page_name, article.published, article.newspaper) == facts
    assert (article.title, len(article.blocks)) == (TITLE, 9)


@pytest.mark.parametrize(
    "foot",
    [
        "上一篇：某某标题\n下一篇：无\n放大+ 缩小- 默认\n版面导航\n本版责编：赵六\n版权所有 青山日报社\n未经许可不得转载",
        "【打印】【关闭】\n扫码阅读手机版\nICP备案号：某ICP备1号",
        "主管：青山县委 主办：青山日报社\n青山大厦\n技术支持：青禾科技",
        "",
    ],
)
def test_other_feet_are_taken_off_too(foot: str):
    article = _read(_page(f"当前版:07版\n{TITLE}\n■王晓明", foot=foot))

    assert article.blocks[-1].text == "要持续用力,久久为功。"
    assert article.affiliation == "青山县人民检察院"


def test_a_source_line_below_the_text_fills_what_the_head_lacks():
    article = _read(_page(f"{TITLE}\n■王晓明", foot="《青山日报》（2023年08月02日 07版）"))

    assert (article.newspaper, article.published, article.edition_page) == ("青山日报", "2023-08-02", "07")


def test_nothing_is_invented_where_nothing_is_printed():
    article = _read(_page(TITLE, below=""))

    assert (article.authors, article.affiliation, article.subtitle, article.kicker) == ((), None, None, None)
    assert (article.published, article.newspaper, article.edition_page) == (None, None, None)


def test_a_rule_names_the_newspaper_and_adds_boilerplate():
    rule = SiteRule("qingshan", newspaper="青山法治报", boilerplate=("^青山云平台$",), version="0a1b2c3d")
    article = _read(_page(f"青山云平台\n当前版:07版\n{TITLE}\n■王晓明"), rule)

    assert (article.newspaper, article.title) == ("青山法治报", TITLE)
    assert (article.provenance.rule, article.provenance.origins["newspaper"]) == ("qingshan@0a1b2c3d", "rule")


def test_old_encodings_and_line_ends_make_no_difference():
    text = SEED_LIKE.decode()
    expected = _read(SEED_LIKE)

    assert _read(text.encode("gb18030")) == expected
    assert _read(text.replace("\n", "\r\n").encode("utf-8-sig")) == expected


def test_short_texts_are_kept():
    article = _read("通知\n■王晓明\n今日停电。".encode())

    assert [block.text for block in article.blocks] == ["今日停电。"]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "parse.no_title"),
        ("当前版:07版\n发布日期:".encode(), "parse.no_title"),
        (f"{TITLE}\n■王晓明".encode(), "parse.no_body"),
        (b"a" * 3_000_000, "parse.too_large"),
    ],
)
def test_a_file_without_an_article_says_why(data: bytes, key: str):
    with pytest.raises(ParseError) as caught:
        _read(data)

    assert caught.value.key == key
    assert "file:/a.txt" in caught.value.words("zh")


def test_the_shipped_text_pages_are_read_exactly():
    folder = config.shipped("corpus") / "samples"
    truths = [json.loads(line) for line in (folder / "truth-text.jsonl").read_text("utf-8").splitlines()]
    fields = (
        "newspaper",
        "published",
        "edition_page",
        "page_name",
        "kicker",
        "title",
        "subtitle",
        "affiliation",
    )
    wrong = []
    for truth in truths:
        article = _read((folder / truth["file"]).read_bytes())
        found = {name: getattr(article, name) for name in fields}
        found["authors"] = [{"name": author.name, "role": author.role} for author in article.authors]
        found["body"] = "\n".join(block.text for block in article.blocks)
        wrong += [
            (truth["file"], name, value, truth[name]) for name, value in found.items() if value != truth[name]
        ]

    assert truths and wrong == []


_LINES = st.one_of(
    st.sampled_from(
        [
            TITLE,
            "——以青山县为例",
            "■王晓明",
            "当前版:07版",
            "发布日期:",
            "（作者单位：甲院）",
            "一、做法",
            "版权所有",
            "上一版",
            "责编：李四",
            "各项工作扎实推进。",
            "（下转第3版）",
        ]
    ),
    st.text(min_size=1, max_size=30),
)


@given(st.lists(_LINES, max_size=14))
def test_any_text_is_read_or_refused_and_no_character_disappears(lines: list[str]):
    data = "\n".join(lines).encode("utf-8", "replace")
    try:
        article = _read(data)
    except ParseError:
        return
    kept = [article.kicker, article.title, article.subtitle, article.continues, *article.provenance.removed]
    kept += [block.text for block in article.blocks]
    lost = Counter(_printed(data.decode())) - Counter(_printed("".join(filter(None, kept))))

    assert not lost
    assert all(block.text == block.text.strip() for block in article.blocks)


def _printed(text: str) -> str:
    """Without white space, invisible and control characters, and the brackets that a 转版 marker loses."""
    return "".join(
        char for char in text if char.isprintable() and not char.isspace() and char not in "（）()【】[]▶"
    )


@pytest.mark.parametrize("value", ["8月2日", "2023年8月", "暂无", "null", "民国一〇二年八月二日"])
def test_a_date_that_cannot_be_read_costs_the_date_only(value: str):
    article = _read(_page(f"当前版:07版\n发布日期:{value}\n{TITLE}\n  ■王晓明"))

    assert (article.title, article.published, article.edition_page) == (TITLE, None, "07")


def test_a_date_with_its_time_is_read():
    assert _read(_page(f"发布日期:2023-08-02T00:00:00\n{TITLE}\n  ■王晓明")).published == "2023-08-02"


def test_a_masthead_with_links_in_one_line_is_read():
    article = _read(_page(f"青山晚报 2023年08月02日 第07版：理论 上一版 下一版\n{TITLE}\n  ■王晓明"))

    assert (article.newspaper, article.published) == ("青山晚报", "2023-08-02")
    assert (article.edition_page, article.page_name, article.kicker) == ("07", "理论", None)


def test_an_unknown_line_below_the_unit_costs_nothing():
    article = _read(_page(f"{TITLE}\n  ■王晓明", foot=f"{FOOT}\n青山云出品"))

    assert article.affiliation == "青山县人民检察院"
    assert [block.text for block in article.blocks] == [line.strip() for line in BODY.splitlines()]
    assert article.provenance.removed[-1] == "青山云出品"
