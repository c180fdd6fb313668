"""Words of the page around an article (navigation, licences, tools), taken off at head and tail only. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.parse.affiliation import read_affiliation
from kb.parse.byline import is_credit_line, is_editors_line
from kb.parse.continuation import read_marker
from kb.parse.masthead import is_masthead, newspaper_name, paper_in

LINE_CHARS = 300  # a longer line is text
_GAP = 2  # lines of a page's foot that no rule knows, between two that one does
_RELATED_CHARS = 60
_UNIT_LINES = 10  # how far above the end the authors' unit may stand

# A line made of these and of marks only is no text. Longest first, so that 上一版 is not read as 上一 and a rest.
_WORDS = re.compile(
    "|".join(
        sorted(
            (
                "通版阅读请点击 请点击 点击阅读通版 展开通版 收缩通版 展开 收缩 收起 通版 上一版 下一版 上一篇 下一篇 上一期 下一期 上一条 下一条 上一页 下一页 "
                "前一版 后一版 前一篇 后一篇 前一期 后一期 上篇 下篇 第一版 末一版 上版 下版 首页 末页 尾页 返回首页 返回目录 返回顶部 回到顶部 返回列表 返回 回首页 "
                "放大 缩小 默认 恢复 还原 加大 减小 增大 字号 字体 字体大小 正文字号 大号 中号 小号 大 中 小 超大 特大 "
                "版面导航 版面目录 版面概览 版面图 版面列表 版面 本版目录 本版导航 本版新闻 本版导读 标题导航 文章导航 往期回顾 往期 期刊导航 报刊导航 目录 导航 栏目导航 "
                "打印 打印本页 打印本文 我要打印 打印文章 关闭 关闭窗口 关闭本页 分享 分享到 分享到微信 分享至 微信 微信扫一扫 扫一扫 扫码阅读 扫码 扫描二维码 扫一扫分享 手机扫码阅读 "
                "手机阅读 手机看报 手机版 移动版 电脑版 触屏版 客户端 阅读 微博 新浪微博 腾讯微博 朋友圈 微信好友 空间 复制链接 收藏 加入收藏 收藏本页 推荐 推荐给朋友 下载 下载本版 全屏 全文检索 检索 搜索 高级检索 "
                "朗读 语音朗读 语音播报 听新闻 听报 播放 暂停 点赞 评论 我要评论 发表评论 纠错 我要纠错 投稿 举报 登录 注册 退出 设为首页 联系我们 关于我们 网站地图 网站声明 "
                "法律声明 隐私政策 用户协议 服务协议 营业执照 TOP 友情链接 版权声明 免责声明 广告服务 人才招聘 数字报 电子报 电子版 数字报首页 报纸首页 多媒体数字报 今日头条 高清 PDF PDF版 查看PDF 原版 版面图 "
                "原版阅读 当前位置 您的位置 您当前的位置 您所在的位置 位置 主办 主管 承办 无障碍 无障碍浏览 适老化 繁体 简体 English 您好 欢迎您 当前版 发布日期 日历检索 按日期检索 选择日期"
            ).split(),
            key=len,
            reverse=True,
        )
    )
)
_MARKS = re.compile(
    r"[\s\d　|｜/\\·•:：,，;；、（）()《》〈〉<>\[\]【】+＋\-－—_=*#&^~←→↑↓▲▼◀▶►◄☆★×✕!！?？。.…“”\"']+"
)

# Beginnings and contents of whole lines of a page's foot.
_FOOT = re.compile(
    r"ICP\s{0,2}[备证]|ICP经营|公网安备|许可证(?:编?号)?\s{0,3}[:：(（]|许可证编?号|备案(?:编?号|序号)\s{0,3}[:：]|Copyright|©|ⓒ|\(c\)\s{0,2}\d{4}|all rights reserved|"
    r"版权所有\s{0,3}(?:[:：©·|,，、]|\Z|\s)|主管主办|主管\s{0,2}[:：]|主办(?:单位)?\s{0,2}[:：]|承办(?:单位)?\s{0,2}[:：]|技术支持(?:\s{0,3}[:：/]|单位)|\A技术支持\s|"
    r"网站标识码|国内统一(?:连续出版物|刊)号|邮发代号|[刊]号\s{0,2}[:：]?\s{0,2}CN|新闻热线\s{0,2}[:：]|举报电话\s{0,2}[:：]|广告(?:热线|部|经营)\S{0,6}\s{0,2}[:：]|发行(?:热线|部)?\S{0,4}[:：]|"
    r"投稿(?:邮箱|信箱|热线)\s{0,2}[:：]|联系电话\s{0,2}[:：]|(?:报社|社|联系|通讯)?地址\s{0,2}[:：]|邮政?编码?\s{0,2}[:：]\s{0,2}\d{6}|"
    r"未经(?:书面)?(?:授权|许可|允许|同意)|禁止(?:下载|转载|复制|镜像)|不得转载|翻印必究|法律顾问\s{0,2}[:：]|总编辑\s{0,2}[:：]|值班(?:总编|编委|主任)\s{0,2}[:：]|建议使用.{0,20}浏览器|最佳浏览|"
    r"本网站?由.{1,30}(?:主办|承办|建设|维护)|提供技术支持\Z|\A[（(]?由?\S{2,20}(?:出品|承制)[)）]?\Z|\S{2,20}主管\s{1,4}\S{2,20}主办|(?:[省市县区州厅局委部院社台]|集团|中心|公司)(?:主管|主办|承办)[)）]?\Z|"
    r"(?:制作|运营|建设|开发|维护|运维|出品|设计)(?:单位|维护|制作)?\s{0,2}[:：]|\A(?:电话|热线|传真|(?:电子)?邮箱|e-?mail|qq|网址|网站)\s{0,2}[:：]|(?:微信|官方)?公众号\s{0,2}[:：]|官方微博|保护热线|"
    r"powered by|不良信息举报|互联网举报中心|最佳分辨率|网安备|营业执照|ISSN\s|您是第\s{0,2}\d{1,9}\s{0,2}位|"
    r"\A[（(【\[]?\s?(?:全文完|完|the end|end)\s?[)）】\]]?\Z|\A(?:今日|本期)?共?\s?\d{1,3}\s?版(?:\s|\Z)|\A总?第\s?\d{2,6}\s?期\Z",
    re.I,
)
# Counters and addresses: furniture above and below a title, and in the foot.
_COUNTER = re.compile(
    r"\A(?:总?(?:浏览|点击|阅读|访问|点赞)(?:次数|量|数|率)?|字数|热度|人气)\s{0,3}[:：]?\s{0,3}\d{1,9}\s?[次字度人]?\Z"
    r"|\A(?:网址|原文链接|链接)?\s?[:：]?\s?(?:https?://[\x21-\x7e]{4,200}|(?:[a-z0-9-]{1,40}\.){1,4}(?:com|cn|net|org|gov|edu|example)(?:/[\x21-\x7e]{0,200})?)\Z",
    re.I,
)
_FOOT_START = re.compile(
    r"(?:版权所有|版权声明[:：]|copyright|©|ⓒ|未经|本网站?|凡本网|声明[:：]|免责声明|(?:主办|主管|承办|技术支持)(?:单位)?\s{0,2}[:：]|地址[:：])",
    re.I,
)
_LINE_START = re.compile(
    r"(?:上一?[版篇期条页]|下一?[版篇期条页]|前一?篇|后一?篇|当前版面?|当前位置|您?(?:当前|现在|所在)?的?位置|扫一扫|"
    r"字体?[号体]|【?字[号体]|分享[到至]|(?:本版|今日|本期)(?:责编|编辑|导读|目录)|返回|首页|标签|关键词|责任?编辑)\s{0,3}(?:[:：>＞»|]|\Z|【)"
    r"|(?:手机)?扫码.{0,6}(?:阅读|看报|分享|关注)|(?:请)?扫描.{0,10}二维码|(?:请)?(?:长按|识别).{0,6}二维码|扫一扫.{0,12}|请?点击.{0,12}(?:下载|查看|阅读|展开|进入)|"
    r"(?:欢迎)?关注.{0,12}(?:公众号|视频号)",
)
_RELATED = re.compile(
    r"(?:【|\[|■|●)?(?:相关(?:新闻|报道|文档|阅读|链接|文章|稿件|推荐|专题|内容)|(?:更多|推荐|延伸|热门|精彩)(?:新闻|阅读|推荐|文章|内容|资讯)|热点(?:新闻|推荐|排行)|猜你喜欢|新闻排行|本版其他(?:文章|新闻)|最新(?:新闻|文章|报道))(?:】|\])?\s{0,3}[:：]?"
)
_REFERENCE = re.compile(r"(?:参考文献|注释?\s{0,2}[:：]|[\[［〔]\d{1,3}|[①-⑳]|图为|[▲▼])")
_SENTENCE_END = ("。", "！", "？", "!", "?", "；", ";", "……", "：", "，")
_CLOSERS = "”’」』）)》】\"'"


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The lines of a page in three parts; head + kept + tail are all of them."""

    head: tuple[str, ...]
    kept: tuple[str, ...]
    tail: tuple[str, ...]


