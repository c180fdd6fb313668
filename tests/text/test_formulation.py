"""Where a formulation stands by itself."""

from __future__ import annotations

import pytest

from kb.text.formulation import Borders, Finder, companions, sentence
from kb.text.segment import Segmenter

LEXICON = ["党纪学习教育", "新质生产力", "自我革命", "党的群众路线教育实践活动", "领导干部", "中国梦"]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(LEXICON)


def crossings(formulation: str, text: str, segmenter: Segmenter) -> list[str | None]:
    finder = Finder(formulation)
    borders = Borders(finder.folded, segmenter)
    found = [borders.crossing(place) for place in finder.everywhere(text)]
    if any(finder.quickly(text)):
        assert [borders.crossing(place) for place in finder.quickly(text)] == found
    return found


@pytest.mark.parametrize(
    ("formulation", "text", "word"),
    [
        ("党纪学习教育", "把党规党纪学习教育作为党性教育的重要内容", "党规党纪"),
        ("党的领导", "会见四十多个国家的政党的领导人", "政党"),
        ("党的领导", "这位党的领导人", "领导人"),
        ("民生", "不断改善人民生活", "人民"),
        ("党建", "把我们的党建设得更加坚强有力", "建设"),
        ("中国梦", "用实干托起中国梦想", "梦想"),
        ("新发展理念", "秉持创新发展理念", "创新"),
        ("八项规定", "根据条例第十八项规定", "第十八"),
        ("依法治国", "全面依法治国是一场深刻革命", None),
        ("党纪学习教育", "认真开展党纪学习教育", None),
        ("改革开放", "进一步全面深化改革开放", None),
        ("脱贫攻坚", "打赢脱贫攻坚战", None),
        ("民族复兴", "实现中华民族复兴", None),
        ("民生", "一批惠民生的实事", None),
        ("自我革命", "百年来自我革命的经验", None),
        ("党的群众路线", "党的群众路线教育实践活动", None),
    ],
)
def test_a_formulation_that_is_cut_out_of_a_longer_word_is_told_with_that_word(
    segmenter: Segmenter, formulation: str, text: str, word: str | None
):
    assert crossings(formulation, text, segmenter) == [word]


@pytest.mark.parametrize(
    "text", ["“两个确立”", "两个 确立", "“两个”确立", "兩個確立", "两个\u3000确立", "《两个确立》"]
)
def test_white_space_quotation_marks_and_script_are_nothing(segmenter: Segmenter, text: str):
    assert crossings("两个确立", f"深刻领悟{text}的意义", segmenter) == [None]


@pytest.mark.parametrize("text", ["两个，确立", "两个。确立", "两个、确立", "两个（确立）", "两个\uff1a确立"])
def test_there_is_no_occurrence_over_a_mark_that_ends_a_clause(segmenter: Segmenter, text: str):
    assert crossings("两个确立", text, segmenter) == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("拥护“两个确立”。", "“两个确立”"),
        ("拥护两个 确立。", "两个确立"),
        ("坚持“两个确立、两个维护”。", "两个确立"),
        ("“两个”确立", "“两个”确立"),
    ],
)
def test_the_written_form_has_the_quotation_marks_that_enclose_it(text: str, written: str):
    assert [place.written for place in Finder("两个确立").quickly(text)] == [written]


def test_the_sentence_is_shown_whole_with_the_formulation_marked():
    text = "前一句。要拥护“两个确立”，走好新路！后一句。"
    (place,) = Finder("两个确立").quickly(text)
    runs = sentence(text, place)

    assert "".join(run.text for run in runs) == "要拥护“两个确立”，走好新路！"
    assert [run.text for run in runs if run.matched] == ["两个确立"]


def test_companions_stand_in_the_same_sentences_and_not_in_the_others(segmenter: Segmenter):
    pieces = ["拥护自我革命要勇气。今天天气晴朗。大家都很高兴。"] * 20

    assert [one.word for one in companions(pieces, "自我革命", segmenter, 5)] == ["勇气", "拥护"]
