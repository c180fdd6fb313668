"""The lexicon file's lines."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ConfigError
from kb.text.lexicon import (
    Entry,
    Lexicon,
    OwnTerm,
    Term,
    load_segmenter,
    own_word_fault,
    read,
    read_own,
    written,
)
from kb.text.normalize import fold

GOOD = ["# 党务", "", "三会一课\t组织生活\t党章", "党建+业务\t融合\t例文"]


def test_terms_are_read_and_comments_and_blank_lines_passed_over():
    terms = read(GOOD)

    assert terms == [Term("三会一课", "组织生活", "党章"), Term("党建+业务", "融合", "例文")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("三会一课 组织生活 党章", "3 列"),
        ("三会一课\t组织生活", "3 列"),
        ("课\t组织生活\t党章", "词长"),
        ("长" * 21 + "\t组织生活\t党章", "词长"),
        ("三会 一课\t组织生活\t党章", "不允许"),
        ("三会一课,\t组织生活\t党章", "不允许"),
        ("主题党日\t\t党章", "缺少"),
        ("主題党日\t组织生活\t党章\t多", "3 列"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_the_reason(line, said):
    with pytest.raises(ConfigError) as caught:
        read([*GOOD, line])

    assert caught.value.key == "lexicon.bad_line"
    assert "第 5 行" in caught.value.words("zh")
    assert said in caught.value.words("zh")


def test_a_term_that_folds_to_an_earlier_one_is_refused():
    with pytest.raises(ConfigError) as caught:
        read([*GOOD, "三會一課\t组织生活\t党章"])

    assert "第 3 行重复" in caught.value.words("zh")


def test_the_segmenter_knows_the_terms():
    segmenter = load_segmenter(["枫溪夜话会\t基层治理\t例文"])

    assert segmenter.words("枫溪夜话会上") == ["枫溪夜话会", "上"]


# --- terms that editors add -------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_any_line_becomes_one_sound_term_or_faults_that_name_it(text: str) -> None:
    read = read_own([text])

    for term in read.terms:
        assert own_word_fault(term.word) is None
        assert 2 <= len(term.word) <= 40 and not any(char.isspace() for char in term.word)
        assert term.frequency is None or 1 <= term.frequency <= 10**9
    assert all(fault.line == 1 and fault.field and fault.reason for fault in read.faults)
    assert len(read.terms) + bool(read.faults) <= 1


@given(
    st.lists(
        st.builds(
            OwnTerm,
            st.text("党建枫溪夜话会甲乙丙a1+·", min_size=2, max_size=40),
            st.none() | st.integers(1, 10**9),
            st.booleans(),
        ),
        unique_by=lambda one: fold(one.word),
    )
)
def test_what_is_written_is_read_back_and_nothing_is_lost(terms: list[OwnTerm]) -> None:
    read = read_own(written(terms).splitlines())

    assert (read.terms, read.faults) == (terms, [])


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("枫溪夜话会\tabc", ["词频"]),
        ("枫溪夜话会 500", ["词语"]),
        ("枫溪夜话会\t-1", ["词频"]),
        ("枫溪夜话会\t0", ["词频"]),
        ("长" * 41, ["词语"]),
        ("坏 词\tx\t停", ["词语", "词频", "状态"]),
        ("枫溪夜话会\t1\t停用\t多", ["列数"]),
        ("枫\u3000溪", ["词语"]),
    ],
)
def test_every_field_has_its_own_fault(line: str, fields: list[str]) -> None:
    read = read_own(["# 头", "", line])

    assert [(fault.line, fault.field) for fault in read.faults] == [(3, one) for one in fields]
    assert read.terms == []


def test_a_chosen_frequency_shapes_the_cut_and_the_fingerprint() -> None:
    automatic = Lexicon((Entry("枫溪夜话会"),))
    rare = Lexicon((Entry("枫溪夜话会", 1),))
    segmenter = automatic.segmenter()

    assert segmenter.words("枫溪夜话会上") == ["枫溪夜话会", "上"]
    assert automatic.fingerprint(segmenter) == segmenter.fingerprint != rare.fingerprint(segmenter)
    assert rare.segmenter().fingerprint == rare.fingerprint(segmenter)
    assert pickle.loads(pickle.dumps(rare.segmenter())).fingerprint == rare.fingerprint(segmenter)  # noqa: S301  # our own
