"""Folding for matching and the display form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.normalize import display, fold, fold_with_map, matching_form

# Text as articles have it, dense in what folding must get right: marks, widths, Latin, traditional script, odd characters.
TYPICAL = st.text(alphabet="党建業務檢察A a1２．，,-—“” \u3000\n㈠①ﬁ½ß\u200b\ufe0f薴ＡＺ…", max_size=40)
TEXTS = TYPICAL | st.text(max_size=40)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("党建　业务", "党建业务"),
        ("３．５％", "3.5"),
        ("Ａ-１２号", "a-12号"),
        ("檢察機關", "检察机关"),
        ("“融合”，发展。", "融合发展"),
        ("21：00", "21:00"),
        ("党\u200b建", "党建"),
        ("two words", "twowords"),
        ("1.2.3", "1.2.3"),
        ("A--12", "a12"),
        ("5%党员", "5党员"),
        ("㈠加强", "一加强"),
        ("葛\U000e0100", "葛"),
        ("𱁬", "𱁬"),
        ("——，。", ""),
    ],
)
def test_folding_is_blind_to_width_script_case_space_and_marks(text, folded):
    result = fold(text)

    assert result == folded


@given(TEXTS)
def test_folding_twice_changes_nothing(text):
    once = fold(text)

    assert fold(once) == once


@given(TEXTS)
def test_every_folded_character_knows_the_stored_one_it_comes_from(text):
    folded, places = fold_with_map(text)

    assert folded == fold(text)
    assert len(places) == len(folded)
    assert places == sorted(places)
    assert all(folded[i] in matching_form(text[place]) for i, place in enumerate(places))


@given(TYPICAL, st.integers(0, 40), st.integers(0, 40))
def test_every_part_of_a_text_is_found_in_it(text, start, end):
    part = text[start:end]

    assert fold(part) in fold(text)


@given(TYPICAL, TYPICAL)
def test_folding_is_context_free_when_a_chinese_character_stands_between(left, right):
    folded = fold(left + "党" + right)

    assert folded == fold(left) + "党" + fold(right)


@given(TEXTS)
def test_the_matching_form_keeps_marks_and_drops_what_cannot_be_seen(text):
    form = matching_form(text)

    assert fold(form) == fold(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in form)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("处理好党建和业务的关系,坚持一起谋划", "处理好党建和业务的关系，坚持一起谋划"),
        ("支书指出:“抓好学习”,大家都说好!", "支书指出：“抓好学习”，大家都说好！"),
        (" (一)深化学习", " （一）深化学习"),
        ("完成率达95%,同比提高", "完成率达95%，同比提高"),
        ("其中,2023年办理1,200件,用时21:00", "其中，2023年办理1,200件，用时21:00"),
        ("见https://example.cn/a,b?c=1;d(2) 原文", "见https://example.cn/a,b?c=1;d(2) 原文"),
        ("用 Hello, world! 开头", "用 Hello, world! 开头"),
        ("比例为3:5(见表)", "比例为3:5（见表）"),
        ("函数f(x)与(1)两处", "函数f(x)与（1）两处"),
        ("Only Latin, here: (yes)?", "Only Latin, here: (yes)?"),
        ("全角，已经是：好的", "全角，已经是：好的"),
        ("邮箱a.b@example.cn:请来信", "邮箱a.b@example.cn：请来信"),
    ],
)
def test_display_restores_wide_marks_in_chinese_text_only(text, shown):
    result = display(text)

    assert result == shown


@given(TEXTS)
def test_display_changes_nothing_that_matching_sees(text):
    result = display(text)

    assert fold(result) == fold(text)
    assert len(result) == len(text)
    assert display(result) == result
