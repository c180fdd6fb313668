"""Who wrote it: byline lines, datelines, closing credits; who edited it. Lines -> names with roles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.model import Author
from kb.parse.names import is_name, is_shaped_like_name, may_be_name, split_names

_BYLINE_CHARS = 120  # longer lines are never matched, so that patterns stay cheap
_FIELD_CHARS = 2_000

_SURE_MARKS = "■□●○◎◆◇★▲△▪◼◾❑❏"  # pen names are taken behind these; the others open items and notes too
MARKS = f"{_SURE_MARKS}☆※▶►＊⊙♦◈"
_OPENING, _CLOSING = "（(【[〔", "）)】]〕"
_DEFAULT_ROLE = "作者"
# As printed -> as kept. 文/图 stands for both.
_ROLES: dict[str, str] = {
    **dict.fromkeys(("作者", "本文作者", "署名"), "作者"),
    **dict.fromkeys(("记者", "采访", "见习记者", "特约记者"), "记者"),
    **dict.fromkeys(("通讯员", "特约通讯员", "通讯员供稿"), "通讯员"),
    **dict.fromkeys(("实习生", "见习生", "实习记者"), "实习生"),
    **dict.fromkeys(("文", "文字", "撰文", "撰稿", "采写", "采写人", "供稿", "撰稿人"), "文"),
    **dict.fromkeys(("图", "图片", "供图", "制图"), "图"),
    **dict.fromkeys(("摄", "摄影", "摄影报道", "摄影记者"), "摄"),
    **dict.fromkeys(("图文", "文图"), "文/图"),
    **dict.fromkeys(("执笔", "执笔人"), "执笔"),
    **dict.fromkeys(("整理", "记录整理"), "整理"),
    **dict.fromkeys(("评论员", "特约评论员"), "评论员"),
    **dict.fromkeys(("口述", "讲述"), "口述"),
}
# 张三 摄: these may stand behind the name.
_MAY_FOLLOW = frozenset({"文", "图", "摄", "文/图", "整理", "执笔", "口述"})
_EDITING = frozenset(
    "责编 责任编辑 编辑 主编 美编 校对 审核 编审 版式 视频编辑 文字编辑 责任校对 值班编辑 一审 二审 三审".split()
)
_UNIT_LABELS = frozenset("单位 作者单位 工作单位 所在单位".split())
_OTHER_LABELS = frozenset(
    "来源 稿源 时间 日期 发布时间 发布日期 点击 阅读 浏览 浏览次数 字号 字体 点击数 阅读数 报道 供稿单位".split()
)
_SPLIT_ROLES = re.compile(r"((?:特约|实习|见习)?(?:记者|通讯员|评论员|实习生|见习生))")
_GROUPS = re.compile(r"[、,，;；:：/／|｜&]+")
_SENTENCE = re.compile(r"[。！？!?…“”]")
_BRACKETED = re.compile(r"[（(]([^（）()]{1,40})[)）]")
_UNIT_END = (
    "院 局 校 部 委 会 处 科 所 队 站 室 厅 镇 乡 村 社 公司 中心 大学 学院 集团 司 厂 街道 馆 纪委 监委 党委 党组 政府 机关 基地 单位 法庭 监狱 支部 办 "
    "课题组 联合体 联盟 小组 工作室 编辑部 医院 银行 协会 学会 总队 战区 部队".split()
)
_UNIT = re.compile(rf"[\u3400-\u9fffA-Za-z0-9·“”（）()-]{{2,40}}(?:{'|'.join(_UNIT_END)})\Z")
_OFFICE = re.compile(
    r".{0,30}(?:[省市县区州盟旗镇乡村]长|主席|书记|检察长|院长|主任|[部厅局处科庭所会社校队站股司]长|总理|代表|委员|教授|研究员|讲师|检察官|法官|法官助理|检察官助理|干警|"
    r"民警|律师|博士|硕士|研究生)\Z"
)
_PREFIX_STARTS = tuple("本报 本网 本刊 本社 全媒体 融媒体 首席 见习 特约 驻 新华社 人民".split())
_OUTLETS = re.compile(r"[^·]{1,12}[报网社刊](?:·[^·]{1,12}[报网社刊端])+")  # 农民日报·中国农网(记者)
_PREFIX_ENDS = tuple("报 网 社 全媒体 融媒体 新闻 客户端 电视台 广播 周刊 杂志 频道 报道".split())
_COLLECTIVE = re.compile(
    r"(?:本报|本刊|本网|新华社|\S{2,8}(?:日报|时报|法治报|法制报|周报))(?:特约|编辑部|评论部|理论部|记者部)*(?:评论员|编辑部|评论部|理论部)"
    r"|(?:[\u3400-\u9fff]{2,24})?(?:课题组|调研组|写作组|采访组)"
)
# • and * open lists and stand inside names too, so they count at the start of a line only.
_MARKED = re.compile(rf"[{MARKS}•·*][\s{MARKS}]{{0,9}}")
_BETWEEN = re.compile(rf"[{MARKS}]|(?<=\s)[•·*](?=\s)")
_INVISIBLE = dict.fromkeys((0xFE0E, 0xFE0F, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD))
# What stands in brackets behind a name and is none: （苗族）, （女）.
_ABOUT_PERSON = re.compile(r"(?:[\u3400-\u9fff]{1,4}族|男|女|已故|笔名|化名)\Z")
_AND_OTHERS = re.compile(r"(?<=\S)\s?等(?:[\d一二三四五六七八九十]{1,3}[人名位])?\Z")
_LATIN_NAME = re.compile(
    r"(?:[（(]?(?:作者|文|撰文|记者|图)\s?[:：/／]\s?)?([A-Z][a-z]{1,20}(?:[ -](?:[A-Z][a-z]{0,20}\.?|d[aeiu]|van|von)){1,4})\Z"
)
_STATES_ROLE = re.compile(
    r"[（(【\[]?\s*(?:\S{0,16}(?:记者|通讯员|评论员|实习生)[\s:：/／\u3400-\u9fff]"
    r"|(?:本文)?(?:作者|撰文|撰稿|执笔|整理|口述|采写|供稿)[\s:：/／]|[文图摄](?:[/／、]?[文图摄])?\s*[/／:：\s])"
)
# Behind these a pen name may stand; 记者手记 and 作者简介 are no names.
_NAMES_FOLLOW = re.compile(
    r"[（(【\[]?\s*(?:(?:本文)?(?:作者|撰文|撰稿|执笔|整理|口述|采写|供稿)[\s:：/／]|[文图摄](?:[/／、]?[文图摄])?\s*[/／:：\s])"
)
# Behind a role and a mark a common word is a name: 记者 文明, but 记者文明.
_LABELLED = re.compile(
    r"\S{0,16}?(?:记者|通讯员|评论员|实习生|(?:本文)?作者|撰文|撰稿|执笔|整理|口述|采写|供稿)[\s:：/／]+\S{2,4}(?=[\s、，,;；/／)）]|\Z)"
)
_ENDS_WITH_ROLE = re.compile(
    r"\S\s*[/／\s（(]\s*(?:文|图|摄|摄影|文/图|图/文|文图|图文|整理|供图|撰文|摄影报道)[)）】\]]?\Z"
)


@dataclass(frozen=True, slots=True)
class Byline:
    """What one line says about who wrote it."""

    authors: tuple[Author, ...] = ()
    affiliation: str | None = None


@dataclass
class _Reading:
    """Names and roles while a byline is read from left to right."""

    names: list[str] = field(default_factory=list)
    roles: list[str | None] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    pending: str | None = None  # role that stands before the names still to come
    trailing: list[int] = field(default_factory=list)  # names that the last role behind them went to
    skipping: bool = False  # behind 责编 and the like
    doubtful: int = 0  # words that are names only beside one that surely is
    failed: bool = False
    labelled: bool = False  # a label says that names follow, so that none behind it is doubtful


def read_credit(text: str, *, expected: bool = False) -> Byline:
    """A line that is a byline and nothing else: names with roles, and a unit printed beside them. Empty when `text` is none.

    `■许剑虹`, `■张　三、李四`, `本报记者 王五 通讯员 赵六`, `文/图 孙七`, `作者：周八`, `【本报记者 吴九】`, a line of bare names.

    `expected`: the place itself says that an author stands here, so that pen names are taken too.
    """
    text = text.strip()
    if not 2 <= len(text) <= _BYLINE_CHARS or _SENTENCE.search(text):
        return Byline()
    text = text.translate(_INVISIBLE)
    marked = _MARKED.match(text)
    sure = text[0] in _SURE_MARKS
    text = _BETWEEN.sub(" ", text[marked.end() :]).strip() if marked else text
    if _COLLECTIVE.fullmatch(text):
        return Byline((Author(text, "评论员" if text.endswith("评论员") else _DEFAULT_ROLE),))
    latin = _LATIN_NAME.match(text)
    if latin and (expected or marked or latin[1] != text):
        return Byline((Author(latin[1], _DEFAULT_ROLE),))
    reading = _Reading(labelled=_LABELLED.match(_bare(text)) is not None)
    text = _take_units(_bare(text), reading)
    if marked or _STATES_ROLE.match(text):
        text = _AND_OTHERS.sub("", text)
    lenient = expected or sure or _NAMES_FOLLOW.match(text) is not None
    for piece in _pieces(text):
        _read_piece(piece, reading, lenient)
    return _finish(reading, alone=sure)


def is_credit_line(text: str) -> bool:
    """Whether a line is set off as a byline by a mark, a role or brackets, and holds names only."""
    if len(text) > _BYLINE_CHARS or is_measure(text):
        return False
    set_off = (
        _MARKED.match(text)
        or _STATES_ROLE.match(text)
        or _ENDS_WITH_ROLE.search(text)
        or _COLLECTIVE.fullmatch(text)
    )
    if not set_off and not (text[:1] in _OPENING and text[-1:] in _CLOSING):
        return False
    return bool(read_credit(text).authors)


def is_bare_names(text: str) -> bool:
    """Whether a line holds nothing but names that are surely names: 张三 李四."""
    if not 2 <= len(text) <= 40 or _SENTENCE.search(text):
        return False
    pieces = list(_pieces(text))
    return bool(pieces) and all(is_name(piece) for piece in pieces)


def read_author_field(text: str) -> tuple[Author, ...]:
    """The names in a field that is there for authors: `孟祥麟;黄发红`, `张三 李四`, `本报记者 王五`, `CCTV`.

    What cannot be read as names is kept as printed, cut at ；、 and commas.
    """
    found = read_credit(text, expected=True).authors
    if found:
        return found
    parts = (part.strip() for part in re.split(r"[;；、,，|\n]", text[:_FIELD_CHARS]))
    return tuple(Author(part, _DEFAULT_ROLE) for part in dict.fromkeys(parts) if part)


def _bare(text: str) -> str:
    """Without the brackets around the whole of it."""
    text = text.strip()
    if text[:1] and text[0] in _OPENING:
        close = _CLOSING[_OPENING.index(text[0])]
        if text.endswith(close) and text.count(text[0]) == 1:
            return text[1:-1].strip()
    return text


def _take_units(text: str, reading: _Reading) -> str:
    """Move units that stand in brackets behind a name out of the text; other brackets become separators."""

    def take(found: re.Match[str]) -> str:
        if _ABOUT_PERSON.match(found[1]):
            return " "
        if _UNIT.match(found[1]) and not is_name(found[1]):
            reading.units.append(found[1])
            return " "
        return f" {found[1]} "

    return _BRACKETED.sub(take, text)


def _pieces(text: str) -> Iterator[str]:
    """Words of a byline: cut at marks, spaces and around 记者, 通讯员; the two halves of a padded name (张　三) joined."""
    for group in _GROUPS.split(_SPLIT_ROLES.sub(r" \1 ", _SLASHED_ROLE.sub(" ", text))):
        yield from _join_singles(group.split())


def _join_singles(words: list[str]) -> Iterator[str]:
    """张 三 -> 张三, 王 小 明 -> 王小明, 张 三 李 四 -> 张三 李四."""
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1 and "\u3400" <= word <= "\u9fff":
            run.append(word)
            continue
        if len(run) == 1 and run[0] not in _ROLES and len(word) == 2:  # 王 小明
            word = run.pop() + word
        elif run:
            size = len(run) if len(run) <= 3 or len(run) % 2 else 2
            yield from ("".join(run[start : start + size]) for start in range(0, len(run), size))
        run = []
        if word:
            yield word


def _read_piece(piece: str, reading: _Reading, lenient: bool) -> None:
    if piece in _EDITING:
        reading.skipping = True
    elif piece in _ROLES:
        _read_role(_ROLES[piece], reading)
    elif piece in _OTHER_LABELS or piece in _UNIT_LABELS:
        reading.skipping = piece in _OTHER_LABELS
    elif reading.skipping or _OUTLETS.fullmatch(piece):
        return
    elif names := split_names(piece):
        _read_names(names, reading)
    elif len(piece) > 2 and piece[-1] in "摄文图" and is_name(piece[:-1]):  # 张三摄
        _read_names([piece[:-1]], reading)
        _read_role(piece[-1], reading)
    elif _UNIT.match(piece):
        reading.units.append(piece)
    elif _is_prefix(piece):
        return
    elif is_shaped_like_name(piece):
        _read_names([piece], reading)
        reading.doubtful += not (reading.labelled and reading.pending)
    elif (lenient or (reading.labelled and reading.pending)) and may_be_name(piece):
        _read_names([piece], reading)
    else:
        reading.failed = True


def _is_prefix(piece: str) -> bool:
    """Whether a word may stand in a byline without being a name: 本报驻朝鲜(记者), 某某日报(记者), 省长, 报道."""
    return (
        piece.startswith(_PREFIX_STARTS) or piece.endswith(_PREFIX_ENDS) or _OFFICE.match(piece) is not None
    )


def _read_names(names: list[str], reading: _Reading) -> None:
    reading.names += names
    reading.roles += [reading.pending] * len(names)
    reading.trailing = []


def _read_role(role: str, reading: _Reading) -> None:
    """Give a role to the names before it when it may stand there and they have none, else to those that follow."""
    reading.skipping = False
    without = [place for place, known in enumerate(reading.roles) if known is None]
    if role in _MAY_FOLLOW and reading.trailing:
        for place in reading.trailing:
            reading.roles[place] = _both(reading.roles[place], role)
    elif role in _MAY_FOLLOW and without:
        for place in without:
            reading.roles[place] = role
        reading.trailing, reading.pending = without, None
    else:
        reading.roles = [known or _DEFAULT_ROLE for known in reading.roles]
        unused = not reading.roles or reading.pending not in reading.roles
        reading.pending = _both(reading.pending, role) if unused and role in _MAY_FOLLOW else role


def _both(first: str | None, second: str) -> str:
    return "文/图" if {first, second} == {"文", "图"} else second


def _finish(reading: _Reading, *, alone: bool) -> Byline:
    """What was read. `alone`: a unit without names counts too, for a mark stands before it."""
    names = dict(zip(reading.names, reading.roles, strict=True))
    if alone and not names and reading.units and not reading.failed:
        return Byline((), "；".join(dict.fromkeys(reading.units)))
    if reading.failed or not reading.doubtful < len(reading.names) <= 20:
        return Byline()
    authors = tuple(Author(name, role or _DEFAULT_ROLE) for name, role in names.items())
    return Byline(authors, "；".join(dict.fromkeys(reading.units)) or None)


# --- names inside the text ------------------------------------------------------------------------------------

_DATELINE = re.compile(r"[^（(。，,]{0,40}[（(]([^（）()]{2,80})[)）]")
_DATELINE_START = re.compile(
    r"(?:据?(?:本报|新华社|中新社|本网)|\S{2,10}[报社网])?[^（(。，,]{0,30}?[讯电][　 ]{0,4}"
)
_ROLE_INSIDE = re.compile(r"记者|通讯员|实习生|评论员")
_MEASURE = re.compile(
    r"单位\s?[:：]\s?(?:[十百千万亿]{0,2}(?:元|吨|人|户|亩|件|次|个|公里|平方米|立方米)|%)[)）]?$"
)
_SLASHED_ROLE = re.compile(r"[/／](?=[文图摄])")  # 王磊/文 李明/摄
_CLOSING_DATELINE = re.compile(r"[（(][^（）()]{0,60}?(?:电[　 ]*|参与)(记者[^（）()]{2,80})[)）]\Z")
_CLOSING_CREDIT = re.compile(r"[。！？!?”’][ 　]{0,4}[（(]([^（）()]{2,40})[)）]\Z")


def names_in_dateline(paragraph: str) -> tuple[Author, ...]:
    """The names in `本报讯（记者 张三 通讯员 李四）…`, `新华社某地1月1日电 （记者王五）…`, `本报讯 通讯员赵六 近日…`."""
    head = paragraph[:_BYLINE_CHARS]
    bracketed = _DATELINE.match(head)
    if bracketed and (_ROLE_INSIDE.search(bracketed[1]) or _DATELINE_START.match(head)):
        return read_credit(bracketed[1]).authors
    start = _DATELINE_START.match(head)
    if not start or not _ROLE_INSIDE.match(head[start.end() :]):
        return ()
    words: list[str] = []
    for word in head[start.end() :].split():
        if not read_credit(" ".join([*words, word])).authors and word not in _ROLES:
            break
        words.append(word)
    return read_credit(" ".join(words)).authors


def names_at_end(paragraph: str) -> tuple[Author, ...]:
    """The names in brackets behind the last sentence: `……新台阶。（张三　李四）`, `（本报某地5月1日电　记者王五）`."""
    sent_from = _CLOSING_DATELINE.search(paragraph[-_BYLINE_CHARS:])
    if sent_from:
        return read_credit(sent_from[1]).authors
    found = _CLOSING_CREDIT.search(paragraph[-60:])
    if not found or is_photo_credit(found[1]):
        return ()
    set_off = (
        _ROLE_INSIDE.search(found[1]) or _STATES_ROLE.match(found[1]) or _ENDS_WITH_ROLE.search(found[1])
    )
    return read_credit(found[1]).authors if set_off or is_bare_names(found[1]) else ()


def is_measure(line: str) -> bool:
    """Whether it says what the numbers of a table count: （单位：万元）."""
    return _MEASURE.search(line) is not None


def is_photo_credit(text: str) -> bool:
    """Whether a credit line names who took the picture, not who wrote: `新华社记者 张三 摄`."""
    plain = text.rstrip("）)】] \u3000")[-_BYLINE_CHARS:]
    return plain.endswith(("摄", "摄影", "供图", "制图")) and "文" not in plain


# --- editors --------------------------------------------------------------------------------------------------

_EDITORS = re.compile(
    r"[（(【\[]?\s*(?:本版|本期|本刊|本报|值班|版面|实习|新媒体)?"
    r"(?:责任编辑|责编|编辑|主编|美编|校对|校检|审校|审核|编审|编校|初审|复审|终审|一审|二审|三审|一校|二校|视频编辑|文字编辑|责任校对|版式|版式设计|组版|检校|监制|签发|值班主任|值班编委)"
    r"\s*(?:[:：/／|｜]|\s(?=\S{1,4}(?:\s|\Z)))"
)


def is_editors_line(line: str) -> bool:
    """Whether a line names those who edited the page, not who wrote: `责编：张三 校对：李四`, `(视频编辑：王五)`."""
    return len(line) <= _BYLINE_CHARS and "。" not in line and _EDITORS.match(line) is not None


def is_unit(line: str) -> bool:
    """Whether a line is the name of a unit and nothing else: 雷山县人民检察院."""
    return 4 <= len(line) <= 40 and _UNIT.match(line) is not None and not is_name(line)
