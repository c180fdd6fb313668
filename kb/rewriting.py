"""Query -> queries near it, and the line that reads as a query. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kb.model import (
    And,
    DateRange,
    Field,
    InTopic,
    LengthRange,
    Node,
    Not,
    Or,
    Page,
    Phrase,
    Query,
    Relaxed,
    Scope,
    Word,
)
from kb.query import OPERATORS, TEXT_FIELDS

NAMES: dict[str, str] = {}
for _name, _field in TEXT_FIELDS.items():
    NAMES.setdefault(_field, _name)  # the first is the usual one: 标题
QUOTES = (("“", "”", '“”"＂„‟'), ("「", "」", "「」"), ("『", "』", "『』"))
_ANY_QUOTE = re.compile('[“”"＂„‟「」『』﹁﹂﹃﹄]')
_PLAIN = re.compile(r"\w+(?:[.·%]\w+)*%?")  # a typed piece that can be nothing but a word
_BREAKS = re.compile(r"[\s、，,;；。！？!?]+")


def line(node: Node) -> str:
    """A line that reads as the query again; a space means 与."""
    match node:
        case Word():
            return _prefix(node.field) + node.text
        case Phrase():
            return _prefix(node.field) + quoted(node.text)
        case DateRange():
            return f"日期:{_value(node.text)}"
        case LengthRange():
            return f"字数:{_value(node.text)}"
        case InTopic():
            return f"专题:{_value(node.text)}"
        case And():
            return " ".join(
                _grouped(part) if isinstance(part, And | Or) else line(part) for part in node.parts
            )
        case Or():
            return " 或 ".join(
                _grouped(part) if isinstance(part, And | Or) else line(part) for part in node.parts
            )
        case Not():
            is_group = isinstance(node.part, And | Or)
            return f"非 {_grouped(node.part) if is_group else line(node.part)}"


def _grouped(node: Node) -> str:
    return f"({line(node)})"


def _prefix(field: Field | None) -> str:
    return f"{NAMES[field]}:" if field else ""


def _value(text: str) -> str:
    return (
        text if re.fullmatch(r"[^\s“”\"＂„‟「」『』﹁﹂﹃﹄、，,;；。！？!?()（）]+", text) else quoted(text)
    )


def quoted(text: str) -> str:
    """The text as a literal, in marks that it does not hold; where it holds all kinds they are left out, as folding does."""
    for left, right, closers in QUOTES:
        if not set(closers) & set(text):
            return left + text + right
    return f"“{_ANY_QUOTE.sub('', text)}”"


def typed(text: str, field: Field | None = None) -> list[Word | Phrase]:
    """The words of a text in which no mark has a meaning; what could be read as more than a word becomes a literal."""
    pieces = [piece for piece in _BREAKS.split(text) if piece]
    return [_word(piece, field) for piece in pieces]


def _word(piece: str, field: Field | None) -> Word | Phrase:
    is_plain = _PLAIN.fullmatch(piece) and piece not in OPERATORS
    return Word(piece, field) if is_plain else Phrase(piece, field)


def all_of(nodes: Iterable[Node]) -> Node | None:
    """What holds all of them; None when there are none."""
    parts = tuple(dict.fromkeys(nodes))
    return None if not parts else parts[0] if len(parts) == 1 else And(parts)


def limited(node: Node, field: Field) -> Node:
    """The same looked for in one field only; what names a field already stays."""
    match node:
        case Word(field=None) | Phrase(field=None):
            return replace(node, field=field)
        case And() | Or():
            return type(node)(tuple(limited(part, field) for part in node.parts))
        case Not():
            return Not(limited(node.part, field))
    return node


def both(text: str, more: str) -> str:
    """A line that finds what of one line another finds too."""
    return " ".join(f"({one.strip()})" if _may_have_or(one) else one.strip() for one in (text, more))


def _may_have_or(text: str) -> bool:
    """Parentheses too many do no harm."""
    return re.search("或|[OoＯｏ][RrＲｒ]", text) is not None


def without_one(node: Node) -> list[tuple[Node, Node]]:
    """Each part that must hold, and what is left without it. Nothing where there is one part only."""
    if not isinstance(node, And):
        return []
    rest = [(part, all_of(other for other in node.parts if other is not part)) for part in node.parts]
    return [(part, left) for part, left in rest if left is not None]


def limited_to(query: Query, scope: Scope) -> Query:
    """The query with what names no field looked for in one only."""
    return query if scope == "all" else replace(query, root=limited(query.root, scope))


def within(query: Query, inside: Node | None) -> Query:
    """The query among what a node finds; None stands for everything."""
    if inside is None:
        return query
    return replace(query, root=And((inside, *query.clauses)) if query.clauses else inside)


def wider(typed: Query, scope: Scope, page: Page) -> Iterator[tuple[Relaxed, Query, Page]]:
    """Every way to drop one filter, the scope or one part of what was typed, and the question that is left."""
    asked = replace(page, collapse=False, facets=(), offset=0, limit=0)
    query = limited_to(typed, scope)
    for name in page.only:
        yield Relaxed("facet", name), query, replace(asked, only={**page.only, name: ()})
    for name, values in page.without.items():
        for value in values:
            kept = {**page.without, name: tuple(one for one in values if one != value)}
            yield Relaxed("without", name, value), query, replace(asked, without=kept)
    if page.since or page.until:
        yield Relaxed("days"), query, replace(asked, since=None, until=None)
    if len(page.only) + len(page.without) + bool(page.since or page.until) > 1:
        yield Relaxed("filters"), query, replace(asked, only={}, without={}, since=None, until=None)
    if scope != "all":
        yield Relaxed("scope"), typed, asked
    parts = without_one(typed.root)
    for part, left in parts:
        told = Relaxed("part", value=line(part), text=line(left))
        yield told, limited_to(replace(typed, root=left), scope), asked
    for part, _left in parts if len(parts) > 2 else ():
        told = Relaxed("rest", value=line(part), text=line(part))
        yield told, limited_to(replace(typed, root=part), scope), asked
