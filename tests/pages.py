"""Synthetic e-newspaper pages with invented content, built from the facts of crawl.md §4 and layouts.md."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape

BODY = (
    "连日来，青溪县各基层党支部围绕“学思想、办实事”开展主题党日活动，党员干部走进院坝、田间，听取群众意见一百二十余条。",
    "一、把课堂搬到现场",
    "在白石镇，镇党委把主题党日与河道整治结合起来。党员认领责任河段十六处，每月至少巡查两次，发现问题当场登记。",
    "二、把清单交给群众",
    "“事情办没办好，群众说了算。”镇党委负责人介绍，办理结果在村务公开栏公示七天，接受群众评议。",
)


@dataclass(frozen=True)
class Invented:
    """The fields of one invented article, as a parser must read them."""

    title: str = "主题党日开到河道边"
    kicker: str = ""
    subtitle: str = ""
    author: str = ""  # as printed in the author's place
    names: tuple[tuple[str, str], ...] = ()  # (name, role) that `author` means
    affiliation: str = ""
    newspaper: str = "青溪日报"
    published: str = "2024-05-17"
    edition_page: str = "A03"
    page_name: str = "党建"
    body: tuple[str, ...] = BODY
    captions: tuple[str, ...] = ()

    @property
    def month(self) -> str:
        return self.published[:7]

    @property
    def day(self) -> str:
        return self.published[8:]

    @property
    def dated(self) -> str:
        year, month, day = self.published.split("-")
        return f"{year}年{month}月{day}日"


@dataclass(frozen=True)
class Form:
    """How a page is written; every combination means the same."""

    comment: str = "founder"  # founder (<founder-title>), plain (<title>), none
    author_in: str = "cell"  # cell, comment, body (■ line)
    quoted: bool = True  # attribute values in quotation marks
    upper: bool = False  # tag names in capitals
    twice: bool = False  # the body once more, hidden
    paragraphs: str = "p"  # p, unclosed, br, indents
    suffix: str = ""  # site's name behind the title in comment and <title>: _青溪网
    paper_first: bool = False  # a first founder-title that is the newspaper's name
    bodies: int = 1  # <body> tags
    extra: dict[str, str] = field(default_factory=dict)


def attribute(name: str, value: str, form: Form) -> str:
    return f'{name}="{value}"' if form.quoted or " " in value else f"{name}={value}"


def tag(name: str, form: Form) -> str:
    return name.upper() if form.upper else name


def comment(article: Invented, form: Form) -> str:
    """The enpproperty comment, in either form."""
    if form.comment == "none":
        return ""
    author = article.author if form.author_in != "body" else ""
    facts = {
        "title": article.title + form.suffix,
        "subtitle": article.subtitle,
        "introtitle": article.kicker,
        "author": author,
        "date": article.published + (" 23:59:57" if form.comment == "founder" else " 06:12:31.0"),
        "keyword": "",
    }
    if form.comment == "founder":
        facts |= {"pagenum": article.edition_page, "papername": article.newspaper, "type": "1"}
        entries = "".join(f"<founder-{name}>{escape(text)}</founder-{name}>" for name, text in facts.items())
    else:
        facts |= {"articleid": "88123", "siteid": "2", "nodeid": "5557", "nodename": article.page_name}
        entries = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in facts.items())
    return f"<!--enpproperty {entries} /enpproperty-->"


def paragraphs(lines: tuple[str, ...], form: Form) -> str:
    """Body lines as the template's editor wrote them."""
    p, indent = tag("p", form), "&nbsp;&nbsp;&nbsp;&nbsp;"
    texts = [escape(line, quote=False) for line in lines]
    if form.paragraphs == "unclosed":
        return "".join(f"<{p}>　　{text}\n" for text in texts)
    if form.paragraphs == "br":
        return "<br><br>".join(indent + text for text in texts)
    if form.paragraphs == "indents":
        return "".join(indent + text for text in texts)
    return "".join(f"<{p}>　　{text}</{p}>" for text in texts)


def body(article: Invented, form: Form) -> str:
    lines = article.body
    if form.author_in == "body" and article.author:
        lines = (f"■{article.author}", *lines)
    if article.affiliation:
        lines = (*lines, f"（作者单位：{article.affiliation}）")
    block = f"<!--enpcontent-->{paragraphs(lines, form)}<!--/enpcontent-->"
    hidden = f'<div style="display:none"><!--enpcontent-->{paragraphs(lines, form)}<!--/enpcontent--></div>'
    return f"<founder-content>{block}</founder-content>" + (hidden if form.twice else "")


def edition_menu(article: Invented, form: Form) -> str:
    """The issue's list of pages: the same id on every link."""
    others = (("A01", "头版"), ("A02", "要闻"), (article.edition_page, article.page_name), ("A08", "广告"))
    link = attribute("id", "pageLink", form)
    return "".join(
        f"<Li>&nbsp;<a {link} href=node_{place}.htm>第{page}版：{name}</a></Li>"
        for place, (page, name) in enumerate(others, 2)
    )


