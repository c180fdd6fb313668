"""Word documents: styles and text rules agree, hostile files are refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
import pytest
from docx.document import Document
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ParseError
from kb.model import Article
from kb.parse import word
from kb.parse.files import read_docx

TITLE = "基层检察机关党建工作的思考"


def _docx(write: Callable[[Document], object]) -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    write(document)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _plain(*lines: str) -> bytes:
    return _docx(lambda document: [document.add_paragraph(line) for line in lines])


def _read(data: bytes) -> Article:
    return read_docx(data, key="file:/a.docx", source="files")


def _repacked(data: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, content in more.items():
            new.writestr(f"word/{name}.xml", content)
    return stream.getvalue()


def _in_document(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, content: content.replace(old, new, 1) if name == "word/document.xml" else content


STYLED = _docx(
    lambda document: (
        document.add_paragraph(TITLE, style="Title"),
        document.add_paragraph("——以青山县为例", style="Subtitle"),
        document.add_paragraph("■王晓明"),
        document.add_paragraph("习近平总书记指出：“空谈误国，实干兴邦。”"),
        document.add_heading("主要做法", 1),
        document.add_paragraph("（一）抓学习"),
        document.add_paragraph("各支部认真学习。"),
        document.add_paragraph("图一", style="Caption"),
        document.add_paragraph("学而时习之。", style="Quote"),
        document.add_paragraph("要点", style="List Bullet"),
        document.add_paragraph("（作者单位：青山县人民检察院）"),
    )
)


def test_styles_and_numbers_give_the_structure():
    article = _read(STYLED)

    assert (article.title, article.subtitle, article.affiliation) == (
        TITLE,
        "——以青山县为例",
        "青山县人民检察院",
    )
    assert [author.name for author in article.authors] == ["王晓明"]
    assert [(block.kind, block.level) for block in article.blocks] == [
        ("paragraph", None),
        ("heading", 1),
        ("heading", 2),
        ("paragraph", None),
        ("caption", None),
        ("quote", None),
        ("list", None),
    ]
    assert len(article.quotations) == 1


def test_a_document_without_styles_is_read_by_its_words():
    article = _read(_plain(TITLE, "王晓明", "各项工作扎实推进。", "一、做法", "压实责任。"))

    assert (article.title, [author.name for author in article.authors]) == (TITLE, ["王晓明"])
    assert [block.kind for block in article.blocks] == ["paragraph", "heading", "paragraph"]


def test_a_line_in_style_title_is_the_title_whatever_follows():
    data = _docx(
        lambda document: (
            document.add_paragraph(TITLE, style="Title"),
            document.add_paragraph("概述"),
            document.add_paragraph("各项工作扎实推进。"),
        )
    )

    assert (_read(data).title, _read(data).blocks[0].text) == (TITLE, "概述")


def test_the_first_heading_of_a_document_is_not_taken_for_its_title():
    data = _docx(
        lambda document: (
            document.add_heading(TITLE, 1),
            document.add_heading("主要做法", 2),
            document.add_paragraph("各项工作扎实推进。"),
        )
    )

    assert (_read(data).title, [block.level for block in _read(data).blocks]) == (TITLE, [2, None])


def test_the_title_property_is_the_last_resort():
    data = _docx(
        lambda document: (
            setattr(document.core_properties, "title", "属性标题"),
            document.add_paragraph("一、做法"),
            document.add_paragraph("各项工作扎实推进。"),
        )
    )

    assert (_read(data).title, _read(data).provenance.flags) == ("属性标题", ("title.guessed",))


def test_a_table_is_one_block_with_a_line_for_every_row():
    def write(document: Document) -> None:
        for line in (TITLE, "各项工作扎实推进。"):
            document.add_paragraph(line)
        table = document.add_table(2, 2)
        for cell, text in zip(table._cells, ("年份", "件数", "2023", "十二 件"), strict=True):
            cell.text = text

    block = _read(_docx(write)).blocks[-1]

    assert (block.kind, block.text) == ("table", "年份\t件数\n2023\t十二 件")


def test_a_cell_that_claims_to_span_a_thousand_million_columns_costs_nothing():
    data = _docx(lambda document: (document.add_paragraph(TITLE), document.add_table(1, 1)))
    hostile = _repacked(data, _in_document(b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="999999999"/>'))
    with pytest.raises(ParseError) as caught:
        _read(hostile)

    assert caught.value.key == "parse.no_body"


def _utf16(name: str, content: bytes) -> bytes:
    if name != "word/document.xml":
        return content
    text = content.decode().replace("UTF-8", "UTF-16")
    return text.replace("<w:document", "<!DOCTYPE x [<!ENTITY e 'x'>]><w:document", 1).encode("utf-16")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 and nothing else",
        STYLED[: len(STYLED) // 2],
        _repacked(
            STYLED,
            _in_document(
                b"<w:document", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document'
            ),
        ),
        _repacked(STYLED, _utf16),
        _repacked(STYLED, lambda name, content: b"<x/>" if name == "word/document.xml" else content),
        _repacked(STYLED, lambda name, content: b"<broken" if name == "word/styles.xml" else content),
    ],
    ids=["empty", "stub", "cut", "entity", "entity-utf16", "other-xml", "broken-xml"],
)
def test_a_damaged_or_hostile_file_is_refused(data: bytes):
    with pytest.raises(ParseError) as caught:
        _read(data)

    assert caught.value.key == "parse.bad_docx"
    assert "file:/a.docx" in caught.value.words("zh")


def test_what_would_blow_up_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(word, "XML_LIMIT_MIB", 1)
    bomb = _repacked(STYLED, lambda _, content: content, bomb=b"<a>" + b" " * 2_000_000 + b"</a>")
    with pytest.raises(ParseError) as caught:
        _read(bomb)

    assert caught.value.key == "parse.too_large"
    assert len(bomb) < 200_000


def test_a_file_over_the_limit_is_not_opened():
    with pytest.raises(ParseError) as caught:
        read_docx(STYLED, key="file:/a.docx", source="files", limit_mib=0.001)

    assert caught.value.key == "parse.too_large"


@given(st.lists(st.tuples(st.integers(0, len(STYLED) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_never_raise_anything_else(flips: list[tuple[int, int]]):
    data = bytearray(STYLED)
    for place, value in flips:
        data[place] = value
    try:
        article = _read(bytes(data))
    except ParseError as error:
        assert error.key.startswith("parse.")
        return

    assert article.title
