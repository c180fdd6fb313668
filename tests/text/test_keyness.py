"""Which words are more frequent in a part than in the rest."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.keyness import SURE, keyness, telling


def test_the_measure_is_dunnings_worked_by_hand():
    # 10 of 20 against 10 of 80: expected 4, 16, 16, 64.
    by_hand = 2 * (
        10 * math.log(10 / 4) + 10 * math.log(10 / 16) + 10 * math.log(10 / 16) + 70 * math.log(70 / 64)
    )

    assert keyness(10, 20, 10, 80) == pytest.approx(by_hand)
    assert keyness(10, 80, 10, 20) == pytest.approx(-by_hand)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_it_is_a_number_for_every_table_and_nothing_where_both_rates_are_equal(inside, more, outside, others):
    found = keyness(inside, inside + more, outside, outside + others)

    assert math.isfinite(found)
    if inside * (outside + others) == outside * (inside + more):
        assert found == pytest.approx(0, abs=1e-6)


def test_what_is_in_every_article_alike_and_what_the_rule_says_itself_tells_nothing():
    words = [("总书记", 50, 500), ("机关党建", 100, 100), ("主题党日", 60, 90), ("三会一课", 2, 900)]
    found = telling(words, 100, 1000, 10, known=["机关党建工作"])

    assert [one.words for one in found] == ["主题党日"]
    assert (found[0].articles, found[0].everywhere) == (60, 90)
    assert found[0].keyness > SURE and found[0].times == pytest.approx(18)


def test_of_phrases_that_hold_one_another_one_is_told_and_the_sharper_come_first():
    words = [("从严治党", 60, 62), ("全面从严治党", 58, 60), ("中央纪委", 80, 260), ("纪律建设", 20, 22)]
    found = telling(words, 100, 1000, 10)

    assert [one.words for one in found] == ["全面从严治党", "纪律建设", "中央纪委"]