def classic(article: Invented, form: Form = Form()) -> str:
    """Founder classic: td.font02 / td.font01 in their order, #ozoom, comment at the end."""
    td, cls = tag("td", form), lambda value: attribute("class", value, form)
    author = article.author if form.author_in == "cell" else ""
    paper = (
        f"<founder-title style='display:none'>{article.newspaper}</founder-title>" if form.paper_first else ""
    )
    rows = [
        f'<{td} {cls("font02")} align=center style="color: #827E7B;"><!--<npm:article-pretitle>-->{escape(article.kicker)}<!--</npm:article-pretitle>--></{td}>',
        f"<{td} {cls('font01')} align=center><founder-title><!--<npm:article-title>-->{escape(article.title)}<!--</npm:article-title>--></founder-title></{td}>",
        f"<{td} {cls('font02')} align=center>{escape(article.subtitle)}</{td}>",
        f"<{td} {cls('font02')} align=center><founder-author>{escape(author)}</founder-author></{td}>",
    ]
    captions = "".join(
        f"<tr><td><img src=../../../res/1.jpg></td></tr><tr><td>{escape(text)}</td></tr>"
        for text in article.captions
    )
    pictures = f"<table id=newspic><tbody>{captions}</tbody></table>" if captions else ""
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{escape(article.title)}{form.suffix or f"--{article.newspaper}数字报"}</title>{paper}</head>
{"<body>" * form.bodies}
<DIV id=pgn><UL>{edition_menu(article, form)}</UL></DIV>
<table><tr><td class=px12>第{article.edition_page}版：<STRONG>{article.page_name}</STRONG></td>
<td><a class=preart href="node_188.htm">下一版</a>&nbsp;<a class=preart href="content_9.htm">上一篇</a></td></tr></table>
<table><tr><td>{article.dated} 星期五 <a href=#>放大+</a> <a href=#>缩小-</a> 默认</td></tr></table>
<table {cls("wz")}><tr><td><table cellspacing=0><tbody>{"".join(f"<tr valign=top>{row}</tr>" for row in rows)}</tbody></table></td></tr>
<tr><td align=center>{pictures}<div {attribute("id", "ozoom", form)} style="zoom: 100%" {cls("content")}>{body(article, form)}</div></td></tr></table>
<div class=copy>{article.newspaper}社 版权所有 未经书面授权禁止使用 Copyright 2003-2024 青ICP备00000001号</div>
</body></html>
{comment(article, form)}"""


def pc(article: Invented, form: Form = Form()) -> str:
    """Founder PC: #PreTitle, #Title, #SubTitle, .attachment, comment in the head."""
    author = (
        f"<p class='author'>{escape(article.author)}</p>"
        if form.author_in == "cell" and article.author
        else ""
    )
    pictures = "".join(
        f'<div class="attachment"><img src="1.jpg"><p>{escape(text)}</p></div>' for text in article.captions
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(article.title)}{form.suffix}</title>
{comment(article, form)}</head>{"<body>" * form.bodies}
<div class="header"><a class="logo" href="/">{article.newspaper}数字报</a> <span class="date">{article.dated}　星期五</span></div>
<ul id="layoutlist">{edition_menu(article, form)}</ul>
<div class="nav"><span id="layout">第{article.edition_page}版：{article.page_name}</span> <a href="content_2.html">下一篇</a></div>
<div class="detail-art"><div class="totalTitle">
<h5 {attribute("id", "PreTitle", form)}>{escape(article.kicker)}</h5>
<h2 {attribute("id", "Title", form)}>{escape(article.title)}</h2>
<p {attribute("id", "SubTitle", form)}>{escape(article.subtitle)}</p>{author}</div>
{pictures}<div {attribute("id", "ozoom", form)}>{body(article, form)}</div></div>
<div class="footer">{article.newspaper}版权所有 Copyright © 2003-2024 All rights reserved 青ICP备00000001号</div></body></html>"""


def people_daily(article: Invented, form: Form = Form()) -> str:
    """人民日报 since 2020: h3 / h1 / h2, p.sec with author and span.date, the list of pages in .swiper-slide."""
    author = escape(article.author) if form.author_in == "cell" else ""
    title = f"<p>{escape(article.title)}</p>" if form.extra.get("paragraph_in_h1") else escape(article.title)
    pages = "".join(
        f'<div class="swiper-slide"><a id="pageLink" href="node_{n:02}.html">{n:02}版：要闻</a></div>'
        for n in range(1, 5)
    )
    pictures = "".join(
        f'<table class="pic_c"><tr><td><img src=1.jpg></td></tr><tr><td>{escape(text)}</td></tr></table>'
        for text in article.captions
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(article.title)}</title></head><body>
<div class="date-box"><p class="date left">{article.dated}　星期五</p></div>{pages}
<div class="paper-bot"><p class="left ban">第{article.edition_page}版：{article.page_name}</p></div>
<div class="article-box"><div class="article"><h3>{escape(article.kicker)}</h3><h1>{title}</h1><h2>{escape(article.subtitle)}</h2>
<p class="sec">{author}
<span class="date">《{article.newspaper}》（{article.dated} 第 {article.edition_page} 版）</span></p>
<div class="attachment">{pictures}</div><div id="articleContent"><div id="ozoom">{body(article, form)}</div></div></div></div>
{comment(article, form)}</body></html>"""


def url_of(article: Invented, kind: str) -> str:
    host = "http://szb.qingxi-ribao.example"
    month = article.month.replace("-", "")
    if kind == "classic":
        return f"{host}/html/{article.month}/{article.day}/content_401862.htm"
    return f"{host}/pc/content/{month}/{article.day}/content_30178365.html"


def without(article: Invented, *names: str) -> Invented:
    """`article` with these fields empty."""
    return replace(article, **dict.fromkeys(names, ""))
