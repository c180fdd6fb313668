"""The ladder: site rule, e-newspaper family, any site; what is refused, and how sure a reading is."""

from __future__ import annotations

import pytest

from kb.errors import ParseError
from kb.model import REVIEW_BELOW, Article, RawPage, SiteRule
from kb.parse.article import read_page
from tests.pages import BODY, Form, Invented, classic, pc, url_of

LONG = (
    "青溪县白石镇把综合治理中心搬到集市旁边，群众赶集时就能反映诉求。半年来，中心受理矛盾纠纷二百一十件，办结率百分之九十七。",
    "镇里从退休教师、老党员和致富带头人中选聘调解员三十二名，按擅长的领域编成名册，疑难纠纷由中心“点将”会诊，让群众少跑冤枉路。",
    "“以前不知道找谁，现在进一个门就行。”白石村村民何大姐说，她家和邻居的林地界线争了三年，在中心坐下来谈了两次就谈成了。",
)
# As read on the station's pages since 2022: headings and <title> differ by year, the body by template.
STATION = SiteRule(
    "station",
    newspaper="青溪新闻",
    title=('meta[property="og:title"]', "title"),
    published=("span.time",),
    published_from_url=r"/(?P<y>\d{4})/(?P<m>\d{2})/(?P<d>\d{2})/VIDE",
    body=("#content_area", ".cnt_bd"),
    remove=(".tool",),
    version="0f0f0f0f",
)


def read(html: str, url: str = "http://e.example/page", rule: SiteRule | None = None) -> Article:
    return read_page(RawPage(url, html.encode()), rule=rule, source="test")


def refused(html: str, rule: SiteRule | None = None) -> str:
    with pytest.raises(ParseError) as caught:
        read(html, rule=rule)
    return caught.value.key


def texts(article: Article) -> list[str]:
    return [block.text for block in article.blocks]


def paragraphs(*lines: str) -> str:
    return "".join(f"<p>　　{line}</p>" for line in lines)


# --- site rule ----------------------------------------------------------------------------------------------


def test_a_site_rule_reads_its_fields_exactly() -> None:
    html = f"""<title>[视频]白石镇的一天_青溪台_官网</title><h3>[视频]白石镇的一天</h3><span class="time">2024-05-17 19:09</span>
    <div id="content_area">{paragraphs(*LONG)}<div class="tool">分享</div></div>"""
    article = read(html, "http://tv.example/2024/05/17/VIDEabc240517.shtml", STATION)

    assert (article.title, article.published, article.newspaper) == (
        "[视频]白石镇的一天",
        "2024-05-17",
        "青溪新闻",
    )
    assert texts(article) == list(LONG)
    assert article.provenance.rule == "station@0f0f0f0f"
    assert article.provenance.confidence == 0.98
    assert article.provenance.origins["published"] == "rule"


def test_a_rule_finds_the_body_between_the_marks_of_the_other_template() -> None:
    html = f"""<title>题目在此</title><div class="cnt_bd"><h1>题目在此</h1><!--repaste.body.begin-->{paragraphs(*LONG)}
    <!--repaste.body.end--><p>编辑：某某</p></div>"""

    assert texts(read(html, rule=STATION)) == list(LONG)


def test_a_page_without_the_body_that_its_rule_names_is_refused() -> None:
    assert (
        refused(
            "<title>《青溪新闻》 20240517 19:00</title><div id=content_area></div><p>导航，首页。</p>",
            STATION,
        )
        == "parse.no_body"
    )


def test_a_rule_without_a_body_leaves_the_text_to_the_lower_rungs() -> None:
    rule = SiteRule("paper", newspaper="青溪日报", family="founder-classic")
    article = read(classic(Invented(newspaper="别的报")), url_of(Invented(), "classic"), rule)

    assert article.newspaper == "青溪日报"
    assert article.provenance.rule == "founder-classic"
    assert texts(article) == list(BODY)


