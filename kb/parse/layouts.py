"""Where e-newspaper pages print title block and text: one row a template. Data only.

Facts: data/layouts.md (27 sites), layout_facts_papers.csv (510 newspapers). Paths as in marks.Marks, compared without case.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one family of pages prints what."""

    family: str  # founder-pc
    title: tuple[str, ...]
    kicker: tuple[str, ...] = ()
    subtitle: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    around: tuple[str, ...] = ()  # a kicker before the title, subtitle or author behind it
    body: tuple[str, ...] = ()  # with the title it tells this layout, where no mark of Founder does


PC, CLASSIC, OTHER = "founder-pc", "founder-classic", "epaper"
LAYOUTS = (
    Layout(
        PC,
        title=("#title",),
        kicker=("#pretitle", "#introtitle"),
        subtitle=("#subtitle",),
        author=("#author", ".totaltitle .author", ".detail-art .author"),
        around=(".totaltitle h5", ".totaltitle p", ".detail-art h5"),
        body=(".detail-art #zoom",),
    ),
    Layout(  # 新华报业, 深圳, 安徽法治报
        PC,
        title=(".newsdetatit h3", ".newsdetatit h2", ".newsdetatit h1"),
        kicker=(".newsdetatit .intro", ".intro"),
        subtitle=(".newsdetatit .sub", ".sub"),
        author=(".newsdetatit .author",),
        body=(".newsdetatext", "#scroleft .content"),
    ),
    Layout(  # 浙江, 金华
        PC,
        title=(".main-article-title",),
        kicker=(".main-article-pretitle", ".main-article-introtitle", ".main-article-yinti"),
        subtitle=(".main-article-subtitle", ".main-article-futi"),
        author=(".main-article-author",),
        around=(".main-article-alltitle p", ".main-article-alltitle h5", ".main-article-alltitle h3"),
        body=(".main-article-con", ".main-article-content"),
    ),
    Layout(  # 解放军报
        OTHER,
        title=("#app-title", ".art-title"),
        kicker=(".introtitle", "#app-pretitle"),
        subtitle=(".subtitle", "#app-subtitle"),
        author=("#app-author", ".author"),
        body=(".article-content",),
    ),
    Layout(  # 西安法制报, 南宁日报, 韶关日报
        OTHER,
        title=(".bmnr_con_biaoti",),
        kicker=(".bmnr_con_yinti",),
        subtitle=(".bmnr_con_futi",),
        author=(".bmnr_con_zuozhe",),
        body=("#zoom", ".bmnr_con_con"),
    ),
    Layout(  # 检察日报 2026
        OTHER,
        title=(".font01.title",),
        author=(".font02.author",),
        around=(".font02",),
        body=(".article-content",),
    ),
    Layout(CLASSIC, title=("td.font01",), around=("td.font02",), body=("td.font6", "#zoom", "td.content_tt")),
    Layout(CLASSIC, title=(".bshare_text",), around=("td.font02",), body=("#zoom",)),
    Layout(CLASSIC, title=(".font01",), around=(".font02",), body=(".font6",)),
    Layout(CLASSIC, title=("td.bt1",), around=("td.bt2",), body=(".m_m_cont",)),
    Layout(  # 工人日报
        OTHER,
        title=("#ctitle",),
        kicker=("#pretitle",),
        subtitle=("#csubtitle",),
        author=("#cauthor",),
        body=("#ccontent",),
    ),
    Layout(  # 广西法治日报, 怒江报
        OTHER,
        title=("#doctitle", ".doctitle"),
        kicker=("#yinti", ".yinti"),
        subtitle=("#subdoctitle", ".subdoctitle"),
        author=("#docauthor", ".docauthor", "#author", ".author"),
        body=("#doccontent", ".doccontent"),
    ),
    Layout(  # 科技日报
        OTHER,
        title=(".biaoti",),
        kicker=(".yinti",),
        subtitle=(".futi",),
        author=(".zuozhe",),
        body=(".box0-right .article",),
    ),
    Layout(OTHER, title=(".title1",), subtitle=(".title3",), author=(".author",), around=(".title2",)),
    Layout(OTHER, title=(".detcontit",), author=(".author",), around=("h3", "h4"), body=(".details",)),
    Layout(OTHER, title=(".newstitle",), author=(".author",), body=("#newscontent",)),
    Layout(  # 法治日报, 南方农村报
        OTHER, title=(".contenttitle", "span strong", "td strong"), body=("#oldcontenttext", "#contenttext")
    ),
    Layout(
        OTHER,
        title=("#newsarticletitle",),
        kicker=("#newsarticlepretitle",),
        subtitle=("#newsarticlesubtitle",),
        author=("#newsarticleauthor",),
    ),
    Layout(
        CLASSIC,
        title=("founder-title",),
        kicker=("founder-introtitle", "founder-pretitle"),
        subtitle=("founder-subtitle",),
        author=("founder-author",),
        around=(".font02",),
    ),
    Layout(  # 人民日报 since 2020
        CLASSIC,
        title=(".article h1",),
        author=("p.sec", ".sec"),
        around=(".article h2", ".article h3", ".article h4"),
    ),
    Layout(  # 光明日报, 中国青年报, 学习时报
        CLASSIC,
        title=(".text_c h1",),
        author=(".lai", ".author"),
        around=(".text_c h2", ".text_c h3", ".text_c h4"),
        body=(".text_c #articlecontent", ".text_c #content"),
    ),
    Layout(CLASSIC, title=("h1",), author=(".sec", ".lai", ".author"), around=("h2", "h3", "h4")),
    Layout(CLASSIC, title=("h2",), author=(".author",), around=("h3", "h4", "h5")),
)
# Tags of Founder's own that say what they hold, in every layout.
MARKED = {
    "kicker": ("founder-introtitle", "founder-pretitle"),
    "subtitle": ("founder-subtitle",),
    "author": ("founder-author",),
}
# A block that holds the whole title block, when nothing inside is marked.
TITLE_BLOCKS = (".totaltitle", ".main-article-alltitle", ".newsdetatit", ".detail-art .title", "#wztitle")
# Containers of the text that are tried on pages with a mark of Founder, in this order.
FOUNDER_BODIES = (
    "#ozoom",
    "#zoom",
    "#articlecontent",
    "cms-content",
    ".newsdetatext",
    ".detail-art",
    ".article-content",
)
CAPTIONS = ("#newspic", ".attachment", ".pic_c", ".pci_c")

# First title paths of the layouts that no other kind of site uses.
PAPER_TITLES = ("td.font01", ".font01.title", ".newsdetatit h3", ".main-article-title", ".bmnr_con_biaoti")
