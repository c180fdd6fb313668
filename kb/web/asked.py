"""What a search URL asks for, and the URLs that ask for something near it. Pure but for url_for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from kb.errors import QueryError
from kb.model import Filters, Relaxed, Scope, Sort, Topic
from kb.text.order import natural
from kb.text.ranges import dates
from kb.web.wording import edition

LIMIT = 100  # results that one /search.json answer holds
VALUES = 100  # chosen values of one facet that a URL may carry
VALUE_CHARS, SAID_CHARS = 200, 20  # of one of them; of a longer one in what is said about it
FIRST_VALUES, MORE_VALUES = 8, 32  # of a facet that are shown at once, and behind a click

FACETS = {
    "newspaper": "报纸",
    "source": "来源",
    "topic": "专题",
    "year": "年份",
    "month": "月份",
    "author": "作者",
    "affiliation": "作者单位",
    "edition_page": "版次",
}
UNKNOWN = {  # what the value "" of a facet is called
    "newspaper": "未注明报纸",
    "source": "未注明来源",
    "topic": "未归专题",
    "year": "未知日期",
    "month": "未知日期",
    "author": "未署名",
    "affiliation": "未注明单位",
    "edition_page": "未注明版次",
}
SORTS: dict[Sort, str] = {
    "relevance": "相关度",
    "newest": "最新",
    "oldest": "最早",
    "longest": "最长",
    "shortest": "最短",
}
SCOPES: dict[Scope, str] = {"all": "全部", "title": "标题", "body": "正文", "author": "作者"}
PERIODS = ("近一周", "近一月", "近一年")  # as 日期: reads them
NOT = "not_"  # not_newspaper names the newspapers that are left out
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """The state of a search page, or of the list on the page of a topic; whole in its URL."""

    text: str
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "relevance"
    page: int = 1
    scope: Scope = "all"  # where words are looked for that name no field
    copies: bool = False  # every copy of a text is a result of its own
    exact: bool = False  # equal names of what was typed are not looked for
    topic: Topic | None = None  # on whose page it is: then nothing need be typed

    @property
    def path(self) -> str:
        """The page that it is a state of."""
        return url_for("topics.page", topic_slug=self.topic.slug) if self.topic else url_for("search.page")

    @property
    def is_narrowed(self) -> bool:
        """Whether it is less than the whole of a topic, or not its beginning."""
        return bool(self.text or self.page > 1 or chips(self))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The parameters of the URL; defaults are left out."""
        if self.text or not self.topic:
            yield "q", self.text
        for name in FACETS:
            yield from ((name, value) for value in self.filters.only.get(name, ()))
            yield from ((NOT + name, value) for value in self.filters.without.get(name, ()))
        state = {"since": self.filters.since, "until": self.filters.until}
        state["scope"] = None if self.scope == "all" else self.scope
        state["sort"] = None if self.sort == usual_sort(self.text, self.topic) else self.sort
        state["copies"] = "1" if self.copies else None
        state["exact"] = "1" if self.exact else None
        state["page"] = None if self.page == 1 else str(self.page)
        yield from ((name, value) for name, value in state.items() if value is not None)

    def kept(self, *left_out: str) -> list[tuple[str, str]]:
        """The parameters that a form beside the results carries on, from the first page on."""
        names = {"page", *left_out}
        return [(name, value) for name, value in self.pairs() if name not in names]

    def beside_facets(self) -> list[tuple[str, str]]:
        """Those that the form of the facets has no field for."""
        return self.kept("since", "until", *FACETS, *(NOT + name for name in FACETS))

    def url(self, **changes: Any) -> str:
        """The address of this state with something changed; what changes begins at the first page."""
        state = replace(self, **{"page": 1, **changes}) if changes else self
        pairs = urlencode(list(state.pairs()))
        return f"{state.path}?{pairs}" if pairs else state.path

    def everywhere_url(self) -> str:
        """The same in the whole library."""
        return replace(self, topic=None).url(sort="relevance")

    def feed_url(self) -> str:
        """The Atom feed of what it finds."""
        return f"{url_for('feeds.search')}?{urlencode(self.kept('sort', 'copies'))}"

    def sort_url(self, sort: Sort) -> str:
        """In another order. The order is named also where it is the usual one: that it was chosen is remembered."""
        return self.url(sort=sort) + ("&sort=relevance" if sort == "relevance" else "")

    def since_url(self, since: str) -> str:
        return self.url(filters=replace(self.filters, since=since, until=None))

    def without_url(self, facet: str, value: str | None = None) -> str:
        """Without one chosen value of a facet, or without all of them."""
        only = _less(self.filters.only, facet, value)
        return self.url(filters=replace(self.filters, only=only))

    def readmitted_url(self, facet: str, value: str) -> str:
        """With a value that was left out."""
        without = _less(self.filters.without, facet, value)
        return self.url(filters=replace(self.filters, without=without))

    def any_day_url(self) -> str:
        return self.url(filters=replace(self.filters, since=None, until=None))

    def unfiltered_url(self) -> str:
        return self.url(filters=Filters())


