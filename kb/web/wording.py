"""Words and numbers as Chinese readers write them: dates, pages, names. Used as Jinja filters. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from kb.model import Article, Author, Copy, Hit
from kb.text.normalize import display
from kb.web.reading import shown

NO_DATE = "缺发布日期"
NO_NEWSPAPER = "未注明报纸"
NO_AUTHOR = "未署名"
BY_HAND = "files"  # slug of what was added by hand; says nothing to a reader


def date(published: str | None) -> str:
    """2023-08-02, or that it is unknown."""
    return published or NO_DATE


def newspaper(item: Article | Copy | Hit) -> str:
    """贵州法治报; where no newspaper is known, that, and the site it came from."""
    if item.newspaper:
        return item.newspaper
    return NO_NEWSPAPER if item.source == BY_HAND else f"{NO_NEWSPAPER}（来源 {item.source}）"


def edition(label: str | None, page_name: str | None = None) -> str:
    """07版 理论; '' when the page is unknown."""
    return " ".join(part for part in (f"{label}版" if label else "", page_name or "") if part)


def names(authors: Sequence[Author]) -> str:
    """许剑虹、王小明, or that it is unsigned."""
    return "、".join(author.name for author in authors) or NO_AUTHOR


def byline(authors: Sequence[Author]) -> str:
    """Each role once, before the names that share it: 记者 王小明、李某 通讯员 张某."""
    roles: dict[str, list[str]] = {}
    for author in authors:
        roles.setdefault(author.role, []).append(author.name)
    return " ".join(f"{role} {'、'.join(some)}".strip() for role, some in roles.items())


def moment(stored_at: str) -> str:
    """2026-11-22T06:10:00Z as the clock on the wall of the server: 2026-11-22 14:10."""
    return datetime.fromisoformat(stored_at).astimezone().strftime("%Y-%m-%d %H:%M")


def number(count: int) -> str:
    """12,430."""
    return f"{count:,}"


def seconds(took_ms: float) -> str:
    """0.03, never 0.00."""
    return f"{max(took_ms / 1000, 0.01):.2f}"


def length(body_chars: int) -> str:
    """约 1,900 字 from 1,873; short texts exactly."""
    return f"{body_chars}\u00a0字" if body_chars < 100 else f"约\u00a0{round(body_chars, -2):,}\u00a0字"


# What a browser's own words hold -> what people call it; the first that is found.
BROWSERS = {
    "Qaxbrowser": "奇安信浏览器",
    "360": "360 浏览器",
    "QIHU": "360 浏览器",
    "MicroMessenger": "微信",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Windows NT 6.1": "Windows 7",
    "Windows NT 10": "Windows 10",
    "Windows": "Windows",
    "HarmonyOS": "鸿蒙",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS": "macOS",
    "Kylin": "麒麟",
    "UOS": "统信",
    "Linux": "Linux",
}


def device(said: str) -> str:
    """Chrome 109 · Windows 10, from what the browser says of itself; that itself, cut, when nothing of it is known."""
    browser, system = (next((mark for mark in known if mark in said), "") for known in (BROWSERS, SYSTEMS))
    if not browser and not system:
        return said[:40] or "不明设备"
    version = re.search(rf"{browser}\w*/(\d+)", said) if browser else None
    named = f"{BROWSERS[browser]} {version[1] if version else ''}".strip() if browser else ""
    return " · ".join(part for part in (named, SYSTEMS.get(system, "")) if part)


FILTERS = {
    "byline": byline,
    "date": date,
    "device": device,
    "display": display,
    "edition": edition,
    "length_words": length,
    "moment": moment,
    "names": names,
    "newspaper": newspaper,
    "number": number,
    "seconds": seconds,
    "shown": shown,
}
