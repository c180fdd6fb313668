"""No query hangs, breaks or swells the service (reliability.md §6, S4)."""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from kb.web.headers import ALWAYS
from tests.engine.test_contract import WORDS
from tests.gates.hostile_queries import HOSTILE, generated
from tests.serving import PATIENCE_SECONDS, Served, command, serving

ARTICLES = 600
LONGEST_SECONDS = 1.5
MOST_GROWTH_MIB = 64
SEED = 20261123


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over articles of the words that are asked for, which has answered before."""
    folder = tmp_path_factory.mktemp("hostile")
    dice = random.Random(SEED)
    lines = []
    for number in range(ARTICLES):
        text = "".join(dice.choices(WORDS, k=dice.randint(40, 400)))
        paper = dice.choice(["清河日报", "枫溪法治报"])
        record = {"id": number, "title": text[:12], "body": text, "date": f"2023-{number % 12 + 1:02}-11"}
        lines.append(json.dumps(record | {"newspaper": paper}, ensure_ascii=False))
    archive = folder / "articles.jsonl"
    archive.write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(
        command(folder / "data", "add", str(archive)), check=True, stdout=subprocess.DEVNULL, timeout=600
    )
    with serving(folder / "data") as running:
        for query in ("学习", "“学习党建”", "学习 或 党建", "标题:学 日期:2023", "没有这样的话"):
            for _ in range(10):
                assert ask(running, query)[0] == 200
        yield running


def ask(served: Served, query: str) -> tuple[int, float]:
    """The status, and the seconds until the whole page was there."""
    started = time.monotonic()
    url = f"{served.base}/search?q={quote(query)}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own
            answer.read()
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        error.read()
        status = error.code
    return status, time.monotonic() - started


def resident_mib(served: Served) -> float:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1024


def test_the_queries_that_brought_others_down_are_answered_or_refused_in_time(served: Served) -> None:
    before = resident_mib(served)
    answers = {what: ask(served, query) for what, query in HOSTILE.items()}

    assert {what: status for what, (status, _) in answers.items() if status not in (200, 400)} == {}
    assert {what: seconds for what, (_, seconds) in answers.items() if seconds > LONGEST_SECONDS} == {}
    assert resident_mib(served) - before <= MOST_GROWTH_MIB


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_generated_queries_are_answered_or_refused_in_time(served: Served, count: int) -> None:
    before = resident_mib(served)
    answers = [(query, *ask(served, query)) for query in generated(count, SEED)]

    assert [query for query, status, _ in answers if status not in (200, 400)] == []
    assert [(query, seconds) for query, _, seconds in answers if seconds > LONGEST_SECONDS] == []
    assert resident_mib(served) - before <= MOST_GROWTH_MIB
    assert {status for _, status, _ in answers} == {
        200,
        400,
    }  # some of each, or the pieces have lost their point


def test_what_is_refused_before_it_is_read_has_the_headers_of_every_answer(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{served.base}/search?q={'a' * 500_000}", timeout=PATIENCE_SECONDS)  # noqa: S310

    assert (caught.value.code, "内容太大" in caught.value.read().decode()) == (400, True)
    assert ALWAYS.items() <= dict(caught.value.headers).items()
