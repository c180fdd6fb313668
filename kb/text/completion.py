"""Texts found by how they are typed: by characters, by pinyin and by initials, at their beginning or inside. Pure.

All texts stand in one string in order of rank, so that one search goes through all of them and the first places found
are the best: 100,000 titles take 20 MiB, and 2 ms where nothing is found.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from kb.text import pinyin
from kb.text.normalize import fold

SPLITS = 2  # readings of typed letters as syllables that are looked for
LEAST_INITIALS = 2  # letters, to be looked for inside: one letter is inside everything
LOOKED_AT = 64  # texts that hold what was typed; where there are more, beginnings are looked for apart
TOGETHER = 1000  # texts that are put together while a table is made


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts in one string, each between line ends."""

    string: str  # "\n党建引领\n三会一课\n"
    starts: array[int]  # where each text begins

    def places(self, wanted: str, limit: int) -> tuple[list[int], list[int]]:
        """Numbers of texts that begin with `wanted`, and of others that hold it, the first in their order."""
        some = list(islice(self._with(wanted), LOOKED_AT))
        if len(some) < LOOKED_AT:
            begin = [one for one in some if self.string.startswith(wanted, self.starts[one])]
        else:
            begin = list(islice(self._with(f"\n{wanted}"), limit))
        return begin, [one for one in some if one not in begin]

    def whole(self, wanted: str) -> Iterator[int]:
        """Numbers of the texts that are `wanted`."""
        return self._with(f"\n{wanted}\n")

    def _with(self, piece: str) -> Iterator[int]:
        at = 0
        while (at := self.string.find(piece, at)) >= 0:
            number = bisect_right(self.starts, at + (piece[0] == "\n")) - 1
            yield number
            at = self.starts[number + 1] - 1 if number + 1 < len(self.starts) else len(self.string)

    def text(self, number: int) -> str:
        start = self.starts[number]
        return self.string[start : self.string.index("\n", start)]


class _Joining:
    """A Joined that is being written: texts are put together early, because each by itself takes thrice its memory."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._fresh = ["\n"]
        self._starts = array("L")
        self._size = 1

    def add(self, text: str) -> None:
        self._starts.append(self._size)
        self._fresh.append(f"{text}\n")
        self._size += len(text) + 1
        if len(self._fresh) >= TOGETHER:
            self._done.append("".join(self._fresh))
            self._fresh.clear()

    def joined(self) -> Joined:
        return Joined("".join([*self._done, *self._fresh]), self._starts)


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in order of rank; a text is named by its place in it."""

    shown: Joined  # as written
    chars: Joined  # folded
    syllables: Joined  # DangJianYinLing
    initials: Joined  # djyl

    def find(self, typed: str, limit: int) -> list[int]:
        """The first `limit` texts for what was typed: at the beginning before inside, by characters before by pinyin."""
        wanted = fold(typed)
        if not wanted:
            return []
        begin, others = self.chars.places(wanted, limit)
        if pinyin.is_typed(wanted):
            roads = [(self.syllables, spelt(way)) for way in pinyin.splits(wanted)[:SPLITS]]
            for texts, letters in [*roads, (self.initials, wanted)]:
                if len(begin) < limit:
                    more, inside = texts.places(letters, limit)
                    begin += more
                    others += inside if len(wanted) >= LEAST_INITIALS else []
        return list(dict.fromkeys([*begin, *others]))[:limit]

    def said(self, letters: str) -> list[int]:
        """The texts that are typed with exactly these letters: in full pinyin, then by initials."""
        ways = [spelt(way) for way in pinyin.splits(letters)]
        found = dict.fromkeys(number for way in ways for number in self.syllables.whole(way))
        return list(found | dict.fromkeys(self.initials.whole(letters)))

    def sounds_like(self, text: str) -> list[int]:
        """The texts read as this one is, tones apart."""
        return list(self.syllables.whole(_spelt_out(text)))


def table(texts: Iterable[str]) -> Table:
    """`texts`: in order of rank. Taken one at a time, so that a caller may pause between two."""
    shown, chars, syllables, initials = (_Joining() for _ in range(4))
    for text in texts:
        folded = fold(text)
        said = [one if one.isascii() else "?" for one in pinyin.syllables(folded)]
        shown.add(text.replace("\n", " "))
        chars.add(folded)
        syllables.add(spelt(said))
        initials.add("".join(one[0] for one in said))
    return Table(shown.joined(), chars.joined(), syllables.joined(), initials.joined())


def spelt(said: Iterable[str]) -> str:
    """Syllables, each with a capital, so that one is found only where it begins: DangJian."""
    return "".join(one.capitalize() for one in said)


def _spelt_out(text: str) -> str:
    return spelt(pinyin.syllables(fold(text)))
