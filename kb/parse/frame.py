"""What a page says of its article outside the text: in its address, its <title>, the lines around it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from kb.parse.lines import squeezed
from kb.parse.masthead import newspaper_name, paper_in, read_edition_label
from kb.text.dates import read_date

_URL_DATES = (
    re.compile(r"/(\d{4})[-_/](\d{1,2})[-_/](\d{1,2})(?=[/_.-]|$)"),  # html/2023-10/12/, 2023/10/12/
    re.compile(r"/(\d{4})(\d{2})[-_/](\d{2})(?=[/_.-]|$)"),  # pc/layout/202310/12/
    re.compile(r"/(\d{4})[-_/](\d{2})(\d{2})(?=[/_.-]|$)"),  # n1/2024/0108/
    # 20231012/, t20190415_5076.html, renmrb_20171016_2-01; a bare number behind content_ is an identifier.
    re.compile(r"(?:/t?|(?<!content)_)(\d{4})(\d{2})(\d{2})(?=[/_.-]|$)"),
    re.compile(r"[?&](?:date|day|d|riqi|pubdate)=(\d{4})-?(\d{2})-?(\d{2})(?!\d)", re.I),
)
_URL_PAGE = re.compile(r"/nw\.D[0-9a-zA-Z]+_\d{8}_\d{1,3}-([A-Z]{0,2}\d{1,3})\.")

# Edition pages that are not this one: 下转第4版, 上一版, 今日8版.
_OTHER_PAGES = re.compile(
    r"(?:下转|上接|紧接|转|接|见|刊|原载|至|今日|[共出])\s?第?\s?[A-Z]?\d{1,3}\s?版|[上下前后]一?个?版|[本每各]版"
)
_JOINED_PAGES = re.compile(r"(\d)\s?[、,]\s?(?=[A-Z]?\d{1,3}\s?版)")
# A07：理论 without 版: only as a line of its own, and never a time (19:00).
_BARE_LABEL = re.compile(
    r"第?(?P<page>[A-Za-z]{0,2}\d{1,3})\s?[:：]\s?(?P<name>(?!\d)[^\s:：,，。;；|]{1,16})"
)
_NAMED_PAGE = re.compile(
    r"(?:版次|版面|版号|版别)\s?[:：]\s?第?(?P<page>[A-Za-z]{0,2}\d{1,3})(?!\d)(?P<name>)"
)
_LOOSE_NAME = re.compile(r"版\s+([\u3400-\u9fff·]{2,8})(?:\s|$)")
_NO_NAME = re.compile(
    r"上一|下一|前一|后一|星期|返回|首页|版面|标题|放大|缩小|默认|打印|来源|作者|日期|记者|责编|编辑|\d{4}"
)

_PLATFORM = re.compile(
    r"(?:社|传媒|集团|[·\s])*(?:数字报刊平台|数字报纸|数字报刊|数字报|电子报纸|电子报刊|电子报|电子版|数字版|网络版|多媒体版|"
    r"手机版|阅读版|数字平台|融媒体).*$"
)
_PADDED_TITLE = re.compile(r"《\s{0,4}([^《》\s]{2,20})\s{0,4}》")
_DATED_PAPER = re.compile(r"^([\u3400-\u9fff·]{3,14})\s?\d{4}\s?[年./-]")
_RIGHTS = re.compile(r"([\u3400-\u9fff]{3,14})\s{0,3}版权所有|版权所有\s?[:：©]?\s?([\u3400-\u9fff]{3,14})")
_SITE_TAIL = re.compile(
    r"(?:网|报|刊|社|台|站|频道|新闻|资讯|平台|在线|客户端|门户|数字报|电子版|电子报|官网|要闻|时政|政务|政府|委员会|[a-z0-9]+\.(?:com|cn|net|org))$",
    re.I,
)
_SEPARATORS = re.compile(r"\s*(?:__|_|\||｜|--|\s[-–—·]\s|-(?=[^-—]{1,20}$)|–|»|>>|<<|«)\s*")


@dataclass(frozen=True, slots=True)
class Label:
    """An edition page as printed."""

    page: str  # "07", "A01", "05-08"
    name: str | None  # 理论


def url_date(url: str) -> str | None:
    """The date in an address as YYYY-MM-DD: html/2023-10/12, pc/layout/202310/12, 20231012, n1/2024/0108."""
    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}"
    for form in _URL_DATES:
        for found in form.finditer(where):
            day = read_date("{}-{}-{}".format(*found.groups()))
            if day:
                return day
    return None


def url_edition_page(url: str) -> str | None:
    """The edition page in an address of 人民日报's old form, nw.D110000renmrb_20171016_2-01.htm: "01"."""
    found = _URL_PAGE.search(urlsplit(url).path)
    return found.group(1) if found else None


