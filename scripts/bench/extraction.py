"""How well pages are read: title, date and body against recorded truth, and what a page costs.

    .venv/bin/python scripts/bench/extraction.py --data ../shared/data [--site DIR] [--json]

--data   the shared data folder (pages/truth.jsonl and what it names); the run fails when it is missing
--site   an unpacked site/cctv-YYYY-MM folder (truth.jsonl, tv.cctv.com/…): the whole month is read too

Body F1: character 5-grams, white space dropped, mean over pages. Strong truth is scored; pages with weak truth (tool output)
are scored apart, and the rest only counted: read, refused, slowest. Times are CPU milliseconds of one read_page call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.config import shipped
from kb.crawl.source import load
from kb.errors import ParseError
from kb.model import BODY_KINDS, Article, RawPage, SiteRule
from kb.parse.article import read_page
from kb.parse.edition import read_edition
from kb.parse.page import decode, links

GRAM = 5


@dataclass
class Group:
    """What was measured on one kind of pages."""

    pages: int = 0
    titles: list[bool] = field(default_factory=list)
    dates: list[bool] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    exact: list[bool] = field(default_factory=list)  # paragraphs line by line
    refused: dict[str, int] = field(default_factory=dict)
    low: int = 0  # confidence below 0.5
    ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        return {
            "pages": self.pages,
            "title": share(self.titles),
            "date": share(self.dates),
            "body_f1": round(statistics.mean(self.f1), 4) if self.f1 else None,
            "body_f1_below_0.8": sum(value < 0.8 for value in self.f1),
            "paragraphs_exact": share(self.exact),
            "refused": self.refused,
            "low_confidence": self.low,
            "ms_median": round(statistics.median(self.ms), 1) if self.ms else None,
            "ms_p95": round(statistics.quantiles(self.ms, n=20)[-1], 1) if len(self.ms) > 1 else None,
            "ms_max": round(max(self.ms), 1) if self.ms else None,
            "faults": self.faults,
        }


def share(flags: list[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def grams(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[start : start + GRAM] for start in range(max(len(text) - GRAM + 1, 1))}


def f1(found: str, truth: str) -> float:
    mine, theirs = grams(found), grams(truth)
    common = len(mine & theirs)
    return 2 * common / (len(mine) + len(theirs))


def body_lines(article: Article) -> list[str]:
    return [line for block in article.blocks if block.kind in BODY_KINDS for line in block.text.split("\n")]


def read(group: Group, path: Path, url: str, rule: SiteRule | None) -> Article | None:
    """Read one page, timed; a refusal is counted by its key."""
    page = RawPage(url, path.read_bytes())
    group.pages += 1
    start = time.process_time()
    try:
        article = read_page(page, rule=rule, source="bench")
    except ParseError as error:
        group.refused[error.key] = group.refused.get(error.key, 0) + 1
        return None
    finally:
        group.ms.append((time.process_time() - start) * 1000)
    group.low += article.provenance.confidence < 0.5
    return article


def score(group: Group, name: str, article: Article | None, truth: dict[str, Any]) -> None:
    if truth.get("title"):
        group.titles.append(article is not None and same(article.title, truth["title"]))
        if not group.titles[-1]:
            group.faults.append(f"{name} title: {article.title if article else None} | {truth['title']}")
    if truth.get("date"):
        group.dates.append(article is not None and article.published == truth["date"])
        if not group.dates[-1]:
            group.faults.append(f"{name} date: {article.published if article else None} | {truth['date']}")
    if truth.get("body"):
        lines = body_lines(article) if article else []
        wanted = [line.strip() for line in truth["body"].split("\n") if line.strip()]
        group.f1.append(f1("\n".join(lines), truth["body"]))
        group.exact.append(lines == wanted)
        if group.f1[-1] < 0.95:
            group.faults.append(f"{name} body: {group.f1[-1]:.3f}")


def same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def truths(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def measure_pages(data: Path) -> dict[str, Group]:
    """The folders of pages/: CCTV by its site rule and, to see the lower rungs, without it; GNE and trafilatura pages."""
    groups = {name: Group() for name in ("cctv_rule", "cctv_generic", "gne", "trafilatura")}
    rule = load(shipped("corpus/sources") / "cctv-xwlb.toml").rule
    for row in truths(data / "pages" / "truth.jsonl"):
        path, folder = data / "pages" / row["file"], row["file"].split("/")[0]
        truth = {"title": row["title"], "date": (row["date"] or "")[:10], "body": row.get("body")}
        url = row.get("url") or f"https://example.test/{path.name}"
        if folder == "cctv":
            score(groups["cctv_rule"], path.name, read(groups["cctv_rule"], path, url, rule), truth)
            bare = read(groups["cctv_generic"], path, "https://example.test/page", None)
            score(groups["cctv_generic"], path.name, bare, truth)
            continue
        article = read(groups[folder], path, url, None)
        truth["date"] = (
            truth["date"].replace("年", "-").replace("月", "-") if len(truth["date"]) == 10 else ""
        )
        score(groups[folder], path.name, article, truth)
        check_segments(groups[folder], path.name, article, row)
    return groups


def check_segments(group: Group, name: str, article: Article | None, row: dict[str, Any]) -> None:
    """Human must and must-not strings of a page."""
    text = "\n".join(block.text for block in article.blocks) if article else ""
    group.faults += [f"{name} lacks: {part}" for part in row.get("must_contain", ()) if part not in text]
    group.faults += [f"{name} leaks: {part}" for part in row.get("must_not_contain", ()) if part in text]


def measure_site(site: Path) -> Group:
    """A whole month of a real site, as the crawler would read it."""
    group = Group()
    rule = load(shipped("corpus/sources") / "cctv-xwlb.toml").rule
    for row in truths(site / "truth.jsonl"):
        path = row["path"].lstrip("/")
        url = path if path.startswith("http") else f"https://{path}"
        article = read(group, site / path, url, rule)
        if row["title"] is not None:
            score(
                group,
                path,
                article,
                {"title": row["title"], "date": row["pubtime"][:10], "body": row["body"]},
            )
        elif article is not None:
            group.faults.append(f"{path} has no truth and was read: {article.title}")
    return group


def measure_lists(data: Path) -> dict[str, Any]:
    """Day lists and edition pages: every link and title."""
    days = list(truths(data / "pages" / "lists_cctv.jsonl"))
    right = 0
    for row in days:
        html = decode((data / "pages" / row["file"]).read_bytes(), "").text
        right += [link.url for link in links(html, "https://tv.cctv.com/lm/xwlb/day/x.shtml")] == row["links"]
    editions = list(truths(data / "pages" / "epaper" / "editions_truth.jsonl"))
    faults = [fault for row in editions for fault in edition_faults(data, row)]
    return {
        "day_lists": len(days),
        "day_lists_right": right,
        "editions": len(editions),
        "edition_faults": faults,
    }


def edition_faults(data: Path, row: dict[str, Any]) -> list[str]:
    base = row["base_url"] or "http://example.test/html/2017-07/22/node_2.htm"
    found = read_edition(RawPage(base, (data / "pages" / row["file"]).read_bytes()), rule=SiteRule("bench"))
    wanted = [(base.rpartition("/")[0] + "/" + href, title) for href, title in row["articles"]]
    facts = {
        "articles": ([(link.url, link.title) for link in found.articles], wanted),
        "newspaper": (found.newspaper, row["paper"]),
        "date": (found.published, row["date"]),
        "edition": (found.edition_page, row["edition"]),
        "name": (found.page_name, row["edition_name"]),
        "pages": (len(found.edition_links), row["editions_distinct"]),
    }
    return [f"{row['file']} {name}: {have} | {want}" for name, (have, want) in facts.items() if have != want]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (options.data / "pages" / "truth.jsonl").is_file():
        print(f"no pages/truth.jsonl in {options.data}", file=sys.stderr)
        return 2
    groups = measure_pages(options.data)
    if options.site:
        groups["cctv_site"] = measure_site(options.site)
    report = {name: group.report() for name, group in groups.items()} | {"lists": measure_lists(options.data)}
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
        return 0
    for name, facts in report.items():
        print(f"\n{name}")
        for fact, value in facts.items():
            print(
                f"  {fact:18} {value}"
                if not isinstance(value, list)
                else "\n".join(f"  ! {one}" for one in value)
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