def usual_sort(text: str, topic: Topic | None) -> Sort:
    """The order where none was chosen: without words there is nothing that could be more or less relevant."""
    return "relevance" if text.strip() or topic is None else "newest"


def _less(chosen: Mapping[str, tuple[str, ...]], facet: str, value: str | None) -> dict[str, tuple[str, ...]]:
    """What was chosen without one value of a facet; None: without all of them."""
    rest = tuple(one for one in chosen.get(facet, ()) if value is not None and one != value)
    return {
        name: rest if name == facet else values for name, values in chosen.items() if name != facet or rest
    }


# --- reading a URL --------------------------------------------------------------------------------------------


def read(args: MultiDict[str, str], *, copies: bool = False, topic: Topic | None = None) -> Asked:
    """The state in a URL's parameters. Raises QueryError("query.bad_parameter").

    `copies`: what is meant where the URL does not say: people see copies grouped, scripts get each article.
    """
    text, scope = args.get("q", ""), args.get("scope") or "all"
    usual = usual_sort(text, topic)
    sort = args.get("sort") or usual
    if sort not in SORTS:
        raise QueryError("query.bad_parameter", name="sort", value=sort)
    if scope not in SCOPES:
        raise QueryError("query.bad_parameter", name="scope", value=scope)
    said = read_number(args, "copies", default=int(copies), least=0, most=1)
    page = read_number(args, "page", default=1, least=1)
    exact = read_number(args, "exact", default=0, least=0, most=1)
    sort = usual if sort == "relevance" else sort
    return Asked(text, read_filters(args), sort, page, scope, bool(said), bool(exact), topic)


def read_filters(args: MultiDict[str, str]) -> Filters:
    """What is chosen; a value that is left out is not asked for as well."""
    without = {name: values for name in FACETS if (values := _values(args, NOT + name))}
    asked = {name: _values(args, name) for name in FACETS}
    only = {name: tuple(one for one in asked[name] if one not in without.get(name, ())) for name in FACETS}
    chosen = {name: values for name, values in only.items() if values}
    return Filters(chosen, without, _day(args, "since"), _day(args, "until"))


def read_number(args: MultiDict[str, str], name: str, *, default: int, least: int, most: int = 10**9) -> int:
    """A whole number among the parameters. Raises QueryError("query.bad_parameter")."""
    text = args.get(name, "")
    if not text:
        return default
    # isdecimal() alone lets through digits of other scripts; a length of 10 keeps int() cheap.
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise QueryError("query.bad_parameter", name=name, value=text)
    return int(text)


def _day(args: MultiDict[str, str], name: str) -> str | None:
    """A day, 2023-08-02."""
    text = args.get(name, "").strip()
    if not text:
        return None
    try:
        # Python reads more forms of a day than this one.
        return date.fromisoformat(text if _DAY.fullmatch(text) else "").isoformat()
    except ValueError as error:
        raise QueryError("query.bad_parameter", name=name, value=text) from error


def _values(args: MultiDict[str, str], name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(args.getlist(name)))
    if len(values) > VALUES:
        raise QueryError("query.bad_parameter", name=name, value=f"{len(values)} > {VALUES}")
    for value in values:
        if len(value) > VALUE_CHARS:
            raise QueryError("query.bad_parameter", name=name, value=f"{value[:SAID_CHARS]}…")
    return values


# --- what a page offers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet as shown."""

    value: str  # 贵州法治报; "" when the articles do not say
    label: str  # 贵州法治报 | 未注明报纸
    count: int
    chosen: bool
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet as shown."""

    name: str  # newspaper
    label: str  # 报纸
    first: list[Choice]
    more: list[Choice]  # behind a click
    left: int  # values that are not shown

    @property
    def is_open(self) -> bool:
        return any(choice.chosen or choice.excluded for choice in self.more)


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that was chosen, and the address without it."""

    label: str  # 报纸：贵州法治报
    url: str


