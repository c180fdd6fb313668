"""Pages that a site sends instead of an article: errors with status 200, log-in, access checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.parse.lines import plain_lines
from kb.parse.marks import Marks

# An article of a few sentences may speak of such things; a page with more text than this is taken for one.
_NOTICE_HAN = 250
_TITLE_HAN = 40
_HAN = re.compile(r"[\u3400-\u9fff]")
_PAGE = r"(?:页面|网页|文章|内容|信息|稿件|链接|网址|地址|新闻|资源|文件)"
_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "页面不存在 not found",
        re.compile(
            rf"{_PAGE}(?:可能|或许|已经?|暂时?|并|根本)?(?:不存在|未找到|没有找到|找不到|无法找到|被?删除|已?被?移除|已?下线|已?失效|已?过期|走丢|丢失)"
            rf"|(?:找不到|无法找到|没有找到|未找到|无法访问|不存在)(?:您|你)?(?:所?要?)?(?:访问|查看|浏览|请求|查找)?的?(?:该|此|这个|相关)?{_PAGE}"
            r"|404(?:\s{0,3}[-_|,:：，]?\s{0,3}(?:Not\s?Found|错误|页面|Error|File))|\bNot Found\b|Error 404|HTTP\s?(?:状态)?\s?404|\A\s?404\s?\Z",
            re.I,
        ),
    ),
    (
        "需要登录 log-in",
        re.compile(r"(?:请先?|需要?|您?(?:还|尚)未)\s?登录(?:后|账号|帐号|系统)?|登录后(?:才|方|即)?(?:可|能)|用户登录|统一身份认证|会员登录"),
    ),
    (
        "访问验证 access check",
        re.compile(
            r"请输入?验证码|(?:滑动|拖动|点击)\S{0,8}(?:完成|进行)?验证|(?:安全|人机|访问)验证|访问(?:被拒绝|受限|过于频繁|异常)|拒绝访问|请求(?:被拦截|过于频繁)|"
            r"访问被?(?:阻断|拦截|禁止)|安全威胁|Web应用防火墙|网站防火墙|云防护|安全拦截|Access Denied|Forbidden|Request blocked|Just a moment|Checking your browser|"
            r"enable (?:JavaScript|cookies)|(?:启用|开启|打开)\s?(?:浏览器\S{0,4})?(?:JavaScript|Cookie)|Service Unavailable|Bad Gateway",
            re.I,
        ),
    ),
    ("网站维护 maintenance", re.compile(r"(?:网站|系统|服务器?)(?:正在)?(?:升级)?维护(?:中|，|,|。|\Z)|服务器(?:内部)?错误|系统(?:繁忙|错误|出错)")),
)  # fmt: skip


def notice_reason(marks: Marks, lines: Sequence[str]) -> str | None:
    """Why a page is no article: what its title or its few lines say; None when it may be one.

    `lines`: what would be its text, or all its lines when it has none.
    """
    body = "\n".join(lines)
    if len(_HAN.findall(body)) > _NOTICE_HAN:
        return None
    titles = [" ".join(tag.get_text().split()) for tag in marks.all("title")]
    titles += [" ".join(plain_lines(tag)) for tag in marks.all("h1")]
    texts = [text for text in titles if len(_HAN.findall(text)) <= _TITLE_HAN]
    texts += [line for line in lines if len(line) <= 2 * _TITLE_HAN]
    for reason, pattern in _REASONS:
        if any(pattern.search(text) for text in texts) and not _is_told(body, pattern):
            return reason
    if not body.strip() and marks.all("script"):
        return "空白脚本页 script only"
    return None


def _is_told(body: str, pattern: re.Pattern[str]) -> bool:
    """Whether the text is an article that only speaks of the matter: several sentences, most of them about something else."""
    sentences = [part for part in re.split(r"[。！？\n]", body) if len(_HAN.findall(part)) >= 8]
    return len(sentences) >= 3 and 3 * sum(bool(pattern.search(part)) for part in sentences) <= len(sentences)
