"""What can be typed, and what is said about what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import QueryError
from kb.model import Clause
from kb.query import CHARS_LIMIT, CLAUSES_LIMIT, parse


def word(text, field=None):
    return Clause("word", text, field)


def phrase(text, field=None):
    return Clause("phrase", text, field)


def days(text, since, until):
    return Clause("date", text, "published", since, until)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("党建 业务", [word("党建"), word("业务")]),
        ("党建、业务，融合,检察;机关", [word(w) for w in ("党建", "业务", "融合", "检察", "机关")]),
        ("　党建　业务\t", [word("党建"), word("业务")]),
        ("党建 党建", [word("党建")]),
        ("“党建和业务”", [phrase("党建和业务")]),
        ('"党建和业务"', [phrase("党建和业务")]),
        ("”党建“", [phrase("党建")]),
        ('“党建"', [phrase("党建")]),
        ("「党建」『业务』", [phrase("党建"), phrase("业务")]),
        ("支部“主题党日”活动", [word("支部"), phrase("主题党日"), word("活动")]),
        ("党建」业务", [word("党建"), word("业务")]),
        ("标题:融合", [word("融合", "title")]),
        ("标题：“深度融合” 党建", [phrase("深度融合", "title"), word("党建")]),
        ("标题： 融合", [word("融合", "title")]),
        ("作者:周见山 单位：检察院", [word("周见山", "author"), word("检察院", "affiliation")]),
        ("Ｔitle:融合 AUTHOR:周见山", [word("融合", "title"), word("周见山", "author")]),
        ("newspaper:清河日报", [word("清河日报", "newspaper")]),
        ("时间:2023", [word("时间:2023")]),
        ("https://example.cn/a 21:00", [word("https://example.cn/a"), word("21:00")]),
        ("1,000 GDP,CPI", [word("1,000"), word("GDP"), word("CPI")]),
        ("党建 ！？ ——", [word("党建")]),
        ("标题:—— 党建", [word("党建")]),
        ("“” 党建", [word("党建")]),
        ("日期:2023", [days("2023", "2023-01-01", "2023-12-31")]),
        ("日期:２０２４－０２", [days("２０２４－０２", "2024-02-01", "2024-02-29")]),
        ("date：2023-08-02", [days("2023-08-02", "2023-08-02", "2023-08-02")]),
        ("日期:2023年8月2日", [days("2023年8月2日", "2023-08-02", "2023-08-02")]),
        ("日期:2023年", [days("2023年", "2023-01-01", "2023-12-31")]),
        ("日期:2023-01..2023-06 党建", [days("2023-01..2023-06", "2023-01-01", "2023-06-30"), word("党建")]),
        ("日期:2023..", [days("2023..", "2023-01-01", None)]),
        ("日期:..2023-06", [days("..2023-06", None, "2023-06-30")]),
        ("日期:2022～2023", [days("2022～2023", "2022-01-01", "2023-12-31")]),
        ("日期:2023.8.2..2023.8.9", [days("2023.8.2..2023.8.9", "2023-08-02", "2023-08-09")]),
    ],
)
def test_a_query_is_read_as_a_chinese_keyboard_types_it(text, clauses):
    query = parse(text)

    assert query.clauses == tuple(clauses)
    assert query.text == text


@pytest.mark.parametrize(
    ("text", "key", "facts"),
    [
        ("", "query.empty", {}),
        ("  、，。—— ", "query.empty", {}),
        ("“”", "query.empty", {}),
        ("党" * (CHARS_LIMIT + 1), "query.too_long", {"length": CHARS_LIMIT + 1}),
        (" ".join(chr(0x4E00 + i) for i in range(CLAUSES_LIMIT + 1)), "query.too_many_terms", {"count": 33}),
        ("党建 “业务", "query.unclosed", {"place": 4, "mark": "“"}),
        ("「业务”", "query.unclosed", {"place": 1, "mark": "「"}),
        ("党建 标题:", "query.no_value", {"place": 4, "name": "标题:"}),
        ("日期:昨天", "query.bad_date", {"place": 4, "value": "昨天"}),
        ("日期:2023-02-30", "query.bad_date", {"value": "2023-02-30"}),
        ("日期:2023-13", "query.bad_date", {}),
        ("日期:0000", "query.bad_date", {}),
        ("日期:2023-06..2023-01", "query.bad_date", {}),
        ("日期:..", "query.bad_date", {}),
        ("日期:2021..2022..2023", "query.bad_date", {}),
    ],
)
def test_a_query_that_cannot_be_read_says_where_and_why(text, key, facts):
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert caught.value.key == key
    assert facts.items() <= caught.value.facts.items()
    assert caught.value.words("zh")
    assert caught.value.words("en")


TYPED = st.text(max_size=60) | st.text(
    alphabet='党建业务 　、，,:：“”"「」『』标题日期作者2023-0..~年月日', max_size=60
)


@given(TYPED)
def test_nothing_that_can_be_typed_raises_anything_but_a_query_error(text):
    try:
        query = parse(text)
    except QueryError as error:
        assert error.words("zh")
        return

    assert query.clauses
    assert len(query.clauses) <= CLAUSES_LIMIT


@given(
    st.lists(
        st.text(alphabet="党建业务融合学习", min_size=1, max_size=5), min_size=1, max_size=8, unique=True
    )
)
def test_words_stay_whole_and_in_order(words):
    query = parse(" ".join(words))

    assert [clause.text for clause in query.clauses] == words
