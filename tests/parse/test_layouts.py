"""Article pages in the layouts of single newspapers and party sites, as layouts.md describes them; all content invented."""

from __future__ import annotations

import pytest

from kb.model import RawPage
from kb.parse.article import read_page

P1 = "青溪县司法局组织普法志愿者走进集市，现场解答群众咨询八十余人次，发放宣传手册三百余份。"
P2 = "“法律就在身边，遇事找法心里踏实。”白石镇居民何大姐说，镇上每月都有一次“法治赶集”。"
P3 = "下一步，该县将健全村居法律顾问坐班制度，推动公共法律服务向山区延伸，努力让群众少跑路。"
PARAGRAPHS = f"<p>　　{P1}</p><p>　　{P2}</p><p>　　{P3}</p>"
TITLE = "法治赶集　送法到家"
MENU = "".join(
    f"<li><a id=pageLink href=node_{n}.htm>第0{n}版：{name}</a></li>"
    for n, name in enumerate(("要闻", "综合", "法治"), 1)
)

# name: (address, page, fields that must come out)
LAYOUTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "光明日报 text_c": (
        "https://epaper.gmw.test/gmrb/html/2025-02/12/nw.D110000gmrb_20250212_4-03.htm",
        (f"<div id=pageList><ul>{MENU}</ul></div><div class=text_c><h3></h3><h1>{TITLE}</h1><h2>——青溪县公共法律服务见闻</h2>"
        "<div class=lai><span>作者：许明远　韩立群</span> 《青溪日报》（ <b>2025年02月12日　 03版</b>）</div>"
        f"<div id=articleContent><div id=ozoom><!--enpcontent-->{PARAGRAPHS}<!--/enpcontent--></div></div></div>"),
        {
            "newspaper": "青溪日报", "published": "2025-02-12", "edition_page": "03", "page_name": "法治",
            "subtitle": "——青溪县公共法律服务见闻", "authors": "许明远 作者,韩立群 作者",
        },
    ),
    "检察日报 font01": (
        "http://newspaper.jcrb.test/2022/20220105/20220105_007/20220105_007_2.htm",
        (f"<table><tr><td class=font02>公共法律服务</td></tr><tr><td class=font01>{TITLE}</td></tr>"
        f"<tr><td class=font02>——以青溪县为例</td></tr><tr><td class=font02>许明远</td></tr>"
        f"<tr><td class=font6><p>　　{P1}<p>　　{P2}<p>　　{P3}</td></tr></table>"),
        {"published": "2022-01-05", "kicker": "公共法律服务", "subtitle": "——以青溪县为例", "authors": "许明远 作者"},
    ),
    "检察日报 2026": (
        "http://newspaper.jcrb.test/20260105/20260105_007/c_1.html",
        (f'<div class="font01 title">{TITLE}</div><div class="font02"></div><div class="font02 author">本报记者 许明远</div>'
        f'<div class="article-content"><div id="ozoom"></div>{PARAGRAPHS}</div>'),
        {"published": "2026-01-05", "authors": "许明远 记者"},
    ),
    "解放军报 APP-Title": (
        "http://www.81.test/jfjbmap/content/2024-03/05/content_2.htm",
        (f'<p class="introtitle text-center">法治进乡村</p><h2 id="APP-Title" class="art-title">{TITLE}</h2><p class="subtitle">——记青溪县普法队</p>'
        f'<div class="article-content"><founder-content>{PARAGRAPHS}</founder-content></div>'),
        {"published": "2024-03-05", "kicker": "法治进乡村", "subtitle": "——记青溪县普法队"},
    ),
    "新华报业 newsdetatit": (
        "http://jsfzb.xhby.test/pc/con/202405/17/content_1.html",
        (f'<div class="newsdetatit"><p class="intro">法治进乡村</p><h3>{TITLE}</h3><p class="sub">——青溪县见闻</p>'
        '<p><span>来源：青溪法治报</span><span>2024年05月17日</span><span class="banci">版次：03</span></p></div>'
        f'<div class="newsdetatext"><founder-content>{PARAGRAPHS}</founder-content></div>'),
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻", "newspaper": "青溪法治报", "edition_page": "03"},
    ),
    "浙江法制报 main-article": (
        "http://fzb.test/zjfzb/pc/con/202405/17/content_1.html",
        (f'<div class="main-article-alltitle"><div class="main-article-pretitle">法治进乡村</div><div class="main-article-title">{TITLE}</div>'
        f'<div class="main-article-subtitle">——青溪县见闻</div></div><div class="main-article-con"><div id="ozoom"><founder-content>{PARAGRAPHS}'
        "</founder-content></div></div>"),
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻"},
    ),
    "西安法制报 bmnr": (
        "http://xafzb.test/html/2024-05/17/content_1.htm",
        (f'<div class="bmnr_con"><div class="bmnr_con_yinti">法治进乡村</div><div class="bmnr_con_biaoti">{TITLE}</div><div class="bmnr_con_futi">——青溪县见闻</div>'
        f'<div class="bmnr_con_con"><div id="zoom">{PARAGRAPHS}</div></div></div>'),
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻"},
    ),
    "工人日报 ctitle": (
        "http://www.workercn.test/papers/grrb/2024/05/17/1/news-2.html",
        f'<div id="pretitle">法治进乡村</div><div id="ctitle">{TITLE}</div><div id="ccontent">{PARAGRAPHS}</div>',
        {"published": "2024-05-17", "kicker": "法治进乡村"},
    ),
    "广西法治日报 doctitle": (
        "http://gxfzrb.test/Html/2024-05-17/123.html",
        f'<div id="yinti">法治进乡村</div><div class="doctitle">{TITLE}</div><div class="subdoctitle">——青溪县见闻</div><div class="doccontent">{PARAGRAPHS}</div>',
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻"},
    ),
    "科技日报 biaoti": (
        "http://digitalpaper.stdaily.test/http_www.kjrb.com/kjrb/html/2024-05/17/content_1.htm?div=-1",
        f'<div class="yinti">法治进乡村</div><div class="biaoti">{TITLE}</div><div class="futi">——青溪县见闻</div><div class="article"><div id="ozoom">{PARAGRAPHS}</div></div>',
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻"},
    ),
    "贵州都市报 newstitle": (
        "http://gzdsb.ddcpc.test/html/2024-05/17/content1.htm",
        f'<div class="newstitle">{TITLE}</div><div class="laiyuan">第A03版：法治</div><div id="newscontent">{PARAGRAPHS}</div>',
        {"published": "2024-05-17", "edition_page": "A03", "page_name": "法治"},
    ),
    "上海法治报 title1": (
        "http://www.shfzb.test/html/2024-05/17/content_9.htm",
        f'<p class="title2">法治进乡村</p><p class="title1">{TITLE}</p><p class="title3">——青溪县见闻</p><div id="ozoom">{PARAGRAPHS}</div>',
        {"published": "2024-05-17", "kicker": "法治进乡村", "subtitle": "——青溪县见闻"},
    ),
    "山西法治报 detConTit": (
        "http://www.sxfzb.test/shtml/sxfzb/20240517/88.shtml",
        f'<h2 class="detConTit">{TITLE}</h2><div class="details">{PARAGRAPHS}</div>',
        {"published": "2024-05-17"},
    ),
    "劳动午报 comment only": (
        "https://ldwb.workerbj.test/content/2024-05/17/content_161580.htm",
        (f"<title>{TITLE}</title><!--enpproperty <founder-title>{TITLE}</founder-title><founder-subtitle>——青溪县见闻</founder-subtitle>"
        f"<founder-date>2024-05-17</founder-date> --><founder-content>{PARAGRAPHS}</founder-content>"),
        {"published": "2024-05-17", "subtitle": "——青溪县见闻"},
    ),
    "法治日报 Articel": (
        "http://epaper.legaldaily.test/fzrb/content/20240517/Articel03002GN.htm",
        f'<table><tr><td><span align="center"><strong>{TITLE}</strong></span></td></tr><tr><td><span id="oldcontenttext">{PARAGRAPHS}</span></td></tr></table><title>{TITLE}</title>',
        {"published": "2024-05-17"},
    ),
    "新华网 head-line": (
        "http://www.news.test/politics/20240106/0a1b2c3d4e5f60718293a4b5c6d7e8f9/c.html",
        (f'<title>{TITLE}-新华网</title><div class="header-time"><span class="year"><em>2024</em></span><span class="day"><em>01</em>/<em>06</em></span></div>'
        f'<div class="head-line"><h1><span class="title">{TITLE}</span></h1></div><div class="source">来源：新华网</div><div id="detail"><span id="detailContent">{PARAGRAPHS}</span></div>'
        '<div class="editor">【责任编辑:王某】</div>'),
        {"published": "2024-01-06", "newspaper": "新华网"},
    ),
    "人民网 rm_txt": (
        "http://politics.people.test/n1/2024/0108/c1001-40154267.html",
        (f'<title>{TITLE}--时政--人民网</title><div class="rm_txt"><h1>{TITLE}</h1><div class="author cf">本报记者 许明远</div>'
        f'<div class="channel cf"><div class="col-1-1">2024年01月08日08:15 | 来源：<a href="#">青溪日报</a></div></div><div class="rm_txt_con cf">{PARAGRAPHS}'
        '<div class="edit cf">(责编：王某、李某)</div></div></div>'),
        {"published": "2024-01-08", "newspaper": "青溪日报", "authors": "许明远 记者"},
    ),
    "求是 highlight": (
        "http://www.qstheory.test/dukan/qs/2023-01/01/c_1129246885.htm",
        (f'<title>{TITLE} - 求是网</title><div class="inner"><h1>{TITLE}</h1><span class="pubtime">2023-01-01 08:00:00</span><span class="appellation">来源：《求是》2023/01</span>'
        f'<span class="appellation">作者：许明远</span></div><div class="text"><div class="highlight">{PARAGRAPHS}</div></div>'),
        {"published": "2023-01-01", "authors": "许明远 作者", "newspaper": "求是"},
    ),
    "中央纪委网 TRS": (
        "http://www.ccdi.test/toutiao/201904/t20190415_192308.html",
        (f'<title>{TITLE}_中央纪委国家监委网站</title><h2 class="tit">{TITLE}</h2><div class="daty"><div class="daty_con"><em class="e e1">来源：青溪县纪委</em>'
        f'<em class="e e2">发布时间：2019-04-15 07:00</em></div></div><div class="content"><div class="TRS_Editor">{PARAGRAPHS}</div></div>'),
        {"published": "2019-04-15", "newspaper": "青溪县纪委"},
    ),
    "中国政府网": (
        "http://www.gov.test/zhengce/202401/content_6923947.htm",
        (f'<title>{TITLE}_部门政务_中国政府网</title><meta name="firstpublishedtime" content="2024-01-05-17:12:00"><h1 id="ti">{TITLE}</h1>'
        f'<div class="pages-date">2024-01-05 17:12 <span>来源： 司法部网站</span></div><div class="pages_content" id="UCAP-CONTENT">{PARAGRAPHS}</div>'),
        {"published": "2024-01-05", "newspaper": "司法部网站"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_page_in_a_known_layout_gives_its_fields(name: str) -> None:
    url, page, wanted = LAYOUTS[name]
    html = f'<html><head><meta charset="utf-8"></head><body>{page}</body></html>'
    article = read_page(RawPage(url, html.encode()), rule=None, source="test")
    found = {
        "newspaper": article.newspaper,
        "published": article.published,
        "edition_page": article.edition_page,
        "page_name": article.page_name,
        "kicker": article.kicker,
        "subtitle": article.subtitle,
        "authors": ",".join(f"{author.name} {author.role}" for author in article.authors),
    }

    assert article.title == TITLE
    assert [block.text for block in article.blocks] == [P1, P2, P3]
    assert {field: found[field] or "" for field in found if field in wanted} == wanted
    assert {field for field, text in found.items() if text} == set(wanted)
    assert article.provenance.confidence >= 0.7
