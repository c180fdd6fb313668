"""Similar articles are of the same theme, on the samples; copies stand for one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kb import config
from kb.engine import open_engine
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter
from tests.engine.test_contract import stored

SAMPLES = config.shipped("corpus") / "samples"
# What a reader of one would want to see of the others, by the beginnings of their titles.
THEMES = {
    "保密": ["指尖上的保密课", "保密这根弦", "关于开展涉密载体", "把保密教育融入"],
    "主题党日": ["主题党日，", "一堂开在晒谷场", "主题党日“三问", "十月份主题党日"],
    "志愿服务": ["全市学雷锋", "志愿服务要多些", "红马甲走进", "澄湖区政法志愿", "市图书馆招募"],
    "法律明白人": ["让“法律明白人”", "法律明白人的一天"],
    "未成年人": ["给涉案未成年人", "让保护未成年人", "多给涉案未成年人"],
    "理论学习": ["青年理论学习小组", "青年干警理论学习", "从“要我学”", "读原著"],
    "融合": ["党建与业务融合，", "让支部建设与办案"],
    "巡回办案": ["云栖县法院把", "一条山路上"],
    "调解": ["一杯茶里", "矛盾不上交", "把难题摆到", "楼上漏水"],
    "档案": ["守好档案关口", "一份案卷"],
    "组织生活": ["“三会一课”要防", "把“三会一课”开", "会要开得短", "民主评议怎样"],
}


@pytest.fixture(scope="module")
def samples():
    """The sample articles by id; no text twice."""
    lines = [
        json.loads(line)
        for path in sorted(SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    texts = {line["title"]: line for line in lines}
    return {
        number: stored(number, line["title"], *line["body"].split("\n"))
        for number, line in enumerate(texts.values(), 1)
    }


@pytest.fixture(scope="module")
def engine(samples, tmp_path_factory):
    made = open_engine(tmp_path_factory.mktemp("like"), load_segmenter(config.lexicon_lines()))
    made.rebuild([list(samples.values())], seq=len(samples))
    return made


def theme_of(title: str) -> str | None:
    return next(
        (name for name, begins in THEMES.items() if title.replace("\u3000", "").startswith(tuple(begins))),
        None,
    )


def test_an_article_finds_the_others_of_its_theme(engine, samples):
    members = {one: theme_of(article.article.title) for one, article in samples.items()}
    themed = [one for one, theme in members.items() if theme]
    found = {one: engine.like(samples[one], 5) for one in themed}
    helped = [one for one in themed if members[one] in {members[other] for other in found[one]}]
    firsts = [one for one in themed if found[one] and members[found[one][0]] == members[one]]

    assert len(themed) >= 35
    assert len(helped) / len(themed) >= 0.9, [samples[one].article.title for one in set(themed) - set(helped)]
    assert len(firsts) / len(themed) >= 0.75


def test_neither_the_article_nor_its_copies_are_like_it(engine, samples):
    assert all(one not in engine.like(article, 5) for one, article in samples.items())


def test_of_the_copies_of_one_text_one_is_shown(tmp_path):
    text = "支部把主题党日开在田间,党员讲政策、帮农户。"
    shelf = [
        stored(1, "田间的主题党日", text),
        replace(stored(2, "田间的主题党日", text), reprint_of=1),
        stored(3, "主题党日下田间", text, "另一篇。"),
        replace(stored(4, "主题党日下田间", text, "另一篇。"), reprint_of=3),
    ]
    made = open_engine(tmp_path, load_segmenter([]))
    made.rebuild([shelf], seq=4)

    assert len(made.like(shelf[0], 5)) == 1 and made.like(shelf[0], 5)[0] in (3, 4)
    assert made.like(shelf[1], 5) == made.like(shelf[0], 5)
    assert len(made.like(shelf[3], 5)) == 1 and made.like(shelf[3], 5)[0] in (1, 2)


def test_an_article_that_is_not_indexed_yet_has_similar_ones_too(engine, samples):
    fresh = stored(999, "保密教育", "保密教育要进机关,涉密载体要清查,保密纪律要讲。")

    assert theme_of(samples[engine.like(fresh, 5)[0]].article.title) == "保密"
    assert engine.like(stored(1000, "无", "·"), 5) == ()


def test_the_words_of_an_index_are_told_with_their_articles(tmp_path):
    made = open_engine(tmp_path, Segmenter(["三会一课"]))
    made.rebuild([[stored(1, "三会一课", "党建 的 GDP"), stored(2, "党建", "x")]], seq=2)

    assert dict(made.words(1)) == {"三会一课": 1, "党建": 2, "gdp": 1}
    assert dict(made.words(2)) == {"党建": 2}