def test_a_page_known_by_the_order_of_its_lines_is_read() -> None:
    lines = [
        "通版阅读请点击:",
        "展开通版",
        "收缩通版",
        "当前版:07版",
        "发布日期:",
        "检察工作融入基层治理",
        "——以青溪县人民检察院为例",
        "■许明远",
    ]
    html = "".join(f"<p>{line}</p>" for line in [*lines, *LONG, "(作者单位:青溪县人民检察院)"])
    article = read(html, rule=SiteRule("seed", family="text-page"))

    assert (article.title, article.subtitle, article.edition_page) == (
        "检察工作融入基层治理",
        "——以青溪县人民检察院为例",
        "07",
    )
    assert (article.authors[0].name, article.affiliation, article.published) == (
        "许明远",
        "青溪县人民检察院",
        None,
    )
    assert texts(article) == list(LONG)
    assert (
        article == read(html.replace("<p>", "<div>"), rule=None)
        or read(html, rule=None).title == article.title
    )


# --- e-newspaper family -------------------------------------------------------------------------------------


def test_each_field_tells_where_it_came_from() -> None:
    article = read(
        pc(Invented(author="许明远", kicker="引题"), Form(comment="plain")), url_of(Invented(), "pc")
    )

    assert article.provenance.origins["title"] == "founder-pc"
    assert article.provenance.origins["published"] == "url"
    assert article.provenance.origins["edition_page"] == "header"
    assert article.provenance.confidence == 0.95


def test_a_directory_page_is_no_article() -> None:
    html = '<div id="ozoom"><a href=content_1.htm>第一篇</a></div><!--enpproperty <founder-type>2</founder-type> /enpproperty-->'

    assert refused(html) == "parse.not_an_article"


def test_a_page_of_pictures_says_so() -> None:
    html = classic(Invented(body=())).replace(
        "<!--enpcontent-->", "<!--enpcontent--><p><img src=page.jpg></p>"
    )

    assert refused(html) == "parse.image_only"


def test_a_newspaper_article_of_one_short_line_is_kept() -> None:
    article = read(classic(Invented(title="致读者", body=("春节期间本报休刊四天。",))))

    assert texts(article) == ["春节期间本报休刊四天。"]
    assert article.provenance.confidence > REVIEW_BELOW


def test_bare_names_in_a_field_take_their_roles_from_the_text() -> None:
    lines = ("本报讯（记者许明远 通讯员韩立群）5月17日，青溪县举行志愿服务集中活动。", *LONG)
    article = read(classic(Invented(author="许明远 韩立群", body=lines), Form(author_in="comment")))

    assert [(author.name, author.role) for author in article.authors] == [
        ("许明远", "记者"),
        ("韩立群", "通讯员"),
    ]
    assert texts(article) == list(lines)


def test_a_headline_that_a_line_break_cuts_takes_the_form_of_the_comment() -> None:
    whole = Invented(title="党建引领　乡村蝶变")
    html = classic(whole).replace("-->党建引领　乡村蝶变<!--", "-->党建引领<br>乡村蝶变<!--")

    assert read(html).title == "党建引领　乡村蝶变"
    assert read(html.partition("<!--enpproperty")[0]).title == "党建引领 乡村蝶变"


def test_damaged_bytes_are_flagged_and_lower_the_confidence() -> None:
    body = classic(Invented(body=LONG)).encode().replace("村民".encode(), "村民".encode()[:-1])
    article = read_page(RawPage("http://e.example/1", body), rule=None, source="test")

    assert "encoding.damaged" in article.provenance.flags
    assert article.provenance.confidence == 0.85


# --- any site -----------------------------------------------------------------------------------------------

CHROME = "".join(f'<li><a href="/{n}.html">栏目{n}，要闻</a></li>' for n in range(30))
COMMENTS = '<div class="comment-list"><p>写得真好，支持基层治理创新，希望多报道这样的好做法，点赞！</p><p>楼上说得对，我们村也有，效果不错。</p></div>'
RELATED = '<div class="related"><p>相关推荐</p><ul><li><a href="/a">另一县也办起来了，群众都说好</a></li></ul></div>'
FOOT = "<div class=footer>版权所有 青溪网 联系电话：4009-20-40 Copyright 2003-2024 青ICP备00000001号</div>"


