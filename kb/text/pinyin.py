"""Chinese characters <-> how their readings are typed, without tones: 党建 <-> dangjian, dj. Pure.

The readings are pypinyin's. Of its table of phrases only those are kept that are read otherwise than their characters one
by one (银行, 调解): 3 MB where the whole table takes 40.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LONGEST_PHRASE = 4  # characters; longer ones are sayings, and the shorter ones inside them nearly always do
SPLITS = 8  # ways to read typed letters as syllables that are looked at: xian is xian and xi an
_LATIN = re.compile("[a-z]+")


@cache
def _tables() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The first reading of each character, and the phrases that are read otherwise."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    chars = {chr(code): _plain(readings.split(",")[0]) for code, readings in PINYIN_DICT.items()}
    phrases = {}
    for phrase, readings in PHRASES_DICT.items():
        if 2 <= len(phrase) <= LONGEST_PHRASE:
            said = tuple(_plain(reading[0]) for reading in readings)
            if said != tuple(chars.get(char) for char in phrase):
                phrases[phrase] = said
    PHRASES_DICT.clear()  # nobody else asks pypinyin anything
    return chars, phrases


@cache
def _plain(reading: str) -> str:
    """zhāng -> zhang, lǜ -> lv."""
    parted = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(char for char in parted if "a" <= char <= "z")


@cache
def _firsts() -> frozenset[str]:
    return frozenset(phrase[0] for phrase in _tables()[1])


@cache
def _valid() -> tuple[frozenset[str], frozenset[str]]:
    """Every syllable that can be typed, and every beginning of one."""
    whole = frozenset(one for one in _tables()[0].values() if set(one) & set("aeiouv"))
    return whole, frozenset(one[:size] for one in whole for size in range(1, len(one) + 1))


def syllables(text: str) -> list[str]:
    """One for each character of a folded text; a character without a reading stands for itself."""
    chars, phrases = _tables()
    firsts = _firsts()
    said = [chars.get(char, char) for char in text]
    at = 0
    while at < len(text) - 1:
        step = 1
        if text[at] in firsts:
            for size in range(LONGEST_PHRASE, 1, -1):
                if (found := phrases.get(text[at : at + size])) is not None:
                    said[at : at + size] = found
                    step = size
                    break
        at += step
    return said


def is_typed(text: str) -> bool:
    """Whether a folded text is nothing but letters that might be pinyin."""
    return _LATIN.fullmatch(text) is not None


def splits(letters: str) -> list[list[str]]:
    """The ways to read letters as syllables, the last of which may be only begun; fewest syllables first."""
    whole, begun = _valid()
    ways: list[list[list[str]]] = [[] for _ in letters] + [[[]]]
    for at in range(len(letters) - 1, -1, -1):
        for end in range(min(at + 6, len(letters)), at, -1):
            piece = letters[at:end]
            if piece in (begun if end == len(letters) else whole):
                ways[at] += [[piece, *rest] for rest in ways[end]]
        ways[at] = sorted(ways[at], key=len)[:SPLITS]
    return ways[0]
