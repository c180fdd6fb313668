"""Columns keep what they are given, through coding, files and merges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.engine.columns import NAMES, NUMBERS, as_arrays, coded, columns_of, from_arrays, joined
from tests.engine.test_contract import stored

NAME = st.sampled_from(["清河日报", "枫溪法治报", "a", "ｂ", "\U0001f600", "许剑虹", "", "\ud800"])
ARTICLES = st.lists(
    st.builds(
        lambda number, **more: stored(number, **more),
        st.integers(1, 2**62),
        authors=st.lists(NAME, max_size=3),
        newspaper=st.none() | NAME,
        affiliation=st.none() | NAME,
        edition_page=st.none() | NAME,
        page_name=st.none() | NAME,
        published=st.none() | st.dates().map(str),
    ),
    max_size=6,
)


def values(columns):
    """Every column as plain lists."""
    numbers = {name: columns.numbers[name].tolist() for name in NUMBERS}
    return numbers | {name: rows(columns.names[name]) for name in NAMES}


def rows(one):
    ends = one.at.tolist()
    codes = one.codes.tolist()
    return [[one.names[code] for code in codes[start:end]] for start, end in pairwise(ends)]


def of(articles):
    return columns_of(articles)


@settings(max_examples=40)
@given(st.lists(st.lists(NAME, max_size=4), max_size=8))
def test_coded_names_give_back_the_rows_and_are_sorted_with_the_unknown_first(given_rows):
    one = coded(given_rows)

    assert rows(one) == given_rows
    assert one.names == sorted({"", *(name for row in given_rows for name in row)})


@settings(max_examples=40)
@given(ARTICLES)
def test_columns_hold_what_the_articles_say_and_nothing_for_the_unknown(articles):
    held = values(of(articles))

    assert held["id"] == [one.id for one in articles]
    assert held["published"] == [int((one.article.published or "0").replace("-", "")) for one in articles]
    assert held["newspaper"] == [[one.article.newspaper or ""] for one in articles]
    assert held["edition_name"] == [[one.article.page_name or ""] for one in articles]
    assert held["author"] == [
        list(dict.fromkeys(each.name for each in one.article.authors)) for one in articles
    ]


@settings(max_examples=40)
@given(ARTICLES)
def test_columns_come_back_from_their_arrays_as_they_were(articles):
    made = of(articles)
    back = from_arrays(as_arrays(made))

    assert values(back) == values(made)
    assert {name: back.names[name].names for name in NAMES} == {
        name: made.names[name].names for name in NAMES
    }


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(ARTICLES.map(lambda some: some[:1]), st.booleans()), max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_joined_columns_are_those_of_the_articles_that_were_kept(parts):
    shelves = [[(one, kept) for some, kept in part for one in some] for part in parts]
    made = joined(
        [of([one for one, _ in shelf]) for shelf in shelves],
        [np.array([kept for _, kept in shelf], np.bool_) for shelf in shelves],
    )
    expected = of([one for shelf in shelves for one, kept in shelf if kept])

    assert values(made) == values(expected)
    assert {name: made.names[name].names for name in NAMES} == {
        name: expected.names[name].names for name in NAMES
    }
