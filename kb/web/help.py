"""The documents of docs/ as pages: Markdown without HTML, read into pieces that templates escape like everything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from flask import Blueprint, abort, render_template, url_for
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from kb.config import shipped
from kb.text.normalize import display
from kb.web.access import public
from kb.web.reading import safe_url

ORDER = ("query-syntax", "using", "api", "operations", "architecture", "benchmarks")  # others follow by name

# Kinds of Markdown that are an element of HTML as they are.
TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "strong": "strong",
    "em": "em",
    "hr": "hr",
    "hardbreak": "br",
}
LITERAL = ("fence", "code_block")  # lines as they are
_LATIN = re.compile(r"[!-~]")

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, or an element with what is in it."""

    tag: str  # p; "" for text
    text: str = ""  # of what has no parts
    parts: tuple[Piece, ...] = ()
    id: str | None = None  # s-设置-settings, of a heading
    href: str | None = None  # of a link

    def words(self) -> str:
        """All of its text."""
        return self.text + "".join(part.words() for part in self.parts)


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
    root = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown))
    pieces = tuple(_numbered(_pieces(root.children, {f"{one}.md" for one in names})))
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


def _pieces(nodes: Iterable[SyntaxTreeNode], names: set[str]) -> Iterator[Piece]:
    for node in nodes:
        if node.type == "inline":
            yield from _shown(_inline(node.children, names))
        elif node.type in LITERAL:
            yield Piece("pre", parts=(Piece("code", node.content),))
        elif node.type == "heading":
            yield Piece(node.tag, parts=tuple(_pieces(node.children, names)))
        elif node.type == "paragraph" and node.hidden:
            yield from _pieces(node.children, names)
        else:
            yield Piece(TAGS[node.type], parts=tuple(_pieces(node.children, names)))


def _inline(nodes: list[SyntaxTreeNode], names: set[str]) -> Iterator[Piece]:
    for at, node in enumerate(nodes):
        if node.type == "softbreak":
            beside = (
                (nodes[at - 1].content[-1:], nodes[at + 1].content[:1]) if 0 < at < len(nodes) - 1 else ()
            )
            # A line that ends within a Chinese sentence goes on without a space.
            yield Piece("", " " if any(map(_LATIN.match, beside)) else "")
        elif node.type == "code_inline":
            yield Piece("code", node.content)
        elif node.type == "link":
            href = _address(str(node.attrs["href"]), names)
            yield Piece("a" if href else "em", parts=tuple(_inline(node.children, names)), href=href)
        elif node.type in TAGS:
            yield Piece(TAGS[node.type], parts=tuple(_inline(node.children, names)))
        else:  # text, and of an image its description
            yield Piece("", node.content)


def _shown(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """With display punctuation. Whether a mark is widened depends on its neighbours, so the text is taken whole."""
    found = list(pieces)
    words = [_width(piece) for piece in found]
    whole, start = display("".join(words)), 0
    for piece, word in zip(found, words, strict=True):
        start += len(word)
        yield piece if piece.tag else replace(piece, text=whole[start - len(word) : start])


def _width(piece: Piece) -> str:
    """Its text; for an element a Chinese character, since what stands beside it belongs to a Chinese sentence."""
    return "字" if piece.tag else piece.text


def _address(href: str, names: set[str]) -> str | None:
    """Where a link of a document leads: within the page, to another document, to another site; else nowhere."""
    path, _, fragment = href.partition("#")
    anchor = f"s-{unquote(fragment)}" if fragment else None
    if not path:
        return f"#{anchor}"
    if path in names:
        return url_for("help.page", name=path.removesuffix(".md"), _anchor=anchor)
    return safe_url(href)
