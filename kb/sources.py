"""USE CASE  The sources as those see them who look after them: state, last run, what their articles lack, what is odd."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from math import ceil, sqrt
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.crawl.source import Source, load
from kb.errors import ConfigError, EngineDownError
from kb.model import NOTHING_HIDDEN, Hidden, LengthRange, Page, Query
from kb.search import Search
from kb.store import frontier, moments, runs, source_states
from kb.store.db import reading
from kb.store.frontier import SourceStatus
from kb.store.runs import Run
from kb.store.source_states import Paused

State = Literal["on", "off", "paused"]

# A field of an article -> facet of the index that counts those without it. A title is never lacking: such a page gives
# no article.
FACETS = {"date": "year", "author": "author", "unit": "affiliation", "edition_page": "edition_page"}
EVERYTHING = Query("", LengthRange("", 0, None))

# 疑似改版: the upper control limit of a p chart, three standard deviations (ISO 7870-2, GB/T 17989.2), and a rise that
# is worth a look; the numbers of pages and days are kb's own.
SIGMAS = 3.0
LEAST_RISE = 0.20
RECENT_PAGES = 20  # article pages read by the last runs, together
EARLIER_PAGES = 60
COMPARED_RUNS = 100  # that read anything
# 来源无声: longer without news than three times the gap that nine in ten gaps do not exceed. kb's own rule.
NEWS_DAYS = 180  # looked at
LEAST_NEWS = 8  # days with news: fewer say nothing about what is usual
USUAL_SHARE = 0.9
TIMES_USUAL = 3
LEAST_SILENT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """A field that is lacking more often than before."""

    field: str  # of runs.FIELDS
    before: float  # share of the pages that were read
    now: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing new, though it was looked for."""

    since: str  # 2026-11-02, the last day with something new
    days: int
    usual: int  # days, the gap that nine in ten do not exceed


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source."""

    slug: str
    name: str
    state: State
    verified: str  # 2026-11-22, or never
    file: str  # guizhou-fazhi.toml
    newspaper: str | None
    has_start: bool  # it can be crawled at all
    paused: Paused | None
    last: Run | None
    status: SourceStatus | None  # of its pages; None when it was never crawled
    articles: int | None  # searchable ones; None when the index cannot tell, or may not
    lacking: Mapping[str, int]  # {"date": 3}: how many of them lack what
    shifts: tuple[Shift, ...]
    silence: Silence | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Every source."""

    lines: tuple[SourceLine, ...]
    unreadable: tuple[str, ...]  # sentences about source files that cannot be used
    others: Mapping[str, int]  # articles of sources without a file, by slug: added by hand, or imported
    index_problem: str | None  # why articles could not be counted


# --- the files -----------------------------------------------------------------------------------------------------


def known(settings: Settings) -> tuple[dict[str, Source], list[ConfigError]]:
    """The sources by slug, as `kb crawl` knows them, and what is wrong with files that cannot be used."""
    folders = (config.shipped("corpus") / "sources", settings.own_sources)
    files: dict[str, Path] = {path.stem: path for one in folders for path in sorted(one.glob("*.toml"))}
    found, problems = {}, []
    for slug, path in sorted(files.items()):
        try:
            found[slug] = load(path)
        except ConfigError as error:
            problems.append(error)
    return found, problems


def names(settings: Settings) -> dict[str, str]:
    """What the sources are called, by slug."""
    return {slug: source.name for slug, source in known(settings)[0].items()}


# --- all of them -----------------------------------------------------------------------------------------------------


def overview(
    database: Database, settings: Settings, search: Search, *, hidden: Hidden = NOTHING_HIDDEN
) -> Overview:
    """Every source with what is known of it. Reads no article: the index counts those that are not `hidden`."""
    sources, problems = known(settings)
    try:
        articles, lacking, index_problem = *_counted(search, hidden), None
    except EngineDownError as error:
        articles, lacking, index_problem = {}, {}, error.words("zh")
    with reading(database) as connection:
        status = {one.source: one for one in frontier.status(connection)}
        last, paused = runs.last(connection), source_states.paused(connection)
        news = runs.news(connection, since=moments.now(NEWS_DAYS))
        lines = tuple(
            SourceLine(
                slug=slug,
                name=source.name,
                state="paused" if slug in paused else "on" if source.enabled else "off",
                verified=source.verified,
                file=source.path.name,
                newspaper=source.newspaper,
                has_start=bool(source.start),
                paused=paused.get(slug),
                last=last.get(slug),
                status=status.get(slug),
                articles=None if index_problem or slug in hidden.sources else articles.get(slug, 0),
                lacking=lacking.get(slug, {}),
                shifts=shifts(runs.telling(connection, slug, COMPARED_RUNS)) if slug in last else (),
                silence=silence(news.get(slug, ()), last[slug].started_at[:10]) if slug in last else None,
            )
            for slug, source in sources.items()
        )
    others = {slug: count for slug, count in articles.items() if slug not in sources}
    return Overview(lines, tuple(error.words("zh") for error in problems), others, index_problem)


def _counted(search: Search, hidden: Hidden) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Articles by source, and how many of them lack what. Raises EngineDownError."""

    def by_source(only: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        found = search.engine.find(EVERYTHING, Page(only=only, facets=("source",), limit=0, hidden=hidden))
        return dict(found.facets["source"])

    articles = by_source({})
    without = {name: by_source({facet: ("",)}) for name, facet in FACETS.items()}
    lacking = {slug: {name: counts.get(slug, 0) for name, counts in without.items()} for slug in articles}
    return articles, lacking


# --- what is odd -------------------------------------------------------------------------------------------------------


def shifts(newest_first: Sequence[Run]) -> tuple[Shift, ...]:
    """Fields that the last runs found lacking clearly more often than those before: the site may have changed its pages."""
    pages = list(accumulate(run.lacking.get("read", 0) for run in newest_first))
    split = bisect_left(pages, RECENT_PAGES) + 1
    if split >= len(pages) or pages[-1] - pages[split - 1] < EARLIER_PAGES:
        return ()

    def share(name: str, some: Sequence[Run]) -> float:
        return sum(run.lacking.get(name, 0) for run in some) / sum(run.lacking.get("read", 0) for run in some)

    found = []
    for name in runs.FIELDS:
        now, before = share(name, newest_first[:split]), share(name, newest_first[split:])
        deviation = sqrt(before * (1 - before) / pages[split - 1])
        if now > before + max(SIGMAS * deviation, LEAST_RISE):
            found.append(Shift(name, before, now))
    return tuple(found)


def silence(days_with_news: Sequence[str], last_run: str) -> Silence | None:
    """Whether a source that is crawled brings nothing new for much longer than usual. Days in order, last_run 2026-11-22."""
    if len(days_with_news) < LEAST_NEWS:
        return None
    days = [date.fromisoformat(day) for day in days_with_news]
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    usual = gaps[ceil(USUAL_SHARE * len(gaps)) - 1]
    quiet = (date.fromisoformat(last_run) - days[-1]).days
    if quiet <= max(TIMES_USUAL * usual, LEAST_SILENT_DAYS):
        return None
    return Silence(days_with_news[-1], quiet, usual)
