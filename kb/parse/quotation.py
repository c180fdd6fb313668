"""What leaders are quoted as saying: speaker, verb, words and their exact place. Blocks -> quotations. Pure, linear.

A quotation is words between quotation marks that a named speaker is said to have spoken: 习近平总书记指出：“…”. Terms that merely
stand in quotation marks (“三会一课”) are none, and where the speaker is not certain nothing is attributed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kb.model import BODY_KINDS, Block, Quotation
from kb.parse.names import COMPOUND_SURNAMES, SURNAMES

_PAIRS = {"“": "”", "「": "」", "『": "』", "‘": "’", "〝": "〞"}
_CLOSERS = {close: opening for opening, close in _PAIRS.items()}
_MARKS = re.compile('[“”「」『』‘’〝〞"＂]')

_WINDOW = 120  # how far before a quotation its speaker may stand, in characters
_STEPS_BACK = 4
# Shorter words are a term: behind ： or ，, unless they end like a sentence; directly behind the verb, where terms are usual.
_SHORTEST_LED, _SHORTEST_DIRECT = 6, 14
_SENTENCE_STOP = re.compile(r"[。！？!?；;\n]")
_INNER_STOP = re.compile(r"[，,。；;！!？?]")

_VERBS = frozenset(
    "深刻指出 明确指出 强调指出 郑重指出 一针见血地指出 深情指出 特别指出 反复强调 多次强调 特别强调 着重强调 突出强调 明确强调 再次强调 明确要求 明确提出 指出 强调 要求 提出 说 "
    "说道 表示 告诫 叮嘱 嘱托 嘱咐 勉励 号召 寄语 写道 写到 提到 讲到 谈到 明确 宣告 宣布 指示 批示 论述 阐明 阐述 教导 讲 认为 呼吁 倡导 总结道 感慨 希望 回答 题词 致辞 "
    "庄严宣告 郑重宣告 庄严宣示 宣示 谆谆告诫 谆谆教导 谆谆嘱托 殷殷嘱托 殷切嘱托 殷殷寄语 殷切期望 鲜明指出 鲜明提出 精辟指出 科学指出 严肃指出 尖锐指出 重申 提醒 告诉 鼓励 发出号召 作出指示 作出重要指示".split()
)
# Behind these verbs those who are spoken to may stand: 告诫全党, 勉励广大青年, 教导我们.
_SPOKEN_TO = re.compile(
    r"(?:告诫|勉励|教导|嘱托|嘱咐|叮嘱|寄语|号召|提醒|要求|希望|告诉|鼓励)([\u4e00-\u9fff]{0,8}[党们家年志部生兵员众民者工军])\Z"
)
_OBJECT_CHARS = 16
_PLAIN_ADVERB = ("反复", "多次", "特别", "着重", "突出", "再次")  # 多次强调: the verb is 强调
# Posts below the centre are quoted for what they say formally; 说, 表示, 认为 are everyday talk.
_FORMAL = ("指出", "强调", "要求", "提出", "号召", "重申", "宣布", "宣告", "指示", "批示", "明确")
_VERB_LENGTHS = (6, 5, 4, 3, 2, 1)
_LEADS_TO_WORDS = frozenset("：:，, \u3000过道的是了样").union(verb[-1] for verb in _VERBS)
_VERB = re.compile("|".join(sorted(_VERBS, key=len, reverse=True)))

_LEADERS = (
    "习近平 毛泽东 邓小平 江泽民 胡锦涛 周恩来 刘少奇 朱德 陈云 任弼时 叶剑英 李先念 彭真 邓颖超 董必武 彭德怀 刘伯承 贺龙 陈毅 罗荣桓 徐向前 聂荣臻 瞿秋白 李大钊 "
    "陈独秀 恽代英 方志敏 万里 朱镕基 李鹏 乔石 温家宝 吴邦国 贾庆林 李克强 张德江 俞正声 刘云山 王岐山 张高丽 栗战书 汪洋 王沪宁 赵乐际 韩正 李强 蔡奇 丁薛祥 李希 "
    "孙中山 鲁迅 雷锋 焦裕禄"
).split()
_FOREIGN = "马克思、恩格斯 马克思恩格斯 马克思 恩格斯 列宁 斯大林".split()
_TITLES = "总书记 主席 同志 总理 委员长 总司令 副主席 副总理 副委员长 书记 先生"
# Posts that lead a place, a court, a body of state. Chairs of offices, heads of bureaus, village secretaries are none.
_POSTS = (
    r"(?:[省市县区州盟旗地]委|自治区党委|政法委(?:员会)?|纪委|纪律检查委员会|中央书记处)(?:副?书记|常委)|(?<!小)[省市县区州盟旗]长|(?<![会联协部公])主席|总理|委员长|国务委员|"
    r"检察长|(?:法|检察)院院长|部长|首席大法官"
)
_NAME = rf"(?:(?:{'|'.join(sorted(COMPOUND_SURNAMES))})[\u3400-\u9fff]{{1,2}}|[{''.join(sorted(SURNAMES))}][\u3400-\u9fff]{{1,2}})"
# 习近平新时代中国特色社会主义思想, 毛泽东思想, 马克思主义: the name of a theory or a book speaks for nobody.
_THEORY = r"新时代中国|(?:法治|经济|强军|外交|文化|生态文明)?思想|理论|主义|谈治国|文选|选集|著作"
_AFTER_NAME = r"(?=同志|在|对|就|向|为|从|围绕|结合|代表|主持|首先|还|也|又|曾|则|多次|反复|再次|一再|特别|着重|郑重|深刻|明确|强调|指出|要求|提出|表示|说|讲|告诫|叮嘱|勉励|介绍|认为|[，,：:“「(（])"
_DOCUMENTS = (
    r"党的[一二三四五六七八九十]{1,3}大报告|(?:党的)?[一二三四五六七八九十]{1,3}届[一二三四五六七八九十]{1,2}中全会(?:公报|《决定》|决定)?|[一二三四五六七八九十]{2,3}大报告|"
    r"党章|(?:国务院)?政府工作报告|《中国共产党[^《》]{2,20}》|中央[\u4e00-\u9fff]{2,10}工作会议|中央(?:政治局)(?:常委会)?会议|党中央|中央八项规定"
)
_SPEAKER = re.compile(
    rf"(?P<leader>习总书记|习主席|毛主席|周总理|朱总司令|小平同志|(?:{'|'.join([*_LEADERS, *_FOREIGN])})(?!{_THEORY})(?:{'|'.join(_TITLES.split())})?)"
    rf"|(?P<office>(?:{_POSTS})(?:、[\u3400-\u9fff]{{0,12}}?(?:主任|主席|书记|长|委员|总理|大法官))?(?!{'|'.join(_LEADERS)}){_NAME}{_AFTER_NAME}(?:同志)?)"
    rf"|(?P<general>总书记)(?!处)"
    rf"|(?P<document>{_DOCUMENTS})"
)
_ADVERBS = re.compile(
    r"(?:所|也|还|又|曾|就|都|均|则|首先|同时|并且?|进而|多次|反复|一再|再次|始终|历来|特别|专门|着重|进一步|明确|深刻|郑重|语重心长地|深情地?|动情地|坚定地|强烈|早就|不断|"
    r"曾经|在此|对此|为此|由此|从而|生动地|形象地|精辟地|严肃地|亲切地|殷切地|一针见血地)*\s{0,2}\Z"
)
# Before the verb stands the speaker, or the end of a place, an occasion, a text: 在全国会议上强调, 作出重要指示指出.
_BEFORE_VERB = re.compile(
    r"(?:[上中时后里间下,，]|期间|之际|指示|批示|讲话|致辞|演讲|回信|贺信|来信|论述|文章|一书|报告|贺电|致信|复信|题词|开班式|座谈会)\Z"
)
# How a clause goes on that keeps the subject of the clause before it.
_SAME_SUBJECT = re.compile(
    r"(?:在|于|就|对|从|当|同|与|到|赴|为|向|给|把|将|再|又|还|也|并|前往|来到|走进|主持|出席|参加|听取|会见|考察|调研|视察|谈到|提到|讲到|说到|针对|围绕|关于|通过|根据|结合|"
    r"随后|接着|之后|此后|期间|其间|后来|曾|多次|反复|再次|一再|作出|发表|回顾|指着|看着|\d|今年|去年|当天|当时|这|此|面对|强调|指出|要求)"
)
_TOPIC = re.compile(r"\s?(?:就|对|针对|围绕|关于|谈到|谈及|论及)\S")  # 就实施乡村振兴战略指出
_CLAUSE = re.compile(r"[，,]")
_TERM = re.compile('“[^“”。！？]{1,24}”|「[^「」。！？]{1,24}」|‘[^‘’。！？]{1,24}’|"[^"。！？]{1,24}"')
# The body that a post belongs to, before the post: from a known beginning, or a whole clause.
_KNOWN_BODY = re.compile(
    r"(?:中共|中央|最高人民|全国|国务院|国家|北京|天津|河北|山西|内蒙古|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|重庆|四川|贵州|云南|西藏|陕西|甘肃|青海|宁夏|新疆|香港|澳门|台湾)[\u3400-\u9fff、]{0,14}\Z"
)
_CLAUSE_BODY = re.compile(r"(?:\A|[^\u3400-\u9fff、])([\u3400-\u9fff][\u3400-\u9fff、]{0,15})\Z")
_NO_BODY = re.compile(
    r"[在据由对和与同向给是的了时后前下说]|[中上](?![央共国海])|会议|精神|讲话|近日|来到|出席|主持|调研"
)
_BODY_CHARS = 24
# Before these the speaker is no subject: 在党的二十大报告中, 给刘少奇的信中, 同李强总理会谈时.
_OBLIQUE = (
    "在",
    "于",
    "给",
    "向",
    "对",
    "同",
    "与",
    "据",
    "把",
    "将",
    "由",
    "被",
    "会见",
    "纪念",
    "致",
    "听取",
)
_TAKEN_IN = re.compile(
    r"学习|贯彻|落实|领会|牢记|传达|按照|根据|遵循|践行|沿着|对照|围绕|坚持|重温|聆听|感悟|把握|深入"
)


class _Quoted(NamedTuple):
    """Words between two marks of a text: text[start:end]; closed is False when the paragraph ended first."""

    start: int
    end: int
    closed: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """Who said it, and how."""

    speaker: str
    verb: str


def quotations(blocks: Sequence[Block]) -> tuple[Quotation, ...]:
    """Every quotation with a certain speaker, in text order; `block.text[start : start + len(words)] == words`.

    `words` are exactly what stands between the marks, a closing 。 inside them included. A quotation that no mark closes ends
    with its paragraph; one that goes on in the next paragraph, which repeats the opening mark, is one entry for each.
    """
    spoken = [block for block in blocks if block.kind in BODY_KINDS and block.kind != "heading"]
    found: list[Quotation] = []
    going_on: _Said | None = None
    for place, block in enumerate(spoken):
        if not _MARKS.search(block.text):
            going_on = None
            continue
        repeated = place + 1 < len(spoken) and spoken[place + 1].text[0] in _PAIRS
        entries, going_on = _in_block(block.text, going_on, repeated)
        found += [
            Quotation(said.speaker, said.verb, block.text[one.start : one.end], block.anchor, one.start)
            for one, said in entries
        ]
    return tuple(found)


def _in_block(
    text: str, going_on: _Said | None, repeated: bool
) -> tuple[list[tuple[_Quoted, _Said]], _Said | None]:
    """The quotations of one paragraph, and who still speaks at its end.

    `going_on`: who spoke at the end of the paragraph before. `repeated`: the next paragraph opens with a quotation mark.
    """
    speakers = _Speakers(text)
    entries: list[tuple[_Quoted, _Said]] = []
    for quoted in _quoted(text):
        if entries and quoted.start <= entries[-1][0].end:
            continue
        before = entries[-1] if entries else None
        said = going_on if quoted.start == 1 else None
        said = said or _said_before(text, quoted, speakers, before) or _said_behind(text, quoted)
        if said:
            entries.append((quoted if quoted.closed or repeated else _cut_short(text, quoted), said))
    still = entries[-1][1] if entries and not entries[-1][0].closed else None
    return entries, still


def _cut_short(text: str, quoted: _Quoted) -> _Quoted:
    """A quotation that nothing closes ends at the first closing mark there is: better too little than another's words."""
    end = text.find(_PAIRS.get(text[quoted.start - 1], text[quoted.start - 1]), quoted.start)
    return _Quoted(quoted.start, end, True) if end > quoted.start else quoted


