"""Bytes of a .docx file -> its lines with what Word's styles say of them. Guarded before it is opened. Pure."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import docx
from defusedxml import DefusedXmlException
from defusedxml import sax as guarded_sax
from docx.document import Document
from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import _Element

from kb.errors import ParseError
from kb.parse.outline import Kind

MEMBER_LIMIT = 2_000  # files inside the archive
XML_LIMIT_MIB = 16  # one part, unpacked
TOTAL_LIMIT_MIB = 128  # all parts, unpacked
_MIB = 1024 * 1024

_HEADING_STYLE = re.compile(r"(?:heading|标题)\s{0,2}([1-9])\Z", re.I)
_STYLES: dict[str, Kind] = {
    **dict.fromkeys(("caption", "题注"), Kind("caption")),
    **dict.fromkeys(("quote", "intense quote", "引用", "明显引用"), Kind("quote")),
    **dict.fromkeys(
        ("list bullet", "list number", "list bullet 2", "list number 2", "项目符号", "编号"), Kind("list")
    ),
}
_TITLES = frozenset({"title", "标题", "文档标题", "大标题"})
_SUBTITLES = frozenset({"subtitle", "副标题"})


@dataclass
class WordText:
    """The text of a document: stripped lines, none empty, in document order."""

    title: str | None = None  # the paragraphs in style Title
    subtitle: str | None = None  # … in style Subtitle
    core_title: str | None = None  # from the file's properties: often a leftover of a template
    lines: list[str] = field(default_factory=list)  # the rest; one line for every row of a table
    marked_up: dict[int, Kind] = field(default_factory=dict)  # index in `lines` -> what its style says


def read_word(data: bytes, *, source: str) -> WordText:
    """Read a .docx. Raises ParseError: parse.bad_docx (no such file, damaged, with a DTD), parse.too_large (a zip bomb)."""
    try:
        _check(data, source)
        document = docx.Document(io.BytesIO(data))
        return _read(document)
    except ParseError:
        raise
    except DefusedXmlException as error:
        raise ParseError("parse.bad_docx", source=source, reason="DTD") from error
    except _DAMAGE as error:
        raise ParseError(
            "parse.bad_docx", source=source, reason=str(error)[:200] or type(error).__name__
        ) from error


# What zipfile, lxml and python-docx raise on damaged input: a part missing, cut off, misnamed, not XML, wrongly nested.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    SAXException,
    SyntaxError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    AssertionError,
    PythonDocxError,
    OpcError,
)


def _check(data: bytes, source: str) -> None:
    """Refuse what would blow up when unpacked, and XML that declares entities, before anything is built from it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if len(members) > MEMBER_LIMIT or total > TOTAL_LIMIT_MIB * _MIB:
            raise ParseError(
                "parse.too_large", source=source, size_mib=total / _MIB, limit_mib=TOTAL_LIMIT_MIB
            )
        for member in members:
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            if member.file_size > XML_LIMIT_MIB * _MIB:
                raise ParseError(
                    "parse.too_large",
                    source=source,
                    size_mib=member.file_size / _MIB,
                    limit_mib=XML_LIMIT_MIB,
                )
            guarded_sax.parseString(archive.read(member), ContentHandler(), forbid_dtd=True)


def _read(document: Document) -> WordText:
    text = WordText(core_title=(document.core_properties.title or "").strip() or None)
    titles: list[str] = []
    subtitles: list[str] = []
    for line, style in _lines(document):
        name = style.strip().lower()
        heading = _HEADING_STYLE.match(name)
        if name in _TITLES and not text.lines:
            titles.append(line)
        elif name in _SUBTITLES and not text.lines:
            subtitles.append(line)
        else:
            kind = Kind("heading", min(int(heading[1]), 3)) if heading else _STYLES.get(name)
            if style == _TABLE:
                kind = Kind("table")
            if kind:
                text.marked_up[len(text.lines)] = kind
            text.lines.append(line)
    text.title = "".join(titles) or None
    text.subtitle = "\n".join(subtitles) or None
    return text


_TABLE = "\t"  # stands for the style of table rows; no style is named so


def _lines(document: Document) -> Iterator[tuple[str, str]]:
    """(line, name of its style) of every paragraph and table row, empty ones left out."""
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            yield from ((row, _TABLE) for row in _rows(item))
            continue
        style = _style_name(item)
        for line in item.text.splitlines():
            if stripped := line.strip():
                yield stripped, style


def _style_name(paragraph: Paragraph) -> str:
    style = paragraph.style
    return (style.name or "") if style is not None else ""


def _rows(table: Table) -> Iterator[str]:
    """Rows with cells divided by tabs. Read from the XML: python-docx repeats a merged cell as often as the file says."""
    for row in table._tbl.iterchildren(qn("w:tr")):
        cells = (_cell(cell) for cell in row.iterchildren(qn("w:tc")))
        text = "\t".join(cell for cell in cells if cell)
        if text:
            yield text


def _cell(cell: _Element) -> str:
    """The text of a cell in one line; a table inside it is read along."""
    paragraphs = ("".join(part.text or "" for part in one.iter(qn("w:t"))) for one in cell.iter(qn("w:p")))
    return " ".join(" ".join(paragraphs).split())
