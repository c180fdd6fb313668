"""What a hundred topics cost: working out what they have, the topic pages and the index of topics. Prints JSON.

.venv/bin/python scripts/bench/topics.py --data FOLDER [--topics 100] [--rounds 3] [--seed 5]

Copies the data folder, stores topics in two levels whose rules are made of shipped terms in the ways that editors write them
(words, phrases, 标题:, 或 in groups, 非, dates), each with two pins and two exclusions, and counts every one of them against
the same query in plain search. Then asks /topics and every topic page, once each a round, by the test client and over HTTP from
a started `kb serve`. Times are milliseconds; the first round is not counted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from serving import serving

from kb import topic_statistics
from kb.config import Settings
from kb.model import NOTHING_HIDDEN, Exclusion, Topic, TopicContent
from kb.search import Search, open_search
from kb.store import topics, words
from kb.store.db import open_database, writing
from kb.topic_rules import TopicRules
from kb.web import create_app

CHILDREN = 4  # of each topic of the upper level


def rule(dice: random.Random, terms: list[str]) -> str:
    one, two, three, four = dice.sample(terms, 4)
    kinds = (
        f"{one} 或 {two} 或 {three}",
        f"({one} 或 {two}) ({three} 或 {four})",
        f"“{one}” 或 “{two}” 或 标题:{three}",
        f"标题:{one} 或 标题:“{two}”",
        f"({one} 或 {two}) 日期:2012..2022 非 {three}",
        one,
    )
    return dice.choice(kinds)


def stored(search: Search, count: int, seed: int) -> list[Topic]:
    """Topics in the store: of every five the first stands above the others."""
    dice = random.Random(seed)  # noqa: S311  # a sample, not a secret
    terms = sorted(one.word for one in words.shipped() if len(one.word) >= 3)
    made: list[Topic] = []
    with writing(search.database) as connection:
        for number in range(count):
            asked = rule(dice, terms)
            found = search.matches(asked, limit=100).ids
            excluded = tuple(Exclusion(one, "会议通知") for one in found[:2])
            content = TopicContent(
                name=f"专题{number:03}",
                rule=asked,
                introduction=f"关于**专题{number:03}**的学习材料。\n\n- 要点一\n- 要点二\n",
                parent=made[number - number % (CHILDREN + 1)].slug if number % (CHILDREN + 1) else None,
                pinned=(*found[2:3], dice.randrange(1, 50_000)),
                excluded=excluded,
                place=number,
            )
            made.append(topics.add(connection, f"topic-{number:03}", content, "bench"))
    return made


def wrong_counts(search: Search, made: list[Topic]) -> list[str]:
    """Topics whose count is not that of the same query in search, minus exclusions, plus pins."""
    counts, plain = search.counts(hidden=NOTHING_HIDDEN), replace(search, topics=TopicRules())
    living = set(plain.matches(limit=10**7).ids)
    wrong = []
    for topic in made:
        content = topic.content
        found = set(plain.matches(content.rule, limit=10**7).ids)
        found = (found - {one.article_id for one in content.excluded}) | (set(content.pinned) & living)
        page = search.find("", topic=topic).articles
        if not counts[content.name] == page == len(found):
            wrong.append(f"{topic.slug}: {counts[content.name]}, {page}, {len(found)}")
    return wrong


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def told(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "n": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 1),
        "longest": round(ordered[-1], 1),
    }


def asked_by(
    get: Callable[[str], int], paths: list[str], rounds: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Times of the topic pages and of the index of topics. The first of all rounds warms up."""
    pages: list[float] = []
    index: list[float] = []
    statuses: set[int] = set()
    first: list[float] = []
    for number in range(rounds + 1):
        for path in paths:
            times = first if number == 0 else pages
            times.append(timed(lambda path=path: statuses.add(get(path))))  # type: ignore[misc]
            if number and len(index) < len(pages):
                index.append(timed(lambda: statuses.add(get("/topics"))))
    yield "statuses", dict.fromkeys(map(str, sorted(statuses)), 1)
    yield "first_page_of_each", told(first)
    yield "topic_page", told(pages)
    yield "index_of_topics", told(index)


def measured(data: Path, count: int, rounds: int, seed: int) -> dict[str, Any]:
    os.environ |= {"KB_STARTER_TOPICS": "false", "KB_LOG_LEVEL": "WARNING"}  # of what is started too
    settings = Settings(data=data)
    database = open_database(settings.database)
    search = open_search(settings, database)
    search.find("党建")
    made = stored(search, count, seed)
    search = open_search(settings, database)
    search.find("党建")
    search = replace(search, topics=TopicRules(made, search.synonyms))
    result: dict[str, Any] = {"topics": len(made), "articles": search.engine.count()}
    result["all_rules_worked_out"] = round(timed(search.get_ready), 1)
    result["wrong_counts"] = wrong_counts(search, made)
    result["counts"] = told([timed(lambda: search.counts(hidden=NOTHING_HIDDEN)) for _ in range(100)])
    result["find_in_topic"] = told([timed(lambda one=one: search.find("", topic=one)) for one in made])  # type: ignore[misc]
    result["phrases_cold"] = told(
        [timed(lambda one=one: topic_statistics.phrases(search, database, one)) for one in made]  # type: ignore[misc]
    )
    paths = [f"/t/{one.slug}" for one in made]
    client = create_app(settings).test_client()
    result["test_client"] = dict(asked_by(lambda path: client.get(path).status_code, paths, rounds))
    with serving(data) as server:
        parts = urlsplit(server.base)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

        def get(path: str) -> int:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        result["http"] = dict(asked_by(get, paths, rounds))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--topics", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        shutil.copytree(asked.data, data)
        json.dump(
            measured(data, asked.topics, asked.rounds, asked.seed), sys.stdout, ensure_ascii=False, indent=1
        )
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
