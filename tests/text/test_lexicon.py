"""The lexicon file's lines."""

import pytest

from kb.errors import ConfigError
from kb.text.lexicon import Term, load_segmenter, read

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
