"""30 formulations: first and last day, articles and months, against a reading of every text; and how long the use case takes.

`KB_DATA=… python -m scripts.bench.formulations`. The reading of every text is written without kb.text.formulation's search:
it folds each text whole, finds the formulation there, and looks at what stands between its characters; it shares only the
rule of word borders, which is not what is checked here.
"""

from __future__ import annotations

import json
import sqlite3
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kb import formulations, opening
from kb.formulations import Formulation
from kb.model import NOTHING_HIDDEN
from kb.search import open_search
from kb.text.formulation import CONTEXT, Borders, Place
from kb.text.normalize import fold
from kb.text.segment import Segmenter

ASKED = (
    "党纪学习教育 主题教育 两个确立 四个意识 全面从严治党 共同富裕 一带一路 中国梦 改革开放 人类命运共同体 脱贫攻坚 乡村振兴 党的建设 党的领导 "
    "民族复兴 群众路线 八项规定 三严三实 新质生产力 中国式现代化 自我革命 反腐败斗争 依法治国 核心价值观 新发展理念 国家治理 民生 党建 国家安全 "
    "党史学习教育"
).split()
PAIRS = set("“”‘’\"'＂＇「」『』﹁﹂﹃﹄《》〈〉·•・‧")


@dataclass(slots=True)
class Read:
    """What reading everything finds of one formulation."""

    months: Counter[str] = field(default_factory=Counter)
    days: set[str] = field(default_factory=set)


def is_mark(char: str) -> bool:
    return char == "\n" or unicodedata.category(char)[0] in "PS"


def stands(text: str, wanted: str, borders: Borders) -> bool:
    """Whether the formulation stands by itself somewhere in a text."""
    folded, origin = "", []
    for place, char in enumerate(text):
        form = fold(char)
        folded += form
        origin += [place] * len(form)
    at = folded.find(wanted)
    while at >= 0:
        start, end = origin[at], origin[at + len(wanted) - 1] + 1
        between = [char for char in text[start:end] if not fold(char)]
        if all(char.isspace() or char in PAIRS for char in between):
            left, right = start, end
            while left > 0 and start - left < CONTEXT and not is_mark(text[left - 1]):
                left -= 1
            while right < len(text) and right - end < CONTEXT and not is_mark(text[right]):
                right += 1
            place_ = Place(start, end, "", fold(text[left:start]), fold(text[end:right]))
            if borders.crossing(place_) is None:
                return True
        at = folded.find(wanted, at + 1)
    return False


def read_all(path: Path, segmenter: Segmenter) -> dict[str, Read]:
    """Every shown article of the store, each text folded; only those are looked at closely that have all the characters."""
    found = {one: Read() for one in ASKED}
    borders = {one: Borders(fold(one), segmenter) for one in ASKED}
    rows = sqlite3.connect(path).execute(
        "SELECT published, content FROM articles WHERE status IN ('normal', 'corrected')"
    )
    for published, content in rows:
        article = json.loads(content)
        texts = [article[name] or "" for name in ("title", "kicker", "subtitle")]
        texts += [block["text"] for block in article["blocks"]]
        for one in ASKED:
            near = (text for text in texts if set(one) <= set(text))
            if any(stands(text, fold(one), borders[one]) for text in near if fold(one) in fold(text)):
                found[one].months[(published or "")[:7]] += 1
                found[one].days |= {published} if published else set()
    return found


def differing(one: Formulation, read: Read) -> list[str]:
    ends = (min(read.days, default=None), max(read.days, default=None))
    told = (one.first and one.first.published, one.last and one.last.published)
    found = [] if ends == told else [f"{one.text}: {told} told, {ends} read"]
    return found if dict(one.months) == dict(read.months) else [*found, f"{one.text}: months differ"]


def main() -> None:
    settings, database = opening.store()
    opening.kernels()
    search = open_search(settings, database)
    search.count("党建")
    formulations.trace(search, ["社会主义"], hidden=NOTHING_HIDDEN)
    took, traced = [], {}
    for one in ASKED:
        started = time.perf_counter()
        traced[one] = formulations.trace(search, [one], hidden=NOTHING_HIDDEN).formulations[0]
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    print(
        f"{len(took)} formulations: p50 {took[len(took) // 2]:.0f} ms, p95 {took[round(len(took) * 0.95) - 1]:.0f} ms"
    )
    if search.segmenter is None:
        raise SystemExit("no index")
    read = read_all(settings.database, search.segmenter)
    wrong = [line for one in ASKED for line in differing(traced[one], read[one])]
    print(
        "\n".join(wrong)
        or f"first, last and months of {len(ASKED)} formulations equal a reading of every text"
    )


if __name__ == "__main__":
    main()