def facets(asked: Asked, counts: Mapping[str, Sequence[tuple[str, int]]]) -> list[Facet]:
    """The facets that have something to choose among, with what was chosen always in sight; months under their years."""
    found = []
    years = asked.filters.only.get("year", ())
    for name, label in FACETS.items():
        counted = counts.get(name, ())
        if name == "month":
            counted = [(month, count) for month, count in counted if month and month[:4] in years]
        listed = choices(asked, name, counted)
        most = FIRST_VALUES + MORE_VALUES
        beyond = [choice for choice in listed[most:] if choice.chosen or choice.excluded]
        more = listed[FIRST_VALUES:most] + beyond
        if listed:
            left = max(len(listed) - most - len(beyond), 0)
            found.append(Facet(name, label, listed[:FIRST_VALUES], more, left))
    return found


def choices(asked: Asked, facet: str, counts: Sequence[tuple[str, int]]) -> list[Choice]:
    """The values of a facet in the order shown: years from the newest, edition pages as numbered, others as counted.

    A chosen value is shown also when nothing has it any more.
    """
    counted = dict(counts)
    chosen, excluded = asked.filters.only.get(facet, ()), asked.filters.without.get(facet, ())
    values = in_order(facet, dict.fromkeys((*counted, *chosen, *excluded)))
    return [
        Choice(value, value_label(facet, value), counted.get(value, 0), value in chosen, value in excluded)
        for value in values
    ]


def in_order(facet: str, values: Iterable[str]) -> list[str]:
    """The values of a facet as they are shown; "" for unknown comes last among years and edition pages."""
    if facet in ("year", "month"):
        return sorted(values, reverse=True)
    if facet == "edition_page":
        return sorted(values, key=lambda value: (not value, natural(value)))
    return list(values)


def value_label(facet: str, value: str) -> str:
    """07版 for the edition page 07; what an unknown value is called."""
    if not value:
        return UNKNOWN[facet]
    if facet == "source" and value == "files":
        return "手工加入"
    if facet == "month" and _MONTH.fullmatch(value):
        return f"{value[:4]}年{int(value[5:])}月"
    return edition(value) if facet == "edition_page" else value


def chips(asked: Asked) -> list[Chip]:
    """Everything that was chosen beside the query."""
    filters, found = asked.filters, []
    for name, label in FACETS.items():
        for value in in_order(name, filters.only.get(name, ())):
            found.append(Chip(f"{label}：{value_label(name, value)}", asked.without_url(name, value)))
        for value in in_order(name, filters.without.get(name, ())):
            found.append(Chip(f"排除{label}：{value_label(name, value)}", asked.readmitted_url(name, value)))
    if filters.since or filters.until:
        found.append(Chip(f"日期：{days(filters)}", asked.any_day_url()))
    return found


def days(filters: Filters) -> str:
    """2023-01-01 至 2023-06-30; 2023-01-01 起."""
    if filters.since and filters.until:
        return f"{filters.since} 至 {filters.until}"
    return f"{filters.since} 起" if filters.since else f"{filters.until} 止"


def periods(asked: Asked, today: date) -> list[tuple[str, str, bool]]:
    """Quick choices of days: words, address, whether it is the present choice."""
    found = []
    for words in PERIODS:
        since = dates(words, today, 1).since or ""
        is_chosen = asked.filters.since == since and asked.filters.until is None
        found.append((words, asked.since_url(since), is_chosen))
    return found


@dataclass(frozen=True, slots=True)
class Way:
    """Something to drop, the address without it, and how many articles are found there."""

    label: str  # 去掉「报纸：法治日报」
    url: str
    total: int


def ways(asked: Asked, relaxed: Sequence[Relaxed]) -> list[Way]:
    """The ways out of an empty result."""
    return [_way(asked, one) for one in relaxed]


def _way(asked: Asked, one: Relaxed) -> Way:
    if one.dropped == "facet":
        values = "、".join(value_label(one.name, value) for value in asked.filters.only[one.name])
        return Way(f"去掉「{FACETS[one.name]}：{values}」", asked.without_url(one.name), one.total)
    if one.dropped == "without":
        label = f"不排除「{FACETS[one.name]}：{value_label(one.name, one.value)}」"
        return Way(label, asked.readmitted_url(one.name, one.value), one.total)
    if one.dropped == "scope":
        return Way("在全部内容里找", asked.url(scope="all"), one.total)
    if one.dropped == "filters":
        return Way("去掉全部筛选条件", asked.unfiltered_url(), one.total)
    if one.dropped == "rest":
        return Way(f"只找「{one.value}」", asked.url(text=one.text), one.total)
    if one.dropped == "part":
        return Way(f"去掉「{one.value}」", asked.url(text=one.text), one.total)
    return Way(f"去掉「日期：{days(asked.filters)}」", asked.any_day_url(), one.total)


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
