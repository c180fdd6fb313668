"""Folding for matching, and the form shown to people. Pure; stored text is never changed by it.

Folding (DESIGN.md §5) works on single characters: Unicode width and compatibility forms, traditional to
simplified, letter case. White space, marks and control characters are dropped, except a mark directly
between two ASCII letters or digits (3.5, A-12). A literal is found where `fold(literal) in fold(text)`.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import compress

from opencc import OpenCC

# Part of the segmenter's fingerprint: raise it when the folding of any character changes.
VERSION = f"fold-1/unicode-{unicodedata.unidata_version}"

_SIMPLIFY = OpenCC("t2s")
_SIMPLIFY_LOCK = threading.Lock()


def _step(text: str) -> str:
    return "".join(_SIMPLIFY.convert(one) for one in unicodedata.normalize("NFKC", text)).casefold()


def _form(char: str) -> str:
    """The matching form of one character: '' for control characters, ' ' for any white space."""
    if char.isspace():
        return " "
    if _is_control(char):
        return ""
    with _SIMPLIFY_LOCK:
        # To its fixed point, so that folding twice changes nothing (薴 becomes 苧, and 苧 becomes 苎).
        folded, before = _step(char), char
        while folded != before:
            folded, before = _step(folded), folded
    return "".join(" " if one.isspace() else one for one in folded if not _is_control(one))


def _is_control(char: str) -> bool:
    """Whether nothing is seen of it: control, format, surrogate, unassigned, variation selector.

    Private use is kept: old newspapers print rare names with it. Planes 2 and 3 hold Han only, also where
    Python's tables do not know the newest of them.
    """
    if 0x20000 <= ord(char) <= 0x3FFFF:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn") or _is_variation_selector(char)


def _is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_dropped(char: str) -> bool:
    """Whether folding drops it, standing alone: white space, punctuation, symbols."""
    return unicodedata.category(char)[0] in "ZPS"


class _Forms(dict[int, str]):
    """For str.translate: code point -> matching form, worked out when first met."""

    def __missing__(self, code: int) -> str:
        form = self[code] = _form(chr(code))
        return form


class _Drops(dict[int, str | None]):
    """For str.translate over the matching form: code point -> itself, or None when dropped."""

    def __missing__(self, code: int) -> str | None:
        kept = self[code] = None if _is_dropped(chr(code)) else chr(code)
        return kept


class _Sizes(dict[str, int]):
    """Character -> length of its matching form."""

    def __missing__(self, char: str) -> int:
        size = self[char] = len(_FORMS[ord(char)])
        return size


class _Keeps(dict[str, bool]):
    """Character of a matching form -> whether folding keeps it wherever it stands."""

    def __missing__(self, char: str) -> bool:
        is_kept = self[char] = not _is_dropped(char)
        return is_kept


_FORMS = _Forms()
_DROPS = _Drops()
_SIZES = _Sizes()
_KEEPS = _Keeps()
# A mark directly between two ASCII letters or digits. Non-marks are sorted out by _kept_marks.
_BETWEEN = re.compile(r"[a-z0-9][^a-z0-9\s](?=[a-z0-9])")


def is_kept(char: str) -> bool:
    """Whether folding keeps this character of a matching form wherever it stands."""
    return _KEEPS[char]


def matching_form(text: str) -> str:
    """The text with every character folded, marks and white space kept: what the segmenter reads."""
    return text.translate(_FORMS)


def fold(text: str) -> str:
    """The text as it is matched. `fold(fold(text)) == fold(text)`."""
    form = text.translate(_FORMS)
    pieces: list[str] = []
    start = 0
    for kept in _kept_marks(form):
        pieces += (form[start:kept].translate(_DROPS), form[kept])
        start = kept + 1
    if not pieces:
        return form.translate(_DROPS)
    pieces.append(form[start:].translate(_DROPS))
    return "".join(pieces)


def _kept_marks(form: str) -> Iterator[int]:
    """Places of the marks in a matching form that folding keeps."""
    for found in _BETWEEN.finditer(form):
        if not is_kept(found[0][1]):
            yield found.start() + 1


def fold_with_map(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for every character of it the index of the stored character that it comes from."""
    form = text.translate(_FORMS)
    kept = list(map(_KEEPS.__getitem__, form))
    for place in _kept_marks(form):
        kept[place] = True
    sizes = list(map(_SIZES.__getitem__, text))
    origins: Sequence[int] = range(len(text))
    if sizes.count(1) != len(text):
        origins = [place for place, size in enumerate(sizes) for _ in range(size)]
    return "".join(compress(form, kept)), list(compress(origins, kept))


# --- what people see ----------------------------------------------------------------------------------------

_FULL = {",": "，", ":": "：", ";": "；", "?": "？", "!": "！"}
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE = f"[{_HAN}\u3001\u3002\u300a-\u3011\u2018\u2019\u201c\u201d\u2014\u2026，：；？！（）％]"
_URL = r"(?:https?://|www\.)[!-~]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_PAIR = re.compile(rf"{_URL}|\(([^()（）\n]{{1,200}})\)")
_MARK = re.compile(rf"{_URL}|(?<={_CHINESE})[,:;?!](?=$|[\s\w%]|{_CHINESE})|(?<=[\w%])[,:;?!](?={_CHINESE})")
_HAS_HAN = re.compile(f"[{_HAN}]")


def display(text: str) -> str:
    """The text with full-width ，：；？！（） where half-width ones touch Chinese text.

    Numbers, URLs and Latin stay. Web editions often lose the width: the page this product was designed
    around has 72 half-width commas.
    """
    if not _HAS_HAN.search(text):
        return text
    return _MARK.sub(_widen_mark, _PAIR.sub(_widen_pair, text))


def _widen_pair(found: re.Match[str]) -> str:
    inside = found[1]
    if inside is None:  # a URL or an address
        return found[0]
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    if _HAS_HAN.search(inside) or (_HAS_HAN.match(before) and _HAS_HAN.match(after)):
        return f"（{inside}）"
    return found[0]


def _widen_mark(found: re.Match[str]) -> str:
    return _FULL.get(found[0], found[0])
