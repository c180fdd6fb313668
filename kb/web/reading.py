"""An article as it is read on a screen: highlights, display punctuation, outline. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kb.model import Article, Block, Mark, Quotation, Run
from kb.text import snippet
from kb.text.normalize import display


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """One block as shown."""

    anchor: str  # b3fa91c02
    kind: str  # paragraph
    rank: int  # of its HTML heading, 2–6; 0 when it is none
    opening: tuple[Run, ...]  # a run-in heading (一是加强政治建设。), in bold
    runs: tuple[Run, ...]  # the rest

    def rows(self) -> list[list[list[Run]]]:
        """The runs of a table by row and cell; a table is stored as lines of cells parted by tabs."""
        table: list[list[list[Run]]] = [[[]]]
        for run in self.runs:
            for piece in re.split(r"([\t\n])", run.text):
                if piece == "\n":
                    table.append([[]])
                elif piece == "\t":
                    table[-1].append([])
                elif piece:
                    table[-1][-1].append(Run(piece, run.matched))
        return table

    @property
    def marks(self) -> int:
        """How many are shown: one that runs through two cells, or out of an opening, counts twice."""
        shown = [cell for row in self.rows() for cell in row] if self.kind == "table" else [self.runs]
        return _marks(self.opening) + sum(map(_marks, shown))


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as shown, with the places of what was searched for."""

    title: tuple[Run, ...]
    kicker: tuple[Run, ...]
    subtitle: tuple[Run, ...]
    blocks: tuple[ReadBlock, ...]
    outline: tuple[ReadBlock, ...]  # the headings among `blocks`
    quotations: tuple[Quotation, ...]  # words with display punctuation
    hits: int  # how many places are marked


def read(article: Article, marks: Sequence[Mark]) -> Reading:
    """`article` with every occurrence of `marks` marked on exactly the stored characters."""
    ranks = heading_ranks(article.blocks)
    blocks = tuple(_block(block, rank, marks) for block, rank in zip(article.blocks, ranks, strict=True))
    title, kicker, subtitle = (
        mark(getattr(article, place) or "", snippet.marked_in(marks, place))
        for place in ("title", "kicker", "subtitle")
    )
    return Reading(
        title=title,
        kicker=kicker,
        subtitle=subtitle,
        blocks=blocks,
        outline=tuple(block for block in blocks if block.rank),
        quotations=_quotations(article),
        hits=_marks(title + kicker + subtitle) + sum(block.marks for block in blocks),
    )


def mark(text: str, marks: Sequence[Mark]) -> tuple[Run, ...]:
    """The text as shown, in runs, the occurrences of `marks` marked."""
    return shown(snippet.runs(text, marks)) if marks else shown((Run(text, False),))


def shown(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs with display punctuation.

    Whether a mark is widened depends on both its neighbours, so the text is taken whole, and cut again at
    the same places: `display` replaces characters one for one.
    """
    whole = display("".join(run.text for run in runs))
    cut = []
    start = 0
    for run in runs:
        cut.append(Run(whole[start : start + len(run.text)], run.matched))
        start += len(run.text)
    return tuple(cut)


def heading_ranks(blocks: Sequence[Block]) -> list[int]:
    """The rank of each block's HTML heading, 0 for other blocks: below the title (h1), none skipped.

    A text may open with 1. and never have 一、; headings of one level under one heading share a rank.
    """
    ranks = []
    above: list[int] = []  # levels of the headings that the present place is under
    for block in blocks:
        if block.kind != "heading":
            ranks.append(0)
            continue
        level = block.level or 1
        while above and above[-1] >= level:
            above.pop()
        above.append(level)
        ranks.append(min(len(above) + 1, 6))
    return ranks


def safe_url(url: str | None) -> str | None:
    """The URL when a browser may be sent there: http or https with a host."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _block(block: Block, rank: int, marks: Sequence[Mark]) -> ReadBlock:
    opening, rest = _split(mark(block.text, snippet.marked_in(marks, block.kind)), block.run_in)
    return ReadBlock(block.anchor, block.kind, rank, opening, rest)


def _split(runs: Sequence[Run], at: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """The runs before and after character `at`; a run that spans it is cut."""
    before: list[Run] = []
    after: list[Run] = []
    left = at
    for run in runs:
        if left > 0:
            before.append(Run(run.text[:left], run.matched))
        if left < len(run.text):
            after.append(Run(run.text[max(left, 0) :], run.matched))
        left -= len(run.text)
    return tuple(before), tuple(after)


def _marks(runs: Sequence[Run]) -> int:
    return sum(run.matched for run in runs)


def _quotations(article: Article) -> tuple[Quotation, ...]:
    texts = {block.anchor: display(block.text) for block in article.blocks}
    return tuple(
        Quotation(
            quotation.speaker,
            quotation.verb,
            texts[quotation.anchor][quotation.start : quotation.start + len(quotation.words)],
            quotation.anchor,
            quotation.start,
        )
        for quotation in article.quotations
        if quotation.anchor in texts
    )
