from __future__ import annotations

from datetime import date

import pytest

from kb import config
from kb.errors import ConfigError
from kb.query import parse
from kb.text.normalize import fold
from kb.text.synonyms import Table, expand, expanded, read

TODAY = date(2026, 11, 23)
FULL = "中国共产党第二十次全国代表大会"


@pytest.fixture(scope="module")
def table() -> Table:
    return read(config.synonyms_text())


def added(text: str, table: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return expanded(expand(parse(text, TODAY), table))


def test_the_shipped_table_has_groups_of_equal_names(table: Table) -> None:
    groups = set(table.values())

    assert len(groups) >= 60
    assert all(len(group) >= 2 for group in groups)
    assert {fold(term) for group in groups for term in group} == set(table)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("二十大", (("二十大", (FULL,)),)),
        ("党的二十大", (("党的二十大", ("二十大", FULL)),)),
        (FULL, ((FULL, ("二十大",)),)),  # which finds 党的二十大 too
        ("全面从严治党", (("全面从严治党", ("从严治党",)),)),
        ("从严治党", ()),  # a literal finds 全面从严治党 anyway
        ("三农 党建", (("三农", ("农业农村农民",)),)),
        ("標題:最高檢", (("最高檢", ("最高人民检察院",)),)),
        ("正文:（二十大 或 党建）", (("二十大", (FULL,)),)),
    ],
)
def test_a_whole_typed_word_finds_its_equal_names(
    table: Table, text: str, found: tuple[tuple[str, tuple[str, ...]], ...]
) -> None:
    assert added(text, table) == found


@pytest.mark.parametrize(
    "text",
    [
        "“二十大”",
        "党建 -二十大",
        "非 二十大 党建",
        "作者:二十大",
        "报纸:最高检",
        "学习二十大",
        "二十",
        "党建",
    ],
)
def test_phrases_names_exclusions_and_other_words_stay_as_typed(table: Table, text: str) -> None:
    assert added(text, table) == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("groups = [", "TOML"),
        ("", "groups"),
        ("groups = 3", "groups"),
        ('groups = [["党建", "党的建设"], ["单个"]]', "groups[2]"),
        ('groups = [["党建", "党　建"]]', "groups[1]"),
        ('groups = [["党建", 3]]', "groups[1]"),
        ('groups = [["党建", "党的建设"], ["党的建设", "建党"]]', "groups[2]"),
        ('groups = [["党", "党的建设"]]', "groups[1]"),
    ],
)
def test_a_broken_file_says_where(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert caught.value.key == "lexicon.bad_synonyms"
    assert place in caught.value.words("zh")
