"""One line of an archive (.jsonl) -> Article. Texts are taken as they are: nothing is stripped, joined or renamed. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from kb.errors import ParseError
from kb.model import SHOWN_STATUSES, Article, Author, Block, BlockKind, Provenance
from kb.parse.byline import read_author_field
from kb.parse.masthead import newspaper_name
from kb.parse.outline import PARAGRAPH, Kind
from kb.parse.quotation import quotations
from kb.parse.structure import read_blocks
from kb.text.dates import read_date
from kb.text.fingerprint import anchors, body_hash

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}\Z", re.I)
_SURROGATES = re.compile("[\ud800-\udfff]")
_KINDS: tuple[BlockKind, ...] = ("list", "quote", "table", "caption", "note")

_Item = dict[str, Any]


def read_archive_line(line: str, *, source: str, number: int = 0) -> Article:
    """Read one line: as `kb export` writes them, or {title, body, …} with author, date, tags as other names.

    `source`: slug for lines that have none of their own (`kb export` writes one). `number`: of the line, for messages.
    One block a line of the body, headings by their numbers; title, body and date unchanged but for outer white space of
    the lines. The `source` of a foreign archive is the newspaper when it is the name of one (人民日报), else it is dropped.
    Key: the URL, else "id:<id>", else "content:<SHA-256 of the folded body>". Shape: DESIGN.md §5 Archives.
    Raises ParseError: parse.bad_archive_line (no JSON object), parse.archive_no_title, parse.archive_no_body,
    parse.archive_withdrawn.
    """
    item = _read_json(line, number)
    title = _text(item, "title")
    if not title or not title.strip():
        raise ParseError("parse.archive_no_title", line=number)
    if item.get("status", "normal") not in SHOWN_STATUSES:
        raise ParseError("parse.archive_withdrawn", line=number, title=title[:40])
    exported = isinstance(item.get("blocks"), list)
    blocks = (
        _exported_blocks(item["blocks"])
        if exported
        else read_blocks(_body_lines(item.get("body")), archive=True)
    )
    if not blocks:
        raise ParseError("parse.archive_no_body", line=number, title=title[:40])
    own_source = _text(item, "source") or ""
    url = _url(item)
    return Article(
        key=url or _key(item.get("id"), blocks),
        source=own_source if exported and _SLUG.match(own_source) else source,
        title=title,
        blocks=blocks,
        url=url,
        newspaper=_text(item, "newspaper") or (None if exported else newspaper_name(own_source)),
        published=read_date(_text(item, "published") or _text(item, "date") or ""),
        edition_page=_text(item, "edition_page"),
        page_name=_text(item, "page_name"),
        kicker=_text(item, "kicker"),
        subtitle=_text(item, "subtitle"),
        authors=_authors(item.get("authors") or item.get("author")),
        affiliation=_text(item, "affiliation"),
        quotations=quotations(blocks),
        tags=_tags(item.get("tags")),
        provenance=Provenance("archive", 1.0),
    )


def _read_json(line: str, number: int) -> _Item:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ParseError("parse.bad_archive_line", line=number, reason=str(error)[:200]) from error
    if not isinstance(item, dict):
        raise ParseError(
            "parse.bad_archive_line", line=number, reason=f"{type(item).__name__}, not an object"
        )
    return item


def _text(item: _Item, name: str) -> str | None:
    """A field as text: numbers as printed, lists joined by line breaks, anything else and "" as None."""
    value = item.get(name)
    if isinstance(value, list):
        value = "\n".join(part for part in value if isinstance(part, str))
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _clean(value) or None if isinstance(value, str) else None


def _url(item: _Item) -> str | None:
    """The item's address; one that is no web address would be shown as a link and is not taken."""
    url = (_text(item, "url") or "").strip()
    return url if _WEB_ADDRESS.match(url) else None


def _clean(text: str) -> str:
    """Without lone surrogates, which JSON can write and no file can hold."""
    return _SURROGATES.sub("\ufffd", text) if not text.isascii() and _SURROGATES.search(text) else text


def _body_lines(body: object) -> list[str]:
    if isinstance(body, list):
        body = "\n".join(part for part in body if isinstance(part, str))
    if not isinstance(body, str):
        return []
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return [text for line in _clean(body).split("\n") if (text := line.strip())]


def _exported_blocks(listed: Sequence[object]) -> tuple[Block, ...]:
    """Blocks of an exported article with their kinds; anchors and run-in headings are worked out anew."""
    texts: list[str] = []
    kinds: list[Kind] = []
    for entry in listed:
        text = _text(entry, "text") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and text and text.strip():
            texts.append(text.strip())
            kinds.append(_exported_kind(entry))
    read = read_blocks(texts, archive=True)
    return tuple(
        Block(anchor, kind.kind, kind.level, text, block.run_in if kind.kind == "paragraph" else 0)
        for anchor, kind, text, block in zip(anchors(texts), kinds, texts, read, strict=True)
    )


def _exported_kind(entry: _Item) -> Kind:
    kind = entry.get("kind")
    level = entry.get("level")
    if kind == "heading":
        return Kind("heading", level if isinstance(level, int) and 1 <= level <= 3 else 1)
    return next((Kind(known) for known in _KINDS if known == kind), PARAGRAPH)


def _key(identity: object, blocks: Sequence[Block]) -> str:
    if isinstance(identity, int | str) and not isinstance(identity, bool) and str(identity).strip():
        return f"id:{_clean(str(identity).strip())}"
    return "content:" + body_hash([block.text for block in blocks])


def _authors(value: object) -> tuple[Author, ...]:
    """Authors as exported ([{name, role}]), as a list of names, or as one string: "A;B"."""
    if isinstance(value, str):
        return read_author_field(_clean(value)) if value.strip() else ()
    if not isinstance(value, list):
        return ()
    found: list[Author] = []
    for entry in value:
        if isinstance(entry, dict) and (name := _text(entry, "name")):
            found.append(Author(name, _text(entry, "role") or "作者"))
        elif isinstance(entry, str) and entry.strip():
            found += read_author_field(_clean(entry))
    return tuple(dict.fromkeys(found))


def _tags(value: object) -> tuple[str, ...]:
    parts = (
        re.split(r"[,，;；、]", value) if isinstance(value, str) else value if isinstance(value, list) else []
    )
    return tuple(
        dict.fromkeys(_clean(part.strip()) for part in parts if isinstance(part, str) and part.strip())
    )
