"""What one article becomes in the Whoosh index: fields with exact positions, numeric columns, no texts."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, FieldType, Schema
from whoosh.formats import Positions

from kb.model import StoredArticle
from kb.text.segment import Segmenter

FORMAT = 1  # raised when anything below changes; an index of another format is rebuilt
ARTICLE_LIMIT = 500_000  # characters of an article that are indexed (reliability.md §7.9)
POSITION_BYTES = 4

Places = dict[str, list[int]]  # word -> where it begins, in characters of the folded text, ascending
Posting = tuple[str, bytes, int, float, bytes]  # field, word, document, weight, positions: Whoosh's order


class CharPositions(Positions):  # type: ignore[misc]  # Whoosh has no types
    """Positions as plain 32-bit numbers: Whoosh pickles them, which is slower both ways."""

    def encode(self, poslist: Iterable[int]) -> bytes:
        return array("I", poslist).tobytes()

    def decode_positions(self, valuestring: bytes) -> list[int]:
        return array("I", valuestring).tolist()

    def decode_frequency(self, valuestring: bytes) -> int:
        return len(valuestring) // POSITION_BYTES


POSITIONS = CharPositions()


class Words(FieldType):  # type: ignore[misc]  # Whoosh has no types
    """A field given as words with their positions; the texts are cut before they reach Whoosh."""

    def __init__(self) -> None:
        # Not scorable: exact lengths are in a column; Whoosh keeps them rounded to a byte.
        super().__init__(POSITIONS, analyzer=None, scorable=False)

    def index(self, value: Places, **_options: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for word, places in value.items():
            count = len(places)
            yield word.encode("utf-8", "surrogatepass"), count, float(count), array("I", places).tobytes()


# text: title and body in one field, because a separate weighted title field ranks worse (engine.md §E).
SCHEMA = Schema(
    text=Words(),
    title=Words(),
    author=Words(),
    affiliation=Words(),
    newspaper=Words(),
    article_id=COLUMN(NumericColumn("q")),
    published=COLUMN(NumericColumn("i")),  # 20230802; 0 for unknown
    length=COLUMN(NumericColumn("I")),  # words of `text`, those inside words included
    newspaper_number=COLUMN(NumericColumn("I")),  # place in the manifest's list of newspapers
)


class Newspapers:
    """The newspapers of an index, numbered in order of arrival; 0 stands for unknown."""

    def __init__(self, names: Iterable[str] = ("",)) -> None:
        self.names = list(names)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str | None) -> int:
        number = self._numbers.setdefault(name or "", len(self.names))
        if number == len(self.names):
            self.names.append(name or "")
        return number


def document(stored: StoredArticle, segmenter: Segmenter, newspapers: Newspapers) -> dict[str, Any]:
    """What Whoosh's add_document takes for one article."""
    article = stored.article
    head = [text for text in (article.kicker, article.title, article.subtitle) if text]
    text, length = _places(segmenter, _capped([*head, *(block.text for block in article.blocks)]))
    return {
        "text": text,
        "title": _places(segmenter, [article.title])[0],
        "author": _places(segmenter, (author.name for author in article.authors))[0],
        "affiliation": _places(segmenter, [article.affiliation or ""])[0],
        "newspaper": _places(segmenter, [article.newspaper or ""])[0],
        "article_id": stored.id,
        "published": int(article.published.replace("-", "")) if article.published else 0,
        "length": length,
        "newspaper_number": newspapers.number(article.newspaper),
    }


def _capped(texts: Iterable[str]) -> Iterator[str]:
    room = ARTICLE_LIMIT
    for text in texts:
        if room <= 0:
            return
        yield text[:room]
        room -= len(text)


def _places(segmenter: Segmenter, texts: Iterable[str]) -> tuple[Places, int]:
    """Words with positions, and how many there are. A gap between texts keeps phrases from crossing over."""
    places: Places = defaultdict(list)
    start = count = 0
    for text in texts:
        tokens = segmenter.tokens(text)
        for word, position in tokens:
            places[word].append(start + position)
        if tokens:
            start += tokens[-1].position + len(tokens[-1].word) + 1
        count += len(tokens)
    return places, count


class PostingPool:
    """Postings grouped by word as they come: a third of the memory of Whoosh's own pool, and only words to sort."""

    def __init__(self) -> None:
        self.size = 0  # bytes, about
        self._fields: dict[str, dict[bytes, list[Any]]] = defaultdict(dict)

    def add(self, item: Posting) -> None:
        field, word, document_number, _, positions = item
        words = self._fields[field]
        postings = words.get(word)
        if postings is None:
            postings = words[word] = []
            self.size += 200
        postings += (document_number, positions)
        self.size += 56 + len(positions)

    def iter_postings(self) -> Iterator[Posting]:
        for field in sorted(self._fields):
            words: Mapping[bytes, list[Any]] = self._fields[field]
            for word in sorted(words):
                postings = iter(words[word])
                for number, positions in zip(postings, postings, strict=True):
                    yield field, word, number, float(len(positions) // POSITION_BYTES), positions

    def cleanup(self) -> None:
        self._fields.clear()
