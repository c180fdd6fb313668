"""A part of a page as the lines a reader sees."""

from __future__ import annotations

import pytest

from kb.parse.lines import Line, fragment, frame_lines, marked_bodies, plain_lines, read_lines, split_run


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>一<b>二</b>三</p><p>四", ["一二三", "四"]),
        ("一<br>二<br><br>三", ["一", "二", "三"]),
        ("<p>甲\n   乙</p><p>Party\nbuilding</p>", ["甲乙", "Party building"]),
        ("<p>&nbsp;&nbsp;　　张　三&nbsp;李四 </p>", ["张　三 李四"]),
        ("<p>甲<script>x()</script><style>p{}</style><textarea>t</textarea>乙</p>", ["甲乙"]),
        ("<p>零\u200b宽\ufeff字</p>", ["零宽字"]),
        ("<div>甲<div>乙</div>丙</div>", ["甲", "乙", "丙"]),
        ("<p></p><p> </p>", []),
    ],
)
def test_blocks_and_breaks_end_a_line(html: str, lines: list[str]) -> None:
    assert plain_lines(fragment(html)) == lines


def test_indents_divide_paragraphs_once_a_sentence_has_ended_at_one() -> None:
    text = "　　第一段说清了道理。　　一、压实责任　　各级党组织要抓好落实。"

    assert split_run(text) == ["第一段说清了道理。", "一、压实责任", "各级党组织要抓好落实。"]


def test_padded_names_are_no_paragraphs() -> None:
    assert split_run("作者：许　　明\xa0\xa0\xa0\xa0韩立群") == ["作者：许　　明 韩立群"]


def test_only_the_first_marked_body_with_text_is_read() -> None:
    html = "<div>工具<!--enpcontent--> <!--/enpcontent--><!--enpcontent--><p>正文</p><!--/enpcontent-->页脚</div>"
    hidden = "<!--enpcontent--><p>正文</p><!--/enpcontent-->"
    tree = fragment(html + hidden)

    assert [line.text for line in read_lines(tree)] == ["正文"]
    assert plain_lines(tree) == ["工具", "正文", "页脚", "正文"]


def test_the_smallest_tag_around_both_marks_is_the_marked_body() -> None:
    tree = fragment(
        "<table><tr><td id=a><!--enpcontent--><p>甲</p><p>乙</p><!--/enpcontent--></td></tr></table>"
    )

    assert [tag["id"] for tag in marked_bodies(tree)] == ["a"]


def test_lines_tell_what_the_mark_up_says() -> None:
    html = """<h2>小标题</h2><p><strong>加粗</strong></p><ul><li>一项</li><li><p>另一段</p></li></ul><blockquote><p>引文</p></blockquote>
    <p align=center><img src=a.jpg></p><p align=center>图为党员志愿者清理河道。</p><table id=newspic><tr><td>图说</td></tr></table>"""

    assert read_lines(fragment(html)) == [
        Line("小标题", "heading", True),
        Line("加粗", "text", True),
        Line("一项", "list"),
        Line("另一段", "text"),
        Line("引文", "quote"),
        Line("图为党员志愿者清理河道。", "caption"),
        Line("图说", "caption"),
    ]


def test_a_table_of_data_gives_its_rows_and_a_table_of_layout_its_cells() -> None:
    data = "<table><tr><th>单位</th><th>件数</th></tr><tr><td>白石镇</td><td>12</td></tr></table>"
    layout = "<table><tr><td><p>第一段。</p></td><td><p>第二段。</p></td></tr></table>"

    assert [(line.text, line.kind) for line in read_lines(fragment(data))] == [
        ("单位\t件数", "table"),
        ("白石镇\t12", "table"),
    ]
    assert plain_lines(fragment(layout)) == ["第一段。", "第二段。"]


def test_words_of_different_tags_stand_apart_in_a_frame_and_together_in_a_text() -> None:
    html = "<p><span>来源：青溪日报</span><span>2024年05月17日</span></p>"

    assert frame_lines(fragment(html)) == ["来源：青溪日报 2024年05月17日"]
    assert plain_lines(fragment(html)) == ["来源：青溪日报2024年05月17日"]