def _quoted(text: str) -> Iterator[_Quoted]:
    """Everything between quotation marks, by opening mark; nested ones come too. One pass over the marks."""
    closes: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    starts: list[int] = []
    straight: dict[str, int] = {}
    for found in _MARKS.finditer(text):
        mark, place = found[0], found.start()
        if mark in _PAIRS:
            opened.append((mark, place))
            starts.append(place)
        elif mark in _CLOSERS:
            if opened and opened[-1][0] == _CLOSERS[mark]:
                closes[opened.pop()[1]] = place
        elif mark in straight:
            closes[straight.pop(mark)] = place
        else:
            straight[mark] = place
            starts.append(place)
    last = len(text.rstrip())
    for start in starts:
        end = closes.get(start, last)
        if end > start + 1:
            yield _Quoted(start + 1, end, start in closes)


class _Speakers:
    """The speakers that a text names, found once, when first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[re.Match[str]] | None = None
        self._ends: list[int] = []

    def last_before(self, place: int) -> re.Match[str] | None:
        """The last speaker that ends at or before `place`."""
        if self._found is None:
            self._found = list(_SPEAKER.finditer(self._text))
            self._ends = [found.end() for found in self._found]
        index = bisect_right(self._ends, place)
        return self._found[index - 1] if index else None


def _said_before(
    text: str, quoted: _Quoted, speakers: _Speakers, before: tuple[_Quoted, _Said] | None
) -> _Said | None:
    """Who said it, when that stands before the words: 习近平总书记指出：“…”."""
    mark = quoted.start - 1
    if before and mark - before[0].end <= 3 and not text[before[0].end + 1 : mark].strip(" 、，,；;"):
        return before[1] if _goes_on(text, quoted) else None  # “…”“…”: one more quotation of the same
    found = _verb_before(text, mark)
    if not found:
        return None
    start, verb, lead = found
    kept = before[1].speaker if before and _keeps_speaker(text[before[0].end + 1 : start]) else None
    if not (_goes_on(text, quoted) if kept and not lead else _is_speech(text, quoted, lead)):
        return None
    speaker = kept or _subject(text, start, verb, speakers)
    return _Said(speaker, _plain_verb(verb)) if speaker else None


def _goes_on(text: str, quoted: _Quoted) -> bool:
    """Whether words behind a quotation are one more: a sentence, or what its sentence ends with and no term in it."""
    ends = text[quoted.end + 1 : quoted.end + 2] in ("", "，", ",", "；", ";", "。", "、", "“")
    return _is_speech(text, quoted, "，" if ends else "")


def _verb_before(text: str, mark: int) -> tuple[int, str, str] | None:
    """(start, verb, lead) of the verb that leads to a mark, lead being the ： or ， between them or ""."""
    if mark and text[mark - 1] not in _LEADS_TO_WORDS:
        return None
    end = mark
    end = _past_spaces(text, end)
    lead = text[end - 1] if end and text[end - 1] in "：:，," else ""
    end = _past_spaces(text, end - len(lead))
    if lead and (spoken_to := _SPOKEN_TO.search(text, max(end - _OBJECT_CHARS, 0), end)):
        end = spoken_to.start(1)
    for ending in ("", "过", "道", "的", "的是", "了", "的那样"):
        if ending and not text.endswith(ending, max(end - 4, 0), end):
            continue
        stop = end - len(ending)
        for length in _VERB_LENGTHS:
            if length <= stop and text[stop - length : stop] in _VERBS:
                return stop - length, text[stop - length : stop], lead
    return None


def _past_spaces(text: str, end: int) -> int:
    """The place before the spaces that end at `end`."""
    while end and text[end - 1] in " \u3000":
        end -= 1
    return end


def _is_speech(text: str, quoted: _Quoted, lead: str) -> bool:
    """Whether the words are a sentence and not a term, judged by what leads to them, their length and their marks."""
    words = text[quoted.start : quoted.end]
    if lead:
        return len(words) >= _SHORTEST_LED or words[-1] in "。！？!?…"
    return len(words) >= _SHORTEST_DIRECT or (len(words) >= _SHORTEST_LED and bool(_INNER_STOP.search(words)))


def _keeps_speaker(between: str) -> bool:
    """Whether the text between two quotations keeps the speaker: ，强调， in one sentence."""
    return (
        len(between) <= 12
        and not _SENTENCE_STOP.search(between)
        and not _ADVERBS.sub("", between).strip("，, ")
    )


def _subject(text: str, verb_start: int, verb: str, speakers: _Speakers) -> str | None:
    """The speaker whose deed the verb is, as printed; None when it is somebody else's or not certain."""
    place = verb_start
    for _ in range(_STEPS_BACK):
        found = speakers.last_before(place)
        if (
            not found
            or verb_start - found.end() > _WINDOW
            or _SENTENCE_STOP.search(text, found.end(), verb_start)
        ):
            return None
        if not text.endswith(_OBLIQUE, 0, found.start()):
            return _printed(text, found, verb) if _is_subject(text, found, verb_start) else None
        place = found.start()
    return None


