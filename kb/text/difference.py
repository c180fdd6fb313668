"""What changed from one text to another, in runs that can be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Kind = Literal["same", "gone", "new"]
MOST_COMPARED = 1_000_000  # pairs of pieces; texts with more are told as one gone and one new
_PIECE = re.compile(r"[^\s,，。;；、:：!！?？()（）]+|.", re.DOTALL)  # up to a mark, or the mark


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a text: in both, in the older alone (gone) or in the newer alone (new)."""

    kind: Kind
    text: str


def parts(old: str, new: str) -> list[Part]:
    """The runs of both texts in order; those that are not new make the older text, those not gone the newer.

    First compared by pieces between marks, since single Chinese characters are met everywhere; a piece that was replaced
    by another is then compared character by character.
    """
    found = _compared(_PIECE.findall(old), _PIECE.findall(new), inside=True)
    runs = groupby(found, key=lambda part: part.kind)
    return [Part(kind, "".join(part.text for part in some)) for kind, some in runs]


def _compared(old: Sequence[str], new: Sequence[str], *, inside: bool) -> Iterator[Part]:
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    yield from _part("same", old[:start])
    yield from _middle(*middle, inside=inside)
    yield from _part("same", old[len(old) - end :])


def _middle(old: Sequence[str], new: Sequence[str], *, inside: bool) -> Iterator[Part]:
    if len(old) * len(new) > MOST_COMPARED:
        yield from _replaced(old, new)
        return
    for kind, old_at, old_end, new_at, new_end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        before, after = old[old_at:old_end], new[new_at:new_end]
        if kind == "equal":
            yield from _part("same", before)
        elif kind == "replace" and inside and _are_alike(before, after):
            yield from _compared([*"".join(before)], [*"".join(after)], inside=False)
        else:
            yield from _replaced(before, after)


def _are_alike(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether it can be read what became of single characters: else old and new are told whole."""
    matcher = SequenceMatcher(None, "".join(old), "".join(new), autojunk=False)
    return matcher.real_quick_ratio() > 0.5 and matcher.quick_ratio() > 0.5


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    yield from _part("gone", old)
    yield from _part("new", new)


def _part(kind: Kind, pieces: Sequence[str]) -> Iterator[Part]:
    if pieces:
        yield Part(kind, "".join(pieces))


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    """How many pieces at the beginning are the same."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
