"""Page bytes -> text, guarded tree, links. Pure: no network, no disk, no clock."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from kb.errors import ParseError
from kb.model import ArticleLink
from kb.parse.lines import plain_lines, squeezed

TAG_LIMIT = 50_000
_LINK_TAGS = 10_000  # looked at for links; the longest real list page has a few hundred
DEPTH_LIMIT = 1_000  # deeper trees make every selector that climbs to its ancestors quadratic
REPLACEMENT = "\ufffd"

_LABEL = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{2,40})""", re.I)
_LABEL_WINDOW = 16_384
_GB_LABELS = frozenset({"gb2312", "gbk", "gb_2312", "gb2312-80", "x-gbk", "cp936", "gb18030"})
_BIG5_LABELS = frozenset({"big5", "big5-hkscs", "big5hkscs", "cp950", "x-x-big5"})
_NO_LABELS = frozenset(
    {"", "iso-8859-1", "latin-1", "latin1", "windows-1252", "ascii", "us-ascii", "binary", "none"}
)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# The most frequent characters of modern Chinese prose, both scripts: a third of real text, almost none of garbage.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所"
    "民得经进着等部度家电力里如水化高自理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事"
    "平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党"
    "這為個國時來們對會發產種後學經進著裡現實兩體機當點從業應開還義無關線內數質氣變條結問軍題黨"
    "，。、；：“”（）《》"
)
_CONTROLS = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0xD800, 0xE000)])
_CONTROL_REFERENCE = re.compile(
    r"&#(?:0{0,6}(?:[0-8]|1[124-9]|2\d|3[01])|x0{0,6}(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}))(?:;|(?![0-9a-f]))",
    re.I,
)
_TAG_START = re.compile(r"<[a-zA-Z]")
# 人民日报 writes its title list by script: <script>document.write(view("title"))</script>
_WRITTEN = re.compile(
    r"<script[^<>]{0,200}>\s{0,20}document\.write(?:ln)?\(\s{0,20}(?:view\(\s{0,20})?"
    r"""(?:"((?:[^"\\]|\\.){0,5000})"|'((?:[^'\\]|\\.){0,5000})')\s{0,20}\)?\s{0,20}\)\s{0,20};?\s{0,20}</script>""",
    re.I,
)
_SUBTITLE = re.compile(r"[—―─–-]{2}|[—―─]")
_HEADING_END = re.compile(r"</h[1-6]\b", re.I)
_REFRESH = re.compile(r"""\s*\d{0,3}(?:\.\d{0,3})?\s*[;,]?\s*url\s*=\s*["']?([^"'\s]{1,2000})""", re.I)
_HEADING_START = re.compile(r"<h[1-6]\b", re.I)
_BLOCK_TAG = re.compile(r"</?(?:p|div)\b[^<>]{0,500}>", re.I)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text and how it was read from bytes."""

    text: str
    encoding: str  # gb18030
    damaged: bool  # some bytes could not be read; each stands as U+FFFD in `text`


def decode(body: bytes, content_type: str) -> Decoded:
    """Bytes of a page to text, whatever its labels say.

    BOM, then strict UTF-8, then UTF-8 with a few broken bytes, then the declared label (gb2312 and gbk read as gb18030), then
    strict gb18030 and big5, then whatever leaves the fewest U+FFFD. A label that reads as rare characters loses
    against one that reads as common Chinese. Never raises. Source of the order and of the eleven cases: crawl.md §2.4.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return _decoded(body[len(bom) :].decode(encoding, "replace"), encoding)
    text = body.decode("utf-8", "replace")
    if _nearly_utf8(text):
        return _decoded(text, "utf-8")
    return _legacy(body, _declared(body, content_type))


def _decoded(text: str, encoding: str) -> Decoded:
    return Decoded(text, encoding, REPLACEMENT in text)


def _declared(body: bytes, content_type: str) -> str:
    """The encoding that the response header, else the page, names; "" when none or one that says nothing."""
    for text in (content_type.encode("ascii", "ignore"), body[:_LABEL_WINDOW]):
        found = _LABEL.search(text)
        if found:
            label = found.group(1).decode("ascii").lower()
            if label not in _NO_LABELS:
                return label
    return ""


