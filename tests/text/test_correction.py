"""What was meant is found among the terms of the field and the words of the index."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kb import config
from kb.text import lexicon
from kb.text.correction import Vocabulary, vocabulary
from kb.text.normalize import fold
from kb.text.pinyin import syllables

TERMS = [term.word for term in lexicon.read(config.lexicon_lines())]
COMMON = ["经典", "景点", "工作", "党建", "业务", "机关", "引领", "会议", "一次", "就会", "组织生活", "党员"]
PAIRS = 300


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary([*TERMS, *COMMON])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("三会一刻", "三会一课"),
        ("三会以课", "三会一课"),
        ("三一会课", "三会一课"),
        ("三会一", "三会一课"),
        ("三三会一课", "三会一课"),
        ("党健引领", "党建引领"),
        ("当建", "党建"),
        ("sanhuiyike", "三会一课"),
        ("shyk", "三会一课"),
        ("SHYK", "三会一课"),
        ("dangjian", "党建"),
        ("机关当建工作", "机关党建工作"),
        ("dangjianyewu", "党建业务"),
        ("黨健引領", "党建引领"),
    ],
)
def test_the_best_candidate_is_what_was_meant(words: Vocabulary, typed: str, meant: str) -> None:
    assert words.candidates(typed)[0] == meant


def test_no_word_is_its_own_correction_and_nonsense_has_none(words: Vocabulary) -> None:
    assert all(word not in words.candidates(word) for word in TERMS[:50])
    assert words.candidates("龘靐齉爩") == []
    assert words.candidates("xqzv") == []
    assert words.candidates("") == words.candidates("2023") == words.candidates("。") == []


def test_in_place_of_a_whole_word_only_near_words_stand(words: Vocabulary) -> None:
    assert words.instead_of("三会一刻")[0] == "三会一课"
    assert words.instead_of("三会一课") == words.instead_of("景点") == words.instead_of("当建") == []
    assert words.instead_of("机关当建工作") == words.instead_of("shyk") == []


def homophone(pick: random.Random, term: str, chars: list[str]) -> str:
    said = syllables(term)
    place = pick.randrange(len(term))
    alike = [char for char in chars if char != term[place] and syllables(char) == [said[place]]]
    return term[:place] + pick.choice(alike or ["错"]) + term[place + 1 :]


def one_character(pick: random.Random, term: str, chars: list[str]) -> str:
    place = pick.randrange(len(term) - 1)
    return pick.choice(
        [
            term[:place] + pick.choice(chars) + term[place + 1 :],
            term[:place] + term[place + 1 :],
            term[:place] + pick.choice(chars) + term[place:],
            term[:place] + term[place + 1] + term[place] + term[place + 2 :],
        ]
    )


KINDS: dict[str, Callable[[random.Random, str, list[str]], str]] = {
    "homophone": homophone,
    "one character": one_character,
    "pinyin": lambda _pick, term, _chars: "".join(syllables(term)),
    "initials": lambda _pick, term, _chars: "".join(one[0] for one in syllables(term)),
}
# Of the first candidates; initials of four letters often stand for several terms.
FLOORS = {"homophone": 0.97, "one character": 0.9, "pinyin": 0.97, "initials": 0.85}


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_forms_of_terms_lead_back_to_them(words: Vocabulary, kind: str) -> None:
    pick = random.Random(5)
    chars = sorted({char for term in TERMS for char in term if "\u4e00" <= char <= "\u9fff"})
    long_enough = [
        fold(term) for term in TERMS if len(term) >= 3 and fold(term).isalpha() and not term.isascii()
    ]
    right = 0
    for term in pick.sample(long_enough, PAIRS // len(KINDS)):
        wrong = KINDS[kind](pick, term, chars)
        right += wrong == term or words.candidates(wrong)[:1] == [term]

    assert right / (PAIRS // len(KINDS)) >= FLOORS[kind]
