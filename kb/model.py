"""The shapes that pass between the stages of an article's life. Frozen, plain, no behaviour beyond derived values.

Longer than 400 lines because every stage speaks of the same shapes: they stand in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

BlockKind = Literal["heading", "paragraph", "list", "quote", "table", "caption", "note"]
BODY_KINDS: frozenset[str] = frozenset({"heading", "paragraph", "list", "quote", "table"})
Status = Literal["normal", "corrected", "withdrawn", "gone"]
SHOWN_STATUSES: tuple[str, ...] = ("normal", "corrected")
HIDDEN_STATUSES: tuple[str, ...] = ("withdrawn", "gone")


@dataclass(frozen=True, slots=True)
class Block:
    """One heading or paragraph of an article, as extracted; only outer white space is removed."""

    anchor: str  # b3fa91c02: "b" + first 8 hex digits of SHA-256 of the folded text, "-2" when repeated
    kind: BlockKind  # heading
    level: int | None  # 1 for 一、, 2 for (一), 3 for 1.; None when kind is not "heading"
    text: str  # 一、推动党建与业务深度融合的重要性
    run_in: int = 0  # length in characters of a run-in heading (一是加强政治建设。) that opens a paragraph


@dataclass(frozen=True, slots=True)
class Quotation:
    """What a leader is quoted as saying, and where."""

    speaker: str  # 习近平总书记
    verb: str  # 指出
    words: str  # 要处理好党建和业务的关系,…
    anchor: str  # b3fa91c02, the block that holds it
    start: int  # offset of `words` in that block, in characters


@dataclass(frozen=True, slots=True)
class Author:
    """One name of a byline."""

    name: str  # 许剑虹
    role: str  # 作者 | 记者 | 通讯员 | 实习生 | 文 | 图 | 文/图 | 摄 | 执笔 | 评论员 | 整理 | 口述


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an article was read from its page."""

    rule: str  # guizhou-fazhi@3fa9 | founder-classic | founder-pc | generic | archive | text | docx
    confidence: float  # 0.0 … 1.0; below model.REVIEW_BELOW the page waits for review and is not indexed
    origins: dict[str, str] = field(default_factory=dict)  # {"published": "url", "title": "founder-comment"}
    removed: tuple[str, ...] = ()  # boilerplate lines taken off, in page order
    flags: tuple[str, ...] = ()  # encoding.damaged, title.guessed …


