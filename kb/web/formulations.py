"""提法: where and when a wording stands in the library. The page, the same as JSON, and its table by month as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from kb import formulations
from kb.errors import QueryError
from kb.export.audit_table import table
from kb.formulations import MOST, PER, Formulation, Traced, every_month, trace
from kb.web.access import readers
from kb.web.chart import MOST_MONTHS, Chart, Point, drawn, period_label
from kb.web.conditional import conditional
from kb.web.library import the_library
from kb.web.visitor import the_hidden

FIRST_REJECTED = 12  # words that are listed

blueprint = Blueprint("formulations", __name__)


@blueprint.get("/formulations")
@readers
def page() -> str:
    typed = _typed()
    if not typed:
        return render_template("formulations.html", typed=[""], most=MOST, traced=None)
    traced = _trace()
    return render_template(
        "formulations.html",
        typed=[one.text for one in traced.formulations],
        most=MOST,
        traced=traced,
        charts=_charts(traced),
        covered=_covered(traced.coverage),
        listed=FIRST_REJECTED,
        query=urlencode([("q", one.text) for one in traced.formulations]),
    )


@blueprint.get("/formulations.json")
@readers
def answer() -> Response:
    return conditional(jsonify({**formulations.record(_trace()), "took_ms": None}))


@blueprint.get("/formulations.csv")
@readers
def months() -> Response:
    lines = table(formulations.COLUMNS, formulations.rows(_trace()))
    answer = Response("".join(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="formulations.csv"'
    return answer


def _typed() -> list[str]:
    return [text for one in request.args.getlist("q") if (text := one.strip())]


def _trace() -> Traced:
    if not _typed():
        raise QueryError("formulation.empty")
    return trace(the_library().search, _typed(), hidden=the_hidden())


def _covered(coverage: Mapping[str, int]) -> str:
    """2012年6月至2026年6月."""
    months = every_month(coverage)
    return f"{period_label(months[0])}至{period_label(months[-1])}" if months else ""


def _charts(traced: Traced) -> list[Chart]:
    """One below the other, over the same months and to the same scale."""
    months = every_month(traced.coverage)
    points = [_points(traced, one) for one in traced.formulations]
    is_long = len(months) > MOST_MONTHS
    shown = [
        point.value
        for one in points
        for period, point in one.items()
        if period and (len(period) == 4) == is_long
    ]
    return [
        drawn(
            f"chart-{number}",
            f"「{one.text}」每千篇中的篇数",
            points[number - 1],
            covered=[month for month in traced.coverage if month],
            address=_address(one),
            unit="篇",
            span=(months[0], months[-1]) if months else None,
            top=max(shown, default=0),
        )
        for number, one in enumerate(traced.formulations, 1)
    ]


def _points(traced: Traced, one: Formulation) -> dict[str, Point]:
    """Shares of the months and years; what has no known date has a number of its own."""
    found: dict[str, Point] = {}
    having, coverage = _with_years(one.months), _with_years(traced.coverage)
    for period, articles in having.items():
        of = coverage.get(period, 0)
        share = articles * PER / of if of else 0.0
        cell = f"{share:.1f}" if period else f"{articles:,} 篇"
        found[period] = Point(share, cell, f"每千篇 {share:.1f} 篇，{of:,} 篇中有 {articles:,} 篇")
    return found


def _with_years(months: Mapping[str, int]) -> dict[str, int]:
    """Articles by month with those of the years added."""
    sums = dict(months)
    for month, count in months.items():
        if month:
            sums[month[:4]] = sums.get(month[:4], 0) + count
    return sums


def _address(one: Formulation) -> Callable[[str], str | None]:
    """Where the articles of a month or year are listed: what the search finds, the rejected ones among it."""

    def address(period: str) -> str:
        facet = "month" if len(period) == 7 else "year"
        asked = {"q": f"“{one.text}”", facet: period, "exact": "1"}
        return f"{url_for('search.page')}?{urlencode(asked)}"

    return address
