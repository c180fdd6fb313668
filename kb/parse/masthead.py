"""What a page says about itself above its text: newspaper, date, edition page and its name. Lines -> facts. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kb.text.dates import read_date

LINE_CHARS = 120  # no line of a masthead is longer

_PAPER_END = r"(?:报(?:海外版)?|电讯)"
_IN_MARKS = re.compile(r"《\s{0,4}([^《》]{2,20}?)\s{0,4}》")
_PLAIN_PAPER = re.compile(rf"[\u3400-\u9fffA-Z0-9·]{{1,14}}{_PAPER_END}\Z")
# They end in 报 and are no newspapers.
_NO_PAPER = re.compile(
    r".*(?:(?<![青少老])年报|公报|通报|简报|电报|海报|喜报|捷报|战报|情报|预报|汇总报|申报|举报|上报|填报|回报|墙报|板报|日报表|工作汇报|情况汇报|思想汇报|专报|月报|季报|周报告|播报|听报|看报|读报|订报)\Z"
)
_SUFFIX = re.compile(r"(?:多媒体)?(?:数字|电子)[报版]\Z")  # 某某日报数字报
_PAPERS_ALL_THE_SAME = frozenset({"申报", "文汇报", "求是"})

# 07版, 第A03版, 特01版, 第05-08版, 05版-08版, 第七版, 第07版：理论, 07版:法治时评
_NUMBER = r"(?:(?:[A-Za-z]{0,2}|特)\d{1,3}[A-Za-z]?|[一二三四五六七八九十]{1,3})"
_EDITION = re.compile(
    rf"(?<![日共转接见上下前后末每各])(?<![日共转接见上下前后末每各]第)第?\s{{0,3}}(?P<page>{_NUMBER}(?:\s{{0,2}}版?\s{{0,2}}[-–—―~至]{{1,2}}\s{{0,2}}{_NUMBER})?)\s{{0,3}}(?:整?版|版面)"
    r"(?:\s{0,3}[：:·|｜/－—\-]{1,2}\s{0,3}(?P<named>[^\s：:，。；|｜/《》\d][^\s：:，。；|｜/《》]{0,15}(?:/(?![上下]一)[^\s：:，。；|｜/《》\d]{1,8})?)|\s{0,3}[（(](?!共)(?P<braced>[^（）()]{1,15})[)）])?"
)
_EXTRA_ISSUES = frozenset({"增刊", "特刊", "号外", "专刊"})  # printed where the number stands
_EDITION_LABEL = re.compile(r"(?:当前版面?|所在版面?|本版|版\s{0,2}[次面]|报纸版[次面])\s{0,3}[：:]\s{0,3}")
_BARE_PAGE = re.compile(rf"({_NUMBER}(?:[-–—~]{_NUMBER})?)(?:\s*[：:\s]\s*(\S{{1,15}}))?\Z")
_DATED_CHARS = 40
_DATE_LABEL = re.compile(r"(?:发布|出版|见报|刊发|发表|更新)?(?:日期|时间)\s{0,3}[：:]")
_SOURCE_LABEL = re.compile(
    r"(?:稿件)?(?:来源|稿源|出处|报纸名?称?)\s{0,3}[：:]\s{0,3}([^\s|｜，,；;（）()【】]{2,20})"
)
_OWN_WORDS = re.compile(
    r"\d{4}\s{0,3}[-/.年]\s{0,3}\d{1,2}\s{0,3}[-/.月]\s{0,3}\d{1,2}\s{0,3}日?|[〇○零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日|(?<!\d)20\d{6}(?!\d)"
    r"|(?:星期|周|礼拜)[一二三四五六日天]|\d{1,2}[:：]\d{2}(?:[:：]\d{2})?|\d{1,2}[时点]\d{1,2}分?"
    r"|(?:农历|夏历)?(?:[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年)?(?:农历)?闰?[正一二三四五六七八九十冬腊]{1,2}月(?:初|十|廿|三十|二十)[一二三四五六七八九十]?"
    r"|\d{4}年第?\s?\d{1,3}\s?期|总?第?\s{0,2}\d{2,6}\s{0,2}期|今日\s{0,2}\d{1,3}\s{0,2}版|(?:数字|电子)(?:报|版)|多媒体(?:数字)?(?:报|版)|(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)\b\.?"
    r"|农历|[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年"
)
_FILLING = re.compile(r"[\s|｜/·:：,，;；（）()《》\[\]【】>＞<«»_.—-]+")


@dataclass(frozen=True, slots=True)
class Masthead:
    """Facts of the page head. Unknown stays None."""

    newspaper: str | None = None  # 贵州法治报
    published: str | None = None  # 2023-08-02
    edition_page: str | None = None  # 07
    page_name: str | None = None  # 理论


def read_masthead(lines: Iterable[str]) -> Masthead:
    """The facts in lines taken off the head of a page; the first line that states one wins, a labelled date before others."""
    lines = [line for line in lines if len(line) <= LINE_CHARS]
    editions = [read_edition_label(line) for line in lines]
    labelled = [line for line in lines if _DATE_LABEL.search(line)]
    return Masthead(
        newspaper=next(filter(None, map(paper_in, lines)), None),
        published=next(filter(None, map(read_date, [*labelled, *lines])), None),
        edition_page=next((page for page, _ in editions if page), None),
        page_name=next((name for _, name in editions if name), None),
    )


def read_edition_label(text: str) -> tuple[str | None, str | None]:
    """Printed label without 版, and the name of the page: `第05-08版：理论` -> ("05-08", "理论"), `07版` -> ("07", None).

    Full-width forms become half-width, any dash between two numbers `-`, 第七版 "7"; leading zeros stay as printed.
    """
    text = unicodedata.normalize("NFKC", text[:LINE_CHARS])
    found = _EDITION.search(text)
    if found:
        return _page(found["page"]), found["named"] or found["braced"] or _name_behind(text, found.end())
    label = _EDITION_LABEL.match(text)
    rest = text[label.end() :].strip() if label else ""
    bare = _BARE_PAGE.match(rest)
    if bare:
        return _page(bare[1]), bare[2]
    if rest in _EXTRA_ISSUES:
        return rest, None
    return None, rest if rest.endswith("版") and len(rest) <= 6 else None


def _name_behind(text: str, end: int) -> str | None:
    """理论 in `07版 理论`: the one short word behind the label."""
    words = text[end:].split()
    plain = (
        len(words) == 1 and len(words[0]) <= 8 and not any(char.isdigit() or char == ":" for char in words[0])
    )
    return words[0] if plain and text[end].isspace() else None


def _page(label: str) -> str:
    parts = re.split(r"\s*版?\s*[-–—―~至]{1,2}\s*", label.strip())
    return "-".join(_arabic(part.upper()) for part in parts)


def _arabic(numeral: str) -> str:
    if not numeral or numeral[0] not in "一二三四五六七八九十":
        return numeral
    tens, ten, ones = numeral.partition("十")
    digit = {char: value for value, char in enumerate("一二三四五六七八九", 1)}
    if not ten:
        return str(digit.get(numeral, numeral))
    return str(digit.get(tens, 1) * 10 + digit.get(ones, 0))


def paper_in(line: str) -> str | None:
    """The newspaper that a line of a masthead names: in 《》, behind 来源：, or as one of its words."""
    if len(line) > LINE_CHARS:
        return None
    for found in _IN_MARKS.finditer(line):
        if name := newspaper_name(found[1]):
            return name
    source = _SOURCE_LABEL.search(line)
    words = [source[1]] if source else line.replace("|", " ").replace("｜", " ").split()
    return next(filter(None, map(newspaper_name, words)), None)


def newspaper_name(text: str) -> str | None:
    """`text` without 《》 when it reads like the name of a newspaper (某某日报, 法治时报, 新华每日电讯), else None."""
    name = _SUFFIX.sub("", text.strip()[:40].strip("《》").strip())
    if name in _PAPERS_ALL_THE_SAME:
        return name
    if len(name) > 20 or not _PLAIN_PAPER.match(name) or _NO_PAPER.match(name):
        return None
    return name


def is_masthead(line: str) -> bool:
    """Whether a line holds only what a masthead holds: names the paper in 《》, dates, weekdays, edition labels.

    The label of a date makes it one whatever follows (发布日期：8月2日, 发布日期：暂无).
    """
    if len(line) > LINE_CHARS:
        return False
    text = unicodedata.normalize("NFKC", line)
    if len(text) <= _DATED_CHARS and "。" not in text and _DATE_LABEL.match(text):
        return True
    text, papers = _IN_MARKS.subn(lambda found: " " if newspaper_name(found[1]) else found[0], text)
    text, sources = _SOURCE_LABEL.subn(" ", text)
    text, labels = re.subn(rf"{_EDITION_LABEL.pattern}|{_DATE_LABEL.pattern}", " ", text)
    if labels and len(text.strip()) <= 20 and read_edition_label(line) != (None, None):
        return True
    text, editions = _EDITION.subn(" ", text)
    text, own = _OWN_WORDS.subn(" ", text)
    words = [word for word in _FILLING.split(text) if word and not newspaper_name(word)]
    if papers + sources + labels + editions + own == 0 or len(words) > 1:
        return False
    # One word may be left: the name of the page behind its number.
    alone = {unicodedata.normalize("NFKC", word) for word in line.split()}
    return not words or (editions > 0 and len(words[0]) <= 6 and words[0] in alone)
