"""Counts by month as a chart: every number stands in the table, a gap is no nought, whatever the dates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.web import chart
from kb.web.chart import Chart

MONTHS = st.builds("{:04}-{:02}".format, st.integers(1, 9999), st.integers(1, 12))
COUNTS = st.dictionaries(st.one_of(MONTHS, st.just("")), st.integers(1, 10**6), max_size=30)


def of(counts: dict[str, int], *covered: str, **more: object) -> Chart:
    points = chart.counted(counts.items())
    return chart.drawn("c", "各月篇数", points, covered=covered, address="?month={}".format, **more)  # type: ignore[arg-type]


def test_a_month_in_which_the_library_has_nothing_is_a_gap_and_not_a_nought() -> None:
    made = of({"2023-08": 3, "2023-11": 12}, "2023-08", "2023-09", "2023-11")

    assert [(bar.period, bar.is_gap) for bar in made.bars if not bar.height] == [
        ("2023-09", False),
        ("2023-10", True),
    ]
    assert made.gaps == "2023年10月"
    assert [cell.text for cell in made.rows[0].cells[7:]] == ["3", "0", "", "12", "", "15"]


def test_gaps_that_follow_one_another_are_told_as_one() -> None:
    made = of({"2021-11": 1, "2022-08": 1}, "2021-11", "2022-03", "2022-08")

    assert made.gaps == "2021年12月至2022年2月、2022年4月至7月"


def test_what_has_no_date_stands_beside_the_chart() -> None:
    made = of({"": 4})

    assert made.bars == ()
    assert made.undated is not None
    assert (made.undated.text, made.undated.url) == ("4", "?month=")


def test_charts_beside_each_other_share_months_and_height() -> None:
    span = ("2023-01", "2023-12")
    low, high = of({"2023-03": 1}, span=span, top=40), of({"2023-05": 40}, span=span, top=40)

    assert low.levels == high.levels
    assert len(low.bars) == len(high.bars) == 12


@given(counts=COUNTS, covered=st.sets(MONTHS, max_size=30))
def test_the_table_holds_every_number_once_and_the_drawing_stays_small(
    counts: dict[str, int], covered: set[str]
) -> None:
    made = of(counts, *covered)
    told = {
        cell.url.removeprefix("?month="): int(cell.text.replace(",", ""))
        for row in made.rows
        for cell in row.cells[:12]
        if cell.url
    }
    whole = sum(int(row.cells[12].text.replace(",", "")) for row in made.rows if row.cells[12].text)

    assert told == {month: count for month, count in counts.items() if month}
    assert whole == sum(told.values())
    assert len(made.bars) <= chart.MOST_MONTHS
    assert all(
        chart.ABOVE <= bar.y <= made.base and bar.y + bar.height <= made.base + 0.2 for bar in made.bars
    )
    assert all(bar.height for bar in made.bars if bar.url)
