"""Leaders' words: who, how, and exactly where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Block, BlockKind, Quotation
from kb.parse.quotation import quotations


def _blocks(*texts: str, kind: BlockKind = "paragraph") -> list[Block]:
    return [Block(f"b{place}", kind, None, text) for place, text in enumerate(texts)]


def _read(*texts: str) -> list[tuple[str, str, str]]:
    return [(found.speaker, found.verb, found.words) for found in quotations(_blocks(*texts))]


def test_words_are_exactly_what_stands_between_the_marks():
    text = "习近平总书记指出:“空谈误国,实干兴邦。”这句话讲得深刻。"

    assert quotations(_blocks(text)) == (Quotation("习近平总书记", "指出", "空谈误国,实干兴邦。", "b0", 10),)


@pytest.mark.parametrize(
    ("text", "speaker", "verb", "words"),
    [
        (
            "习近平总书记深刻指出：“江山就是人民、人民就是江山。”",
            "习近平总书记",
            "深刻指出",
            "江山就是人民、人民就是江山。",
        ),
        ("习近平总书记多次强调，“打铁必须自身硬”。", "习近平总书记", "强调", "打铁必须自身硬"),
        ('习近平总书记强调:"空谈误国、实干兴邦。"', "习近平总书记", "强调", "空谈误国、实干兴邦。"),
        ("邓小平同志说过：「发展才是硬道理。」", "邓小平同志", "说", "发展才是硬道理。"),
        (
            "正如毛泽东同志所指出的：“没有调查，就没有发言权。”",
            "毛泽东同志",
            "指出",
            "没有调查，就没有发言权。",
        ),
        (
            "党的二十大报告指出：“江山就是人民，人民就是江山。”",
            "党的二十大报告",
            "指出",
            "江山就是人民，人民就是江山。",
        ),
        (
            "县委书记王小明在会上强调：“空话要少讲，实事要多办。”",
            "县委书记王小明",
            "强调",
            "空话要少讲，实事要多办。",
        ),
        (
            "中共中央总书记、国家主席、中央军委主席习近平作出重要指示强调：“空谈误国，实干兴邦。”",
            "习近平",
            "强调",
            "空谈误国，实干兴邦。",
        ),
        (
            "习近平总书记在党的二十大报告中指出：“空谈误国，实干兴邦。”",
            "习近平总书记",
            "指出",
            "空谈误国，实干兴邦。",
        ),
        (
            "习近平总书记在青山考察时，就党建工作强调：“空谈误国，实干兴邦。”",
            "习近平总书记",
            "强调",
            "空谈误国，实干兴邦。",
        ),
        ("“空谈误国，实干兴邦。”习近平总书记强调。", "习近平总书记", "强调", "空谈误国，实干兴邦。"),
    ],
)
def test_a_quotation_has_its_speaker_and_verb(text: str, speaker: str, verb: str, words: str):
    assert _read(text) == [(speaker, verb, words)]


@pytest.mark.parametrize(
    ("opening", "speaker", "verb"),
    [
        (
            "习近平总书记在青年干部学习贯彻习近平新时代中国特色社会主义思想开班式上强调",
            "习近平总书记",
            "强调",
        ),
        ("习近平总书记在“不忘初心、牢记使命”主题教育总结大会上强调", "习近平总书记", "强调"),
        ("习近平总书记“七一”重要讲话指出", "习近平总书记", "指出"),
        ("习近平总书记庄严宣告", "习近平总书记", "庄严宣告"),
        ("习近平总书记告诫全党", "习近平总书记", "告诫"),
        ("习近平总书记谆谆告诫我们", "习近平总书记", "谆谆告诫"),
        ("习近平总书记勉励广大青年", "习近平总书记", "勉励"),
        ("习近平总书记殷殷嘱托", "习近平总书记", "殷殷嘱托"),
        ("习近平总书记鲜明指出", "习近平总书记", "鲜明指出"),
        ("习近平总书记精辟指出", "习近平总书记", "精辟指出"),
        ("习近平总书记科学指出", "习近平总书记", "科学指出"),
        ("习近平总书记重申", "习近平总书记", "重申"),
        ("毛主席教导我们", "毛主席", "教导"),
        ("习近平总书记指出 ", "习近平总书记", "指出"),
        ("云岭省委书记王小明强调", "云岭省委书记王小明", "强调"),
        ("在会上，云岭省委书记、省人大常委会主任王小明强调", "云岭省委书记、省人大常委会主任王小明", "强调"),
        ("最高人民检察院检察长王小明指出", "最高人民检察院检察长王小明", "指出"),
        ("会议上中央政法委书记王小明要求", "中央政法委书记王小明", "要求"),
        ("青山县人民法院院长王小明强调", "青山县人民法院院长王小明", "强调"),
    ],
)
def test_occasions_and_posts_are_read_whole(opening: str, speaker: str, verb: str):
    assert _read(f"{opening}：“空话要少讲，实事要多办。”") == [(speaker, verb, "空话要少讲，实事要多办。")]


def test_verbs_in_a_row_share_the_speaker():
    text = "习近平总书记指出：“空谈误国实干兴邦”，强调“打铁必须自身硬”，要求“抓铁有痕踏石留印”。"

    assert _read(text) == [
        ("习近平总书记", "指出", "空谈误国实干兴邦"),
        ("习近平总书记", "强调", "打铁必须自身硬"),
        ("习近平总书记", "要求", "抓铁有痕踏石留印"),
    ]


@pytest.mark.parametrize("mark", ["，", "；", "、", ""])
def test_quotations_that_follow_each_other_share_speaker_and_verb(mark: str):
    text = f"习近平总书记指出，“空谈误国、实干兴邦”{mark}“打铁必须自身硬、无须扬鞭”。"

    assert [words for _, _, words in _read(text)] == ["空谈误国、实干兴邦", "打铁必须自身硬、无须扬鞭"]


@pytest.mark.parametrize(
    "text",
    [
        "办公室主任王小明说：“材料都准备好了。”",
        "村支书王小明说：“日子越来越好，干劲越来越足。”",
        "院长王小明强调：“空话要少讲，实事要多办。”",
        "县委书记王小明笑着说：“日子越来越好，干劲越来越足。”",
        "检察长王小明表示：“空话要少讲，实事要多办。”",
        "习近平总书记“七一”重要讲话发表后，院党组在会上强调：“空话要少讲，实事要多办。”",
        "马克思主义认为：“空谈误国，实干兴邦。”",
        "认真落实“三会一课”，防止“吃老本”“模式化”。",
        "习近平总书记强调“两个维护”。",
        "习近平总书记提出“绿水青山就是金山银山”的理念。",
        "村民李四说：“日子越来越好，干劲越来越足。”",
        "他说：“日子越来越好，干劲越来越足。”",
        "深入学习贯彻习近平总书记重要讲话精神，会议强调：“空话要少讲，实事要多办。”",
        "习近平总书记来过这里，老支书激动地说：“日子越来越好，干劲越来越足。”",
        "习近平总书记关心群众。有人说：“日子越来越好，干劲越来越足。”",
        "按照习近平总书记要求，张三在会上强调：“空话要少讲，实事要多办。”",
        "习近平总书记指出：“”",
    ],
)
def test_terms_and_other_peoples_words_are_not_attributed(text: str):
    assert _read(text) == []


def test_the_nearest_subject_is_the_speaker():
    text = "学习习近平总书记重要讲话精神，检察长王小明要求：“空话要少讲，实事要多办。”"

    assert _read(text) == [("检察长王小明", "要求", "空话要少讲，实事要多办。")]


def test_nested_marks_stay_inside_the_words():
    text = "习近平总书记强调：“要学好《中国共产党章程》，把‘三会一课’落到实处。”会后分组讨论。"

    assert [words for _, _, words in _read(text)] == ["要学好《中国共产党章程》，把‘三会一课’落到实处。"]


def test_one_sentence_can_hold_several_quotations_of_one_speaker():
    text = "习近平总书记指出，“空谈误国，实干兴邦”，强调“打铁必须自身硬，无须扬鞭自奋蹄”。"

    assert [(speaker, verb) for speaker, verb, _ in _read(text)] == [
        ("习近平总书记", "指出"),
        ("习近平总书记", "强调"),
    ]


def test_quotations_side_by_side_share_their_speaker():
    found = _read("习近平总书记指出：“空谈误国，实干兴邦。”“打铁必须自身硬，无须扬鞭。”“三会一课”另有规定。")

    assert [words for _, _, words in found] == ["空谈误国，实干兴邦。", "打铁必须自身硬，无须扬鞭。"]


def test_a_quotation_over_several_paragraphs_is_one_entry_for_each():
    found = quotations(
        _blocks("习近平总书记强调：“空谈误国，实干兴邦。", "“打铁必须自身硬。”", "“这一段不是。”大家说。")
    )

    assert [(one.anchor, one.start, one.words) for one in found] == [
        ("b0", 10, "空谈误国，实干兴邦。"),
        ("b1", 1, "打铁必须自身硬。"),
    ]


def test_a_quotation_that_nothing_closes_stops_at_its_paragraph():
    found = _read("习近平总书记强调：“空谈误国，实干兴邦", "下一段与引文无关。")

    assert [words for _, _, words in found] == ["空谈误国，实干兴邦"]


def test_a_quotation_that_is_not_closed_does_not_take_in_the_rest_of_its_paragraph():
    found = _read("习近平总书记强调：“空谈误国，“实干兴邦”，要记牢。其他内容还有很多。", "下一段。")

    assert [words for _, _, words in found] == ["空谈误国，“实干兴邦"]


def test_headings_and_captions_are_not_searched():
    text = "习近平总书记指出：“空谈误国，实干兴邦。”"

    assert quotations(_blocks(text, kind="heading")) == ()
    assert quotations(_blocks(text, kind="caption")) == ()


_PIECES = st.sampled_from(
    [
        "习近平总书记",
        "毛泽东同志",
        "书记王小明",
        "在会上",
        "指出",
        "强调",
        "：",
        "，",
        "。",
        "“",
        "”",
        "‘",
        "’",
        '"',
        "「",
        "」",
        "空谈误国",
        "的",
        " ",
    ]
)


@given(st.lists(st.lists(_PIECES, max_size=24).map("".join).filter(str.strip).map(str.strip), max_size=5))
def test_offsets_are_exact_whatever_the_text(texts: list[str]):
    blocks = _blocks(*texts)
    by_anchor = {block.anchor: block.text for block in blocks}
    found = quotations(blocks)
    held = [by_anchor[one.anchor][one.start : one.start + len(one.words)] for one in found]

    assert held == [one.words for one in found]
    assert all(one.words and one.speaker and one.verb for one in found)


def test_a_row_of_posts_belongs_to_the_name_behind_it():
    text = "中共中央总书记、国家主席、中央军委主席习近平指出：“空谈误国，实干兴邦。”"

    assert _read(text) == [("习近平", "指出", "空谈误国，实干兴邦。")]
