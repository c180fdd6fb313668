"""Markdown without HTML, read into pieces that templates escape like everything else. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from kb.text.normalize import display
from kb.web.reading import safe_url

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
Address = Callable[[str], str | None]  # what a link says → where it leads; None: nowhere


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


def read_markdown(markdown: str, address: Address) -> list[Piece]:
    """The pieces of a text (CommonMark with tables; HTML in it is text like any other)."""
    root = SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown))
    return list(_pieces(root.children, address))


def local_or_safe(href: str) -> str | None:
    """Where a link that people wrote leads: to a page of ours (/a/12), to another site by http or https; else nowhere."""
    if re.fullmatch(r"/(?![/\\])[!-~]*", href):
        return href
    return safe_url(href)


def _pieces(nodes: Iterable[SyntaxTreeNode], address: Address) -> Iterator[Piece]:
    for node in nodes:
        if node.type == "inline":
            yield from _shown(_inline(node.children, address))
        elif node.type in LITERAL:
            yield Piece("pre", parts=(Piece("code", node.content),))
        elif node.type == "heading":
            yield Piece(node.tag, parts=tuple(_pieces(node.children, address)))
        elif node.type == "paragraph" and node.hidden:
            yield from _pieces(node.children, address)
        else:
            yield Piece(TAGS[node.type], parts=tuple(_pieces(node.children, address)))


def _inline(nodes: list[SyntaxTreeNode], address: Address) -> Iterator[Piece]:
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
            href = address(str(node.attrs["href"]))
            yield Piece("a" if href else "em", parts=tuple(_inline(node.children, address)), href=href)
        elif node.type in TAGS:
            yield Piece(TAGS[node.type], parts=tuple(_inline(node.children, address)))
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


def introduction(markdown: str) -> list[Piece]:
    """What people wrote at the head of a page of theirs. Its headings are all of the rank below the page's own."""
    return [_lowered(piece) for piece in read_markdown(markdown, local_or_safe)]


def _lowered(piece: Piece) -> Piece:
    """With the headings in it (a quote, a list) too."""
    tag = "h3" if re.fullmatch(r"h[1-6]", piece.tag) else piece.tag
    return replace(piece, tag=tag, parts=tuple(map(_lowered, piece.parts)))
