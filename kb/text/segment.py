"""Text -> words, the same for index and query. Pure: built from lexicon terms handed to it.

The dictionary and algorithm are jieba's, without its guessing of unknown words (HMM): what the dictionary
does not know becomes single characters on both sides, and rjieba (Rust, 16 times as fast) cuts exactly as
jieba does. Only runs of Chinese characters reach them; the rest is cut here, because that is where the two
differ (engine.md §A).
"""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, ClassVar, NamedTuple, Protocol

from kb.text import normalize

VERSION = "segment-1"
TEXT_LIMIT = 500_000  # characters of one text that are cut; the rest is not searchable (reliability.md §7.9)
RUN_LIMIT = 400  # Chinese characters cut together: a run without marks costs more than its length
FIRST_FREQUENCY = 10  # of a lexicon term that the dictionary lacks; ten times more until it is cut out whole
MOST_FREQUENCY = 10**9
INNER_CACHE = 200_000  # words whose sub-words are remembered

_HAN = "\u4e00-\u9fd5"  # what jieba's dictionary covers
_PIECE = re.compile(rf"[{_HAN}]+|[a-z0-9]+(?:(?:_|[^\w\s])[a-z0-9]+)*|\S")
_PART = re.compile("[a-z0-9]+")
# Lettering spaced out, and names padded to the width of three: 通 知, 张　三.
_SPACED = re.compile(rf"(?<![{_HAN}])[{_HAN}](?: +[{_HAN}])+(?![{_HAN}])")


class Token(NamedTuple):
    """A word, and where it begins: the index of its first character in the folded text.

    So `fold(text)[position : position + len(word)] == word`; adjacent words touch, and a phrase is exact.
    """

    word: str
    position: int


class _Cutter(Protocol):
    """What is needed of jieba or rjieba."""

    name: str

    def cut(self, run: str) -> list[str]: ...
    def knows(self, word: str) -> bool: ...
    def set_frequency(self, word: str, frequency: int) -> None: ...


class _Fast:
    """rjieba, an instance of our own so that nothing else changes its dictionary.

    One is made as rjieba is imported, and nobody else uses it: the first segmenter takes it (80 ms, 25 MiB).
    """

    _spare: ClassVar[list[Any]] = []

    def __init__(self) -> None:
        if "rjieba" not in sys.modules:
            import rjieba

            self._spare.append(rjieba._DEFAULT_JIEBA)
        from rjieba import Jieba

        self.name = f"rjieba-{version('rjieba')}"
        jieba = self._spare.pop() if self._spare else Jieba()
        self.knows: Callable[[str], bool] = jieba.has_word
        self._cut, self._add = jieba.cut, jieba.add_word

    def cut(self, run: str) -> list[str]:
        words: list[str] = self._cut(run, False)
        return words

    def set_frequency(self, word: str, frequency: int) -> None:
        self._add(word, frequency, None)