def _nearly_utf8(text: str) -> bool:
    """Whether bytes read as UTF-8 are that, but for a few: at most one broken place for ten good characters."""
    broken = text.count(REPLACEMENT)
    if not broken:
        return True
    beyond_ascii = sum(char > "\x7f" for char in text)
    return broken * 11 <= beyond_ascii


def _legacy(body: bytes, label: str) -> Decoded:
    """Bytes that are not UTF-8: the declared encoding unless another reads clearly better."""
    codec = "gb18030" if label in _GB_LABELS else "big5hkscs" if label in _BIG5_LABELS else label
    encodings = [name for name in (codec, "gb18030", "big5hkscs", "utf-8") if name and _known(name)]
    readings = [(name, body.decode(name, "replace")) for name in dict.fromkeys(encodings)]
    _, name, text = min((_cost(text, rank), name, text) for rank, (name, text) in enumerate(readings))
    return _decoded(text, name)


def _known(encoding: str) -> bool:
    try:
        return bool(
            codecs.lookup(encoding)._is_text_encoding
        )  # hex, rot13 and the like are no encodings of pages
    except LookupError:
        return False


def _cost(text: str, rank: int) -> tuple[float, int]:
    """How bad a reading is: broken places, then a lack of common characters; of equals the earlier rank wins."""
    wide = [char for char in text if char > "\u2000"]
    broken = text.count(REPLACEMENT)
    if len(wide) <= broken:
        return (1.0 if broken else 0.5, rank)
    # Sparse pages hold a few names only: below 20 characters the share of common ones says little.
    common = sum(char in _COMMON for char in wide) if len(wide) >= 20 else 0
    return ((broken - common) / len(wide), rank)


def guard(html: str, size: int, *, source: str, limit_mib: float) -> None:
    """Refuse a page that no parser is safe on, before parsing it. `size` in bytes.

    Raises ParseError("parse.too_large") or ("parse.too_complex"). Limits: reliability.md §7.9.
    """
    if size > limit_mib * 1024 * 1024:
        raise ParseError("parse.too_large", source=source, size_mib=size / 1024 / 1024, limit_mib=limit_mib)
    tags = sum(1 for _ in _TAG_START.finditer(html))
    if tags > TAG_LIMIT or html.count("<") > 4 * TAG_LIMIT:
        raise ParseError("parse.too_complex", source=source, tags=tags)


def soup(html: str, *, source: str = "page", limit_mib: float = 2.0) -> BeautifulSoup:
    """The tree of `html`: control characters dropped, text written by a one-line script put in its place, headings that hold
    paragraphs kept whole.

    Raises ParseError("parse.too_large") or ("parse.too_complex"): too many tags or too deeply nested.
    """
    guard(html, len(html.encode("utf-8", "ignore")), source=source, limit_mib=limit_mib)
    tree = BeautifulSoup(_whole_headings(_WRITTEN.sub(_written, without_controls(html))), "lxml")
    _check_depth(tree, source)
    return tree


def without_controls(html: str) -> str:
    """`html` without control characters and surrogates, written plainly or as references (&#0;): parsers stop at them."""
    return _CONTROL_REFERENCE.sub("", html.translate(_CONTROLS))


def _whole_headings(html: str) -> str:
    """lxml ends <h1> at a <p> inside it (人民日报 since 2024 writes that): make such paragraphs line breaks."""
    parts: list[str] = []
    done = 0
    for start in _HEADING_START.finditer(html):
        if start.start() < done:
            continue
        end = _HEADING_END.search(html, start.end(), start.end() + 2_000)
        if end and _BLOCK_TAG.search(html, start.end(), end.start()):
            inner = _BLOCK_TAG.sub("<br>", html[start.end() : end.start()])
            parts.append(html[done : start.end()] + inner)
            done = end.start()
    return "".join(parts) + html[done:] if parts else html


def _check_depth(tree: BeautifulSoup, source: str) -> None:
    depth = {id(tree): 0}
    for tag in tree.descendants:
        if isinstance(tag, Tag):
            level = depth[id(tag.parent)] + 1
            if level > DEPTH_LIMIT:
                raise ParseError("parse.too_complex", source=source, tags=level)
            depth[id(tag)] = level


