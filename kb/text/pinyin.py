"""Chinese characters <-> how their readings are typed, without tones: 党建 <-> dangjian, dj. Pure.

The readings are pypinyin's. Of its phrases only those are kept that are read otherwise than their characters one by one
(银行, 调解).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from operator import add
from sys import intern

LONGEST_PHRASE = 4  # characters; longer ones are sayings, and the shorter ones inside them nearly always do
LONGEST_SYLLABLE = 6  # letters
SPLITS = 8  # ways to read typed letters as syllables that are looked at: xian is xian and xi an
_LATIN = re.compile("[a-z]+")


@cache
def _tables() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The first reading of each character, and the phrases that are read otherwise."""
    lines = _read_pypinyin()
    # Taken apart only now, into the memory that pypinyin's own tables had.
    pairs = (line.split("=") for line in lines.split("\n"))
    tables = {text: tuple(map(intern, said.split(" "))) for text, said in pairs}
    chars = {text: said[0] for text, said in tables.items() if len(text) == 1}
    return chars, {text: said for text, said in tables.items() if len(text) > 1}


def _read_pypinyin() -> str:
    """Lines such as 调解=tiao jie. pypinyin's tables are emptied: nobody else asks it anything."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT  # copies of these:
    from pypinyin.phrases_dict import phrases_dict
    from pypinyin.pinyin_dict import pinyin_dict

    said = {chr(code): _plain(readings.split(",")[0]) for code, readings in pinyin_dict.items()}
    for phrase, readings in phrases_dict.items():
        if 2 <= len(phrase) <= LONGEST_PHRASE:
            plain = [_plain(reading[0]) for reading in readings]
            if plain != [said.get(char) for char in phrase]:
                said[phrase] = " ".join(plain)
    for table in (PINYIN_DICT, pinyin_dict, PHRASES_DICT, phrases_dict):
        table.clear()
    _plain.cache_clear()
    return "\n".join(f"{text}={spelt}" for text, spelt in said.items())


@cache
def _plain(reading: str) -> str:
    """zhāng -> zhang, lǜ -> lv."""
    parted = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(char for char in parted if "a" <= char <= "z")


@cache
def _heads() -> frozenset[str]:
    """The first two characters of every phrase; few texts have any of them."""
    return frozenset(phrase[:2] for phrase in _tables()[1])


@cache
def _valid() -> tuple[frozenset[str], frozenset[str]]:
    """Every syllable that can be typed, and every beginning of one."""
    whole = frozenset(one for one in _tables()[0].values() if set(one) & set("aeiouv"))
    return whole, frozenset(one[:size] for one in whole for size in range(1, len(one) + 1))


def syllables(text: str) -> list[str]:
    """One for each character of a folded text; a character without a reading stands for itself."""
    chars, phrases = _tables()
    said = list(map(chars.get, text, text))
    heads = _heads()
    done = 0
    for at in [place for place, pair in enumerate(map(add, text, text[1:])) if pair in heads]:
        pieces = (text[at : at + size] for size in range(LONGEST_PHRASE, 1, -1))
        found = next((piece for piece in pieces if at >= done and piece in phrases), "")
        said[at : at + len(found)] = phrases.get(found, ())
        done = max(done, at + len(found))
    return said


def is_typed(text: str) -> bool:
    """Whether a folded text is nothing but letters that might be pinyin."""
    return _LATIN.fullmatch(text) is not None


def splits(letters: str) -> list[list[str]]:
    """The ways to read letters as syllables, fewest first; where there is none, the last may be only begun."""
    whole, begun = _valid()
    return _ways(letters, whole, whole) or _ways(letters, whole, begun)


def _ways(letters: str, whole: frozenset[str], last: frozenset[str]) -> list[list[str]]:
    ways: list[list[list[str]]] = [[] for _ in letters] + [[[]]]
    for at in range(len(letters) - 1, -1, -1):
        for end in range(min(at + LONGEST_SYLLABLE, len(letters)), at, -1):
            piece = letters[at:end]
            if piece in (last if end == len(letters) else whole):
                ways[at] += [[piece, *rest] for rest in ways[end]]
        ways[at] = sorted(ways[at], key=len)[:SPLITS]
    return ways[0]