def site(
    *, title: str = "进一个门，解百家忧", head: str = "", info: str = "", body: str = paragraphs(*LONG)
) -> str:
    return f"""<html><head><meta charset=utf-8><title>{title}_基层治理_青溪网</title>{head}</head><body><ul class=nav>{CHROME}</ul>
    <div class=main><h1>{title}</h1>{info}<div class=box>{body}</div></div>{RELATED}{COMMENTS}{FOOT}</body></html>"""


def test_an_unknown_site_is_read_without_its_chrome() -> None:
    info = "<div class=info><span>2024-05-17 08:30</span><span>来源：青溪日报</span><span>作者：许明远</span></div>"
    article = read(site(info=info))

    assert article.title == "进一个门，解百家忧"
    assert (article.published, article.newspaper) == ("2024-05-17", "青溪日报")
    assert [author.name for author in article.authors] == ["许明远"]
    assert texts(article) == list(LONG)
    assert article.provenance.rule == "generic"
    assert article.provenance.confidence > 0.8


def test_a_telephone_number_is_no_date_and_no_date_is_invented() -> None:
    article = read(site())

    assert article.published is None
    assert article.newspaper is None
    assert article.authors == ()


def test_lines_that_sites_add_behind_a_text_are_taken_off_and_kept_in_provenance() -> None:
    added = ("（原标题：进一个门）", "本文来源：青溪网 责任编辑：某某", "声明：转载请注明出处")
    article = read(site(body=paragraphs(added[0], *LONG, *added[1:])))

    assert texts(article) == list(LONG)
    assert article.provenance.removed == added


def test_a_title_and_date_inside_the_container_are_no_text() -> None:
    body = f"<h2>进一个门，解百家忧</h2><p>发布时间：2024-05-17　浏览次数：12</p>{paragraphs(*LONG)}"
    article = read(site(body=body))

    assert texts(article) == list(LONG)
    assert article.published == "2024-05-17"


def test_a_short_notice_under_a_heading_with_a_date_is_kept() -> None:
    body = paragraphs("因管道检修，5月20日县城东片区停水，请提前储水。", "青溪县供水公司")
    article = read(site(title="停水通知一则", info="<p>发布时间：2024-05-17</p>", body=body))

    assert len(article.blocks) == 2
    assert article.provenance.confidence >= REVIEW_BELOW


def test_a_poem_without_a_mark_is_kept() -> None:
    html = (
        "<title>山村晨曲</title><h1>山村晨曲</h1><p>2024-05-17 来源：青溪日报</p><div id=zoom>"
        + paragraphs("雾起青溪晓", "鸡鸣白石村")
    )
    article = read(html + "</div>")

    assert texts(article) == ["雾起青溪晓", "鸡鸣白石村"]
    assert article.provenance.confidence >= REVIEW_BELOW


def test_a_title_that_only_the_document_states_is_marked_as_a_guess() -> None:
    html = f"<title>进一个门，解百家忧_青溪网</title><div>{paragraphs(*LONG)}</div>"
    article = read(html)

    assert article.title == "进一个门，解百家忧"
    assert "title.guessed" in article.provenance.flags


@pytest.mark.parametrize(
    "html",
    [
        "<title>页面不存在</title><h1>404</h1><p>您访问的页面不存在或已删除，5秒后返回首页。</p>",
        "<title>青溪网</title><div>很抱歉，您要访问的页面找不到了！</div>",
        "<title>访问验证</title><p>您的访问过于频繁，请输入验证码后继续。</p>",
        "<title>403 Forbidden</title><center><h1>403 Forbidden</h1></center>",
        "<title>统一身份认证平台</title><form><input type=password></form><p>请登录后查看全文。</p>",
        "<html><script>location.reload()</script></html>",
    ],
)
def test_error_login_and_check_pages_are_no_articles(html: str) -> None:
    assert refused(html) == "parse.not_an_article"


def test_an_article_about_missing_pages_is_one() -> None:
    body = paragraphs(
        "过去群众反映，点开办事指南常常提示页面不存在。", *LONG[:1], "据悉，下一步还将开通在线预约。"
    )

    assert read(site(body=body)).blocks


def test_a_list_of_links_is_no_article() -> None:
    assert refused(f"<title>青溪网</title><ul>{CHROME}</ul>{FOOT}") == "parse.no_body"
