"""A small index in a few known states, for tests that hurt it: whatever it answers must be the answer of one of them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from kb.engine import generations
from kb.engine.array_engine import ArrayEngine
from kb.errors import EngineDownError
from kb.model import Article, Block, Page, StoredArticle
from kb.query import parse
from kb.store.words import MADE_WITH_KEPT
from kb.text.segment import Segmenter

SUBJECTS = ("主题党日", "廉政教育", "志愿服务", "普法宣传", "乡村振兴")
QUESTIONS = (
    ("党建", "all", "relevance"),
    ("主题党日 支部", "all", "relevance"),
    ("“支部每月开展”", "all", "newest"),
    ("廉政教育 普法宣传", "any", "relevance"),
    ("乡村振兴 日期:2023", "all", "oldest"),
)
Answers = tuple[Any, ...]


def article(number: int, version: int = 0, status: str = "normal") -> StoredArticle:
    """Invented; its words depend on number and version alone. Its id, and its place in the store, is number + 1."""
    subject, other = SUBJECTS[number % 5], SUBJECTS[(number * 7 + version) % 5]
    text = f"支部每月开展{subject},党建与{other}一起谋划,第{number}篇第{version}版。" * (1 + number % 4)
    made = Article(
        key=str(number),
        source="files",
        title=f"{subject}记{version}",
        blocks=(Block("b", "paragraph", None, text),),
        newspaper=("清河日报", "枫溪法治报")[number % 2],
        published=f"{2020 + number % 5}-{1 + number % 12:02}-03",
    )
    return StoredArticle(
        number + 1, number + 1, 1, status, made, None, None, "2026-11-22T00:00:00Z", len(text)
    )


@cache
def segmenter() -> Segmenter:
    """Takes a fifth of a second to make."""
    return Segmenter(list(SUBJECTS))


def open_index(index: Path) -> ArrayEngine:
    """An engine that makes small segments, in this process alone."""
    return ArrayEngine(index, segmenter(), memory_mib=16, batch=50, processes=1)


def first(engine: ArrayEngine) -> None:
    """The state after everything was indexed: sequence number 60."""
    engine.rebuild([[article(number) for number in range(60)]], seq=60)


def changes(seq: int) -> list[StoredArticle]:
    """From state seq - 1 to state seq: two articles are new, two changed, one goes."""
    changed = [article(seq * 2 + more) for more in (0, 1)]
    changed += [article(seq * more % 60, seq) for more in (3, 7)]
    changed.append(article(seq * 11 % 60, status="withdrawn"))
    return changed


def step(engine: ArrayEngine, seq: int) -> None:
    """From state seq - 1 to state seq, as an update."""
    engine.update(changes(seq), seq=seq)


def rebuild(engine: ArrayEngine, seq: int) -> None:
    """To state seq from nothing, or from where a rebuild to the same state was killed."""
    latest = {number + 1: article(number) for number in range(60)}
    for before in range(61, seq + 1):
        latest |= {changed.id: changed for changed in changes(before)}
    after = engine.reached()
    left = [latest[number] for number in sorted(latest) if latest[number].seq > after]
    engine.rebuild([left[:20], left[20:]], seq=seq, after=after)


def answers(engine: ArrayEngine) -> Answers:
    """Its sequence number, and what it answers to every question. Raises EngineDownError."""
    seq = engine.indexed_seq()
    found = [
        engine.find(
            parse(text, date.min),
            Page(facets=("newspaper", "year"), sort=sort, limit=8, seconds=60.0),
            match=match,
        )  # type: ignore[arg-type]
        for text, match, sort in QUESTIONS
    ]
    told = [
        (one.total, tuple(one.ids), tuple(round(score, 6) for score in one.scores), repr(one.facets))
        for one in found
    ]
    return (seq, engine.count(), *told) if engine.indexed_seq() == seq else answers(engine)


def answers_or_none(engine: ArrayEngine) -> Answers | None:
    try:
        return answers(engine)
    except EngineDownError:
        return None


@dataclass(frozen=True)
class Known:
    """An index on the disk, and what each of its states answers."""

    index: Path
    by_seq: dict[int, Answers]

    def copy(self, to: Path) -> Path:
        """A copy whose generations share files as the original's do."""
        subprocess.run(["cp", "-a", str(self.index), str(to)], check=True)
        return to


def make(index: Path, *, steps: int) -> Known:
    engine = open_index(index)
    first(engine)
    by_seq = {60: answers(engine)}
    for seq in range(61, 61 + steps):
        step(engine, seq)
        by_seq[seq] = answers(engine)
    return Known(index, by_seq)


def left_over(index: Path) -> list[str]:
    """Files that no kept generation names, and what lies there beyond CURRENT and two generations."""
    kept = generations.sealed(index)
    known = {index / generations.CURRENT, *kept[:2], *sorted(index.glob("words-*.json"))[:MADE_WITH_KEPT]}
    for folder in kept[:2]:
        known |= {folder / generations.MANIFEST}
        known |= {folder / name for name in json.loads((folder / generations.MANIFEST).read_text())["files"]}
    return sorted(str(path.relative_to(index)) for path in index.rglob("*") if path not in known)
