from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kb.errors import QueryError
from kb.model import Filters
from kb.web import asked
from kb.web.asked import Asked, Choice, page_numbers

app = Flask(__name__)
app.add_url_rule("/search", endpoint="search.page")

values = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), unique=True, max_size=4).map(
    tuple
)
states = st.builds(
    Asked,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.builds(Filters, values, values),
    st.sampled_from(["relevance", "newest", "oldest"]),
    st.integers(1, 10**9),
)


def parsed(url: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@given(states)
def test_the_whole_state_is_in_its_url(state: Asked) -> None:
    with app.test_request_context():
        url = state.url()

    assert asked.read(parsed(url)) == state


def test_defaults_are_left_out_of_the_url() -> None:
    with app.test_request_context():
        url = Asked("a").url()

    assert url == "/search?q=a"


def test_a_chosen_value_can_be_taken_away_and_brings_back_the_first_page() -> None:
    state = Asked("党建", Filters(("云岭日报", ""), ("2023",)), "newest", 3)
    with app.test_request_context():
        without = asked.read(parsed(state.without_url("newspaper", "")))
        bare = asked.read(parsed(state.unfiltered_url()))

    assert without == Asked("党建", Filters(("云岭日报",), ("2023",)), "newest", 1)
    assert bare == Asked("党建", Filters(), "newest", 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "best"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "二"),
        ("page", "٣"),
        ("page", "9" * 5000),
        ("page", "1e3"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(QueryError) as caught:
        asked.read(MultiDict([("q", "a"), (name, value)]))

    assert caught.value.key == "query.bad_parameter"
    assert f"参数 {name} " in caught.value.words("zh")


def test_more_chosen_values_than_anybody_ticks_are_refused() -> None:
    with pytest.raises(QueryError):
        asked.read(MultiDict([("year", str(year)) for year in range(101)]))


def test_choices_show_years_newest_first_and_never_lose_a_chosen_value() -> None:
    state = Asked("a", Filters(years=("2019", "")))

    found = asked.choices(state, "year", (("2021", 4), ("", 2), ("2023", 1)))

    assert found == [
        Choice("year", "2023", "2023", 1, False),
        Choice("year", "2021", "2021", 4, False),
        Choice("year", "2019", "2019", 0, True),
        Choice("year", "", "未知日期", 2, True),
    ]


@pytest.mark.parametrize(
    ("page", "last", "numbers"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 9, [1, 2, 3, None, 9]),
        (5, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (50, 100, [1, None, 48, 49, 50, 51, 52, None, 100]),
    ],
)
def test_paging_names_the_ends_and_the_neighbours(page: int, last: int, numbers: list[int | None]) -> None:
    assert page_numbers(page, last) == numbers
