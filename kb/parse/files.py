"""Files -> Article: a page saved as text, a Word document, a line of an archive. Bytes and lines in, no disk. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.errors import ParseError
from kb.model import BODY_KINDS, Article, Provenance, SiteRule
from kb.parse.archive import read_archive_line
from kb.parse.boilerplate import is_source_line, trim
from kb.parse.heading import Heading, read_heading
from kb.parse.masthead import Masthead, read_masthead
from kb.parse.page import decode
from kb.parse.quotation import quotations
from kb.parse.structure import Body, read_body
from kb.parse.word import WordText, read_word

__all__ = ["read_archive_line", "read_docx", "read_text"]  # the three kinds of file, behind one door

LINE_LIMIT = 100_000  # lines of one file
# White space and marks that print nothing; str.strip knows the former only.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_SURE, _GUESSED = 0.95, 0.7  # confidence: with title and text told apart by marks; by the order of lines only


@dataclass(frozen=True, slots=True)
class _Parts:
    """A file's lines, told apart."""

    head: Heading
    body: Body
    facts: Masthead
    removed: tuple[str, ...]


def read_text(
    data: bytes, *, key: str, source: str, rule: SiteRule | None = None, limit_mib: float = 2.0
) -> Article:
    """Read a page that was saved as text, whatever its encoding: page furniture, title block, body, foot.

    `key`: what the article is known by. `limit_mib`: larger files are refused. Text is stored as it stands but for the white
    space around its lines; every line that is not in a field or a block is in provenance.removed.
    Raises ParseError: parse.too_large, parse.no_title, parse.no_body.
    """
    _check_size(len(data) / 1024 / 1024, key, limit_mib)
    decoded = decode(data, "text/plain")
    lines = [stripped for line in decoded.text.splitlines() if (stripped := _strip(line))]
    if len(lines) > LINE_LIMIT:
        raise ParseError("parse.too_complex", source=key, tags=len(lines))
    trimmed = trim(lines, rule.boilerplate if rule else ())
    head = read_heading(trimmed.kept, source=key)
    body = read_body(trimmed.kept[head.lines_used :], authors=head.authors)
    facts = read_masthead([*trimmed.head, *head.facts, *filter(is_source_line, trimmed.tail)])
    removed = (*trimmed.head, *head.removed, *body.removed, *trimmed.tail)
    name = f"{rule.slug}@{rule.version}" if rule else "text"
    flags = ("encoding.damaged",) if decoded.damaged else ()
    return _article(_Parts(head, body, facts, removed), key, source, rule=rule, name=name, flags=flags)


def read_docx(
    data: bytes, *, key: str, source: str, rule: SiteRule | None = None, limit_mib: float = 20.0
) -> Article:
    """Read a Word document. Headings come from Word's styles and from the numbering in the text; tables are kept as such.

    The title is the paragraph in style Title, else the first line that can be one, else the file's title property.
    Raises ParseError: parse.too_large, parse.bad_docx, parse.no_title, parse.no_body.
    """
    _check_size(len(data) / 1024 / 1024, key, limit_mib)
    word = read_word(data, source=key)
    head, used = _word_heading(word, key)
    marked_up = {place - used: kind for place, kind in word.marked_up.items() if place >= used}
    body = read_body(word.lines[used:], marked_up=marked_up, authors=head.authors)
    facts = read_masthead(head.facts)
    parts = _Parts(head, body, facts, (*head.removed, *body.removed))
    return _article(parts, key, source, rule=rule, name="docx", flags=())


def _word_heading(word: WordText, key: str) -> tuple[Heading, int]:
    """The heading of a document, and how many of its lines that are in no title style belong to it."""
    above = [line for line in (word.title, *(word.subtitle or "").split("\n")) if line]
    first_part = min((place for place in word.marked_up if place > 0 or above), default=len(word.lines))
    try:
        head = read_heading([*above, *word.lines[:first_part]], source=key)
    except ParseError:
        title = word.title or word.core_title
        if not title:
            raise
        head = Heading(title, subtitle=word.subtitle, lines_used=len(above), guessed=word.title is None)
    if word.title and head.title != word.title:
        head = Heading(word.title, subtitle=word.subtitle, lines_used=len(above))
    return head, max(head.lines_used - len(above), 0)


def _strip(line: str) -> str:
    """A line without the white space and invisible marks around it."""
    return line.strip().strip(_INVISIBLE).strip()


def _check_size(size_mib: float, key: str, limit_mib: float) -> None:
    if size_mib > limit_mib:
        raise ParseError("parse.too_large", source=key, size_mib=size_mib, limit_mib=limit_mib)


def _article(
    parts: _Parts, key: str, source: str, *, rule: SiteRule | None, name: str, flags: Sequence[str]
) -> Article:
    head, body, facts = parts.head, parts.body, parts.facts
    if not any(block.kind in BODY_KINDS for block in body.blocks):
        raise ParseError("parse.no_body", source=key)
    subtitle = "\n".join(part for part in (head.subtitle, body.subtitle) if part) or None
    affiliation = body.affiliation or head.affiliation
    found: Mapping[str, object] = {
        "published": facts.published,
        "newspaper": facts.newspaper,
        "edition_page": facts.edition_page,
        "page_name": facts.page_name,
    }
    origins = {field: "header-line" for field, value in found.items() if value}
    newspaper = facts.newspaper
    if rule and rule.newspaper:
        newspaper, origins["newspaper"] = rule.newspaper, "rule"
    origins |= {"title": "lines"} | ({"authors": "byline"} if body.authors else {})
    origins |= ({"subtitle": "dash"} if subtitle else {}) | ({"affiliation": "text"} if affiliation else {})
    return Article(
        key=key,
        source=source,
        title=head.title,
        blocks=body.blocks,
        newspaper=newspaper,
        published=facts.published,
        edition_page=facts.edition_page,
        page_name=facts.page_name,
        kicker=head.kicker,
        subtitle=subtitle,
        authors=body.authors,
        affiliation=affiliation,
        quotations=quotations(body.blocks),
        continues=body.continues,
        provenance=Provenance(
            rule=name,
            confidence=_GUESSED if head.guessed else _SURE,
            origins=origins,
            removed=parts.removed,
            flags=(*flags, *(("title.guessed",) if head.guessed else ())),
        ),
    )
