"""The documents of docs/ as pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from flask import Blueprint, abort, render_template, url_for

from kb.config import shipped
from kb.web.access import public
from kb.web.markdown import Piece, read_markdown
from kb.web.reading import safe_url

ORDER = ("query-syntax", "using", "operations", "architecture", "benchmarks")  # others follow by name

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True, slots=True)
class Document:
    """One document."""

    name: str  # operations
    title: str  # 运维手册 · Operations
    pieces: tuple[Piece, ...]
    outline: tuple[Piece, ...]  # headings of the second rank


@blueprint.get("/help")
@public
def front() -> str:
    return _page(next(iter(all_documents(shipped("docs")))))


@blueprint.get("/help/<name>")
@public
def page(name: str) -> str:
    return _page(name)


def _page(name: str) -> str:
    documents = all_documents(shipped("docs"))
    if name not in documents:
        abort(404)
    return render_template("help.html", document=documents[name], documents=documents.values())


@lru_cache(maxsize=2)
def all_documents(folder: Path) -> dict[str, Document]:
    """Every document of a folder by its name, in the order shown. Read once: shipped files do not change."""
    names = [path.stem for path in folder.glob("*.md")]
    names.sort(key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return {name: read(name, (folder / f"{name}.md").read_text(encoding="utf-8"), names) for name in names}


def read(name: str, markdown: str, names: Iterable[str]) -> Document:
    """A document of Markdown; links to the documents `names` become links to their pages. Pure but for url_for."""
    files = {f"{one}.md" for one in names}
    pieces = tuple(_numbered(read_markdown(markdown, lambda href: _address(href, files))))
    title = next((piece.words() for piece in pieces if piece.tag == "h1"), name)
    return Document(name, title, pieces, tuple(piece for piece in pieces if piece.tag == "h2"))


def _numbered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Headings get an id from their words, as in the links of the documents; one that comes again a number."""
    seen: dict[str, int] = {}
    for piece in pieces:
        if not re.fullmatch(r"h[1-6]", piece.tag):
            yield piece
            continue
        slug = heading_id(piece.words())
        seen[slug] = seen.get(slug, 0) + 1
        yield replace(piece, id=slug if seen[slug] == 1 else f"{slug}-{seen[slug]}")


def heading_id(words: str) -> str:
    """s-设置-settings for 设置 · Settings: what GitHub makes of it, behind s- so that no other id of a page is met."""
    return "s-" + re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.lower()).strip())


def _address(href: str, names: set[str]) -> str | None:
    """Where a link of a document leads: within the page, to another document, to another site; else nowhere."""
    path, _, fragment = href.partition("#")
    anchor = f"s-{unquote(fragment)}" if fragment else None
    if not path:
        return f"#{anchor}"
    if path in names:
        return url_for("help.page", name=path.removesuffix(".md"), _anchor=anchor)
    return safe_url(href)
