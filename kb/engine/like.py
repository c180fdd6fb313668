"""Articles like one: its most telling words, asked together. And the words of an index, which tell how telling each is."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import numpy as np

from kb.engine import bits, leaves
from kb.engine.answer import find, visible
from kb.engine.bits import Bits
from kb.engine.clock import NEVER
from kb.engine.matching import matching
from kb.engine.snapshot import FIELD_NUMBER, Snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import Or, Term
from kb.model import BODY_KINDS, NOTHING_HIDDEN, Hidden, Page, StoredArticle
from kb.text.segment import Segmenter

TELLING = 25  # words that are asked
READ_CHARS = 20_000  # of an article, from its beginning; what it is about is said by then
TITLE_COUNTS = 3  # times as much as the body
OFTEN = 8  # a word counts no more than so many times
LEAST_SHARE = 0.1  # of what the article itself scores: less is chance
MORE = 4  # as many are asked for as are wanted, because copies of one text are shown once
_WORD = re.compile(r"[\u4e00-\u9fd5]{2,}|[a-z][a-z0-9]+")


def like(
    snapshot: Snapshot,
    segmenter: Segmenter,
    stored: StoredArticle,
    limit: int,
    hidden: Hidden = NOTHING_HIDDEN,
) -> tuple[int, ...]:
    """Ids of the articles most like `stored`, the likest first; of copies of one text the best placed, of its own none."""
    telling = _telling(snapshot, _counted(segmenter, stored), visible(snapshot, hidden))
    groups = snapshot.numbers("group")
    # The index knows the group also where the earliest copy is hidden from who asks.
    own = {stored.reprint_of or stored.id, *groups[snapshot.article_ids == stored.id].tolist()}
    copies = int(np.count_nonzero(np.isin(groups, list(own))))
    tree = Or(tuple(Term("text", word, weight) for word, weight in telling))
    found = find(snapshot, tree, Page(limit=copies + limit * MORE, hidden=hidden), NEVER)
    scores = dict(zip(found.ids, found.scores, strict=True))
    least = scores.get(stored.id, 0.0) * LEAST_SHARE
    seen = set(own)
    chosen: list[int] = []
    for article_id, group in _groups(snapshot, found.ids):
        if group not in seen and scores[article_id] >= least:
            seen.add(group)
            chosen.append(article_id)
    return tuple(chosen[:limit])


def words(snapshot: Snapshot, least: int) -> Iterator[tuple[str, int]]:
    """The words of two and more letters that at least so many articles hold, and how many do; in no order."""
    known = {word for part in snapshot.segments for word in part.terms("text")}
    for word in known:
        if (count := _articles(snapshot, word)) >= least and _WORD.fullmatch(
            text := word.decode("utf-8", "replace")
        ):
            yield text, count


def _counted(segmenter: Segmenter, stored: StoredArticle) -> Counter[str]:
    """The words of an article, those of its title several times."""
    article = stored.article
    body = "\n".join(block.text for block in article.blocks if block.kind in BODY_KINDS)
    counts = Counter(segmenter.words(body[:READ_CHARS]))
    for _ in range(TITLE_COUNTS):
        counts.update(segmenter.words(article.title))
    return Counter({word: count for word, count in counts.items() if _WORD.fullmatch(word)})


def _telling(snapshot: Snapshot, counts: Counter[str], seen: Bits | None) -> list[tuple[str, float]]:
    """The words that tell most, by tf·idf, and how often each counts. What no other article holds tells nothing.

    `seen`: the documents that are not hidden. Their words are weighed once more among them alone, where it takes time: the first.
    """
    weighed = _weighed(counts, {word: _articles(snapshot, encoded(word)) for word in counts}, snapshot.count)
    if seen is not None:
        seen = seen & snapshot.living
        first = {word: counts[word] for word in islice(weighed, TELLING * MORE)}
        held = {word: bits.size(matching(snapshot, Term("text", word), among=seen)) for word in first}
        weighed = _weighed(Counter(first), held, bits.size(seen))
    return list(islice(weighed.items(), TELLING))


def _weighed(counts: Counter[str], held: dict[str, int], articles: int) -> dict[str, float]:
    """How often each word counts, the most telling first. `held`: by how many of the articles."""
    often = {word: float(min(count, OFTEN)) for word, count in counts.items() if held[word] > 1}
    weights = {word: count * math.log(1 + articles / held[word]) for word, count in often.items()}
    return {word: often[word] for word in sorted(often, key=lambda word: (weights[word], word), reverse=True)}


def _articles(snapshot: Snapshot, word: bytes) -> int:
    return int(leaves.total_living(snapshot.table[FIELD_NUMBER["text"]], np.frombuffer(word, np.uint8)))


def _groups(snapshot: Snapshot, ids: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """The articles in their order, each with the group of copies that it belongs to."""
    docs = np.flatnonzero(np.isin(snapshot.article_ids, ids))
    group_of = dict(
        zip(snapshot.article_ids[docs].tolist(), snapshot.numbers("group")[docs].tolist(), strict=True)
    )
    yield from ((article_id, group_of[article_id]) for article_id in ids)
