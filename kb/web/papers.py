"""The e-newspaper: newspapers, the calendar of one, an issue, an edition page of it."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, render_template, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy import Connection
from werkzeug.routing import BaseConverter

from kb.errors import StoreError
from kb.model import Hidden
from kb.store import articles, issues
from kb.store.db import reading
from kb.web.access import readers
from kb.web.library import the_library
from kb.web.visitor import the_hidden

blueprint = Blueprint("papers", __name__)


class Name(BaseConverter):
    """A newspaper or the label of a page in a path, whatever its characters: / . and % are quoted twice.

    A server decodes a path once before it is cut at its slashes, and browsers resolve dots.
    """

    def to_python(self, value: str) -> str:
        return unquote(value)

    def to_url(self, value: str) -> str:
        quoted = value.replace("%", "%25").replace("/", "%2F")
        return super().to_url(quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted)


@blueprint.record
def _know_names(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["name"] = Name


@dataclass(frozen=True, slots=True)
class Day:
    """One cell of a calendar."""

    number: int  # of the month, 1–31
    day: str  # 2023-08-02
    count: int  # articles; 0 when there was no issue


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a calendar, in weeks from Monday; None stands for a day of another month."""

    year: int
    month: int
    weeks: tuple[tuple[Day | None, ...], ...]


@blueprint.get("/papers")
@readers
def index() -> str:
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        return render_template("papers.html", newspapers=issues.newspapers(connection, hidden=hidden))


@blueprint.get("/papers/<name:newspaper>")
@readers
def calendar(newspaper: str) -> str:
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        years = _known(connection, newspaper, hidden)
        dated = [year for year in years if year]
        year = request.args.get("year", dated[0] if dated else "")
        if year not in dated and (dated or year):
            raise StoreError("store.no_issue", newspaper=newspaper, day=year)
        days = issues.days(connection, newspaper, year, hidden=hidden) if dated else {}
    return render_template(
        "papers_calendar.html", newspaper=newspaper, years=years, year=year, months=months(days)
    )


@blueprint.get("/papers/<name:newspaper>/<day>")
@readers
def issue(newspaper: str, day: str) -> tuple[str, int]:
    """A day without an issue is answered with those nearest to it."""
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        facts = _issue(connection, newspaper, day, hidden)
    return render_template("papers_issue.html", **facts), 200 if facts["pages"] else 404


@blueprint.get("/papers/<name:newspaper>/<day>/<name:label>")
@readers
def edition_page(newspaper: str, day: str, label: str) -> tuple[str, int]:
    """A page that the issue does not have is answered with those that it has."""
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        facts = _issue(connection, newspaper, day, hidden)
        labels = [page.label for page in facts["pages"] if page.label]
        if label not in labels:
            return render_template("papers_issue.html", **facts, missing=label), 404
        at = labels.index(label)
        page = facts["pages"][at]
        stored = articles.many(connection, [listed.id for listed in page.articles], hidden=hidden)
    beside = {"page_before": labels[at - 1] if at else None, "page_after": (*labels, None)[at + 1]}
    ordered = [stored[listed.id] for listed in page.articles]
    return render_template("papers_page.html", **facts, page=page, stored=ordered, **beside), 200


def _issue(connection: Connection, newspaper: str, day: str, hidden: Hidden) -> dict[str, Any]:
    """What every page of an issue shows. Raises StoreError when there is no such newspaper, or no such day at all."""
    _known(connection, newspaper, hidden)
    if not _is_day(day):
        raise StoreError("store.no_issue", newspaper=newspaper, day=day)
    before, after = issues.nearest(connection, newspaper, day, hidden=hidden)
    pages = issues.issue(connection, newspaper, day, hidden=hidden)
    return {"newspaper": newspaper, "day": day, "pages": pages, "day_before": before, "day_after": after}


def _known(connection: Connection, newspaper: str, hidden: Hidden) -> dict[str, int]:
    """Articles by year. Raises StoreError("store.no_newspaper")."""
    years = issues.years(connection, newspaper, hidden=hidden)
    if not years:
        raise StoreError("store.no_newspaper", newspaper=newspaper)
    return years


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def months(counts: dict[str, int]) -> list[Month]:
    """The calendar of the months that have issues; `counts`: articles by day, in order, all of one year."""
    found = []
    for year, month in sorted({(int(day[:4]), int(day[5:7])) for day in counts if _is_day(day)}):
        weeks = Calendar().monthdayscalendar(year, month)
        found.append(Month(year, month, tuple(_week(year, month, week, counts) for week in weeks)))
    return found


def _week(year: int, month: int, numbers: Sequence[int], counts: dict[str, int]) -> tuple[Day | None, ...]:
    names = [f"{year:04}-{month:02}-{number:02}" for number in numbers]
    return tuple(
        Day(number, name, counts.get(name, 0)) if number else None
        for number, name in zip(numbers, names, strict=True)
    )
