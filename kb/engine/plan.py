"""A query as typed -> the tree that finds it. What is marked in the texts comes from the same cutting.

A typed word is cut into units. A unit of Han characters is found wherever its characters stand side by side, so that
the cutting of a text never hides it, and in a byline as a word; one of letters or digits is found as a whole word.
What is found is ordered by the words and, with half their weight, the bigrams of what was typed (engine.md §E).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from kb.engine import tree
from kb.engine.columns import LAST_DAY, MOST_CHARS, day
from kb.engine.tokens import grams_of, union
from kb.engine.tree import Literal, Member, Named, Range, Rank, Term
from kb.model import (
    NAME_FIELDS,
    And,
    DateRange,
    InTopic,
    LengthRange,
    Mark,
    Match,
    Membership,
    Node,
    Not,
    Or,
    Phrase,
    Query,
    Word,
)
from kb.text.normalize import fold
from kb.text.segment import Segmenter
from kb.text.stopwords import STOPWORDS

# A typed word this short with an unknown piece in it is taken as a name: its pieces must touch.
NAME_CHARS = 4
# So many words of so many units each are a list; more are a question. Measured: docs/benchmarks.md.
LIST_CLAUSES, LIST_UNITS = 4, 2
ENOUGH = 0.2  # of the words of a question, in its fallback
GRAM_BOOST = 0.5  # of the bigrams beside the words (engine.md §E)
STOPWORD_BOOST = 0.5
SYNONYM_BOOST = 0.5  # of what was not typed


def of(query: Query, segmenter: Segmenter, match: Match = "all") -> Rank:
    """The tree of a query; with "any" that of its fallback: words and phrases may be missing, all else must hold."""
    clauses = query.clauses
    by = union(_terms(clause, segmenter) for clause in clauses)
    if match == "all" or not can_be_loosened(query):
        return Rank(_condition(query.root, segmenter), by)
    loose = _loose(query)
    must = tuple(_condition(clause, segmenter) for clause in clauses if clause not in loose)
    texts = _loose_texts(query)
    if not _is_list(loose, segmenter):
        return Rank(tree.And((*must, _many_words(texts, segmenter))), by)
    tiers = tuple(_condition(clause, segmenter) for clause in loose)
    return Rank(tree.And((*must, _any_piece(texts, segmenter))), by, tiers if len(tiers) > 1 else ())


def can_be_loosened(query: Query) -> bool:
    """Whether there is a fallback: operators, and quotation marks without a word beside them, mean just what they say."""
    return not query.is_strict and any(
        isinstance(clause, Word) and clause.field is None for clause in query.clauses
    )


def marks(query: Query, segmenter: Segmenter, match: Match = "all") -> tuple[Mark, ...]:
    """What to mark in titles and texts; with "any" the parts that the fallback finds too. Nothing of what must not be there."""
    found = union(_marks(clause, segmenter) for clause in query.clauses)
    if match == "all" or not can_be_loosened(query):
        return found
    parts = _telling_parts(_loose_texts(query), segmenter)
    return union((found, (Mark("".join(part)) for part in parts)))


# --- what must hold -------------------------------------------------------------------------------------------


def _loose(query: Query) -> list[Word | Phrase]:
    """What may be missing in the fallback."""
    return [one for one in query.clauses if isinstance(one, Word | Phrase) and one.field is None]


def _loose_texts(query: Query) -> list[str]:
    return [
        text for one in _loose(query) for text in (one.text, *(one.also if isinstance(one, Word) else ()))
    ]


def _is_list(clauses: Sequence[Word | Phrase], segmenter: Segmenter) -> bool:
    """党建 业务 融合: how many match says more than how well. In a question, which has stop words, it does not."""
    cuts = [(segmenter.words(clause.text), _units(clause.text, segmenter)) for clause in clauses]
    return len(clauses) <= LIST_CLAUSES and not any(
        len(units) > LIST_UNITS or STOPWORDS.intersection(words) for words, units in cuts
    )


def _any_piece(texts: Sequence[str], segmenter: Segmenter) -> tree.Node:
    """One unit or a part of it is reason enough to show an article."""
    return tree.Or(tuple(_piece(part, None) for part in _telling_parts(texts, segmenter)))


def _telling_parts(texts: Sequence[str], segmenter: Segmenter) -> list[tuple[str, ...]]:
    """Units and their parts; a single character only where there is no more."""
    units = [unit for text in texts for unit in _needed(_units(text, segmenter))]
    telling = [part for unit in units for part in (unit, *_parts(unit, segmenter)) if len("".join(part)) > 1]
    return list(dict.fromkeys(telling or units))


def _parts(unit: tuple[str, ...], segmenter: Segmenter) -> Iterator[tuple[str]]:
    """The words inside a word; of what was put together (许 剑虹, 硕塞卒) each two characters, for one may be too many."""
    inside = [part.word for part in segmenter.parts(unit[0])] if len(unit) == 1 else grams_of("".join(unit))
    yield from ((part,) for part in inside)


def _many_words(texts: Sequence[str], segmenter: Segmenter) -> tree.Node:
    """A part of the words of a question."""
    cut = union(segmenter.words(text) for text in texts)
    telling = [word for word in cut if word not in STOPWORDS] or cut
    return tree.Or(tuple(Term("text", word) for word in telling), max(1, int(len(telling) * ENOUGH)))


def _condition(node: Node, segmenter: Segmenter) -> tree.Node:
    match node:
        case And():
            return tree.And(tuple(_condition(part, segmenter) for part in node.parts))
        case Or():
            return tree.Or(tuple(_condition(part, segmenter) for part in node.parts))
        case Not():
            return tree.Not(_condition(node.part, segmenter))
        case DateRange():
            return Range("published", day(node.since) or 1, day(node.until) or LAST_DAY)
        case LengthRange():
            least = min(node.least or 0, MOST_CHARS)
            return Range("body_chars", least, MOST_CHARS if node.most is None else min(node.most, MOST_CHARS))
        case InTopic():
            return tree.Or(tuple(member(one, segmenter) for one in node.topics))
        case Phrase(field=field) if field in NAME_FIELDS:
            return Named(field, fold(node.text))
        case Phrase():
            return Literal(fold(node.text), node.field)
        case Word(also=()):
            return _word(node, segmenter)
        case Word():
            more = tuple(_word(Word(text, node.field), segmenter) for text in node.also)
            return tree.Or((_word(node, segmenter), *more))


def member(topic: Membership, segmenter: Segmenter) -> Member:
    """What a topic has."""
    part = tree.Or(()) if topic.root is None else _condition(topic.root, segmenter)
    return Member(part, topic.pinned, topic.excluded)


def _word(word: Word, segmenter: Segmenter) -> tree.Node:
    """All its units; stop words only where there is nothing else."""
    if word.field in ("author", "edition_page", "source"):
        return Named(word.field, fold(word.text))
    pieces = tuple(_piece(unit, word.field) for unit in _needed(_units(word.text, segmenter)))
    return tree.And(pieces) if pieces else tree.Or(())


def _piece(unit: tuple[str, ...], field: str | None) -> tree.Node:
    text = "".join(unit)
    if field in NAME_FIELDS:
        return Named(field, text)
    latin = tuple(Term("text", one) for one in unit if one[0].isascii())
    if latin and len(latin) == len(unit) and field is None:
        return _in_words(unit)
    # 3月 stands also in 3月份, which is cut otherwise; AI does not stand in email, where no word is AI.
    literal = tree.And((*latin, Literal(text, field))) if latin else Literal(text, field)
    return literal if field is not None else tree.Or((literal, _in_words(unit)))


def _in_words(unit: tuple[str, ...]) -> tree.Node:
    if len(unit) == 1:
        return Term("text", unit[0])
    starts = tuple(sum(map(len, unit[:place])) for place in range(len(unit)))
    return tree.Phrase("text", unit, starts)


def _needed(units: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    return [unit for unit in units if "".join(unit) not in STOPWORDS] or units


def _units(text: str, segmenter: Segmenter) -> list[tuple[str, ...]]:
    """The pieces of one typed word: each for itself, but neighbouring single characters (names) together."""
    words = segmenter.words(text)
    if sum(map(len, words)) <= NAME_CHARS and any(len(word) == 1 for word in words):
        return [tuple(words)]
    groups: list[tuple[str, ...]] = []
    for before, word in pairwise(["", *words]):
        if len(word) == len(before) == 1 and not {word, before} & STOPWORDS:
            groups[-1] += (word,)
        else:
            groups.append((word,))
    return list(dict.fromkeys(groups))


# --- what the order goes by -----------------------------------------------------------------------------------


def _terms(node: Node, segmenter: Segmenter) -> Iterator[Term]:
    """The words and bigrams of all that was typed to be found in texts."""
    match node:
        case And() | Or():
            yield from union(_terms(part, segmenter) for part in node.parts)
        case Word(field=field) | Phrase(field=field) if field not in NAME_FIELDS:
            yield from _terms_of(node.text, segmenter, 1.0)
            if isinstance(node, Word):
                for text in node.also:
                    yield from _terms_of(text, segmenter, SYNONYM_BOOST)


def _terms_of(text: str, segmenter: Segmenter, boost: float) -> Iterator[Term]:
    weighed = (("text", segmenter.words(text), boost), ("grams", grams_of(fold(text)), boost * GRAM_BOOST))
    for field, pieces, weight in weighed:
        for piece in pieces:
            yield Term(field, piece, weight * STOPWORD_BOOST if piece in STOPWORDS else weight)


def _marks(node: Node, segmenter: Segmenter) -> Iterable[Mark]:
    match node:
        case And() | Or():
            return union(_marks(part, segmenter) for part in node.parts)
        case Phrase(field=field) if field not in NAME_FIELDS:
            return (Mark(fold(node.text), True, field),)
        case Word(field=field) if field not in NAME_FIELDS:
            units = [unit for text in (node.text, *node.also) for unit in _needed(_units(text, segmenter))]
            return [Mark("".join(unit), False, field) for unit in units]
    return ()
