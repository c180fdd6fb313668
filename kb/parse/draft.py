"""What one rung of the extraction ladder read from a page, before it becomes an article. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from kb.model import Author
from kb.parse.lines import Line

_LONGEST = {"newspaper": 40, "edition_page": 20, "page_name": 30}  # characters; 300 for the others


@dataclass(slots=True)
class Draft:
    """Fields as text, each with where it came from, and the lines of the body."""

    rule: str  # founder-classic
    confidence: float  # of the rung, before facts of the page lower it
    texts: dict[str, str] = field(
        default_factory=dict
    )  # names as in model.Article; author: the line as printed
    origins: dict[str, str] = field(default_factory=dict)  # title -> founder-comment
    lines: list[Line] = field(default_factory=list)
    authors: tuple[Author, ...] = ()  # when the rung has read the names itself
    head: list[str] = field(default_factory=list)  # lines taken off above the text
    tail: list[str] = field(default_factory=list)  # and below it
    flags: list[str] = field(default_factory=list)

    def offer(self, name: str, text: str | None, origin: str) -> None:
        """Take `text` for the field unless it is empty, too long to be one, or the field has one: who comes first wins."""
        text = text.strip() if text else ""
        if text and name not in self.texts and len(text) <= _LONGEST.get(name, 300):
            self.texts[name] = text
            self.origins[name] = origin

    def offer_found(self, name: str, found: tuple[str, str] | None) -> None:
        """As `offer`, with (text, origin) or None."""
        if found:
            self.offer(name, *found)


def complete(upper: Draft, lower: Draft) -> Draft:
    """`upper` with what only `lower` has. Text, name and confidence are those of the rung that has the text."""
    main = upper if upper.lines else lower
    return Draft(
        rule=main.rule,
        confidence=main.confidence,
        texts={**lower.texts, **upper.texts},
        origins={**lower.origins, **upper.origins},
        lines=main.lines,
        authors=upper.authors or lower.authors,
        head=main.head,
        tail=main.tail,
        flags=[*upper.flags, *lower.flags],
    )
