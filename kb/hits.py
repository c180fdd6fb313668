"""A stored article that a query found -> the hit that a page shows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kb.model import Block, Copy, Hit, Mark, StoredArticle
from kb.text import snippet

SNIPPET_CHARS = 120
LOWEST = 9  # below every level of a heading


def other_texts(hits: Sequence[Hit], whole: Collection[int]) -> tuple[Hit, ...]:
    """The hits beside those, without copies of them."""
    shown = {hit.reprint_of or hit.id for hit in hits if hit.id in whole}
    return tuple(hit for hit in hits if hit.id not in whole and (hit.reprint_of or hit.id) not in shown)


def hit_of(
    stored: StoredArticle,
    score: float,
    marks: Sequence[Mark],
    groups: Mapping[int, Sequence[Copy]],
    gone: Collection[int] = (),
) -> Hit:
    article = stored.article
    passage = snippet.passage(article.blocks, marks, SNIPPET_CHARS)
    group = groups.get(stored.reprint_of or stored.id, ())
    return Hit(
        id=stored.id,
        title=article.title,
        title_runs=snippet.runs(article.title, snippet.marked_in(marks, "title")),
        subtitle=article.subtitle,
        subtitle_runs=snippet.runs(article.subtitle or "", snippet.marked_in(marks, "subtitle")),
        newspaper=article.newspaper,
        source=article.source,
        published=article.published,
        edition_page=article.edition_page,
        authors=article.authors,
        affiliation=article.affiliation,
        body_chars=stored.body_chars,
        score=score,
        snippet=passage.runs,
        snippet_is_cut=(passage.is_cut_before, passage.is_cut_after),
        anchor=passage.anchor,
        heading_path=heading_path(article.blocks, passage.anchor),
        reprint_of=stored.reprint_of,
        copies=tuple(one for one in group if one.id != stored.id and one.id not in gone),
    )


def heading_path(blocks: Sequence[Block], anchor: str | None) -> tuple[str, ...]:
    """The headings that a block stands under, the highest first; of a heading those above it."""
    anchors = [block.anchor for block in blocks]
    if anchor not in anchors:
        return ()
    place = anchors.index(anchor)
    below = blocks[place].level or 1 if blocks[place].kind == "heading" else LOWEST
    path: list[str] = []
    for block in reversed(blocks[:place]):
        if block.kind == "heading" and (block.level or 1) < below:
            path.insert(0, block.text)
            below = block.level or 1
    return tuple(path)
