"""Labels with numbers in them, sorted as people count them. Pure."""

from __future__ import annotations

import re

# int() of a longer run of digits takes long, and of thousands is refused.
_PIECES = re.compile(r"[0-9]{1,18}|[^0-9]+")


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts numbers by their value: 02, 05, 05-08, 10, A1, A02, A10."""
    return tuple(
        (0, int(piece), "") if piece.isascii() and piece.isdecimal() else (1, 0, piece)
        for piece in _PIECES.findall(text)
    )