REVIEW_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Article:
    """One article as parsed from one page or archive line. Unknown stays None."""

    key: str  # what it is known by: its URL, else "id:<id>", else "content:<sha256 of folded body>"
    source: str  # slug of the source (site): guizhou-fazhi; "files" for kb add
    title: str  # 检察机关党建与业务深度融合的基层探索
    blocks: tuple[Block, ...]
    url: str | None = None
    newspaper: str | None = None  # 贵州法治报
    published: str | None = None  # 2023-08-02
    edition_page: str | None = None  # "07", the printed label without 版
    page_name: str | None = None  # 理论
    kicker: str | None = None  # 引题
    subtitle: str | None = None  # ——以雷山县人民检察院为例, dashes kept; several lines joined by "\n"
    authors: tuple[Author, ...] = ()
    affiliation: str | None = None  # 雷山县人民检察院 (as printed)
    quotations: tuple[Quotation, ...] = ()
    continues: str | None = None  # 下转第4版 | 上接第1版, the marker as printed
    tags: tuple[str, ...] = ()
    provenance: Provenance = Provenance("archive", 1.0)


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with what the store knows about it."""

    id: int  # 812
    seq: int  # 4711, sequence number of its last change
    version: int  # 1, 2 … one for every change of the text
    status: Status
    article: Article
    reprint_of: int | None  # id of the earliest copy, or None
    page_hash: str | None  # SHA-256 of the raw bytes kept in pages/
    stored_at: str  # 2026-11-22T06:10:00Z, when this version was stored
    body_chars: int  # length of the body in characters


@dataclass(frozen=True, slots=True)
class SiteRule:
    """How to read the pages of one source: CSS selectors and fixed values. Comes from a source's TOML file."""

    slug: str
    newspaper: str | None = None  # fixed name of the newspaper, when the site has one only
    family: str | None = None  # founder-classic | founder-pc | text-page | None
    title: tuple[str, ...] = ()  # CSS selectors, the first that yields text wins
    kicker: tuple[str, ...] = ()
    subtitle: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    edition_page: tuple[str, ...] = ()
    page_name: tuple[str, ...] = ()
    body: tuple[str, ...] = ()  # CSS selectors of the body's container
    remove: tuple[str, ...] = ()  # CSS selectors cut out of the body before it is read
    published_from_url: str | None = None  # regex with groups y, m, d
    boilerplate: tuple[str, ...] = ()  # regexes of whole lines dropped at head and tail
    version: str = ""  # first 8 hex digits of SHA-256 of the TOML's [fields] table; part of Provenance.rule


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as it came: bytes and what a later parse needs from the response."""

    url: str
    body: bytes
    content_type: str = ""  # text/html; charset=gb2312
    fetched_at: str = ""  # 2026-11-22T06:10:00Z


PageKind = Literal["index", "edition", "article"]
PageState = Literal["queued", "leased", "done", "skipped", "failed", "blocked"]


@dataclass(frozen=True, slots=True)
class CrawlPage:
    """One page that the crawler knows: a row of its frontier. Times are UTC, 2026-11-22T06:10:00Z."""

    source: str  # cctv-xwlb
    url: str  # canonical: https://tv.cctv.com/lm/xwlb/day/20240301.shtml
    kind: PageKind  # index: where a crawl starts; edition: lists articles; article
    depth: int = 0  # links followed from a start page
    issue: str | None = None  # 2024-03-01, the day of the issue as far as the address tells it
    state: PageState = "queued"  # skipped: read, but no article in it; blocked: robots.txt forbids it
    not_before: str | None = None  # a queued page is left alone until then
    tries: int = 0  # fetches of this round that failed
    checks: int = 0  # fetches that were made when due
    due_at: str | None = None  # when to look at the page again; None = never, or not fetched yet
    discovered_from: str | None = None  # the page that links to it
    final_url: str | None = None  # where redirects ended, canonical
    http_status: int | None = None  # 200
    content_type: str | None = None  # text/html; charset=gb2312
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: str | None = None  # of the bytes in pages/, or of the 304 that confirmed them
    page_hash: str | None = None  # SHA-256 of the raw bytes kept in pages/
    reason: str | None = None  # parse.no_body: why it is skipped, failed or blocked
    detail: str | None = None  # the sentence of that reason, in Chinese


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """A link from an edition page to an article."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class EditionPage:
    """One page (版) of one issue, as its directory page tells it."""

    url: str
    newspaper: str | None
    published: str | None
    edition_page: str | None  # "A01"
    page_name: str | None  # 头版
    articles: tuple[ArticleLink, ...]
    edition_links: tuple[ArticleLink, ...]  # the other pages (版) of the issue


