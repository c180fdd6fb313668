"""E-newspaper pages: whatever way a Founder template is written, the same fields come out."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.model import Article, RawPage
from kb.parse.article import read_page
from tests.pages import Form, Invented, classic, pc, people_daily, url_of

WRITERS: dict[str, Callable[[Invented, Form], str]] = {
    "classic": classic,
    "pc": pc,
    "people_daily": people_daily,
}
TITLES = (
    "主题党日开到河道边",
    "“小网格”撑起大治理",
    "守护母亲河：检察建议落地见效",
    "党建引领　乡村蝶变",
    "把支部建在产业链上——青溪县调查",
)
KICKERS = ("", "学习贯彻党的二十大精神", "基层党建巡礼①")
SUBTITLES = ("", "——青溪县白石镇党建工作观察", "白石镇推动三项清单落到实处")
AUTHORS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("", ()),
    ("许明远", (("许明远", "作者"),)),
    ("本报记者 林书雁", (("林书雁", "记者"),)),
    ("本报记者 林书雁 通讯员 韩立群", (("林书雁", "记者"), ("韩立群", "通讯员"))),
    ("许明远 韩立群", (("许明远", "作者"), ("韩立群", "作者"))),
)  # fmt: skip

articles = st.builds(
    lambda title, kicker, subtitle, author, affiliation, page, captions: Invented(
        title=title, kicker=kicker, subtitle=subtitle, author=author[0], names=author[1], affiliation=affiliation,
        edition_page=page[0], page_name=page[1], captions=captions,
    ),
    st.sampled_from(TITLES),
    st.sampled_from(KICKERS),
    st.sampled_from(SUBTITLES),
    st.sampled_from(AUTHORS),
    st.sampled_from(("", "青溪县人民检察院")),
    st.sampled_from((("A03", "党建"), ("07", "理论"), ("05-08", "特刊"), ("T01", "专题"))),
    st.sampled_from(((), ("图为党员志愿者清理河道。 林书雁 摄",))),
)  # fmt: skip
forms = st.builds(
    Form,
    comment=st.sampled_from(("founder", "plain", "none")),
    author_in=st.sampled_from(("cell", "body")),
    quoted=st.booleans(),
    upper=st.booleans(),
    twice=st.booleans(),
    paragraphs=st.sampled_from(("p", "unclosed", "br", "indents")),
    suffix=st.sampled_from(("", "_青溪网", "--青溪日报")),
    paper_first=st.booleans(),
    bodies=st.sampled_from((1, 2)),
)


def read(article: Invented, kind: str, form: Form) -> Article:
    html = WRITERS[kind](article, form)
    return read_page(RawPage(url_of(article, kind), html.encode()), rule=None, source="test")


def fields(article: Article) -> dict[str, object]:
    return {
        "title": article.title,
        "kicker": article.kicker,
        "subtitle": article.subtitle,
        "authors": tuple((author.name, author.role) for author in article.authors),
        "affiliation": article.affiliation,
        "newspaper": article.newspaper,
        "published": article.published,
        "edition_page": article.edition_page,
        "page_name": article.page_name,
        "body": tuple(block.text for block in article.blocks if block.kind != "caption"),
        "captions": tuple(block.text for block in article.blocks if block.kind == "caption"),
    }


def wanted(article: Invented) -> dict[str, object]:
    return {
        "title": article.title,
        "kicker": article.kicker or None,
        "subtitle": article.subtitle or None,
        "authors": article.names,
        "affiliation": article.affiliation or None,
        "newspaper": article.newspaper,
        "published": article.published,
        "edition_page": article.edition_page,
        "page_name": article.page_name,
        "body": article.body,
        "captions": article.captions,
    }


@settings(max_examples=60, deadline=None)
@given(articles, forms, st.sampled_from(("classic", "pc", "people_daily")))
def test_the_same_fields_come_out_however_the_template_is_written(
    article: Invented, form: Form, kind: str
) -> None:
    found = fields(read(article, kind, form))

    assert found == wanted(article)


def test_the_day_in_address_and_head_line_wins_over_the_upload_day_of_the_comment() -> None:
    html = """<html><body><!--enpproperty <articleid>1</articleid><date>2024-06-19 00:40:16.0</date>
    <title>把账本晒在阳光下</title>/enpproperty--><table><tr><td>2024年06月18日 星期二 第03版：综合</td></tr></table>
    <td class=font01>把账本晒在阳光下</td><div id=ozoom><founder-content><p>青石县每月公开一次账目，群众看得明白。</p>
    </founder-content></div></body></html>"""
    url = "http://szb.example.cn/html/2024-06/18/content_1.htm"

    article = read_page(RawPage(url, html.encode()), rule=None, source="x")

    assert article.published == "2024-06-18"


def test_a_first_line_or_heading_that_holds_the_title_stays_in_the_text() -> None:
    html = """<html><body><h2 id="Title">秋收</h2><div id="ozoom"><founder-content>
    <p>我想起家乡的田野</p><p>秋收的季节</p><p>一、秋收</p><p>父亲弯腰割下一捧捧稻穗，笑得很开心。</p></founder-content></div></body></html>"""

    article = read_page(
        RawPage("http://szb.example.cn/pc/content/202410/18/content_1.html", html.encode()),
        rule=None,
        source="x",
    )

    assert [block.text for block in article.blocks][:3] == ["我想起家乡的田野", "秋收的季节", "一、秋收"]
