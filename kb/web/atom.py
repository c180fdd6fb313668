"""Atom feeds (RFC 4287) of articles: what came into the library last is first. The same articles give the same bytes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, url_for

from kb.model import BODY_KINDS, SHOWN_STATUSES, StoredArticle
from kb.store import articles, library_facts
from kb.store.db import reading
from kb.text.normalize import display
from kb.web.addresses import absolute
from kb.web.conditional import conditional
from kb.web.library import the_library
from kb.web.visitor import the_hidden
from kb.web.wording import edition

ENTRIES = 50  # of a feed
SUMMARY_CHARS = 200  # of the text, in a summary
MIMETYPE = "application/atom+xml"
EMPTY_SINCE = (
    "2000-01-01T00:00:00Z"  # when a feed without entries was changed last; RFC 4287 §4.1.1 wants a moment
)
# What XML 1.0 §2.2 has no place for, and the controls that it advises against.
_NO_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as a feed tells it; its texts are ready for XML, on one line."""

    id: str  # urn:uuid:…, the same whatever the host
    title: str
    url: str
    updated: str  # 2026-11-22T06:10:00Z
    authors: tuple[str, ...]
    newspaper: str
    summary: str


def feed(name: str, title: str, page: str, path: str, ids: Sequence[int]) -> Response:
    """The feed of these articles, or 304 where the asker has it.

    `name`: what the feed is known by for ever, feed/newest; `page` and `path`: where people and programs find it;
    `ids`: in the order told; those that the asker may not see, or nobody any more, are left out.
    """
    library, hidden = the_library(), the_hidden()
    with reading(library.database) as connection:
        known_by = library_facts.library_id(connection)
        # The store has the last word: what was hidden or withdrawn a moment ago is not told.
        stored = articles.many(connection, ids, hidden=hidden)
    shown = [stored[one] for one in ids if one in stored and stored[one].status in SHOWN_STATUSES]
    entries = [_entry(one, known_by) for one in shown]
    text = render_template(
        "feed.xml",
        id=_urn(known_by, name),
        title=line(title),
        page=absolute(page),
        address=absolute(path),
        updated=max((entry.updated for entry in entries), default=EMPTY_SINCE),
        entries=entries,
    )
    return xml(text, MIMETYPE)


def xml(text: str, mimetype: str) -> Response:
    """An XML document as an answer, or 304."""
    return conditional(Response(text, content_type=f"{mimetype}; charset=utf-8"))


def line(text: str) -> str:
    """A text as XML can hold it, on one line."""
    return _SPACE.sub(" ", _NO_XML.sub("", text)).strip()


def newest(**asked: Any) -> tuple[int, ...]:
    """What a search finds of all that the asker may see, the last added first. Raises as kb.search.Search.matches does."""
    found = the_library().search.matches(**asked, hidden=the_hidden(), sort="added_last", limit=ENTRIES)
    return found.ids


def _urn(known_by: uuid.UUID, name: str) -> str:
    return uuid.uuid5(known_by, name).urn


def _entry(stored: StoredArticle, known_by: uuid.UUID) -> Entry:
    article = stored.article
    body = " ".join(block.text for block in article.blocks if block.kind in BODY_KINDS)
    text = line(display(body[: 2 * SUMMARY_CHARS]))
    cut = text[:SUMMARY_CHARS] + ("…" if len(text) > SUMMARY_CHARS else "")
    place = (
        article.newspaper and f"《{article.newspaper}》",
        article.published,
        edition(article.edition_page),
    )
    said = line(" ".join(part for part in place if part))
    names = (line(author.name) for author in article.authors)
    return Entry(
        id=_urn(known_by, f"article/{stored.id}"),
        title=line(display(article.title)) or f"文章 {stored.id}",
        url=absolute(url_for("article.show", article_id=stored.id)),
        updated=stored.stored_at,
        authors=tuple(name for name in names if name),
        newspaper=line(article.newspaper or ""),
        summary=f"{said}。{cut}" if said else cut,
    )