Field = Literal[
    "title", "subtitle", "author", "affiliation", "newspaper", "source",
    "edition_page", "edition_name", "body", "heading", "quotation",
]  # fmt: skip
# Of these, what a name is looked for in, not a text.
NAME_FIELDS: frozenset[str] = frozenset(
    {"author", "affiliation", "newspaper", "source", "edition_page", "edition_name"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """A typed word; without a field anywhere in an article."""

    text: str  # as typed
    field: Field | None = None
    also: tuple[str, ...] = ()  # synonyms, any of which will do


@dataclass(frozen=True, slots=True)
class Phrase:
    """A literal: a string that stands somewhere as it was typed, after folding."""

    text: str  # without its quotation marks
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class DateRange:
    """Published between two days, both included. Unknown dates are in no range."""

    text: str  # as typed
    since: str | None  # 2023-01-01
    until: str | None  # 2023-06-30


@dataclass(frozen=True, slots=True)
class LengthRange:
    """Body characters between two numbers, both included."""

    text: str  # as typed
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class And:
    """All parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What the part does not find."""

    part: Node


@dataclass(frozen=True, slots=True)
class Membership:
    """Which articles a topic (专题) has: what its rule finds or is pinned, without what was excluded."""

    name: str  # 机关党建
    root: Node | None  # its rule, read; None: the rule cannot be read any more, the topic has what is pinned
    pinned: frozenset[int] = frozenset()  # article ids
    excluded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class InTopic:
    """In one of the topics meant."""

    text: str  # as typed
    topics: tuple[Membership, ...] = ()  # none: not looked up yet, or no topic has such a name


Node: TypeAlias = Word | Phrase | DateRange | LengthRange | InTopic | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, read."""

    text: str  # as typed
    root: Node
    is_strict: bool = False  # operators were typed: it means just what it says

    @property
    def clauses(self) -> tuple[Node, ...]:
        """What must all hold."""
        return self.root.parts if isinstance(self.root, And) else (self.root,)


@dataclass(frozen=True, slots=True)
class Mark:
    """What of a query is marked in texts."""

    text: str  # folded
    is_literal: bool = False  # marked also where it begins or ends inside a Latin word or a number
    field: Field | None = None  # marked only there; None = everywhere


Scope = Literal["all", "title", "body", "author"]
# added, added_last: in the order of article ids, that in which they came into the library; for scripts and feeds.
Sort = Literal["relevance", "newest", "oldest", "longest", "shortest", "added", "added_last"]
Match = Literal["all", "any"]  # of the clauses of a query


@dataclass(frozen=True, slots=True)
class Filters:
    """What was chosen beside the query. Within one facet any value will do; every facet and the days must agree.

    Facets are newspaper, source, year, month, author, affiliation, edition_page and topic; "" among their values stands for
    unknown, of topics for none. An unknown date lies in no range of days.
    """

    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # {"newspaper": ("贵州法治报", "")}
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # values that leave an article out
    since: str | None = None  # first day: 2023-01-01
    until: str | None = None  # last day: 2023-06-30

    @property
    def is_empty(self) -> bool:
        return not (self.only or self.without or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What somebody may not see: what is limited to units (单位) that he or she does not belong to. Empty: nothing."""

    units: frozenset[int] = frozenset()  # that the person belongs to
    sources: frozenset[str] = frozenset()  # slugs, all of whose articles are hidden
    articles: frozenset[int] = frozenset()  # ids of articles that are hidden for themselves

    @property
    def is_empty(self) -> bool:
        return not (self.sources or self.articles)


NOTHING_HIDDEN = Hidden()


@dataclass(frozen=True, slots=True, eq=False)
class TopicSet:
    """The topics that articles are counted by. Compared by identity: an engine remembers what it worked out for one."""

    members: tuple[Membership, ...] = ()


NO_TOPICS = TopicSet()


@dataclass(frozen=True, slots=True)
class Page:
    """What an engine is asked of the matches of a query: which of them, in what order, from where on, counted by what.

    Columns are newspaper, source, year, month (2023-08), author, affiliation, edition_page and edition_name; "" among their
    values stands for unknown. So does topic, whose values are the names of `topics`; "" stands for none of them.
    An unknown date lies in no range of days.
    """

    only: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # {"newspaper": ("清河日报",), "year": ("2024",)}
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # values that leave an article out
    since: str | None = None  # first day: 2023-01-01
    until: str | None = None  # last day: 2023-06-30
    least_chars: int | None = None  # of the body
    most_chars: int | None = None
    facets: tuple[str, ...] = ()  # ("newspaper", "year"): columns to count
    most_values: int | None = (
        None  # of each, the most frequent; those of `only` and `without` are told besides
    )
    sort: Sort = "relevance"
    collapse: bool = False  # of the copies of a text only the one published first
    offset: int = 0
    limit: int = 10
    seconds: float | None = None  # that the answer may take
    hidden: Hidden = NOTHING_HIDDEN  # what the asker may not see: for the answer it is not there
    topics: TopicSet = NO_TOPICS
    after: int = 0  # article id: only what came into the library after it


@dataclass(frozen=True, slots=True)
class Found:
    """What an engine answers: ids in order, the exact total, facet counts over the whole match set."""

    total: int
    ids: tuple[int, ...]
    scores: tuple[float, ...]
    facets: dict[str, tuple[tuple[str, int], ...]]  # {"newspaper": (("贵州法治报", 7), …), "year": …}
    articles: int = 0  # what `total` would be without collapse


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a snippet or title."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """Another copy of an article, as listed under it."""

    id: int
    title: str
    newspaper: str | None
    source: str
    published: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One result as shown."""

    id: int
    title: str
    title_runs: tuple[Run, ...]
    subtitle: str | None
    subtitle_runs: tuple[Run, ...]
    newspaper: str | None
    source: str
    published: str | None
    edition_page: str | None
    authors: tuple[Author, ...]
    affiliation: str | None
    body_chars: int
    score: float
    snippet: tuple[Run, ...]
    snippet_is_cut: tuple[bool, bool]  # whether its block begins earlier, goes on
    anchor: str | None  # the block that the snippet comes from
    heading_path: tuple[str, ...]  # the headings above that block: ("二、存在的问题", "(一)认识不足")
    reprint_of: int | None
    copies: tuple[
        Copy, ...
    ] = ()  # the others of its group, the earliest first; only where results are grouped


@dataclass(frozen=True, slots=True)
class Relaxed:
    """How much would be found without one filter or one part of the query."""

    dropped: Literal["facet", "without", "days", "filters", "scope", "part", "rest"]
    name: str = ""  # newspaper, for facet and without
    value: str = ""  # 法治日报, for without; for part what is dropped, for rest what alone is kept
    text: str = ""  # for part and rest: the line that is left
    total: int = 0  # articles


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results."""

    query: Query
    total: int  # results that can be paged through: groups of copies where they are grouped, else articles
    articles: int  # that match, copies counted each
    grouped: bool  # copies of one text are one result
    took_ms: float
    fallback: Literal["any"] | None  # "any": nothing had all words, these have at least one
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[tuple[str, int], ...]]
    sort: Sort
    filters: Filters
    offset: int
    partial: tuple[
        Hit, ...
    ] = ()  # where few have everything: those with a part, to fill the first page; not counted
    stale: int = 0  # articles stored but not searchable yet
    expanded: tuple[
        tuple[str, tuple[str, ...]], ...
    ] = ()  # (("二十大", ("党的二十大",)),): words found besides
    did_you_mean: tuple[
        tuple[str, int], ...
    ] = ()  # (("三会一课", 24),): likely spellings, with the articles of each
    relaxed: tuple[Relaxed, ...] = ()  # where nothing was found: what would be, the most first


# --- topics ---------------------------------------------------------------------------------------------------

TopicState = Literal["shown", "draft", "removed"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An article that is not in a topic although its rule finds it."""

    article_id: int
    reason: str  # 会议通知,不是学习材料


@dataclass(frozen=True, slots=True)
class TopicContent:
    """What people decided about a topic; a version holds all of it."""

    name: str  # 机关党建
    rule: str  # 标题:党建 且 …, in the query language, as typed
    introduction: str = ""  # Markdown
    parent: str | None = None  # slug of the topic above
    pinned: tuple[int, ...] = ()  # 必读: article ids in order
    excluded: tuple[Exclusion, ...] = ()
    state: TopicState = "shown"
    place: int = 0  # among those under the same parent, the lowest first


@dataclass(frozen=True, slots=True)
class Topic:
    """One version of a topic."""

    id: int
    slug: str  # jiguan-dangjian
    version: int  # 1, 2 …
    content: TopicContent
    editor: str  # name of who made this version; "" for a topic that kb brought
    changed_at: str  # 2026-11-22T06:10:00Z
    note: str = ""  # what was changed, in a few words


@dataclass(frozen=True, slots=True)
class HeldWords:
    """Words of some articles against those of all."""

    articles: int
    everywhere: int  # articles in all, those included
    words: tuple[tuple[str, int, int], ...]  # each with how many of those, and of all, hold it


# --- people ---------------------------------------------------------------------------------------------------

Role = Literal["reader", "trainer", "editor", "operator", "admin", "auditor"]
ROLES: tuple[Role, ...] = ("reader", "trainer", "editor", "operator", "admin", "auditor")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the audit log names it."""

    name: str  # zhangsan; cli:kb for a command, with the name of the system's user; "" for nobody known
    address: str = ""  # 10.1.2.3, from where the request came; "" for a command
    sign_in: int | None = None  # the sign-in (会话) it was done in
