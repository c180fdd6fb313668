from __future__ import annotations

import pytest

from kb.text.pinyin import is_typed, splits, syllables


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("党建业务", "dang jian ye wu"),
        ("银行", "yin hang"),
        ("人民调解委员会", "ren min tiao jie wei yuan hui"),
        ("重庆重要", "chong qing zhong yao"),
        ("女性绿化", "nv xing lv hua"),
        ("2023年gdp", "2 0 2 3 nian g d p"),
        ("", ""),
    ],
)
def test_a_text_is_read_as_it_is_typed(text: str, said: str) -> None:
    assert " ".join(syllables(text)) == said


def test_every_character_has_one_syllable() -> None:
    text = "习近平新时代中国特色社会主义思想\U00020000\ue000"

    assert len(syllables(text)) == len(text)


def test_letters_are_split_into_syllables_the_last_perhaps_begun() -> None:
    assert splits("dangjian")[0] == ["dang", "jian"]
    assert ["dang", "ji", "an"] in splits("dangjian")
    assert splits("dangjiany")[0] == ["dang", "jian", "y"]
    assert ["xi", "an"] in splits("xian")
    assert splits("djyw") == []


def test_hostile_letters_are_split_in_no_time() -> None:
    assert len(splits("an" * 100)) <= 8
    assert splits("x" * 200) == []


def test_only_letters_are_taken_for_pinyin() -> None:
    assert is_typed("dangjian")
    assert not is_typed("党jian") and not is_typed("") and not is_typed("2023")