def _written(script: re.Match[str]) -> str:
    text = script.group(1) if script.group(1) is not None else script.group(2)
    return re.sub(r"\\(.)", r"\1", text.replace("\\n", "\n"))


def links(html: str, url: str) -> tuple[ArticleLink, ...]:
    """Every page that `html` links to, in document order, each once, with the first text that stands for it.

    Absolute addresses without fragment; from <a>, <area>, table rows with data-url, and titles written by script. Links that
    run scripts, send mail or stay on the page are left out. Raises ParseError as `soup` does.
    """
    titles: dict[str, str] = {}
    for _, address, title in tree_links(soup(html, source=url), url):
        titles[address] = titles.get(address) or title
    return tuple(ArticleLink(address, title) for address, title in titles.items())


def tree_links(tree: BeautifulSoup, url: str) -> Iterator[tuple[Tag, str, str]]:
    """(element, absolute address, its text) of every link of a tree, in document order."""
    base = _base(tree, url)
    for tag in tree.find_all(["a", "area", "tr"], limit=_LINK_TAGS):
        address = _absolute(str(tag.get("data-url") if tag.name == "tr" else tag.get("href") or ""), base)
        if address:
            yield tag, address, _link_text(tag)


def _base(tree: BeautifulSoup, url: str) -> str:
    tag = tree.find("base", href=True)
    return _absolute(str(tag["href"]), url) or url if isinstance(tag, Tag) else url


def _absolute(href: str, base: str) -> str | None:
    """`href` as an absolute address without fragment; None when it does not lead to another page."""
    href = re.sub(r"[\t\r\n]", "", href).strip()
    if not href or href == "None" or href.startswith("#"):
        return None
    try:
        address = urljoin(base, href).partition("#")[0]
        scheme = urlsplit(address).scheme
    except ValueError:
        return None
    return address if scheme in ("http", "https") or (not scheme and not base) else None


def _link_text(tag: Tag) -> str:
    if tag.name == "tr":
        cells = [text for cell in tag.find_all("td") if (text := " ".join(plain_lines(cell)))]
        return cells[-1] if cells else ""
    lines = plain_lines(tag) if tag.name == "a" else []
    # A subtitle below the headline is no part of it.
    text = " ".join(line for place, line in enumerate(lines) if place == 0 or not _SUBTITLE.match(line))
    full = squeezed(str(tag.get("title") or tag.get("name") or tag.get("alt") or ""))
    if text and not text.endswith(("…", "...")):
        return text
    return full or text


def meta_refresh(html: str, url: str) -> str | None:
    """Where the page sends its reader at once (paperindex.htm -> the latest issue), absolute; None when it does not."""
    tree = soup(html, source=url)
    for tag in tree.find_all("meta"):
        if str(tag.get("http-equiv", "")).lower() == "refresh" and tag.find_parent("noscript") is None:
            found = _REFRESH.match(str(tag.get("content", "")))
            address = _absolute(found.group(1), _base(tree, url)) if found else None
            if address and address != url.partition("#")[0]:
                return address
    return None


_LINK_TAG = re.compile(r"<(?:link|meta)\b[^<>]{0,500}>", re.IGNORECASE)
_STATES_URL = re.compile(r"""\b(?:rel|property)\s{0,5}=\s{0,5}["']?(?:canonical|og:url)\b""", re.IGNORECASE)
_ITS_URL = re.compile(
    r"""\b(?:href|content)\s{0,5}=\s{0,5}["']?(https?://[^\s"'<>]{1,2000})""", re.IGNORECASE
)
_HEAD_CHARS = 100_000


def stated_url(html: str) -> str | None:
    """The address that a saved page gives for itself (canonical, og:url); None for none, or for a bare host."""
    for tag in _LINK_TAG.finditer(html[:_HEAD_CHARS]):
        found = _ITS_URL.search(tag[0]) if _STATES_URL.search(tag[0]) else None
        if found and urlsplit(found[1]).path.strip("/"):
            return unescape(found[1])
    return None
