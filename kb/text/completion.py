"""Texts found by how they are typed: by characters, by pinyin and by initials, at their beginning or inside. Pure.

All texts stand in one string in order of rank, so that one search goes through all of them and the first places found
are the best: 100,000 titles take 15 MiB, and 2 ms where nothing is found.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kb.text import pinyin
from kb.text.normalize import fold

SPLITS = 3  # readings of typed letters as syllables that are looked for
LEAST_INITIALS = 2  # letters, to be looked for inside: one letter is inside everything


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts in one string, each between line ends."""

    string: str  # "\n党建引领\n三会一课\n"
    starts: array[int]  # where each text begins

    def places(self, wanted: str, *, inside: bool) -> Iterator[int]:
        """Numbers of the texts that begin with `wanted`, or hold it anywhere, each once, in their order."""
        lead = "" if inside else "\n"
        at = 0
        while (at := self.string.find(lead + wanted, at)) >= 0:
            number = bisect_right(self.starts, at + len(lead)) - 1
            yield number
            at = self.starts[number + 1] - 1 if number + 1 < len(self.starts) else len(self.string)

    def whole(self, wanted: str) -> Iterator[int]:
        """Numbers of the texts that are `wanted`."""
        return self.places(f"{wanted}\n", inside=False)

    def text(self, number: int) -> str:
        start = self.starts[number]
        return self.string[start : self.string.index("\n", start)]


def joined(texts: Iterable[str]) -> Joined:
    """`texts`: none has a line end in it."""
    pieces = [""]
    starts = array("L")
    at = 1
    for text in texts:
        pieces.append(text)
        starts.append(at)
        at += len(text) + 1
    return Joined("\n".join([*pieces, ""]), starts)


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in order of rank; a text is named by its place in it."""

    shown: Joined  # as written
    chars: Joined  # folded
    syllables: Joined  # 'dang'jian'yin'ling
    initials: Joined  # djyl

    def find(self, typed: str, limit: int) -> list[int]:
        """The first `limit` texts for what was typed: by characters before by pinyin, at the beginning before inside."""
        found: dict[int, None] = {}
        wanted = fold(typed)
        if not wanted:
            return []
        for places in self._roads(wanted):
            for number in places:
                found[number] = None
                if len(found) >= limit:
                    return list(found)
        return list(found)

    def said(self, letters: str) -> list[int]:
        """The texts that are typed with exactly these letters: in full pinyin, then by initials."""
        ways = [spelt(way) for way in pinyin.splits(letters)]
        found = dict.fromkeys(number for way in ways for number in self.syllables.whole(way))
        return list(found | dict.fromkeys(self.initials.whole(letters)))

    def sounds_like(self, text: str) -> list[int]:
        """The texts read as this one is, tones apart."""
        return list(self.syllables.whole(_spelt_out(text)))

    def _roads(self, wanted: str) -> Iterator[Iterator[int]]:
        yield self.chars.places(wanted, inside=False)
        if not pinyin.is_typed(wanted):
            yield self.chars.places(wanted, inside=True)
            return
        ways = [spelt(way) for way in pinyin.splits(wanted)[:SPLITS]]
        yield from (self.syllables.places(way, inside=False) for way in ways)
        yield self.initials.places(wanted, inside=False)
        yield self.chars.places(wanted, inside=True)
        yield from (self.syllables.places(way, inside=True) for way in ways)
        if len(wanted) >= LEAST_INITIALS:
            yield self.initials.places(wanted, inside=True)


def table(texts: Iterable[str]) -> Table:
    """`texts`: in order of rank. Taken one at a time, so that a caller may pause between two."""
    shown, chars, syllables, initials = [], [], [], []
    for text in texts:
        folded = fold(text)
        said = [one if one.isascii() else "?" for one in pinyin.syllables(folded)]
        shown.append(text.replace("\n", " "))
        chars.append(folded)
        syllables.append(spelt(said))
        initials.append("".join(one[0] for one in said))
    return Table(joined(shown), joined(chars), joined(syllables), joined(initials))


def spelt(said: Iterable[str]) -> str:
    """Syllables with a mark before each, so that one is found only where it begins."""
    return "".join(f"'{one}" for one in said)


def _spelt_out(text: str) -> str:
    return spelt(pinyin.syllables(fold(text)))