def trim(lines: Sequence[str], patterns: Iterable[str] = ()) -> Trimmed:
    """Page furniture is removed at the head and the tail only; the head holds the masthead.

    `patterns`: regular expressions of whole lines that a source adds (SiteRule.boilerplate). A line that the body holds between
    its sentences stays, whatever it says. Source of the words: crawl.md §5.
    """
    own = [re.compile(pattern) for pattern in patterns]
    start = _head_end(lines, own)
    end = _tail_start(lines, own, start)
    return Trimmed(tuple(lines[:start]), tuple(lines[start:end]), tuple(lines[end:]))


def is_furniture(line: str, own: Sequence[re.Pattern[str]] = ()) -> bool:
    """Whether a line, standing at the head or tail, is navigation or a tool of the page."""
    if len(line) > LINE_CHARS:
        return False
    if any(pattern.search(line) for pattern in own):
        return True
    return _is_words(line) or is_counter(line) or bool(_LINE_START.match(line) and not is_sentence(line))


def is_counter(line: str) -> bool:
    """Whether a line is the count of something or the bare address of a page: 浏览次数：1234, www.qingshan.example."""
    return _COUNTER.match(line) is not None


def is_foot(line: str) -> bool:
    """Whether a line is one of licences, rights, addresses; a sentence only when it also opens like one."""
    if len(line) > LINE_CHARS or not _FOOT.search(line):
        return False
    return not is_sentence(line) or _FOOT_START.match(line) is not None


