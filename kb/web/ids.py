"""Numbers of things in paths and forms: a number that no key of the store can be names nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST = 2**63 - 1  # key of SQLite and PostgreSQL
_DIGITS = str(LARGEST)
# By its form alone a larger number matches no route, of whatever method: werkzeug answers 405 where only a value is
# too large. Up to 18 digits, or 19 of which one is smaller than in the largest key and those before it are the same.
_ID = "|".join(
    [
        f"[0-9]{{1,{len(_DIGITS) - 1}}}",
        *(
            f"{_DIGITS[:at]}[0-{int(digit) - 1}][0-9]{{{len(_DIGITS) - 1 - at}}}"
            for at, digit in enumerate(_DIGITS)
            if digit != "0"
        ),
        _DIGITS,
    ]
)


class Id(IntegerConverter):
    """An id in a path, `<id:user_id>`; a longer number is not found."""

    regex = _ID


def install(app: Flask) -> None:
    """Let routes name ids. Call it before there are views."""
    app.url_map.converters["id"] = Id


def read_ids(values: Iterable[str]) -> list[int]:
    """The ids among values that a form sends; what cannot be one is left out."""
    return [int(one) for one in values if re.fullmatch(_ID, one)]