def _printed(text: str, speaker: re.Match[str], verb: str) -> str | None:
    """The speaker as printed, a post with the body it belongs to; None for a post that only talks."""
    if not speaker["office"]:
        return speaker[0]
    if not verb.endswith(_FORMAL):
        return None
    before = text[max(speaker.start() - _BODY_CHARS, 0) : speaker.start()]
    return _body(before) + speaker[0]


def _body(before: str) -> str:
    """The body that a post belongs to, at the end of the text before it: 云岭省 before 委书记; "" when it is not certain."""
    known = _KNOWN_BODY.search(before)
    while known and _NO_BODY.search(known[0]):
        known = _KNOWN_BODY.search(before, known.start() + 1)
    if known:
        return known[0]
    clause = _CLAUSE_BODY.search(before)
    return clause[1] if clause and not _NO_BODY.search(clause[1]) else ""


def _is_subject(text: str, speaker: re.Match[str], verb_start: int) -> bool:
    """Whether nothing between speaker and verb brings in another subject."""
    gap = _ADVERBS.sub("", _TERM.sub("", text[speaker.end() : verb_start]))
    if not gap:
        return True
    clauses = _CLAUSE.split(gap)
    if _MARKS.search(gap) or not (_BEFORE_VERB.search(gap) or _TOPIC.match(clauses[-1])):
        return False
    if len(clauses) > 1:
        before = text[max(speaker.start() - 12, 0) : speaker.start()]
        if _TAKEN_IN.search(_CLAUSE.split(before)[-1]):
            return False
    return all(not clause or _SAME_SUBJECT.match(clause.strip()) for clause in clauses[1:])


def _said_behind(text: str, quoted: _Quoted) -> _Said | None:
    """Who said it, when that stands behind the words: “…。”习近平总书记强调。"""
    if not quoted.closed or text[quoted.end - 1] not in "。！？!?，," or quoted.end - quoted.start < 5:
        return None
    start = quoted.end + 1
    while text[start : start + 1] in ("，", ",", " "):
        start += 1
    speaker = _SPEAKER.match(text, start)
    verb = _VERB.search(text, speaker.end(), speaker.end() + 40) if speaker else None
    if not speaker or not verb or text[verb.end() : verb.end() + 1] not in ("。", "，", ",", "；", ";"):
        return None
    gap = text[speaker.end() : verb.start()]
    plain = _ADVERBS.sub("", gap)
    if _SENTENCE_STOP.search(gap) or _MARKS.search(gap) or (plain and not _BEFORE_VERB.search(plain)):
        return None
    printed = _printed(text, speaker, verb[0])
    return _Said(printed, _plain_verb(verb[0])) if printed else None


def _plain_verb(verb: str) -> str:
    """强调 for 多次强调; 深刻指出 and 明确要求 stay as printed."""
    for adverb in _PLAIN_ADVERB:
        verb = verb.removeprefix(adverb)
    return verb
