"""Counts by month -> a bar chart as numbers for a template, with its data as a table. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

PLOT_HEIGHT, ABOVE, BELOW = 120, 22, 40  # px: of the bars, over them for numbers, under them for the years
WIDTH = 1088  # px that a drawing of many bars takes: all of the page
MOST_MONTHS, MOST_YEARS = (
    180,
    100,
)  # bars that are drawn; with more months the bars are years, the latest of them
NARROWEST, WIDEST, LARGEST = 5, 28, 56  # px: of a month's bar, of a month's bar, of a year's
NUMBERED = 24  # px from which on a bar has its number over it
LABEL = 44  # px that the label of a year takes
SAID_GAPS = 8  # of the gaps that are told in words
_PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?", re.ASCII)

Address = Callable[[str], str | None]  # period → where its articles are listed; None: nowhere


@dataclass(frozen=True, slots=True)
class Point:
    """What is drawn for a month or a year."""

    value: float  # height of the bar, ≥ 0: 12; 3.41
    cell: str  # in the table: 12; 3.4
    words: str  # said of the bar: 12 篇; 每千篇 3.4（12 / 3,520）


@dataclass(frozen=True, slots=True)
class Bar:
    """One month, or one year, that is drawn. A gap is a period in which the whole library has nothing."""

    period: str  # 2023-08; 2023
    label: str  # 2023年8月
    words: str  # 12 篇; 没有; 库里没有这个月的材料
    number: str  # shown over a bar that is wide enough: 12; ""
    url: str | None
    is_gap: bool
    is_chosen: bool  # the list beside the chart is narrowed to it
    x: float  # px, left edge of its place
    width: float  # px, of its place
    y: float  # px, top edge of the bar
    height: float  # px, 0 for none


@dataclass(frozen=True, slots=True)
class Year:
    """A label under the bars."""

    x: float
    label: str  # 2023
    cell: str  # the year's number: 128; ""
    url: str | None


@dataclass(frozen=True, slots=True)
class Level:
    """A line behind the bars."""

    y: float
    label: str  # 20


@dataclass(frozen=True, slots=True)
class Cell:
    """A month, or a whole year, in the table."""

    text: str  # 12; 0; "" for a gap
    url: str | None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A year in the table."""

    year: str
    cells: tuple[Cell, ...]  # of its twelve months, and of all of it


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its table. All places are px in a drawing of `width` × `height`."""

    name: str  # ids in the page begin with it
    title: str  # 各月篇数
    unit: str  # 篇
    bars: tuple[Bar, ...]  # none: nothing has a known date
    years: tuple[Year, ...]
    levels: tuple[Level, ...]
    left: float  # where the bars begin
    right: float  # where they end
    base: float  # y of the line that they stand on
    width: float
    height: float
    summary: str  # 2021年3月至2024年8月，最多的是2023年8月（12 篇）。
    gaps: str  # 2021年5月至7月、2022年8月; "" when there are none
    rows: tuple[Row, ...]
    undated: Cell | None  # those whose date is unknown
    is_by_year: bool


def counted(counts: Iterable[tuple[str, int]]) -> dict[str, Point]:
    """Articles by month ("2023-08", "" unknown) as points, with those of the years added."""
    sums: dict[str, int] = {}
    for month, count in counts:
        periods = (month, month[:4]) if _PERIOD.fullmatch(month) and len(month) == 7 else ("",)
        for period in periods:
            sums[period] = sums.get(period, 0) + count
    return {period: Point(count, f"{count:,}", f"{count:,} 篇") for period, count in sums.items()}


def drawn(
    name: str,
    title: str,
    points: Mapping[str, Point],
    *,
    covered: Collection[str],
    address: Address,
    unit: str = "篇",
    chosen: Collection[str] = (),
    span: tuple[str, str] | None = None,
    top: float | None = None,
) -> Chart:
    """The chart of `points`: by month "2023-08", by year "2023", "" for what has no known date.

    `covered`: the months of which the library has anything at all; another one is a gap, not a nought.
    `chosen`: periods that the list beside it is narrowed to. `span`: first and last month drawn, else those of the
    points. `top`: the value that the highest line must reach, so that charts beside each other compare.
    """
    first, last = span or _span(points)
    months = _months(first, last) if first else []
    is_by_year = len(months) > MOST_MONTHS
    known = {*covered, *(month[:4] for month in covered), *points}
    periods = sorted({month[:4] for month in months})[-MOST_YEARS:] if is_by_year else months
    values = [points[one].value for one in periods if one in points]
    levels = _levels(max([top or 0, *values]))
    left = 14 + 8 * len(f"{levels[-1]:,}")
    most = LARGEST if is_by_year else WIDEST
    step = min(max(math.floor((WIDTH - 2 * left) / max(len(periods), 1)), NARROWEST), most)
    draw = _Drawing(points, known, chosen, address, left, step, levels[-1])
    bars = tuple(draw.bar(place, period) for place, period in enumerate(periods))
    return Chart(
        name=name,
        title=title,
        unit=unit,
        bars=bars,
        years=_labels(bars, points, address, step),
        levels=tuple(Level(draw.height_at(level), f"{level:,}") for level in levels),
        left=left,
        right=left + step * len(periods),
        base=ABOVE + PLOT_HEIGHT,
        width=left + step * len(periods) + max(left, LABEL - step),
        height=ABOVE + PLOT_HEIGHT + BELOW,
        summary=_summary(bars, points),
        gaps=_said([bar.period for bar in bars if bar.is_gap], periods),
        rows=_rows(points, known, chosen, address, months),
        undated=Cell(points[""].cell, address(""), "" in chosen) if "" in points else None,
        is_by_year=is_by_year,
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    points: Mapping[str, Point]
    known: Collection[str]  # periods that the library has something of
    chosen: Collection[str]
    address: Address
    left: float
    step: float
    top: float  # value of the highest line

    def height_at(self, value: float) -> float:
        return round(ABOVE + PLOT_HEIGHT * (1 - value / self.top), 1)

    def bar(self, place: int, period: str) -> Bar:
        point = self.points.get(period)
        is_gap = period not in self.known
        value = point.value if point else 0
        # What is there at all is seen, however little it is beside the rest.
        height = max(round(PLOT_HEIGHT * value / self.top, 1), 1.5) if value else 0.0
        nothing = "库里没有这段时间的材料" if is_gap else "没有"
        return Bar(
            period=period,
            label=period_label(period),
            words=point.words if point else nothing,
            number=point.cell if point and value and self.step >= NUMBERED else "",
            url=self.address(period) if value else None,
            is_gap=is_gap,
            is_chosen=period in self.chosen or (period[:4] in self.chosen and bool(value)),
            x=self.left + place * self.step,
            width=self.step,
            y=round(ABOVE + PLOT_HEIGHT - height, 1),
            height=height,
        )


def period_label(period: str) -> str:
    """2023年8月 for 2023-08, 2023年 for 2023, 日期不详 for ""."""
    if not period:
        return "日期不详"
    return f"{period[:4]}年{int(period[5:])}月" if len(period) > 4 else f"{period}年"


def _span(points: Mapping[str, Point]) -> tuple[str, str]:
    dated = sorted(period for period, point in points.items() if len(period) == 7 and point.value)
    return (dated[0], dated[-1]) if dated else ("", "")


def _months(first: str, last: str) -> list[str]:
    """Every month from one to another, both included."""
    start, end = (int(one[:4]) * 12 + int(one[5:]) - 1 for one in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(start, end + 1)]


def _levels(most: float) -> list[float]:
    """The values of the lines, round ones, from nought to the first that nothing is over: 0, 10, 20."""
    if most <= 0:
        return [0, 1]
    size = 10.0 ** math.floor(math.log10(most))
    step = next(step for step in (1, 2, 4, 5, 10) if step * size >= most or step == 10)
    parts = 1 if step * size == most == 1 else 5 if step == 5 else 2
    found = [round(step * size * part / parts, 6) for part in range(parts + 1)]
    return [int(one) if one == int(one) else one for one in found]


def _labels(
    bars: tuple[Bar, ...], points: Mapping[str, Point], address: Address, step: float
) -> tuple[Year, ...]:
    """The years under their first bars, where there is room for them."""
    found: list[Year] = []
    for place, bar in enumerate(bars):
        year = bar.period[:4]
        begins = place == 0 or bars[place - 1].period[:4] != year
        following = next((at for at in range(place, len(bars)) if bars[at].period[:4] != year), len(bars))
        is_cut = (
            place == 0
            and (following - place) * step < LABEL
            and following < len(bars)
            and len(bar.period) > 4
        )
        is_near = bool(found) and bar.x - found[-1].x < LABEL
        if begins and not is_cut and not is_near:
            point = points.get(year)
            found.append(Year(bar.x, year, point.cell if point else "", address(year) if point else None))
    return tuple(found)


def _summary(bars: tuple[Bar, ...], points: Mapping[str, Point]) -> str:
    filled = [bar for bar in bars if bar.height]
    if not filled:
        return "没有已知日期的材料。"
    most = max(filled, key=lambda bar: points[bar.period].value)
    if len(filled) == 1:
        return f"都在{most.label}（{most.words}）。"
    return f"{_between(filled[0].period, filled[-1].period)}，最多的是{most.label}（{most.words}）。"


def _said(gaps: list[str], periods: list[str]) -> str:
    """The gaps in words, those that follow one another taken together: 2021年5月至7月、2022年8月."""
    place = {period: at for at, period in enumerate(periods)}
    runs: list[list[str]] = []
    for period in gaps:
        if runs and place[period] == place[runs[-1][-1]] + 1:
            runs[-1].append(period)
        else:
            runs.append([period])
    told = (_between(run[0], run[-1]) for run in runs[:SAID_GAPS])
    return "、".join(told) + (f"等 {len(runs)} 段" if len(runs) > SAID_GAPS else "")


def _between(first: str, last: str) -> str:
    """2021年5月至7月."""
    if first == last:
        return period_label(first)
    end = period_label(last)
    return f"{period_label(first)}至{end[5:] if len(last) > 4 and first[:4] == last[:4] else end}"


def _rows(
    points: Mapping[str, Point],
    known: Collection[str],
    chosen: Collection[str],
    address: Address,
    months: list[str],
) -> tuple[Row, ...]:
    """A row for every year of the chart that the library has anything of, the newest first."""

    def cell(period: str) -> Cell:
        point = points.get(period)
        if point is None:
            return Cell("0" if period in known else "", None)
        return Cell(point.cell, address(period) if point.value else None, period in chosen)

    years = sorted({month[:4] for month in months} & {one[:4] for one in known}, reverse=True)
    return tuple(
        Row(year, tuple(map(cell, (*(f"{year}-{month:02}" for month in range(1, 13)), year))))
        for year in years
    )
