"""The directory page of one page (版) of an e-newspaper -> its articles and the issue's other pages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bs4 import Tag

from kb.model import ArticleLink, EditionPage, RawPage, SiteRule
from kb.parse import frame
from kb.parse.draft import Draft
from kb.parse.founder import lines_around, properties, read_frame
from kb.parse.marks import Marks
from kb.parse.metadata import document_title
from kb.parse.page import decode, soup, tree_links
from kb.parse.tags import marks_of

# Where templates list the articles of a page; links in them are articles whatever their addresses look like.
_ARTICLE_LISTS = (
    "#titlelist", ".news-list", ".newslist", "#breaknewslist", ".title-list", "#mainlist", ".bmdh_con", "td.mulu04_news",
    ".paper_rect", "#articlelist", ".articlelist", ".news-title-list",
)  # fmt: skip
_PAGE_LISTS = (
    "#pagelist", ".swiper-slide", "#layoutlist", ".therestlist", ".chunkiconlist", ".nav-list", "#bancilist", ".bancititle", ".bmml_con",
    "#pgn", ".rigth_bmdh_href", "#pagelink", "#pagelink2", ".right_title-name",
)  # fmt: skip
_ARTICLE_ADDRESS = re.compile(
    r"(?:content_[\w-]+|nw\.D\w+-\w+|/c\d{4,}|/con\w*/.*\d|Articel\d+|articel\w+|news-\d+|_\d{3}_\d+|/\d{5,})\.s?html?$",
    re.I,
)
_PAGE_ADDRESS = re.compile(
    r"(?:node_\w+|nbs\.D\w+|page_?\d+|Page\d+\w*|layout\w*|v\d+|l\d{2}|index|_\d{8}_\d{3}|paperindex|Qpaper)\.s?html?$",
    re.I,
)
_FILE_ADDRESS = re.compile(r"\.(?:pdf|jpe?g|png|gif|zip|mp[34]|docx?|xml|css|js)$", re.I)
_NO_ARTICLE = re.compile(
    r"(?:本版)?(?:责任?编辑?|美编|编辑|校对|主编|值班\S{0,4}|版式)\s{0,3}[:：].{0,60}|(?:本版)?责编\s?\S{2,8}|\[?广告\]?|公益广告|(?:整版)?广告\S{0,2}"
    r"|上一[版篇期]|下一[版篇期]|[前后]一[版篇期]|返回\S{0,4}|首页|版面(?:导航|目录|图)|标题导航|往期回顾|PDF\S{0,4}|高清\S{0,4}|放大|缩小|查看\S{0,6}|数字报"
)


@dataclass(slots=True)
class _Found:
    """Links of a directory page, by address, while they are gathered."""

    articles: dict[str, str] = field(default_factory=dict)
    areas: dict[str, str] = field(default_factory=dict)  # only drawn on the picture of the page
    pages: dict[str, str] = field(default_factory=dict)


def read_edition(page: RawPage, *, rule: SiteRule, limit_mib: float = 2.0) -> EditionPage:
    """Read a directory page: each article once, in the order of the title list; `edition_links` are all pages of the issue.

    Articles drawn on the picture only come last, with the title that the picture gives, else "". Lines such as
    本版责编：某某 are no articles, and a page named 广告 has none. Two addresses that differ in ?div=-1 are one article.
    Raises ParseError("parse.too_large") or ("parse.too_complex").
    """
    html = decode(page.body, page.content_type).text
    marks = Marks(soup(html, source=page.url, limit_mib=limit_mib))
    found = _gather(marks, page.url)
    facts = _facts(marks, html, page.url, rule, found)
    articles = {} if _is_advertising(facts.texts.get("page_name")) else found.articles
    return EditionPage(
        url=page.url,
        newspaper=facts.texts.get("newspaper"),
        published=facts.texts.get("published"),
        edition_page=facts.texts.get("edition_page"),
        page_name=facts.texts.get("page_name"),
        articles=tuple(ArticleLink(url, title) for url, title in articles.items()),
        edition_links=tuple(ArticleLink(url, title) for url, title in found.pages.items()),
    )


def _gather(marks: Marks, url: str) -> _Found:
    lists = {id(tag) for tag in marks.all(*_ARTICLE_LISTS)}
    pages = {id(tag) for tag in marks.all(*_PAGE_LISTS)}
    found = _Found()
    for tag, address, title in tree_links(marks.tree, url):
        if _FILE_ADDRESS.search(address.partition("?")[0]):
            continue
        if _lies_in(tag, pages) or frame.read_label(title) or _PAGE_ADDRESS.search(_path(address)):
            _add_page(found, tag, address, title, pages)
        elif _NO_ARTICLE.fullmatch(title):
            continue
        elif tag.name == "area":
            found.areas.setdefault(address, title)
        elif (
            tag.name == "tr"
            or _lies_in(tag, lists)
            or _has_article_mark(tag)
            or _ARTICLE_ADDRESS.search(_path(address))
        ):
            found.articles[address] = found.articles.get(address) or title
    found.articles = _each_once(
        {**found.articles, **{url: title for url, title in found.areas.items() if url not in found.articles}}
    )
    return found


def _path(address: str) -> str:
    return address.partition("?")[0]


def _lies_in(tag: Tag, wanted: set[int]) -> bool:
    return id(tag) in wanted or any(id(parent) in wanted for parent in tag.parents)


def _has_article_mark(tag: Tag) -> bool:
    """Founder writes <div id=mp401862> around the title of an article."""
    inside = [*tag.find_all(["div", "span"]), *list(tag.parents)[:1]]
    return any(re.fullmatch(r"#(?:mp_?|content_)[\d_]+", mark) for one in inside for mark in marks_of(one))


def _add_page(found: _Found, tag: Tag, address: str, title: str, pages: set[int]) -> None:
    """Take a link to a page of the issue: one with a label, or one in a list of pages; not 下一版 or 上一期."""
    if frame.read_label(title) or (_lies_in(tag, pages) and title and not _NO_ARTICLE.fullmatch(title)):
        found.pages.setdefault(address, title)


def _each_once(articles: dict[str, str]) -> dict[str, str]:
    """Addresses that differ in ?div=-1 only, once: in the place of the first, with the plain address where there is one."""
    kept: dict[str, tuple[str, str]] = {}
    for address, title in articles.items():
        plain = re.sub(r"\?div=[^&]*$", "", address)
        before = kept.get(plain)
        if before is None:
            kept[plain] = (address, title)
        else:
            kept[plain] = (plain if plain in articles else before[0], before[1] or title)
    return dict(kept.values())


def _facts(marks: Marks, html: str, url: str, rule: SiteRule, found: _Found) -> Draft:
    """Newspaper, date, label: from the rule, the page's comment, its address, its frame, its own link."""
    known = properties(html)
    facts = Draft("edition", 1.0)
    facts.offer("newspaper", rule.newspaper, "rule")
    facts.offer("newspaper", known.get("papername"), "founder-comment")
    page = known.get("pagenum")
    around = lines_around(marks, None)
    read_frame(facts, around, document_title(marks), url, stated_date=known.get("date"), stated_page=page)
    own = frame.read_label(found.pages.get(url, ""))
    facts.offer("edition_page", own.page if own else None, "own link")
    labels = filter(None, map(frame.read_label, found.pages.values()))
    same = next((one for one in labels if frame.same_page(one.page, facts.texts.get("edition_page"))), None)
    facts.offer("page_name", same.name if same else None, "edition-links")
    return facts


def _is_advertising(name: str | None) -> bool:
    return name is not None and re.fullmatch(r"(?:整版|公益|分类)?广告(?:版|专版)?", name) is not None
