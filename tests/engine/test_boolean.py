"""Any tree of AND, OR and NOT over literals and names finds what a look at every text finds: ids and totals."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from kb.engine import clock, open_engine
from kb.engine.answer import find
from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import Snapshot, open_snapshot
from kb.engine.spans import within_text
from kb.engine.tree import And, Literal, Named, Node, Not, Or, Rank, Term
from kb.model import BODY_KINDS, Article, Block, Page, Quotation, StoredArticle
from kb.text.normalize import fold
from tests.engine.test_contract import stored
from tests.engine.test_exactness import EXAMPLES, SEGMENTER, VOCABULARY, holds

PICK = random.Random(11)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
TRADITIONAL = OpenCC("s2t")
KINDS = ["paragraph"] * 4 + ["heading"] * 2 + ["list", "quote", "table", "caption", "note"]
FIELDS = [None, None, "title", "subtitle", "body", "heading", "quotation"]
NAMES = {
    "newspaper": ["清河日报", "枫溪法治报", "學習參考"],
    "source": ["files", "qinghe-ribao"],
    "affiliation": ["青石县人民检察院", "清河市委党校"],
    "author": ["许剑虹", "周见山", "和学习", "Ａnna"],
    "edition_name": ["理论", "要聞", "Law"],
    "edition_page": ["01", "07", "A01", "05-08", "10", "07版"],
}


def words(most: int = 12) -> str:
    return "".join(PICK.choices([*VOCABULARY, "GB/T 9704", "3.5", "。"], k=PICK.randint(0, most)))


def in_some_letters(text: str) -> str:
    kind = PICK.random()
    if kind < 0.15:
        return TRADITIONAL.convert(text)
    return text.translate(WIDE) if kind < 0.25 else text


def quotations(blocks: tuple[Block, ...]) -> Iterator[Quotation]:
    for block in blocks:
        if block.text and PICK.random() < 0.4:
            start = PICK.randrange(len(block.text))
            end = start + PICK.randint(1, 30)
            yield Quotation("某同志", "指出", block.text[start:end], block.anchor, start)


def name(column: str) -> str | None:
    return PICK.choice([None, *NAMES[column]])


def article(number: int) -> StoredArticle:
    blocks = tuple(
        Block(f"b{place}", PICK.choice(KINDS), None, in_some_letters(words(25)))
        for place in range(PICK.randint(0, 5))
    )
    made = stored(
        number, in_some_letters(words(4)), authors=PICK.sample(NAMES["author"], PICK.randint(0, 2)),
        affiliation=name("affiliation"), newspaper=name("newspaper"), page_name=name("edition_name"),
        edition_page=name("edition_page"), kicker=PICK.choice([None, words(3)]),
        subtitle=PICK.choice([None, "——以" + words(4)]), quotations=tuple(quotations(blocks)),
    )  # fmt: skip
    return replace(made, article=replace(made.article, source=PICK.choice(NAMES["source"]), blocks=blocks))


class Library(NamedTuple):
    snapshot: Snapshot
    living: dict[int, StoredArticle]


@pytest.fixture(scope="module", params=["one", "four", "changed", "merged"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp(request.param)
    living = {number: article(number) for number in PICK.sample(range(1, 2000), 400)}
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(list(living.values()), batch=400 if request.param == "one" else 100)
    if request.param in ("changed", "merged"):
        changed = [article(number) for number in list(living)[::7]]
        gone = [number for number in list(living)[3::9] if number not in {one.id for one in changed}]
        writer.replace([*changed, *(replace(living[number], status="gone") for number in gone)], batch=30)
        living |= {one.id: one for one in changed}
        living = {number: one for number, one in living.items() if number not in gone}
    if request.param == "merged":
        writer.merge(everything=True)
    writer.seal()
    return Library(open_snapshot(folder), living)


# --- a look at every text -----------------------------------------------------------------------------------------


def texts(one: Article, field: str | None) -> list[str | None]:
    match field:
        case "title":
            return [one.title]
        case "subtitle":
            return [one.subtitle]
        case "quotation":
            return [quotation.words for quotation in one.quotations]
        case "heading":
            return [block.text for block in one.blocks if block.kind == "heading"]
        case "body":
            return [block.text for block in one.blocks if block.kind in BODY_KINDS]
    return [one.title, one.subtitle, one.kicker, *(block.text for block in one.blocks)]


def label(text: str) -> str:
    return re.sub(r"\d+", lambda found: str(int(found[0])), fold(text).replace("版", ""))


def is_named(one: Article, column: str, text: str) -> bool:
    if column == "edition_page":
        return one.edition_page is not None and label(one.edition_page) == label(text)
    held = {
        "newspaper": [one.newspaper],
        "source": [one.source],
        "affiliation": [one.affiliation],
        "edition_name": [one.page_name],
        "author": [author.name for author in one.authors],
    }[column]
    return any(text in fold(known) for known in held if known)


def matches(one: Article, node: Node) -> bool:
    match node:
        case Literal(text, field):
            return any(text in fold(held) for held in texts(one, field) if held)
        case Named(column, text):
            return is_named(one, column, text)
        case Not(part):
            return not matches(one, part)
        case And(parts):
            return all(matches(one, part) for part in parts)
        case Or(parts, minimum):
            return sum(matches(one, part) for part in parts) >= minimum
    raise TypeError(node)


# --- what is asked ------------------------------------------------------------------------------------------------


def strings(living: dict[int, StoredArticle]) -> st.SearchStrategy[str]:
    """Folded characters of some text, as they stand there, or what stands nowhere."""
    held = sorted({text for one in living.values() for text in texts(one.article, None) if text})
    said = sorted({one.words for stored in living.values() for one in stored.article.quotations})
    piece = st.builds(
        lambda text, start, size: fold(text[start % len(text) :][:size]),
        st.sampled_from(held) | st.sampled_from(said),
        st.integers(0, 200),
        st.sampled_from([1, 2, 3, 4, 7, 30]),
    )
    return (piece | st.sampled_from(["没有", "龘", "业务党建学习公益诉讼"])).filter(bool)


def named(column: str) -> st.SearchStrategy[Named]:
    known = [fold(name) for name in NAMES[column]] + (
        ["7", "5-8", "a1", "1"] if column == "edition_page" else []
    )
    size = st.just(9) if column == "edition_page" else st.integers(1, 9)
    return st.builds(lambda text, size: Named(column, text[:size]), st.sampled_from(known), size)


def trees(living: dict[int, StoredArticle]) -> st.SearchStrategy[Node]:
    """At most four operators deep."""
    made: st.SearchStrategy[Node] = st.builds(Literal, strings(living), st.sampled_from(FIELDS))
    made |= st.sampled_from(sorted(NAMES)).flatmap(named)
    for _ in range(4):
        parts = st.lists(made, min_size=1, max_size=3).map(tuple)
        made = st.one_of(
            made, made.map(Not), parts.map(And), st.builds(Or, parts, st.integers(1, 2).filter(bool))
        )
    return made


@EXAMPLES
def test_a_boolean_tree_finds_what_a_look_at_every_text_finds(library: Library, examples: int) -> None:
    snapshot, living = library

    @holds(examples, trees(living))
    def _(tree: Node) -> None:
        expected = {number for number, one in living.items() if matches(one.article, tree)}
        asked = Rank(tree, (Term("text", "党建"), Term("grams", "建业")))
        found = find(snapshot, asked, Page(limit=1000), clock.NEVER)

        assert set(found.ids) == expected
        assert len(found.ids) == found.total == found.articles == len(expected)
        assert set(snapshot.article_ids[evaluate(snapshot, tree).mask].tolist()) == expected


def test_parts_of_an_article_are_told_apart(tmp_path) -> None:
    blocks = (
        Block("h", "heading", 1, "一、党建引领"),
        Block("p", "paragraph", None, "他指出:“要抓好党建,抓好业务。”大家热烈鼓掌。"),
        Block("c", "caption", None, "图为检察官在走访。"),
    )
    said = Quotation("某同志", "指出", "要抓好党建,抓好业务。", "p", blocks[1].text.index("要抓"))
    one = stored(1, "基层探索", kicker="学习", subtitle="——以青石县为例", quotations=(said,))
    one = replace(one, article=replace(one.article, blocks=blocks))
    engine = open_engine(tmp_path, SEGMENTER)
    engine.rebuild([[one, stored(2, "无关")]], seq=1)

    def where(text: str) -> list[str | None]:
        fields = ["title", "subtitle", "body", "heading", "quotation", None]
        return [field for field in fields if engine.find_tree(Literal(text, field), Page()).total]

    assert where("探索") == ["title", None]
    assert where("学习") == [None]
    assert where("为例") == ["subtitle", None]
    assert where("引领") == ["body", "heading", None]
    assert where("党建") == ["body", "heading", "quotation", None]
    assert where("抓好党建抓好") == where("务") == ["body", "quotation", None]
    assert where("务大家") == where("出要") == ["body", None]
    assert where("走访") == where("访") == [None]
    assert where("探索学") == []


@given(st.text("党ＡaÉ臺 \n.,3“”㎏", max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_a_piece_of_a_text_is_where_its_own_characters_are_in_the_folded_text(text, start, size) -> None:
    first, behind = within_text(text, start, start + size)

    assert 0 <= first <= behind <= len(fold(text))
    assert within_text(text, 0, len(text)) == (0, len(fold(text)))
    if not set(text) & set(".,“”"):  # what stands between two letters is kept for the sake of both
        assert fold(text)[first:behind] == fold(text[start : start + size])
