from __future__ import annotations

import pytest

from kb.text.completion import Table, table

TEXTS = [
    "党建引领",
    "党建业务深度融合",
    "三会一课",
    "机关党建",
    "GDP 增长",
    "银行业党建",
    "西安解放",
    "现代化",
]


@pytest.fixture(scope="module")
def made() -> Table:
    return table(TEXTS)


def found(made: Table, typed: str, limit: int = 10) -> list[str]:
    return [made.shown.text(number) for number in made.find(typed, limit)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("党建", ["党建引领", "党建业务深度融合", "机关党建", "银行业党建"]),
        ("建业", ["党建业务深度融合"]),
        ("djyw", ["党建业务深度融合"]),
        ("DJYW", ["党建业务深度融合"]),
        ("shyk", ["三会一课"]),
        ("dangjianye", ["党建业务深度融合"]),
        ("yinhang", ["银行业党建"]),
        ("dj", ["党建引领", "党建业务深度融合", "机关党建", "银行业党建"]),
        ("gdp", ["GDP 增长"]),
        ("增长", ["GDP 增长"]),
        ("GDP增", ["GDP 增长"]),
        ("黨建引領", ["党建引领"]),
        ("xian", ["西安解放", "现代化"]),
        ("angjian", []),
        ("绝无", []),
        ("", []),
        ("。", []),
    ],
)
def test_a_text_is_found_as_it_is_typed(made: Table, typed: str, first: list[str]) -> None:
    assert sorted(found(made, typed)) == sorted(first)


def test_beginnings_come_before_insides_and_rank_decides_the_rest(made: Table) -> None:
    assert found(made, "党建") == ["党建引领", "党建业务深度融合", "机关党建", "银行业党建"]
    assert found(made, "dangjian", limit=3) == ["党建引领", "党建业务深度融合", "机关党建"]


def test_exactly_what_was_typed_in_letters_is_told_from_beginnings(made: Table) -> None:
    assert [TEXTS[number] for number in made.said("sanhuiyike")] == ["三会一课"]
    assert [TEXTS[number] for number in made.said("shyk")] == ["三会一课"]
    assert made.said("dangjian") == []


def test_homophones_are_found(made: Table) -> None:
    assert [TEXTS[number] for number in made.sounds_like("当建引领")] == ["党建引领"]


def test_an_empty_table_finds_nothing() -> None:
    assert table([]).find("党", 10) == []
    assert table([]).said("dang") == []
