"""Title, date, newspaper and author of article pages of unknown sites: from meta tags, headings, the lines around. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4 import Tag

from kb.parse.boilerplate import is_furniture
from kb.parse.byline import is_credit_line, read_credit
from kb.parse.frame import bare_title, newspaper_of_title, title_parts, url_date
from kb.parse.lines import plain_lines, squeezed
from kb.parse.marks import Marks
from kb.parse.masthead import is_masthead, newspaper_name
from kb.parse.names import is_name
from kb.text.dates import read_date

_TITLE_METAS = ("articletitle", "og:title", "twitter:title", "title")
_DATE_METAS = (
    "pubdate", "publishdate", "article:published_time", "og:published_time", "og:release_date", "firstpublishedtime",
    "datepublished", "publish_time", "publishtime", "og:time", "apub:time", "weibo:article:create_at", "dc.date", "release_date",
    "sailthru.date", "article_date_original", "date",
)  # fmt: skip
_SITE_METAS = ("og:site_name", "sitename", "application-name")
_SOURCE_METAS = ("contentsource", "source", "article:source", "mediaid")
_TITLE_PLACES = (
    "h1", ".head-line h1", "#activity-name", ".article-title", ".article_title", "#title", ".title", ".tit", "h2", "h3", ".bt", ".biaoti",
)  # fmt: skip
_JSON_DATE = re.compile(
    r"""["'](?:datePublished|pubDate|publishTime|publish_time|ptime)["']\s{0,5}:\s{0,5}["']([^"']{8,40})["']"""
)
_TITLE_CHARS = range(3, 121)
_STATED_CHARS = 500  # of <title> and of a meta tag that are read
_SURE_TITLE = 6  # characters that are a title without what follows
_LABELLED_DATE = re.compile(
    r"(?:发布|发表|出版|见报|更新|刊发|(?<![\u3400-\u9fff]))(?:日期|时间)\s{0,3}[:：]|发布于|发表于"
)
_OTHER_DATE = re.compile(r"出生|生于|生日|逝世|成立|截至|有效期|施行|通过")
_SOURCE = re.compile(r"(?:来源于?|稿源|出处)\s{0,3}[:：]\s{0,3}([^\s|｜，,；;:：]{2,60})")
_SOURCE_CHARS = 24
_NO_SOURCE = re.compile(r"网络|互联网|本站|原创|未知|微信公众平台|今日头条|百家号")
_NO_AUTHOR = re.compile(r"网络|综合|整理|佚名|未知|管理员|本站|小编|编辑|原创|admin", re.I)
_AUTHOR = re.compile(r"(?:(?<![\u3400-\u9fff])作者|撰文|撰稿|记者|文)\s{0,3}[:：/]\s{0,3}(.{2,40})")
_AUTHOR_END = re.compile(
    r"\s{2,}|[|｜]|(?:来源|时间|日期|编辑|责编|责任编辑|校对|审核|点击|浏览|发布|字号|人气|评论|\d{4}[-年])"
)
_SENTENCE_MARK = re.compile(r"[，。；！？]")
_INFO = re.compile(
    r"(?:来源|来源于|稿源|出处|作者|时间|日期|编辑|责编|字号|字体|浏览|点击|阅读|次数|人气|栏目|分类|标签|分享到?|供稿|审核|校对)\s{0,3}[:：]|发[表布]于\s?\d|\d\s?次?(?:阅读|浏览|点击)|\d\s?条?评论"
)


def metas(marks: Marks) -> dict[str, str]:
    """The page's <meta> by lower-case name, property or itemprop; the first of each name."""
    found: dict[str, str] = {}
    for tag in marks.all("meta"):
        name = str(tag.get("name") or tag.get("property") or tag.get("itemprop") or "").lower().strip()
        text = squeezed(str(tag.get("content") or "")[:_STATED_CHARS])
        if name and text:
            found.setdefault(re.sub(r"\s", "", name), text)
    return found


def document_title(marks: Marks) -> str:
    """The text of <title>; "" when there is none."""
    tag = next((tag for tag in marks.all("title") if tag.parent is None or tag.parent.name != "svg"), None)
    return squeezed(tag.get_text()[:_STATED_CHARS]) if tag else ""


def document_headline(marks: Marks) -> str:
    """<title> as printed, but for what follows a heading or a meta title that it begins with: the site's name."""
    whole = document_title(marks)
    stated = metas(marks)
    heads = [
        *(stated.get(name, "") for name in _TITLE_METAS),
        *(_line(tag) for tag in marks.all("h1", "h2", "h3")),
    ]
    begins = (head for head in heads if len(head) >= 4 and _key(whole).startswith(_key(head)))
    return min(begins, key=len, default=whole)


def _line(tag: Tag) -> str:
    return " ".join(plain_lines(tag))


def find_title(marks: Marks, stated: dict[str, str], before: int | None) -> tuple[str, str] | None:
    """(title, origin) of the article; None when the page has nothing that can be one.

    A heading that <title> or a meta tag repeats, the longest such; else the meta title, else a lone <h1> above the text (`before`:
    position of the body's tag), else <title> without the site's name.
    """
    whole = document_title(marks)
    names = (stated.get("og:site_name"), stated.get("sitename"))
    claims = [text for text in (*(stated.get(name, "") for name in _TITLE_METAS), whole) if text]
    headings = [(text, tag) for tag in marks.all(*_TITLE_PLACES) if len(text := _line(tag)) in _TITLE_CHARS]
    repeated = [text for text, tag in headings if any(_repeats(claim, text, names) for claim in claims)]
    if repeated:
        return max(repeated, key=len), "heading"
    for name in _TITLE_METAS:
        if text := bare_title(stated.get(name, ""), names):
            return text, f"meta {name}"
    tops = [
        text
        for text, tag in headings
        if tag.name == "h1" and (before is None or marks.position(tag) < before)
    ]
    if len(tops) == 1:
        return tops[0], "heading"
    text = shortened(bare_title(whole, names))
    return (text, "title") if text else None


def shortened(title: str) -> str:
    """A <title> that nothing else on the page confirms, without its last parts: 标题_频道_某网, 标题-某网."""
    while found := re.search(r"\s?(?:[_|｜]|--|\s[-–—]\s)\s?[^_|｜]{0,30}$", title):
        if len(title[: found.start()]) < _SURE_TITLE:
            return title
        title = title[: found.start()].strip()
    found = re.search(r"-[^-—）)”》]{2,12}$", title)
    return title[: found.start()].strip() if found and found.start() >= _SURE_TITLE else title


def _repeats(claim: str, text: str, names: Iterable[str | None]) -> bool:
    """Whether a heading says what a claimed title says, not only a word of it or the site's name."""
    plain, wanted = _key(text), _key(bare_title(claim, names))
    if not plain or plain not in _key(claim):
        return False
    return 2 * len(plain) >= len(wanted) and _key(claim).find(plain) <= len(_key(claim)) // 3


def _key(text: str) -> str:
    return re.sub(r"[\s\u3000]", "", text)


def find_date(
    marks: Marks, html: str, url: str, stated: dict[str, str], near: list[str], below: list[str]
) -> tuple[str, str] | None:
    """(YYYY-MM-DD, origin): meta tags, the address, the lines above the text, a labelled date below it. Never a guess."""
    for name in _DATE_METAS:
        text = stated.get(name, "")
        if day := read_date(text[:10]) or read_date(text):
            return day, f"meta {name}"
    if day := url_date(url):
        return day, "url"
    labelled = [line for line in near if _LABELLED_DATE.search(line)]
    other = [bool(_OTHER_DATE.search(line)) for line in ["", *near]]
    # 出生日期 may stand on a line of its own above its date.
    loose = [
        line for place, line in enumerate(near) if "。" not in line and not any(other[place : place + 2])
    ]
    for line in [*labelled, *loose]:
        if len(line) <= 80 and (day := read_date(line)):
            return day, "header"
    for tag in marks.all("time"):
        if day := read_date(str(tag.get("datetime") or "")[:10]):
            return day, "time"
    for found in _JSON_DATE.finditer(html):
        if day := read_date(found[1][:10]):
            return day, "json"
    rest = (read_date(line) for line in below if len(line) <= 120 and _LABELLED_DATE.search(line))
    day = next(filter(None, rest), None)
    return (day, "label") if day else None


def find_source(stated: dict[str, str], near: list[str], title: str) -> tuple[str, str] | None:
    """(newspaper or site, origin) as the page states it: 来源：贵州日报, a meta tag, the newspaper in <title>."""
    for line in near:
        found = _SOURCE.search(line)
        name = _bare_source(found[1]) if found else ""
        if name and len(name) <= _SOURCE_CHARS:
            return name, "header"
    for meta in _SOURCE_METAS:
        if newspaper_name(stated.get(meta, "")):
            return stated[meta], f"meta {meta}"
    paper = next(filter(None, map(newspaper_of_title, reversed(title_parts(title)[1:]))), None)
    if paper:
        return paper, "title"
    site = next((stated[name] for name in _SITE_METAS if stated.get(name)), "")
    return (site, "meta site_name") if site and not _NO_SOURCE.search(site) else None


def _bare_source(text: str) -> str:
    """《求是》2023/01 -> 求是, 贵州日报作者:… -> 贵州日报; "" for 网络 and the like."""
    titled = re.match(r"《([^》]{2,20})》", text)
    if titled:
        return titled[1]
    text = re.sub(r"(?:作者|责任编辑|责编|编辑|发布|时间|日期|记者|点击|浏览|阅读)\S*$", "", text).strip(
        "《》【】[]()（）-— "
    )
    return "" if _NO_SOURCE.search(text) else text


def find_author(stated: dict[str, str], near: list[str]) -> tuple[str, str] | None:
    """(author line, origin) from 作者：… above the text, else from a meta tag whose name stands above the text too.

    A meta tag alone names the editor more often than the author (gov.cn, 新华网).
    """
    for line in near:
        if is_credit_line(line):
            return line, "header"
        found = _AUTHOR.search(line) if len(line) <= 150 else None
        text = _AUTHOR_END.split(found[1])[0].strip() if found else ""
        if text and not _NO_AUTHOR.search(text) and read_credit(text, expected=True).authors:
            return text, "header"
    name = stated.get("author", "").strip()
    beside = [line for line in near if name in line.split() and "编" not in line]
    return (name, "meta author") if is_name(name) and beside else None


def is_info_line(line: str) -> bool:
    """Whether a line above the text holds its date, source, author or tools, and no sentence."""
    if len(line) > 120 or "。" in line:
        return False
    return is_furniture(line) or is_masthead(line) or _INFO.search(line) is not None or _is_dated(line)


def _is_dated(line: str) -> bool:
    """Whether a line holds a date and hardly anything else: 央视网 2024-03-01 19:21."""
    rest = re.sub(r"[\d年月日时分秒:：/.\s-]|星期.|上午|下午", "", line)
    return (
        len(rest) <= 16
        and not _SENTENCE_MARK.search(line)
        and read_date(line) is not None
        and line[0] not in "（("
    )
