from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kb.model import Block, Mark, Run
from kb.text.normalize import display
from kb.web.reading import heading_ranks, read, safe_url, shown
from tests.making import article as made
from tests.web import shelf

texts = st.text(
    st.sampled_from("党建业务 ,:;?!()（）“”a1.%/h\n") | st.characters(exclude_categories=["Cs"]), max_size=60
)


@given(texts)
def test_display_replaces_characters_one_for_one(text: str) -> None:
    assert len(display(text)) == len(text)


@given(st.lists(st.builds(Run, texts, st.booleans()), max_size=6))
def test_runs_as_shown_are_cut_where_they_were_cut(runs: list[Run]) -> None:
    cut = shown(runs)

    assert [(len(run.text), run.matched) for run in cut] == [(len(run.text), run.matched) for run in runs]
    assert "".join(run.text for run in cut) == display("".join(run.text for run in runs))


def test_a_mark_is_widened_by_its_neighbours_in_the_next_run() -> None:
    assert shown([Run("指出", False), Run(":", True), Run("要抓实", False)])[1] == Run("：", True)


def test_a_run_in_heading_is_cut_off_at_its_length_also_inside_a_highlight() -> None:
    article = shelf.full()
    block = read(article, (Mark("学用结合学习"),)).blocks[3]

    assert "".join(run.text for run in block.opening) == "一是坚持学用结合"
    assert "".join(run.text for run in block.opening + block.runs) == display(article.blocks[3].text)


def test_a_table_is_shown_by_row_and_cell_also_where_a_highlight_spans_cells() -> None:
    article = made("制度清单", ("制度\t次数\n三会一课\t12",))
    table = replace(article.blocks[0], kind="table")
    [block] = read(replace(article, blocks=(table,)), (Mark("次数三会"),)).blocks

    assert [["".join(run.text for run in cell) for cell in row] for row in block.rows()] == [
        ["制度", "次数"],
        ["三会一课", "12"],
    ]
    assert block.rows()[1][0] == [Run("三会", True), Run("一课", False)]


def test_headings_never_skip_a_rank_and_those_of_one_level_share_it() -> None:
    levels = [3, 3, 1, 3, 3, 2, 1, 2, 3]
    blocks = [Block(f"b{place}", "heading", level, "题") for place, level in enumerate(levels)]

    assert heading_ranks(blocks) == [2, 2, 2, 3, 3, 3, 2, 3, 4]


def test_a_quotation_is_shown_with_the_punctuation_of_its_block() -> None:
    [quotation] = read(shelf.full(), ()).quotations

    assert quotation.words == "江山就是人民，人民就是江山"


def test_marks_are_counted_as_often_as_they_are_shown() -> None:
    article = made("制度清单", ("制度\t次数\n三会一课\t12", "三会一课"))
    table = replace(article.blocks[0], kind="table")
    found = read(replace(article, blocks=(table, article.blocks[1])), (Mark("次数三会"), Mark("三会一课")))

    assert found.hits == 3  # one runs through two cells


def test_only_web_addresses_become_links() -> None:
    good = ("http://a.example/1", "https://a.example/党建?x=1")
    bad = (
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//a.example/",
        "http:",
        "http://[",
    )

    assert [safe_url(url) for url in good] == list(good)
    assert [safe_url(url) for url in bad] == [None] * len(bad)
