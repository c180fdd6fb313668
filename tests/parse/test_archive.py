"""Lines of an archive: texts are taken as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ParseError
from kb.model import Article, Author
from kb.parse.archive import read_archive_line
from kb.text.fingerprint import anchors

BODY = "一、做法\n习近平总书记指出：“空谈误国，实干兴邦。”\n上一版\n二、体会\n版权所有"


def _read(**item: Any) -> Article:
    return read_archive_line(json.dumps(item, ensure_ascii=False), source="files", number=7)


def test_a_foreign_line_keeps_title_and_every_line_of_its_body():
    article = _read(title="[视频]青山县新闻", body=BODY, date="2023-08-02", url="https://a.example/1")

    assert (article.title, article.published, article.key) == (
        "[视频]青山县新闻",
        "2023-08-02",
        "https://a.example/1",
    )
    assert [block.text for block in article.blocks] == BODY.split("\n")
    assert [block.level for block in article.blocks] == [1, None, None, 1, None]
    assert [one.speaker for one in article.quotations] == ["习近平总书记"]
    assert (article.provenance.rule, article.provenance.confidence, article.provenance.removed) == (
        "archive",
        1.0,
        (),
    )


def test_the_key_is_the_address_else_the_id_else_the_content():
    by_content = _read(title="题", body=BODY).key

    assert _read(title="题", body=BODY, url="https://a.example/1", id="x").key == "https://a.example/1"
    assert _read(title="题", body=BODY, id="x").key == "id:x"
    assert _read(title="题", body=BODY, id=0).key == "id:0"
    assert by_content.startswith("content:") and len(by_content) == 8 + 64
    assert by_content == _read(title="别题", body=BODY.replace("，", ",")).key


def test_an_address_that_is_no_web_address_is_not_taken():
    article = _read(title="题", body=BODY, url="javascript:alert(1)", id="x")

    assert (article.url, article.key) == (None, "id:x")


@pytest.mark.parametrize(
    ("given_authors", "names"),
    [
        ({"author": "孟祥一;黄发二"}, ["孟祥一", "黄发二"]),
        ({"author": "张　三 李四"}, ["张三", "李四"]),
        ({"authors": ["张三", "A. Writer"]}, ["张三", "A. Writer"]),
        ({"authors": [{"name": "张三", "role": "记者"}]}, ["张三"]),
        ({"author": None}, []),
        ({"author": 7}, []),
    ],
)
def test_authors_come_in_every_usual_form(given_authors: dict[str, Any], names: list[str]):
    assert [author.name for author in _read(title="题", body=BODY, **given_authors).authors] == names


def test_the_source_of_a_foreign_archive_is_the_newspaper_only_when_it_is_one():
    assert _read(title="题", body=BODY, source="人民日报").newspaper == "人民日报"
    assert _read(title="题", body=BODY, source="CCTV 新闻联播").newspaper is None
    assert _read(title="题", body=BODY, source="人民日报").source == "files"


def test_tags_and_other_fields_are_read_and_a_bad_date_stays_unknown():
    article = _read(
        title="题", body=BODY, tags="党建,融合，党建", subtitle="——副题", edition_page=7, date="2023-02-30"
    )

    assert (article.tags, article.subtitle, article.edition_page) == (("党建", "融合"), "——副题", "7")
    assert article.published is None


def test_an_exported_line_comes_back_as_it_was():
    blocks = [
        {"anchor": "bad", "kind": "heading", "level": 2, "text": "做法"},
        {"anchor": "bad", "kind": "paragraph", "level": None, "text": "一是加强建设。各支部学习。"},
        {"anchor": "bad", "kind": "caption", "level": None, "text": "图为现场。"},
        {"anchor": "bad", "kind": "script", "level": 9, "text": "文字。"},
        "无效",
        {"kind": "paragraph", "text": " "},
    ]
    article = _read(
        id=12,
        url=None,
        source="guizhou-fazhi",
        newspaper="青山法治报",
        published="2023-08-02",
        edition_page="07",
        page_name="理论",
        kicker="引题",
        title="题",
        subtitle="——副题",
        authors=[{"name": "王晓明", "role": "记者"}],
        affiliation="青山县人民检察院",
        blocks=blocks,
        quotations=[],
        reprint_of=None,
        status="corrected",
    )

    assert (article.key, article.source, article.newspaper) == ("id:12", "guizhou-fazhi", "青山法治报")
    assert (article.edition_page, article.page_name, article.kicker) == ("07", "理论", "引题")
    assert article.authors == (Author("王晓明", "记者"),)
    assert [(block.kind, block.level, block.run_in) for block in article.blocks] == [
        ("heading", 2, 0),
        ("paragraph", None, 7),
        ("caption", None, 0),
        ("paragraph", None, 0),
    ]
    assert [block.anchor for block in article.blocks] == anchors([block.text for block in article.blocks])


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("{", "parse.bad_archive_line"),
        ("", "parse.bad_archive_line"),
        ("[1]", "parse.bad_archive_line"),
        ("[" * 100_000, "parse.bad_archive_line"),
        ('{"title": ' + "9" * 5000 + "}", "parse.bad_archive_line"),
        ('{"body": "文"}', "parse.archive_no_title"),
        ('{"title": " ", "body": "文"}', "parse.archive_no_title"),
        ('{"title": "题"}', "parse.archive_no_body"),
        ('{"title": "题", "body": " \\n "}', "parse.archive_no_body"),
        ('{"title": "题", "blocks": []}', "parse.archive_no_body"),
        ('{"title": "题", "body": "文", "status": "withdrawn"}', "parse.archive_withdrawn"),
    ],
)
def test_a_line_that_cannot_be_taken_names_itself(line: str, key: str):
    with pytest.raises(ParseError) as caught:
        read_archive_line(line, source="files", number=7)

    assert caught.value.key == key
    assert "7" in caught.value.words("zh") and "7" in caught.value.words("en")


def test_half_characters_are_replaced_so_that_they_can_be_stored():
    article = read_archive_line('{"title": "题\\ud800", "body": "文\\udfff字"}', source="files")

    assert (article.title, article.blocks[0].text) == ("题\ufffd", "文\ufffd字")


def test_a_very_long_body_is_one_article():
    body = "\n".join(f"第{number}条 各级人民政府应当加强工作。" for number in range(1, 6000))

    assert len(_read(title="某某条例", body=body).blocks) == 5999


_TEXTS = st.text(alphabet="一二、（）()1.#“”：。 \r\n\t\x0b\u2028习近平总书记指出文字", max_size=200)


@given(_TEXTS)
def test_blocks_are_the_lines_of_the_body(body: str):
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = [line.strip() for line in lines if line.strip()]
    try:
        article = _read(title="题", body=body)
    except ParseError as error:
        assert (error.key, expected) == ("parse.archive_no_body", [])
        return

    assert [block.text for block in article.blocks] == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    [
        "id",
        "url",
        "source",
        "newspaper",
        "published",
        "date",
        "subtitle",
        "authors",
        "author",
        "blocks",
        "body",
        "tags",
        "status",
    ]
)


@given(st.dictionaries(_NAMES, _JSON, max_size=8))
def test_fields_of_any_shape_are_read_or_refused(item: dict[str, Any]):
    try:
        article = _read(**({"title": "题", "body": "文"} | item))
    except ParseError as error:
        assert error.key.startswith("parse.")
        return

    assert article.blocks and article.title == "题"
