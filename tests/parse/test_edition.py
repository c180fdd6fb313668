"""Directory pages: each article once with its title, the issue's other pages, what the page says of itself."""

from __future__ import annotations

from kb.model import EditionPage, RawPage, SiteRule
from kb.parse.edition import read_edition

URL = "http://szb.example/html/2024-05/17/node_12.htm"
CLASSIC = """<html><body><DIV id=pgn><UL><Li>&nbsp;<a id=pageLink href=./node_12.htm>A01： 头版</a></Li>
<Li><a id=pageLink href=node_13.htm>A02： 党建</a></Li><Li><a id=pageLink href=node_15.htm>A04： 广告</a></Li></UL></DIV>
<MAP NAME="pagepicmap"><Area coords="5,72" shape="polygon" href="content_2.htm"><Area coords="1,1" href="content_1.htm">
<area href="content_9.htm" title="只在图上"></MAP><td class=px12>第A01版：<STRONG>头版</STRONG></td>
<a class=preart href="node_13.htm">下一版</a><a class=preart href="../16/node_2.htm">上一期</a>
<a href=../../../page/1.pdf><img></a><table><tbody></tbody></table>
<td><a href=content_1.htm><div style="display:inline" id=mp1>第一篇</div></a></td><td><a href=content_2.htm?div=-1><div id=mp2>第二篇<br>两行题</div></a></td>
<td><a href=content_2.htm><img src=camera.gif></a></td><td><a href=content_3.htm><div id=mp3>本版责编：许明远</div></a></td>
<table><tr><td><a id=pageLink href=node_12.htm>第A01版：头版</a></td></tr><tr><td><a id=pageLink href=node_13.htm>第A02版：党建</a></td></tr></table>
</body></html><!--enpproperty <founder-date>2024-05-17 23:59:57</founder-date><founder-pagenum>A01</founder-pagenum>
<founder-papername>青溪日报</founder-papername><founder-type>2</founder-type><founder-content>青溪日报</founder-content> /enpproperty-->"""


def read(html: str, url: str = URL, rule: SiteRule | None = None) -> EditionPage:
    return read_edition(RawPage(url, html.encode()), rule=rule or SiteRule("test"))


def articles(page: EditionPage) -> list[tuple[str, str]]:
    return [(link.url.rpartition("/")[2], link.title) for link in page.articles]


def test_each_article_stands_once_in_the_order_of_the_list_and_picture_only_ones_last() -> None:
    assert articles(read(CLASSIC)) == [
        ("content_1.htm", "第一篇"),
        ("content_2.htm", "第二篇 两行题"),
        ("content_9.htm", "只在图上"),
    ]


def test_the_page_tells_newspaper_date_label_and_the_other_pages() -> None:
    page = read(CLASSIC)

    assert (page.newspaper, page.published, page.edition_page, page.page_name) == (
        "青溪日报",
        "2024-05-17",
        "A01",
        "头版",
    )
    assert [link.url.rpartition("/")[2] for link in page.edition_links] == [
        "node_12.htm",
        "node_13.htm",
        "node_15.htm",
    ]


def test_a_page_of_advertising_has_no_articles() -> None:
    page = read(CLASSIC.replace("<STRONG>头版", "<STRONG>广告"))

    assert page.articles == ()
    assert len(page.edition_links) == 3


def test_titles_written_by_script_and_the_label_in_the_frame_are_read() -> None:
    html = """<div id="riqi_">青溪日报\n2024年05月17日 星期五</div><div id="ozoom"><div class="l_t">01版:要闻</div><div id="titleList"><ul>
    <li><a href=nw.D110000qxrb_20240517_1-01.htm><script>document.write(view("县里召开座谈会<br>听取意见  "))</script></a></li></ul></div>
    <div id="pageList"><a id=pageLink href=./nbs.D110000qxrb_01.htm>第01版：要闻</a><a id=pageLink href=nbs.D110000qxrb_02.htm>第02版：综合</a>
    <a href=../page/01/qxrb.pdf><img></a></div></div>"""
    page = read(html, "http://szb.example/html/2024-05/17/nbs.D110000qxrb_01.htm")

    assert articles(page) == [("nw.D110000qxrb_20240517_1-01.htm", "县里召开座谈会 听取意见")]
    assert (page.newspaper, page.published, page.edition_page, page.page_name) == (
        "青溪日报",
        "2024-05-17",
        "01",
        "要闻",
    )
    assert len(page.edition_links) == 2


def test_the_newer_templates_are_read() -> None:
    html = """<div class="swiper-slide"><a href="node_01.html">01版：要闻</a></div><div class="swiper-slide"><a href="node_02.html">02版：理论</a></div>
    <ul class="news-list"><li><a href="../../../content/202405/17/content_301.html">第一篇</a></li></ul>"""
    rows = '<table><tr class="page-item" data-url="c_7.html"><td>1</td><td>第二篇</td></tr></table>'
    page = read(
        html + rows,
        "http://szb.example/pc/layout/202405/17/node_02.html",
        SiteRule("test", newspaper="青溪日报"),
    )

    assert articles(page) == [("content_301.html", "第一篇"), ("c_7.html", "第二篇")]
    assert (page.newspaper, page.published, page.edition_page, page.page_name) == (
        "青溪日报",
        "2024-05-17",
        "02",
        "理论",
    )
