"""What a search URL asks for, and the URLs that ask for something near it. Pure but for url_for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast, get_args

from flask import url_for
from werkzeug.datastructures import MultiDict

from kb.errors import QueryError
from kb.model import Filters, Sort

DEPTH = 1000  # results that pages show; scripts go further by kb export (DESIGN.md §5)
LIMIT = 100  # results that one /search.json answer holds
VALUES = 100  # chosen values of one facet that a URL may carry

FACETS = {"newspaper": "报纸", "year": "年份"}
UNKNOWN = {"newspaper": "未注明报纸", "year": "未知日期"}  # what the value "" of a facet is called
SORTS: dict[Sort, str] = {"relevance": "相关度", "newest": "最新", "oldest": "最早"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The state of a search page, whole in its URL."""

    text: str
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "relevance"
    page: int = 1

    def chosen(self, facet: str) -> tuple[str, ...]:
        """The chosen values of a facet."""
        return self.filters.newspapers if facet == "newspaper" else self.filters.years

    def url(self) -> str:
        """The address of this state; defaults are left out."""
        return url_for(
            "search.page",
            q=self.text,
            newspaper=list(self.filters.newspapers),
            year=list(self.filters.years),
            sort=None if self.sort == "relevance" else self.sort,
            page=None if self.page == 1 else self.page,
        )

    def page_url(self, page: int) -> str:
        return replace(self, page=page).url()

    def sort_url(self, sort: Sort) -> str:
        return replace(self, sort=sort, page=1).url()

    def without_url(self, facet: str, value: str) -> str:
        """The address of this state without one chosen value."""
        rest = tuple(one for one in self.chosen(facet) if one != value)
        newspapers = rest if facet == "newspaper" else self.filters.newspapers
        years = rest if facet == "year" else self.filters.years
        return replace(self, filters=Filters(newspapers, years), page=1).url()

    def unfiltered_url(self) -> str:
        return replace(self, filters=Filters(), page=1).url()


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet as shown."""

    facet: str  # newspaper
    value: str  # 贵州法治报; "" when the articles do not say
    label: str  # 贵州法治报 | 未注明报纸
    count: int
    chosen: bool


def read(args: MultiDict[str, str]) -> Asked:
    """The state in a URL's parameters. Raises QueryError("query.bad_parameter")."""
    sort = args.get("sort") or "relevance"
    if sort not in get_args(Sort):
        raise QueryError("query.bad_parameter", name="sort", value=sort)
    filters = Filters(_values(args, "newspaper"), _values(args, "year"))
    return Asked(args.get("q", ""), filters, cast(Sort, sort), read_number(args, "page", default=1, least=1))


def read_number(args: MultiDict[str, str], name: str, *, default: int, least: int, most: int = 10**9) -> int:
    """A whole number among the parameters. Raises QueryError("query.bad_parameter")."""
    text = args.get(name, "")
    if not text:
        return default
    # isdecimal() alone lets through digits of other scripts; a length of 10 keeps int() cheap.
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise QueryError("query.bad_parameter", name=name, value=text)
    return int(text)


def _values(args: MultiDict[str, str], name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(args.getlist(name)))
    if len(values) > VALUES:
        raise QueryError("query.bad_parameter", name=name, value=f"{len(values)} > {VALUES}")
    return values


def choices(asked: Asked, facet: str, counts: Sequence[tuple[str, int]]) -> list[Choice]:
    """The values of a facet in the order shown: years from the newest, newspapers as counted.

    A chosen value is shown also when nothing has it any more.
    """
    counted = dict(counts)
    chosen = asked.chosen(facet)
    values = [*counted, *(value for value in chosen if value not in counted)]
    if facet == "year":
        values.sort(reverse=True)  # "" sorts last
    return [
        Choice(facet, value, value or UNKNOWN[facet], counted.get(value, 0), value in chosen)
        for value in values
    ]


def page_numbers(page: int, last: int) -> list[int | None]:
    """The pages to link to around `page`; None stands for a gap of two or more: 1 … 4 5 6 7 8 … 20."""
    numbers: list[int | None] = []
    before = 0
    for number in sorted({1, last, *range(max(1, page - 2), min(last, page + 2) + 1)}):
        if number - before == 2:
            numbers.append(number - 1)
        elif number - before > 2:
            numbers.append(None)
        numbers.append(number)
        before = number
    return numbers
