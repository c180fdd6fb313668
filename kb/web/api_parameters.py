"""What the API may be asked beside a path: each parameter by name, and nothing else. docs/openapi.yaml says the same.

Stricter than the addresses of pages (kb/web/asked.py): a script that misspells a filter is told so, instead of being
given everything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from werkzeug.datastructures import MultiDict

from kb import formulations
from kb.errors import QueryError
from kb.model import Scope
from kb.search import DEPTH
from kb.web.asked import FACETS, LIMIT, NOT, SORTS, VALUE_CHARS, VALUES, read_number

Kind = Literal["text", "texts", "number", "choice", "day"]

EXPORTED = 500  # articles that one answer holds
LARGEST = 10**9  # number that stands for an article, from which on a script goes on
SHOWN_CHARS = 40  # of a parameter's name in what is said about it
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Only `texts` may be given more than once, `most` times."""

    name: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    default: Any = None


QUERY = Parameter("q", default="")
FACET_VALUES = tuple(
    Parameter(prefix + name, "texts", most=VALUES) for name in FACETS for prefix in ("", NOT)
)
FILTERS = (*FACET_VALUES, Parameter("since", "day"), Parameter("until", "day"))
WORDS = (
    QUERY,
    Parameter("scope", "choice", get_args(Scope), default="all"),
    Parameter("exact", "number", most=1, default=0),
)
ONWARD = (
    Parameter("after", "number", most=LARGEST, default=0),
    Parameter("limit", "number", least=1, most=EXPORTED, default=100),
)
SEARCH = (
    *WORDS,
    *FILTERS,
    Parameter("sort", "choice", tuple(SORTS), default="relevance"),
    Parameter("copies", "number", most=1, default=1),
    Parameter("offset", "number", most=DEPTH - 1, default=0),
    Parameter("limit", "number", most=LIMIT, default=20),
)
EXPORT = (*WORDS, *FILTERS, *ONWARD)
WORDINGS = (Parameter("q", "texts", most=formulations.MOST),)
VERSION = (Parameter("version", "number", least=1, most=LARGEST),)


def read(args: MultiDict[str, str], known: Sequence[Parameter]) -> dict[str, Any]:
    """The values by name, defaults where nothing is said. The values of facets are left to `asked.read_filters`.

    Raises QueryError: api.unknown_parameter, api.repeated_parameter, query.bad_parameter.
    """
    names = {one.name: one for one in known}
    for name in args:
        if name not in names:
            listed = ", ".join(names) or "-"
            raise QueryError("api.unknown_parameter", name=name[:SHOWN_CHARS], known=listed)
        given = len(args.getlist(name))
        if names[name].kind != "texts" and given > 1:
            raise QueryError("api.repeated_parameter", name=name)
        if given > max(names[name].most, 1):
            raise QueryError("query.bad_parameter", name=name, value=f"{given} > {names[name].most}")
    return {one.name: _value(args, one) for one in known if one.kind != "texts"}


def _value(args: MultiDict[str, str], known: Parameter) -> Any:
    text = args.get(known.name)
    if text is None:
        return known.default
    if known.kind == "number" and text:
        return read_number(args, known.name, default=0, least=known.least, most=known.most)
    fits = {
        "text": True,
        "number": False,
        "choice": text in known.choices,
        "day": _DAY.fullmatch(text) is not None,
    }
    if not fits[known.kind]:
        raise QueryError("query.bad_parameter", name=known.name, value=text[:VALUE_CHARS])
    return text