class _Reference:
    """jieba, where rjieba has no wheel. Its cache file, which anyone could plant in /tmp, is never used."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # pkg_resources, which jieba imports where it is installed, warns that it is going away.
            warnings.simplefilter("ignore")
            from jieba import Tokenizer
        self.name = f"jieba-{version('jieba')}"
        self._jieba = Tokenizer()
        with self._jieba.get_dict_file() as lines:
            self._jieba.FREQ, self._jieba.total = self._jieba.gen_pfdict(lines)
        self._jieba.initialized = True

    def cut(self, run: str) -> list[str]:
        words: list[str] = self._jieba.lcut(run, HMM=False)
        return words

    def knows(self, word: str) -> bool:
        return bool(self._jieba.FREQ.get(word))

    def set_frequency(self, word: str, frequency: int) -> None:
        self._jieba.total -= self._jieba.FREQ.get(word, 0)  # add_word would count a changed word twice
        self._jieba.add_word(word, frequency)


class Segmenter:
    """Cuts texts into words. Safe to share between threads; the dictionary never changes after it is made."""

    def __init__(
        self, lexicon: Sequence[str], fast: bool = True, frequencies: Mapping[str, int] | None = None
    ) -> None:
        """`lexicon`: terms that must be cut out whole, in any order. `fast`: rjieba where it is installed.

        `frequencies`: of terms whose frequency somebody has chosen; they are cut out where that makes it likely.
        """
        self._made_from = (tuple(lexicon), fast, dict(frequencies or {}))
        self._cutter = _cutter(fast)
        chosen = {normalize.fold(term): number for term, number in (frequencies or {}).items()}
        terms = sorted({normalize.fold(term) for term in lexicon}, key=lambda term: (len(term), term))
        for term in terms:
            self._teach(term, chosen.get(term))
        self._inner: dict[str, tuple[Token, ...]] = {}
        self.fingerprint = self.fingerprint_of(lexicon, frequencies)

    def fingerprint_of(self, lexicon: Sequence[str], frequencies: Mapping[str, int] | None = None) -> str:
        """The fingerprint of a segmenter that would be made here with other terms."""
        chosen = {normalize.fold(term): number for term, number in (frequencies or {}).items()}
        terms = sorted({normalize.fold(term) for term in lexicon}, key=lambda term: (len(term), term))
        told = (f"{term} {chosen[term]}" if term in chosen else term for term in terms)
        return _fingerprint(VERSION, normalize.VERSION, self._cutter.name, *told)

    def _teach(self, term: str, chosen: int | None) -> None:
        """Give a term the lowest frequency at which it is cut out whole; a known word keeps its own.

        jieba's suggest_freq is not used: rjieba's answers one less for every fiftieth word (rounding).
        """
        if not is_taught(term):
            return
        if chosen is not None:
            self._cutter.set_frequency(term, chosen)
            return
        frequency = FIRST_FREQUENCY
        while self._cutter.cut(term) != [term] and frequency <= MOST_FREQUENCY:
            self._cutter.set_frequency(term, frequency)
            frequency *= 10

    def __reduce__(self) -> tuple[type[Segmenter], tuple[tuple[str, ...], bool, dict[str, int]]]:
        """Pickled as what it was made from: other processes make it anew."""
        return Segmenter, self._made_from

    def is_word(self, folded: str) -> bool:
        """Whether the dictionary has it: what `words` cuts out of Chinese characters is one of these or a single character."""
        return self._cutter.knows(folded)

    def words(self, text: str) -> list[str]:
        """The plain cut. Put together, the words are the folded text."""
        form = normalize.matching_form(text[:TEXT_LIMIT])
        words: list[str] = []
        cut = self._cutter.cut
        for piece in _PIECE.findall(_SPACED.sub(_close_up, form)):
            if "\u4e00" <= piece[0] <= "\u9fd5":
                if len(piece) <= RUN_LIMIT:
                    words += cut(piece)
                else:
                    for start in range(0, len(piece), RUN_LIMIT):
                        words += cut(piece[start : start + RUN_LIMIT])
            elif piece[0] in "abcdefghijklmnopqrstuvwxyz0123456789" or normalize.is_kept(piece):
                words.append(piece)
        return words

    def tokens(self, text: str) -> list[Token]:
        """The words and, before each, the dictionary words inside it: 检察机关 also gives 检察, 机关."""
        tokens: list[Token] = []
        position = 0
        for word in self.words(text):
            tokens += [Token(part, position + start) for part, start in self.parts(word)]
            tokens.append(Token(word, position))
            position += len(word)
        return tokens

    def parts(self, word: str) -> tuple[Token, ...]:
        """What is searchable inside a word of the plain cut, shortest first, positions counted from its beginning."""
        if len(word) <= 2:
            return ()
        parts = self._inner.get(word)
        if parts is None:
            if len(self._inner) >= INNER_CACHE:
                self._inner.clear()
            parts = self._inner[word] = tuple(self._find_parts(word))
        return parts

    def _find_parts(self, word: str) -> Iterator[Token]:
        if word[0].isascii():
            if not word.isalnum():  # 7714-2015 is also found by 2015
                yield from (Token(found[0], found.start()) for found in _PART.finditer(word))
            return
        for size in range(2, len(word)):
            for start in range(len(word) - size + 1):
                if self._cutter.knows(word[start : start + size]):
                    yield Token(word[start : start + size], start)


def is_taught(term: str) -> bool:
    """Whether a term shapes the cut: of Chinese characters alone. Others are for suggestions."""
    return bool(re.fullmatch(f"[{_HAN}]{{2,}}", normalize.fold(term)))


def _cutter(fast: bool) -> _Cutter:
    if fast:
        try:
            return _Fast()
        except ImportError:  # no wheel for this machine; the same words, more slowly
            pass
    return _Reference()


def _close_up(found: re.Match[str]) -> str:
    return found[0].replace(" ", "")


def _fingerprint(*parts: str) -> str:
    """Names everything that shapes the words: an index made with another fingerprint must be rebuilt."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
