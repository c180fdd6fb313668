"""What was probably meant: words read alike, words one character away, words whose pinyin was typed. Pure.

Candidates only, best first; whether they find anything, and whether to show them, is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from kb.text import pinyin
from kb.text.completion import Table, table
from kb.text.normalize import fold

SHORTEST = 3  # characters of a word that one character may be wrong in; of two, half would be another word
NEAR = 40  # words one character away that are weighed
LONGEST = 16  # characters; what is longer is no word
LETTERS = 60  # of pinyin
LONGEST_PART = 6  # characters of a word that is looked for inside a longer one
_HAN = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words that texts hold, in order of rank: terms of the field first, then from frequent to rare."""

    table: Table
    words: tuple[str, ...]  # the same, folded

    def candidates(self, word: str) -> list[str]:
        """What a typed word probably stands for, best first; none of them is the word itself."""
        folded = fold(word)
        found: list[str] = []
        if pinyin.is_typed(folded) and len(folded) <= LETTERS:
            found += self._typed_out(folded)
        elif _HAN.fullmatch(folded) and len(folded) <= LONGEST:
            found += [*self._whole(folded), *self._inside(folded)]
        return [one for one in dict.fromkeys(found) if one != folded]

    def instead_of(self, word: str) -> list[str]:
        """The candidates for the whole of a longer Chinese word; none where it is itself one of these."""
        folded = fold(word)
        if not SHORTEST <= len(folded) <= LONGEST or not _HAN.fullmatch(folded) or folded in self.words:
            return []
        return list(dict.fromkeys(self._whole(folded)))

    def _typed_out(self, letters: str) -> Iterator[str]:
        """Words whose pinyin or initials were typed; else two such words together; else words that begin so."""
        yield from self._named(self.table.said(letters))
        for cut in range(2, len(letters) - 1):
            first, second = self.table.said(letters[:cut]), self.table.said(letters[cut:])
            if first and second and pinyin.splits(letters):
                yield self.words[first[0]] + self.words[second[0]]
        yield from self._named(self.table.find(letters, NEAR))

    def _whole(self, word: str) -> list[str]:
        """Words in place of the whole: read alike, then one character away and read nearly alike, then the rest."""
        alike = list(self._named(self.table.sounds_like(word)))
        if len(word) < SHORTEST:
            return alike
        near = process.extract(word, self.words, scorer=OSA.distance, score_cutoff=1, limit=None)
        said = "".join(pinyin.syllables(word))
        ranked = sorted(
            (OSA.distance(said, "".join(pinyin.syllables(one))), rank, one)
            for one, _, rank in near
            if len(one) >= SHORTEST
        )
        return alike + [one for _, _, one in ranked[:NEAR]]

    def _inside(self, word: str) -> Iterator[str]:
        """The word with one part of it replaced by a known word that is read alike: the longest parts first."""
        for size in range(min(LONGEST_PART, len(word) - 1), 1, -1):
            for start in range(len(word) - size + 1):
                part = word[start : start + size]
                if next(self.table.chars.whole(part), None) is None:
                    for alike in self._named(self.table.sounds_like(part)):
                        yield word[:start] + alike + word[start + size :]

    def _named(self, numbers: Iterable[int]) -> Iterator[str]:
        return (self.words[number] for number in sorted(numbers))


def vocabulary(words: Iterable[str]) -> Vocabulary:
    """`words`: in order of rank. Taken one at a time, so that a caller may pause between two."""
    made = table(words)
    return Vocabulary(made, tuple(made.chars.string[1:-1].split("\n")))