def read_label(text: str) -> Label | None:
    """The edition label in a line of a page's frame: 第07版：理论, A07：理论, 第07版 理论; None when it has none.

    Passed over: pages that the line only points to (下转第4版, 上一版).
    """
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if len(text) > 120:
        return None
    text = _JOINED_PAGES.sub(r"\1-", _OTHER_PAGES.sub(" ", text))
    page, name = read_edition_label(text)
    if page and not name and (loose := _LOOSE_NAME.search(text)):
        name = loose[1]
    bare = None if page else _BARE_LABEL.fullmatch(text.strip()) or _NAMED_PAGE.search(text)
    if bare:
        page, name = bare["page"], bare["name"]
    named = name and re.search(r"\w", name) and not _NO_NAME.search(name)
    return Label(page, name if named else None) if page else None


def same_page(one: str | None, other: str | None) -> bool:
    """Whether two labels name the same edition page: 7 and 07, a1 and A01."""
    return one is not None and other is not None and _page_key(one) == _page_key(other)


def _page_key(label: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", label).upper()


def newspaper_of_title(part: str) -> str | None:
    """The newspaper that a part of a <title> names, 江西日报数字报 -> 江西日报; None when it names none."""
    return newspaper_name(_PLATFORM.sub("", part.strip()).strip(" ·-_|—").rpartition("·")[2])


def newspaper_of_line(line: str) -> str | None:
    """The newspaper of a dated masthead line: 人民日报 2017年10月16日, 《光明日报》（2025年02月12日 04版）; else None."""
    line = _PADDED_TITLE.sub(r"《\1》", unicodedata.normalize("NFKC", line).strip())
    if read_date(line) is None:
        return None
    dated = _DATED_PAPER.match(line)
    return (newspaper_name(dated[1]) if dated else None) or paper_in(line)


def newspaper_of_rights(line: str) -> str | None:
    """The newspaper in a line of rights: 岚山法治报版权所有, 版权所有：岚山法治报社; else None."""
    found = _RIGHTS.search(line)
    return newspaper_name(re.sub("社$", "", found[1] or found[2])) if found else None


def title_parts(title: str) -> list[str]:
    """A <title> cut at the marks that sites set between the headline and their own names."""
    return [part for part in (part.strip() for part in _SEPARATORS.split(title)) if part]


def bare_title(title: str, names: Iterable[str | None] = ()) -> str:
    """A title without the site's name, 标题_光明网 or 标题--人民网, and without a page number, 标题(1)_光明网.

    `names`: what the page calls its site and newspaper. A newspaper's name in front is taken off too.
    """
    known = {_plain(name) for name in names if name}
    text, cut = squeezed(title), False
    while marks := list(_SEPARATORS.finditer(text)):
        tail = text[marks[-1].end() :].strip()
        if marks[-1].start() == 0 or not _is_site(tail, known):
            break
        text, cut = text[: marks[-1].start()].strip(), True
    head = _SEPARATORS.search(text)
    if head and head.start() > 0:
        front = text[: head.start()]
        text = text[head.end() :].strip() if _plain(front) in known or newspaper_of_title(front) else text
    return re.sub(r"\s?\(\d{1,2}\)$", "", text) if cut else text


def _is_site(tail: str, known: set[str]) -> bool:
    return not tail or _plain(tail) in known or (len(tail) <= 24 and _SITE_TAIL.search(tail) is not None)


def _plain(text: str) -> str:
    return re.sub(r"[\s《》]", "", unicodedata.normalize("NFKC", text))
