"""Bytes to text whatever the labels say, a tree that no page can make dangerous, links as a reader sees them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import ParseError
from kb.parse.page import decode, links, meta_refresh, soup, without_controls

PROSE = "青溪县各级党组织深入学习贯彻党的二十大精神，把为群众办实事的成效作为检验工作的标准，推动基层治理水平不断提高。"
RARE = "䶮𠮷镕喆"
TRADITIONAL = "這是一篇關於國家發展與社會治理的報導，我們來看看這個縣的做法，還有人民群眾的評價。"
SPARSE = "<title>第07版：理论</title>" + "<td></td>" * 60

# name: (bytes, Content-Type, what must be read, damaged)
CASES: dict[str, tuple[bytes, str, str, bool]] = {
    "gb2312 label, GBK characters": (f"<meta charset=gb2312>{PROSE}镕喆".encode("gbk"), "", "镕喆", False),
    "gb2312 label, four-byte characters": (f"<meta charset=gb2312>{PROSE}{RARE}".encode("gb18030"), "", RARE, False),
    "gbk without a label": (PROSE.encode("gbk"), "", PROSE, False),
    "utf-8 without a label": (PROSE.encode(), "", PROSE, False),
    "utf-8 label on gbk": (f"<meta charset=utf-8>{PROSE}".encode("gbk"), "text/html; charset=utf-8", PROSE, False),
    "gbk label on utf-8": (f"<meta charset=gbk>{PROSE}".encode(), "text/html;charset=GBK", PROSE, False),
    "sparse gbk": (SPARSE.encode("gbk"), "", "第07版：理论", False),
    "sparse utf-8": (SPARSE.encode(), "", "第07版：理论", False),
    "BOM under a gbk label": (b"\xef\xbb\xbf" + f"<meta charset=gbk>{PROSE}".encode(), "", PROSE, False),
    "one broken byte in utf-8": (PROSE.encode()[:30] + b"\xff" + PROSE.encode(), "", PROSE, True),
    "one broken byte in gbk": (f"<meta charset=gbk>{PROSE} ".encode("gbk") + b"\xff " + PROSE.encode("gbk"), "", PROSE, True),
    "big5 with its label": (f"<meta charset=big5>{TRADITIONAL}".encode("big5"), "", TRADITIONAL, False),
    "big5 without a label": (TRADITIONAL.encode("big5"), "", TRADITIONAL, False),
    "big5 label on gbk": (f"<meta charset=big5>{PROSE}".encode("gbk"), "", PROSE, False),
    "latin-1 header on gbk": (PROSE.encode("gbk"), "text/html; charset=ISO-8859-1", PROSE, False),
    "a label that is no encoding": (f"<meta charset=hex>{PROSE}".encode("gbk"), "", PROSE, False),
    "utf-16": (PROSE.encode("utf-16"), "", PROSE, False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_text_is_read_whatever_the_labels_say(name: str) -> None:
    body, content_type, wanted, damaged = CASES[name]
    decoded = decode(body, content_type)

    assert wanted in decoded.text
    assert decoded.damaged == damaged


@given(
    st.binary(max_size=300),
    st.sampled_from(("", "text/html; charset=gb2312", "text/html; charset=x-unknown")),
)
def test_decoding_never_fails(body: bytes, content_type: str) -> None:
    decoded = decode(body, content_type)

    assert decoded.damaged == ("\ufffd" in decoded.text)


def test_a_page_over_the_limit_is_refused_before_parsing() -> None:
    with pytest.raises(ParseError) as caught:
        soup("<p>" + "字" * 400_000, source="http://e.example/", limit_mib=1.0)

    assert caught.value.key == "parse.too_large"


@pytest.mark.parametrize("html", ["<p>" * 50_001, "<" * 200_001, "<div>" * 1_500 + "深"])
def test_a_page_of_too_many_or_too_deep_tags_is_refused(html: str) -> None:
    with pytest.raises(ParseError) as caught:
        soup(html, source="http://e.example/")

    assert caught.value.key == "parse.too_complex"


def test_text_behind_control_characters_is_kept() -> None:
    assert soup("<p>前\x00后&#0;完&#x1;</p>").get_text() == "前后完"


@settings(max_examples=50)
@given(st.integers(min_value=0, max_value=0x1F))
def test_every_control_character_goes_but_white_space(code: int) -> None:
    kept = without_controls(f"甲{chr(code)}乙&#{code};&#x{code:X};丙")

    assert kept.startswith("甲") and "丙" in kept
    assert (chr(code) in kept) == (chr(code) in "\t\n\r")


def test_a_heading_that_holds_paragraphs_stays_one_heading() -> None:
    heading = soup("<h1><p>上一行</p><p>下一行</p></h1><p>正文</p>").find("h1")

    assert heading is not None
    assert heading.get_text() == "上一行下一行"


def test_links_are_absolute_and_listed_once_with_their_text() -> None:
    html = """<base href="http://szb.example/html/2024-05/17/"><a href="content_1.htm#top"><img></a><a href=content_1.htm>第一篇</a>
    <a href='../18/node_2.htm'>下一期</a><a href="javascript:void(0)">分享</a><a href="mailto:a@b.example">来信</a><a href="#">顶</a>
    <a href="http://[::1">坏</a><map><area href=content_3.htm title="第三篇"></map>
    <table><tr data-url="content_5.htm"><td>1</td><td>第五篇</td></tr></table>"""
    found = [
        (link.url.removeprefix("http://szb.example/html/2024-05/"), link.title)
        for link in links(html, "http://other.example/")
    ]

    assert found == [
        ("17/content_1.htm", "第一篇"),
        ("18/node_2.htm", "下一期"),
        ("17/content_3.htm", "第三篇"),
        ("17/content_5.htm", "第五篇"),
    ]


def test_a_title_that_a_script_writes_is_read() -> None:
    html = (
        """<a href=nw.1.htm><script>document.write(view("青溪县召开座谈会<br>听取群众意见  "))</script></a>"""
    )

    assert [link.title for link in links(html, "http://e.example/")] == ["青溪县召开座谈会 听取群众意见"]


def test_a_subtitle_below_a_linked_title_is_left_out() -> None:
    html = "<a href=a.htm>把支部建在链上<br>——青溪县调查</a>"

    assert links(html, "http://e.example/")[0].title == "把支部建在链上"


@pytest.mark.parametrize(
    ("html", "target"),
    [
        ('<META HTTP-EQUIV="REFRESH" CONTENT="0; URL=html/2026-10/02/node_2.htm">', "http://e.example/html/2026-10/02/node_2.htm"),
        ("<meta content='0;url=\"./node_1.htm\"' http-equiv=refresh>", "http://e.example/node_1.htm"),
        ('<meta http-equiv="refresh" content="300">', None),
        ('<noscript><meta http-equiv="refresh" content="0;url=a.htm"></noscript>', None),
        ('<meta http-equiv="refresh" content="0;url=http://e.example/">', None),
        ("<p>没有</p>", None),
    ],
)  # fmt: skip
def test_a_page_that_only_sends_on_is_followed(html: str, target: str | None) -> None:
    assert meta_refresh(html, "http://e.example/") == target
