"""Bytes of a page or file -> what it says, as text, for people who compare it with what was read of it. Pure."""

from __future__ import annotations

from kb.errors import ParseError
from kb.parse.marks import Marks
from kb.parse.page import decode, soup, without_controls
from kb.parse.word import read_word

MOST_CHARS = 200_000


def plain_text(body: bytes, *, key: str, content_type: str = "", limit_mib: float = 2.0) -> str:
    """Its lines, none of its markup; "" where it cannot be read. `key` ends like the name of a file."""
    try:
        if key.endswith(".docx"):
            word = read_word(body, source=key)
            lines = [word.title or "", word.subtitle or "", *word.lines]
        elif key.endswith(".txt"):
            lines = decode(body, "text/plain").text.splitlines()
        else:
            html = without_controls(decode(body, content_type).text)
            lines = Marks(soup(html, source=key, limit_mib=limit_mib)).texts
    except ParseError:
        return ""
    return "\n".join(line for line in lines if line.strip())[:MOST_CHARS]
