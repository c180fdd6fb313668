"""The documents as every engine gets them: one line of plain texts each, cut by kb's own segmenter on the way.

    {"id": 7, "texts": [[["text", "grams"], "让支部强在项目一线"], [["text", "grams"], "青石县把支部…"]], "published": 20240315, …}

Each text with the fields that hold it. kb_index.py writes the lines. This module imports nothing of kb's engine, because
every process that cuts texts for a peer imports it, and the engine's compiler is no cost of theirs.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice, pairwise
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import measure

from kb import config
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter

FIELDS = ("text", "grams")  # of every index, as kb/engine/tokens.py has them
END = "\n"  # second character of the bigram at the end of a text in kb's index
TOGETHER = 250  # documents handed to a process at once
BREAK = "ꙮ"  # between two texts of a field in a peer's index, so that no phrase crosses: a letter that no text has

Line = dict[str, Any]
_of_process: dict[str, Any] = {}


def lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def segmenter() -> Segmenter:
    """The same for kb and for every peer."""
    return load_segmenter(config.lexicon_lines())


# --- for peers -----------------------------------------------------------------------------------------------


class Written(dict[str, str]):
    """Word -> the words inside it and itself, with spaces between: what a peer that splits at spaces is fed."""

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self._parts = segmenter.parts

    def __missing__(self, word: str) -> str:
        self[word] = made = " ".join([*(part for part, _ in self._parts(word)), word])
        return made


def fed(path: Path, count: int) -> Iterator[tuple[Line, dict[str, str]]]:
    """Each of the first `count` documents with its fields cut, ready to index. Cut in as many processes as there are processors."""
    return _spread(_cut_for_peers, islice(lines(path), count), _start, ())


def _start() -> None:
    cutter = segmenter()
    _of_process.update(segmenter=cutter, written=Written(cutter))


def _cut_for_peers(batch: Sequence[str]) -> list[tuple[Line, dict[str, str]]]:
    return [_fields(json.loads(line)) for line in batch]


def _fields(line: Line) -> tuple[Line, dict[str, str]]:
    words_of, written = _of_process["segmenter"].words, _of_process["written"].__getitem__
    cut: dict[str, list[str]] = {field: [] for field in FIELDS}
    for fields, text in line.pop("texts"):
        words = words_of(text)
        as_words = " ".join(map(written, words))
        for field in fields:
            if field == "grams":
                folded = "".join(words)
                cut[field].append(" ".join(map(add, folded, folded[1:])))
            else:
                cut[field].append(as_words)
    return line, {field: f" {BREAK} ".join(filter(None, texts)) for field, texts in cut.items()}


# --- for the exhaustive scan ---------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What the queries ask for: all that has to be kept of the documents to answer them by hand."""

    words: list[str]
    grams: list[str]
    literals: list[str]  # folded strings, looked for in single texts


class Looked(NamedTuple):
    """What a document holds of it. Pairs of numbers: which of the wanted, and where."""

    line: Line  # its columns
    lengths: tuple[int, int]  # tokens of the field text, of grams
    words: array[int]
    grams: array[int]
    literals: dict[int, int]  # how often it holds each


def looked_through(path: Path, wanted: Wanted) -> Iterator[Looked]:
    """Every document, cut by Segmenter.tokens, the plain reference, not by the engine's own faster way."""
    return _spread(_look_through, lines(path), _start_looking, (wanted,))


def _start_looking(wanted: Wanted) -> None:
    _start()
    _of_process["words"] = {word: number for number, word in enumerate(wanted.words)}
    _of_process["grams"] = {gram: number for number, gram in enumerate(wanted.grams)}
    _of_process["literals"] = list(enumerate(wanted.literals))


def _look_through(batch: Sequence[str]) -> list[Looked]:
    return [_look(json.loads(line)) for line in batch]


def _look(line: Line) -> Looked:
    cut, words, grams = _of_process["segmenter"], _of_process["words"], _of_process["grams"]
    kept_words, kept_grams = array("I"), array("I")
    start = text_length = gram_length = 0
    folded_texts: list[str] = []
    for fields, text in line.pop("texts"):
        tokens = cut.tokens(text)
        size = max((token.position + len(token.word) for token in tokens), default=0)
        if "text" in fields:
            text_length += len(tokens)
            for word, position in tokens:
                if word in words:
                    kept_words.extend((words[word], start + position))
        if "grams" in fields:
            folded = "".join(cut.words(text))
            folded_texts.append(folded)
            gram_length += size
            for position, pair in enumerate(pairwise(folded + END)):
                if (gram := "".join(pair)) in grams:
                    kept_grams.extend((grams[gram], start + position))
        start += size + 1
    return Looked(line, (text_length, gram_length), kept_words, kept_grams, _literals(folded_texts))


def _literals(texts: Sequence[str]) -> dict[int, int]:
    joined = END.join(texts)
    return {
        number: _count(joined, literal) for number, literal in _of_process["literals"] if literal in joined
    }


def _count(text: str, literal: str) -> int:
    """Overlapping occurrences, too: 三三 is twice in 三三三."""
    found, at = 0, text.find(literal)
    while at >= 0:
        found, at = found + 1, text.find(literal, at + 1)
    return found


# --- several processes ---------------------------------------------------------------------------------------


def _ready(_number: int) -> None:
    """Keeps its process busy until the others have started, too."""
    time.sleep(0.1)


def _spread(
    work: Callable[[Sequence[str]], list[Any]], rest: Iterable[str], start: Callable[..., None], given: tuple[Any, ...]
) -> Iterator[Any]:  # fmt: skip
    """The results in order; few batches wait at a time, so memory stays bounded."""
    rest = iter(rest)
    count = os.cpu_count() or 1
    waiting: deque[Future[list[Any]]] = deque()
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), start, given) as pool:
        list(pool.map(_ready, range(count)))
        measure.start_clock()  # of the child that builds an index: starting others is no part of it
        while batch := list(islice(rest, TOGETHER)):
            waiting.append(pool.submit(work, batch))
            if len(waiting) > 2 * count:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
