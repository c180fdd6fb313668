"""What can be typed, and what is said about what cannot be read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import QueryError
from kb.model import And, DateRange, LengthRange, Not, Or, Phrase, Word
from kb.query import CHARS_LIMIT, DEPTH_LIMIT, TERMS_LIMIT, parse, plain_words

TODAY = date(2026, 11, 23)  # a Monday


def words(*texts, field=None):
    return tuple(Word(text, field) for text in texts)


def days(text, since, until):
    return DateRange(text, since, until)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("党建", Word("党建")),
        ("党建 业务", And(words("党建", "业务"))),
        ("党建、业务，融合,检察;机关", And(words("党建", "业务", "融合", "检察", "机关"))),
        ("什么是三会一课？怎么开展?", And(words("什么是三会一课", "怎么开展"))),
        ("　党建　业务\t", And(words("党建", "业务"))),
        ("党建 党建", Word("党建")),
        ("“党建和业务”", Phrase("党建和业务")),
        ('"党建和业务"', Phrase("党建和业务")),
        ("”党建“", Phrase("党建")),
        ('“党建"', Phrase("党建")),
        ("「党建」『业务』", And((Phrase("党建"), Phrase("业务")))),
        ("支部“主题党日”活动", And((Word("支部"), Phrase("主题党日"), Word("活动")))),
        ("2023，2024", And(words("2023", "2024"))),
        ("2023,2024", And(words("2023", "2024"))),
        ("党建」业务", And(words("党建", "业务"))),
        ("1,000 GDP,CPI", And(words("1,000", "GDP", "CPI"))),
        ("https://example.cn/a 21:00", And(words("https://example.cn/a", "21:00"))),
        ("时间:2023", Word("时间:2023")),
        ("A-12 3.5 not and or", And(words("A-12", "3.5", "not", "and", "or"))),
        ("党建 ！？ ——", Word("党建")),
        ("“” 党建", Word("党建")),
        ("- 党建 - 业务", And(words("党建", "业务"))),
    ],
)
def test_words_and_phrases_are_read_as_a_chinese_keyboard_types_them(text, root):
    query = parse(text, TODAY)

    assert query.root == root
    assert query.text == text


@pytest.mark.parametrize(
    "text", ["党建 与 业务", "党建 AND 业务", "党建 ＡＮＤ 业务", "(党建 业务)", "（党建）（业务）"]
)
def test_and_is_what_two_words_mean_anyway(text):
    assert parse(text, TODAY).root == And(words("党建", "业务"))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("党建 或 业务", Or(words("党建", "业务"))),
        ("党建 ＯＲ 业务 OR 检察", Or(words("党建", "业务", "检察"))),
        ("甲 乙 或 丙", Or((And(words("甲", "乙")), Word("丙")))),
        ("甲 (乙 或 丙)", And((Word("甲"), Or(words("乙", "丙"))))),
        ("党建 非 业务", And((Word("党建"), Not(Word("业务"))))),
        ("党建 AND NOT 业务", And((Word("党建"), Not(Word("业务"))))),
        ("党建 -业务 －检察", And((Word("党建"), Not(Word("业务")), Not(Word("检察"))))),
        ("党建 -(业务 或 检察)", And((Word("党建"), Not(Or(words("业务", "检察")))))),
        ("党建 -“主题党日”", And((Word("党建"), Not(Phrase("主题党日"))))),
        ("非 非 党建", Not(Not(Word("党建")))),
        ("-党建", Not(Word("党建"))),
    ],
)
def test_operators_bind_not_before_and_before_or(text, root):
    assert parse(text, TODAY).root == root


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("标题:融合", Word("融合", "title")),
        ("标题： “深度融合” 党建", And((Phrase("深度融合", "title"), Word("党建")))),
        ("Ｔitle:融合 AUTHOR:周见山", And((Word("融合", "title"), Word("周见山", "author")))),
        ("作者单位：检察院 版次:07", And((Word("检察院", "affiliation"), Word("07", "edition_page")))),
        ("标题:(党建 与 业务)", And(words("党建", "业务", field="title"))),
        ("标题:（党建 或 -“业务”）", Or((Word("党建", "title"), Not(Phrase("业务", "title"))))),
        ("-标题:党建", Not(Word("党建", "title"))),
        ("标题:-党建", Not(Word("党建", "title"))),
        ("标题:(标题:党建)", Word("党建", "title")),
        ("小标题:融合 引语:实干", And((Word("融合", "heading"), Word("实干", "quotation")))),
        ("标题:—— 党建", Word("党建")),
        ("标题:“” -—— 党建", Word("党建")),
    ],
)
def test_a_field_holds_for_what_follows_it(text, root):
    assert parse(text, TODAY).root == root


@pytest.mark.parametrize(
    ("value", "since", "until"),
    [
        ("2023", "2023-01-01", "2023-12-31"),
        ("２０２４－０２", "2024-02-01", "2024-02-29"),
        ("2023年8月2日", "2023-08-02", "2023-08-02"),
        ("2023.8.2..2023.8.9", "2023-08-02", "2023-08-09"),
        ("2023-01..2023-06", "2023-01-01", "2023-06-30"),
        ("2022～2023", "2022-01-01", "2023-12-31"),
        ("2022年至2023年", "2022-01-01", "2023-12-31"),
        ("2023..", "2023-01-01", None),
        ("..2023-06", None, "2023-06-30"),
        ("2023年以来", "2023-01-01", None),
        ("2023年6月以前", None, "2023-06-30"),
        ("今年", "2026-01-01", "2026-12-31"),
        ("去年", "2025-01-01", "2025-12-31"),
        ("本月", "2026-11-01", "2026-11-30"),
        ("上个月", "2026-10-01", "2026-10-31"),
        ("本周", "2026-11-23", "2026-11-29"),
        ("上周", "2026-11-16", "2026-11-22"),
        ("昨天", "2026-11-22", "2026-11-22"),
        ("近7天", "2026-11-17", "2026-11-23"),
        ("近一周", "2026-11-17", "2026-11-23"),
        ("近三个月", "2026-08-24", "2026-11-23"),
        ("最近12个月", "2025-11-24", "2026-11-23"),
        ("近半年", "2026-05-24", "2026-11-23"),
        ("近两年", "2024-11-24", "2026-11-23"),
        ("2023年上半年", "2023-01-01", "2023-06-30"),
        ("今年第三季度", "2026-07-01", "2026-09-30"),
    ],
)
def test_dates_are_read_as_they_are_written_and_spoken(value, since, until):
    assert parse(f"日期:{value} 党建", TODAY).root == And((days(value, since, until), Word("党建")))


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (">2000", 2001, None),
        ("＞＝2000", 2000, None),
        ("≤500", None, 500),
        ("< 500", None, 499),
        ("1000..3000", 1000, 3000),
        ("1千至1.5万", 1000, 15000),
        ("2000字以上", 2000, None),
        ("1万以内", None, 10000),
        ("1200", 1200, 1200),
    ],
)
def test_lengths_are_compared_or_ranges(value, least, most):
    assert parse(f"字数:{value}", TODAY).root == LengthRange(value, least, most)


@pytest.mark.parametrize(
    ("text", "key", "facts"),
    [
        ("", "query.empty", {}),
        ("  、，。—— ", "query.empty", {}),
        ("“”", "query.empty", {}),
        ("党" * (CHARS_LIMIT + 1), "query.too_long", {"length": CHARS_LIMIT + 1}),
        (" ".join(chr(0x5000 + i) for i in range(TERMS_LIMIT + 1)), "query.too_many_terms", {"count": 33}),
        ("党建 “业务", "query.unclosed", {"place": 4, "mark": "“"}),
        ("「业务”", "query.unclosed", {"place": 1, "mark": "「"}),
        ("党建 （业务", "query.unclosed", {"place": 4, "mark": "（"}),
        ("党建 （", "query.unclosed", {"place": 4, "mark": "（"}),
        ("党建) 业务", "query.not_open", {"place": 3, "mark": ")"}),
        ("党建 ()", "query.no_operand", {"place": 4, "mark": "("}),
        ("或 党建", "query.no_operand", {"place": 1, "mark": "或"}),
        ("党建 或", "query.no_operand", {"place": 4, "mark": "或"}),
        ("党建 或 与 业务", "query.no_operand", {"place": 6, "mark": "与"}),
        ("非", "query.no_operand", {"place": 1, "mark": "非"}),
        ("党建 标题:", "query.no_value", {"place": 4, "name": "标题:"}),
        ("标题: 作者:张三", "query.no_value", {"place": 1, "name": "标题:"}),
        ("标题:(作者:张三)", "query.field_in_field", {"place": 5, "name": "作者:"}),
        ("日期:", "query.no_value", {"place": 1, "name": "日期:"}),
        ("日期:昨日见", "query.bad_date", {"place": 4, "value": "昨日见"}),
        ("日期:2023-13", "query.bad_date", {"place": 4, "value": "2023-13"}),
        ("日期:2023-06..2023-01", "query.bad_date", {"place": 4}),
        ("日期:近零天", "query.bad_date", {"place": 4}),
        ("日期:近999999年", "query.bad_date", {"place": 4}),
        ("字数:很长", "query.bad_length", {"place": 4, "value": "很长"}),
        ("字数:3000..1000", "query.bad_length", {"place": 4}),
        ("(" * (DEPTH_LIMIT + 1) + "党建" + ")" * (DEPTH_LIMIT + 1), "query.nested_too_deep", {"place": 9}),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, key, facts):
    with pytest.raises(QueryError) as caught:
        parse(text, TODAY)

    assert caught.value.key == key
    assert facts.items() <= caught.value.facts.items()


@given(st.text(alphabet='党建业务与或非 ()（）“”"「」:：-－、,.0123标题日期字数>年近ANDORT', max_size=60))
def test_any_text_is_read_or_told_why_not_and_its_plain_words_can_be_read(text):
    for tried in (text, plain_words(text)):
        try:
            parse(tried, TODAY)
        except QueryError as error:
            assert error.key in ("query.empty",) or tried == text
            assert 1 <= error.facts.get("place", 1) <= max(len(text), 1)


@given(st.recursive(st.sampled_from(["党建", "“业务”", "标题:融合"]), lambda inner: st.one_of(
    st.tuples(inner, inner).map(lambda pair: f"({pair[0]} 或 {pair[1]})"),
    st.tuples(inner, inner).map(lambda pair: f"({pair[0]} {pair[1]})"),
    inner.map(lambda one: f"非 {one}"),
), max_leaves=8))  # fmt: skip
def test_half_and_full_width_and_either_language_mean_the_same(text):
    other = (
        text.replace("(", "（")
        .replace(")", "）")
        .replace("或", "OR")
        .replace("非", "ＮＯＴ")
        .replace(":", "：")
    )
    try:
        expected = parse(text, TODAY).root
    except QueryError as error:
        assert error.key == "query.nested_too_deep"
    else:
        assert parse(other, TODAY).root == expected


def test_as_many_levels_as_are_promised_can_be_nested():
    text = "(" * DEPTH_LIMIT + "党建 或 -业务" + ")" * DEPTH_LIMIT

    assert parse(text, TODAY).root == Or((Word("党建"), Not(Word("业务"))))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        (
            "日期:(2023 或 2025)",
            Or((days("2023", "2023-01-01", "2023-12-31"), days("2025", "2025-01-01", "2025-12-31"))),
        ),
        ("日期:(2023)", days("2023", "2023-01-01", "2023-12-31")),
        ("日期:2024-03 至 2024-06", days("2024-03 至 2024-06", "2024-03-01", "2024-06-30")),
        ("日期:2023年1月至6月", days("2023年1月至6月", "2023-01-01", "2023-06-30")),
        ("日期:20240315", days("20240315", "2024-03-15", "2024-03-15")),
        ("日期:202403", days("202403", "2024-03-01", "2024-03-31")),
        ("日期:3月", days("3月", "2026-03-01", "2026-03-31")),
        ("字数:1000-3000", LengthRange("1000-3000", 1000, 3000)),
        ("字数:大于 1000", LengthRange("大于 1000", 1001, None)),
        ("字数:超过1千", LengthRange("超过1千", 1001, None)),
        ("字数:不超过500", LengthRange("不超过500", None, 500)),
    ],
)
def test_dates_and_lengths_are_read_as_people_write_them(text, root):
    assert parse(text, TODAY).root == root


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("日期:(", "query.unclosed"),
        ("日期:(2023", "query.unclosed"),
        ("日期:()", "query.no_operand"),
        ("日期:(2023 非 2024)", "query.no_operand"),
    ],
)
def test_a_group_of_dates_that_cannot_be_read_says_why(text, key):
    with pytest.raises(QueryError) as caught:
        parse(text, TODAY)

    assert caught.value.key == key
