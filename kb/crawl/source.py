"""A source: one site that kb crawls, described in a TOML file, never in Python. Read strictly."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import soupsieve

from kb.crawl.address import in_scope, read
from kb.errors import ConfigError, FetchError
from kb.model import SiteRule

FAMILIES = ("founder-classic", "founder-pc", "text-page")
DEFAULT_DAYS = 3
DEFAULT_DEPTH = 4
DATE_FIELD = re.compile(r"\{date:([^{}]{1,40})\}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_HOST = re.compile(r"[a-z0-9.-]{1,253}(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Source:
    """One site and how it is crawled and read."""

    slug: str  # cctv-xwlb, also the name of its file
    name: str  # 央视网 新闻联播
    verified: str  # 2026-11-22, when the rules were last seen to work; "never"
    facts: str  # where the rules are known from
    path: Path
    hosts: tuple[str, ...]  # nothing else is ever asked: ("tv.cctv.com",)
    start: tuple[str, ...]  # https://tv.cctv.com/lm/xwlb/day/{date:%Y%m%d}.shtml
    rule: SiteRule
    newspaper: str | None = None  # 新闻联播
    enabled: bool = True  # whether a plain `kb crawl` takes it
    days: int = DEFAULT_DAYS  # how many days back a plain run looks; 0: as far as links lead
    depth: int = DEFAULT_DEPTH  # list pages followed from a start page, one after the other
    pages: int | None = None  # fetches in one run; None: the setting crawl_page_budget
    pace_seconds: float | None = None  # between two fetches; None: the setting pace_seconds
    edition: tuple[str, ...] = ()  # regexes of addresses that list articles
    article: tuple[str, ...] = ()  # regexes of addresses of articles


# --- reading --------------------------------------------------------------------------------------


class _Wrong(Exception):
    """A value that cannot be used; says why, in Chinese and English."""


def load(path: Path) -> Source:
    """Read one source file. Raises ConfigError naming the file, the line and the key: source.unreadable,
    source.unknown_key, source.missing_key, source.bad_value."""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("source.unreadable", path=path, reason=error) from error
    values = _values(table, _KEYS, "", path, text)
    links = _values(values.pop("links", {}), _LINK_KEYS, "links", path, text)
    field_table = values.pop("fields", {})
    site = _values(field_table, _FIELD_KEYS, "fields", path, text)
    rule = SiteRule(values["slug"], newspaper=values.get("newspaper"), version=_version(field_table), **site)
    source = Source(path=path, rule=rule, **values, **links)
    _check_whole(source, text)
    return source


def load_all(folders: Iterable[Path]) -> dict[str, Source]:
    """Every source of the folders by slug; a file in a later folder replaces the earlier one of its name.

    Raises ConfigError as `load` does.
    """
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    return {slug: load(path) for slug, path in sorted(files.items())}


def chosen(sources: Mapping[str, Source], slugs: Iterable[str]) -> list[Source]:
    """The named sources in the order named, or every enabled one. Raises ConfigError("source.unknown")."""
    wanted = list(dict.fromkeys(slugs)) or [slug for slug, source in sources.items() if source.enabled]
    for slug in wanted:
        if slug not in sources:
            raise ConfigError("source.unknown", slug=slug, known="、".join(sources))
    return [sources[slug] for slug in wanted]


def _version(field_table: dict[str, Any]) -> str:
    """Eight hex digits that change with the [fields] table."""
    text = json.dumps(field_table, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _values(
    table: Mapping[str, Any], keys: Mapping[str, Callable[[Any], Any]], name: str, path: Path, text: str
) -> dict[str, Any]:
    """The checked values of a table."""
    prefix = f"{name}." if name else ""
    for key in table:
        if key not in keys:
            known = "、".join(keys)
            line = _line(text, name, key)
            raise ConfigError("source.unknown_key", path=path, line=line, name=prefix + key, known=known)
    for key in () if name else _REQUIRED:
        if key not in table:
            raise ConfigError("source.missing_key", path=path, name=key)
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            values[key] = keys[key](value)
        except _Wrong as wrong:
            line = _line(text, name, key)
            raise ConfigError(
                "source.bad_value", path=path, line=line, name=prefix + key, reason=wrong
            ) from wrong
    return values


def _line(text: str, table: str, key: str) -> int:
    """The line, from 1, on which a key stands; 0 when it is written in an unusual way."""
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\[\]]+)\]", line)
        here = head.group(1).strip() if head else here
        if here == table and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
        if head and not table and here == key:
            return number
    return 0


def _check_whole(source: Source, text: str) -> None:
    """What one value alone does not show."""

    def wrong(key: str, reason: str) -> ConfigError:
        line = _line(text, "", key)
        return ConfigError("source.bad_value", path=source.path, line=line, name=key, reason=reason)

    if source.slug != source.path.stem:
        raise wrong("slug", "应与文件名相同 · must equal the name of the file")
    if source.start and not source.hosts:
        raise wrong("hosts", "有 start 就要写明主机 · start needs hosts")
    for template in source.start:
        if not in_scope(read(expand(template, date(2024, 3, 1))), source.hosts):
            raise wrong("start", f"不在 hosts 之内 · not covered by hosts: {template}")
        if DATE_FIELD.search(template) and not source.days:
            raise wrong("days", "start 按日期展开时至少为 1 · at least 1 when start has a date")
    if source.start and not source.article:
        raise wrong("links", "links.article 至少要有一条 · links.article needs at least one pattern")


# --- values ---------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("应为非空文字 · must be a text that is not empty")
    return value


def _slug(value: Any) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise _Wrong("只用小写字母、数字和连字符 · lower-case letters, digits and hyphens only")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("应为 true 或 false · must be true or false")
    return value


def _number_from(least: int) -> Callable[[Any], int]:
    def number(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise _Wrong(f"应为不小于 {least} 的整数 · must be a whole number, at least {least}")
        return value

    return number


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 86400:
        raise _Wrong("应为秒数 · must be seconds, from 0 to a day")
    return float(value)


def _verified(value: Any) -> str:
    if value == "never" or isinstance(value, date):
        return str(value)
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise _Wrong('应为日期或 "never" · must be a date or "never"') from error


def _list_of(check: Callable[[str], str]) -> Callable[[Any], tuple[str, ...]]:
    def read_list(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise _Wrong('应为文字列表,例如 ["h1"] · must be a list of texts')
        return tuple(check(_text(entry)) for entry in value)

    return read_list


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise _Wrong(f"只写主机名,例如 szb.example.cn · host names only: {value}")
    return value


def _start(value: str) -> str:
    try:
        read(expand(value, date(2024, 3, 1)))
    except FetchError as error:
        raise _Wrong(error.words("zh")) from error
    except ValueError as error:
        raise _Wrong(f"日期格式不能用 · the date format cannot be used: {value}") from error
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise _Wrong(f"正则表达式有误 · regular expression: {value}: {error}") from error
    return value


def _date_regex(value: Any) -> str:
    pattern = _regex(_text(value))
    if not {"y", "m", "d"} <= set(re.compile(pattern).groupindex):
        raise _Wrong("要有 (?P<y>…)、(?P<m>…)、(?P<d>…) 三个组 · needs the groups y, m and d")
    return pattern


def _selector(value: str) -> str:
    try:
        soupsieve.compile(value)
    except (soupsieve.SelectorSyntaxError, ValueError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise _Wrong(f"CSS 选择器有误 · CSS selector: {value}: {reason}") from error
    return value


def _family(value: Any) -> str:
    if value not in FAMILIES:
        raise _Wrong(f"应为 {'、'.join(FAMILIES)} 之一 · must be one of these")
    return str(value)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong("应为一个表 · must be a table")
    return value


_REQUIRED = ("slug", "name", "verified", "facts", "hosts", "start")
_KEYS: dict[str, Callable[[Any], Any]] = {
    "slug": _slug,
    "name": _text,
    "newspaper": _text,
    "verified": _verified,
    "facts": _text,
    "enabled": _boolean,
    "hosts": _list_of(_host),
    "start": _list_of(_start),
    "days": _number_from(0),
    "depth": _number_from(0),
    "pages": _number_from(1),
    "pace_seconds": _seconds,
    "links": _table,
    "fields": _table,
}
_LINK_KEYS = {"edition": _list_of(_regex), "article": _list_of(_regex)}
_SELECTORS = (
    "title",
    "kicker",
    "subtitle",
    "author",
    "published",
    "edition_page",
    "page_name",
    "body",
    "remove",
)
_FIELD_KEYS: dict[str, Callable[[Any], Any]] = {
    "family": _family,
    **dict.fromkeys(_SELECTORS, _list_of(_selector)),
    "published_from_url": _date_regex,
    "boilerplate": _list_of(_regex),
}


# --- using ----------------------------------------------------------------------------------------


def expand(template: str, day: date) -> str:
    """A start address of one day: {date:%Y%m%d} becomes 20240301. Raises ValueError for an unusable one."""
    return DATE_FIELD.sub(lambda found: day.strftime(found.group(1)), template)


def days_between(since: date, until: date) -> list[date]:
    """Every day from the first to the last, both included."""
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]


def describe(source: Source) -> list[str]:
    """What was understood of a source file, line by line, for `kb source check`."""
    rule = source.rule
    lines = [
        f"{source.slug} {source.name}({'参加日常抓取' if source.enabled else '只在点名时抓取'})",
        f"报纸:{source.newspaper or '由页面读出'}",
        f"核实:{'从未' if source.verified == 'never' else source.verified};依据:{source.facts}",
        f"主机:{'、'.join(source.hosts) or '未知'}",
        *(f"起始页:{template}" for template in source.start),
        f"范围:{f'最近 {source.days} 天' if source.days else '沿链接到底'},列表层数 {source.depth}",
        f"每次最多:{source.pages or '(设置 crawl_page_budget)'} 页",
        *(f"版面链接:{pattern}" for pattern in source.edition),
        *(f"文章链接:{pattern}" for pattern in source.article),
        f"字段规则 {rule.slug}@{rule.version},版式:{rule.family or '通用'}",
    ]
    for entry in fields(SiteRule):
        value = getattr(rule, entry.name)
        if entry.name in _FIELD_KEYS and entry.name != "family" and value:
            lines.append(f"  {entry.name}:{value if isinstance(value, str) else ' | '.join(value)}")
    return lines