def is_source_line(line: str) -> bool:
    """Whether a line behind the text says where it was printed: `《某某日报》（2020年1月20日 01版）`, `（来源：某某日报）`."""
    named = "《" in line or line.lstrip("（(【").startswith(("来源", "稿源"))
    return named and is_masthead(line) and paper_in(line) is not None


def is_sentence(line: str) -> bool:
    """Whether a line ends like a sentence, or holds the end of one."""
    return line.rstrip(_CLOSERS).endswith(_SENTENCE_END) or "。" in line


def _is_words(line: str) -> bool:
    if len(line) > 80:
        return False
    rest = _WORDS.sub("", line)
    return rest != line and not _MARKS.sub("", rest)


def _is_marks(line: str) -> bool:
    """Whether a line prints marks and digits only. Above a title it is a divider; below a text it may be the text's."""
    return len(line) <= 80 and not _MARKS.sub("", line)


def _head_end(lines: Sequence[str], own: Sequence[re.Pattern[str]]) -> int:
    """Index of the first line that is not page furniture. A newspaper's bare name counts near another such line."""
    place = 0
    while place < len(lines):
        line = lines[place]
        beside = place > 0 or any(map(is_masthead, lines[1:3]))
        known = (
            is_furniture(line, own)
            or _is_masthead_with_links(line)
            or _is_marks(line)
            or is_editors_line(line)
        )
        if not known and not (beside and (newspaper_name(line) or _is_english_name(line))):
            break
        place += 1
    return place


def _is_masthead_with_links(line: str) -> bool:
    """Whether a line is a masthead, words like 上一版 beside it left out."""
    if is_masthead(line):
        return True
    words = line.split() if len(line) <= LINE_CHARS else []
    own = [word for word in words if not _is_words(word)]
    return 0 < len(own) < len(words) and is_masthead(" ".join(own))


def _is_english_name(line: str) -> bool:
    """Whether a line beside a masthead is the paper's name in English: QINGSHAN DAILY."""
    return len(line) <= _RELATED_CHARS and line.isascii() and line.isupper()


def _tail_start(lines: Sequence[str], own: Sequence[re.Pattern[str]], start: int) -> int:
    """Index of the first line of the page's foot: known lines, with at most _GAP unknown short ones between two of them."""
    end = len(lines)
    place = end - 1
    while place >= start and end - place <= _GAP + 1:
        line = lines[place]
        if (
            is_furniture(line, own)
            or is_foot(line)
            or is_source_line(line)
            or (end < len(lines) and (is_editors_line(line) or _is_marks(line)))
        ):
            end = place
        elif _is_text(line):
            break
        place -= 1
    return _below_unit(lines, start, _related_start(lines, start, end))


def _below_unit(lines: Sequence[str], start: int, end: int) -> int:
    """Where the short lines begin that stand below the authors' unit, which ends a text; `end` when there is none or text follows."""
    for place in range(end - 1, max(start, end - _UNIT_LINES) - 1, -1):
        below = _unit_end(lines, place, end)
        if below:
            own = (spot + 1 for spot in range(end - 1, below - 1, -1) if _names_someone(lines[spot]))
            return next(own, below) if any(map(is_sentence, lines[start:place])) else end
        if _is_text_below(lines[place]):
            return end
    return end


def _unit_end(lines: Sequence[str], place: int, end: int) -> int:
    """Index behind the unit that opens in a line and may go on over two more; 0 when none does."""
    for count in (1, 2, 3) if lines[place][0] in "（(" else (1,):
        text = "".join(lines[place : min(place + count, end)])
        if read_affiliation(text) and (text[-1] in "）)。" or count == 1):
            return min(place + count, end)
    return 0


def _is_text_below(line: str) -> bool:
    """Whether a line near the end is more than a name or a tool of the page: a sentence, a reference."""
    return len(line) > LINE_CHARS // 3 or is_sentence(line) or _REFERENCE.match(line) is not None


def _names_someone(line: str) -> bool:
    """Whether a line below a unit belongs to the article: names, a 转版 marker."""
    return is_credit_line(line) or read_marker(line) is not None


def _is_text(line: str) -> bool:
    """Whether a line above the foot is surely the article's."""
    return (
        len(line) > _RELATED_CHARS
        or is_sentence(line)
        or read_affiliation(line) is not None
        or is_credit_line(line)
    )


def _related_start(lines: Sequence[str], start: int, end: int) -> int:
    """Where a list of links under 相关新闻 begins that ends the article, else `end`."""
    for place in range(end - 1, max(start, end - 30) - 1, -1):
        line = lines[place]
        if len(line) > _RELATED_CHARS or "。" in line:
            break
        if _RELATED.fullmatch(line):
            return place
    return end
