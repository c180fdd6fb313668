from __future__ import annotations

from datetime import date
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
days = st.none() | st.dates().map(date.isoformat)


@st.composite
def filters_of(draw: st.DrawFn) -> Filters:
    """Chosen and excluded values, none of them both."""
    only = draw(st.dictionaries(st.sampled_from(list(asked.FACETS)), values.filter(bool), max_size=3))
    without = draw(st.dictionaries(st.sampled_from(list(asked.FACETS)), values.filter(bool), max_size=3))
    apart = {
        name: tuple(one for one in some if one not in only.get(name, ())) for name, some in without.items()
    }
    kept = {name: some for name, some in apart.items() if some}
    return Filters(only, kept, draw(days), draw(days))


states = st.builds(
    Asked,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    filters_of(),
    st.sampled_from(["relevance", "newest", "oldest", "longest", "shortest"]),
    st.integers(1, 10**9),
    st.sampled_from(list(asked.SCOPES)),
    st.booleans(),
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
    state = Asked("党建", Filters({"newspaper": ("云岭日报", ""), "year": ("2023",)}), "newest", 3)
    with app.test_request_context():
        without = asked.read(parsed(state.without_url("newspaper", "")))
        bare = asked.read(parsed(state.unfiltered_url()))

    assert without == Asked("党建", Filters({"newspaper": ("云岭日报",), "year": ("2023",)}), "newest", 1)
    assert bare == Asked("党建", Filters(), "newest", 1)


def test_what_is_left_out_is_not_asked_for_as_well() -> None:
    args = MultiDict([("q", "a"), ("year", "2023"), ("year", "2022"), ("not_year", "2023")])

    assert asked.read(args).filters == Filters({"year": ("2022",)}, {"year": ("2023",)})


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
        ("since", "2023"),
        ("since", "20230801"),
        ("until", "2023-02-30"),
        ("until", "昨天"),
        ("copies", "2"),
        ("scope", "newspaper"),
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
    state = Asked("a", Filters({"year": ("2019", "")}, {"year": ("2020",)}))

    found = asked.choices(state, "year", (("2021", 4), ("", 2), ("2023", 1)))

    assert found == [
        Choice("2023", "2023", 1, False),
        Choice("2021", "2021", 4, False),
        Choice("2020", "2020", 0, False, excluded=True),
        Choice("2019", "2019", 0, True),
        Choice("", "未知日期", 2, True),
    ]


def test_edition_pages_come_in_the_order_of_their_numbers() -> None:
    labels = ["10", "2", "", "A02", "A10", "A1", "01", "特1", "05-08"]
    found = asked.choices(Asked("a"), "edition_page", [(label, 1) for label in labels])

    assert [choice.label for choice in found] == [
        "01版", "2版", "05-08版", "10版", "A1版", "A02版", "A10版", "特1版", "未注明版次",
    ]  # fmt: skip


def test_many_values_lie_behind_a_click_and_a_chosen_one_opens_it() -> None:
    counts = {"author": [(f"作者{place}", 1) for place in range(90)]}
    [closed] = asked.facets(Asked("a"), counts)
    [opened] = asked.facets(Asked("a", Filters({"author": ("作者70",)})), counts)

    assert (len(closed.first), len(closed.more), closed.left, closed.is_open) == (8, 32, 50, False)
    assert (opened.more[-1].value, opened.left, opened.is_open) == ("作者70", 49, True)


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


def test_a_facet_takes_values_of_a_sensible_length() -> None:
    long = "1" * asked.VALUE_CHARS
    filters = asked.read_filters(MultiDict([("edition_page", long), ("not_edition_page", "07")]))
    for name in ("edition_page", "not_author"):
        with pytest.raises(QueryError) as caught:
            asked.read_filters(MultiDict([(name, long + "1")]))
        assert caught.value.key == "query.bad_parameter" and len(caught.value.words("zh")) < 200

    assert [one.value for one in asked.choices(Asked("党建", filters), "edition_page", [])] == ["07", long]
