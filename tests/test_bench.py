"""The benchmarks run, refuse what they cannot measure, and notice a wrong answer. How fast anything is, no test says."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kb.parse.files import read_archive_line

BENCH = Path(__file__).resolve().parent.parent / "scripts" / "bench"
PLACES = "清河 岚山 望江 青原 云岭 松洲".split()
DEEDS = "开展主题党日 推动党建与业务融合 落实三会一课 走访企业 办理案件 学习法律条文 总结基层经验".split()
ENDS = "群众满意度不断提高 工作质量明显提升 形成了长效机制 取得了积极成果".split()


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Modules of scripts/bench, which find each other beside themselves as they do when run."""
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module


def invented(count: int) -> list[dict[str, Any]]:
    """Documents of random sentences, the same ones every time."""
    pick = random.Random(7)
    documents = []
    for number in range(1, count + 1):
        place, deed = pick.choice(PLACES), pick.choice(DEEDS)
        texts = [
            f"{pick.choice(PLACES)}县干警{pick.choice(DEEDS)}，{pick.choice(ENDS)}。"
            for _ in range(pick.randint(3, 9))
        ]
        date = (
            None
            if number % 9 == 0
            else f"20{pick.randint(15, 24)}-0{pick.randint(1, 9)}-1{pick.randint(0, 9)}"
        )
        columns = {"date": date, "newspaper": pick.choice([f"{place}日报", None]), "author": "周见山"}
        title = f"{place}县{deed}，{pick.choice(ENDS)}"
        documents.append({"id": number, "title": title, "body": "\n".join(texts), **columns})
    return documents


def archive(path: Path, documents: list[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
    return path


# --- engines.py -------------------------------------------------------------------------------------------------


def test_a_corpus_that_is_missing_is_said_and_nothing_is_measured(tmp_path: Path) -> None:
    done = run(
        "engines.py", "--corpus", tmp_path / "none.jsonl.gz", "--docs", 10, "--peers", "fts5", "--json"
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path / 'none.jsonl.gz'} is missing" in done.stderr


def test_a_peer_that_nobody_knows_is_said(tmp_path: Path) -> None:
    done = run(
        "engines.py", "--corpus", archive(tmp_path / "a.jsonl.gz", invented(1)), "--peers", "fts5,grep"
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "grep: no such peer; there are tantivy, fts5, whoosh" in done.stderr


def test_a_peer_that_is_not_installed_is_named_with_how_to_install_it(
    module: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = module("peers")
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "tantivy" else name)

    with pytest.raises(
        RuntimeError, match=r"tantivy is not installed \(python3 scripts/bootstrap.py bench\)"
    ):
        list(peers.named("fts5,tantivy"))


@pytest.mark.slow
def test_a_small_comparison_has_every_figure_and_no_difference(tmp_path: Path) -> None:
    corpus = archive(tmp_path / "small.jsonl.gz", invented(50))
    options = ["--queries", 6, "--passes", 1, "--openings", 1, "--slow-docs", 30, "--out", tmp_path / "out"]
    done = run("engines.py", "--corpus", corpus, "--docs", 50, "--peers", "fts5,whoosh", "--json", *options)
    result = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert result["docs"] == 50
    assert result["exact"]["differences"] == 0
    assert result["exact"]["queries"] == sum(
        figures["kb"]["n"] for some in ("classes", "words_bigrams") for figures in result[some].values()
    ) + sum(
        figures[kind]["n"]
        for figures in result["find"]["classes"].values()
        for kind in ("words_dated", "both_plain", "both_dated")
    )
    assert list(result["classes"]) == ["one", "and", "or", "nl", "phrase", "hot"]
    for figures in result["classes"].values():
        for engine in ("kb", "fts5", "whoosh"):
            for clock in ("cpu", "wall"):
                assert (
                    0
                    < figures[engine][clock]["p50"]
                    <= figures[engine][clock]["p95"]
                    <= figures[engine][clock]["p99"]
                )
    for figures in result["index"].values():
        assert min(figures[name] for name in ("docs_per_s_cpu", "docs_per_s_wall", "size_mb", "peak_mb")) > 0
    assert result["index"]["whoosh"]["docs"] == 30
    assert "whoosh gets 30 of 50 documents" in done.stderr
    assert result["open_ms"] > 0
    assert result["cold_first_query_ms"] > 0
    assert result["two_threads"]["ratio"] > 0
    assert all(one["odd"] == 0 < one["answers"] for one in result["peers_odd_answers"].values())
    assert json.loads((tmp_path / "out" / "engines.json").read_text(encoding="utf-8")) == result


# --- what differs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "scores"),
    [
        ([3, 5], [2.0, 1.0]),  # one is lost
        ([3, 7, 5], [2.0, 1.0, 1.0]),  # equal scores in the wrong order
        ([3, 5, 9], [2.0, 1.0, 1.0]),  # another document
        ([3, 5, 7], [2.0, 1.0, 1.00001]),  # another score
    ],
)
def test_a_wrong_answer_is_noticed(
    module: Callable[[str], ModuleType], ids: list[int], scores: list[float]
) -> None:
    checking = module("checking")
    right = checking.Right(3, [3, 5, 7], [2.0, 1.0, 1.0])

    assert checking.same([3, 5, 7], [2.0, 1.0, 1.0], right)
    assert not checking.same(ids, scores, right)


def test_sums_in_another_order_may_change_places(module: Callable[[str], ModuleType]) -> None:
    checking = module("checking")
    right = checking.Right(2, [5, 3], [1.0000000000000002, 1.0])

    assert checking.same([3, 5], [1.0, 1.0], right)


def test_a_wrong_total_or_facet_is_noticed(module: Callable[[str], ModuleType]) -> None:
    checking = module("checking")
    model = import_module("kb.model")
    facets = {"newspaper": {"清河日报": 1, "": 1}, "year": {"2024": 2}}
    given = {"newspaper": (("清河日报", 1), ("", 1)), "year": (("2024", 2),)}
    right = checking.Right(2, [3, 5], [2.0, 1.0])

    assert checking.same_found(model.Found(2, (3, 5), (2.0, 1.0), given), right, facets)
    assert not checking.same_found(model.Found(3, (3, 5), (2.0, 1.0), given), right, facets)
    assert not checking.same_found(
        model.Found(2, (3, 5), (2.0, 1.0), given | {"year": (("2024", 1),)}), right, facets
    )


def test_a_peer_that_finds_what_does_not_match_looks_odd(module: Callable[[str], ModuleType]) -> None:
    checking, peers = module("checking"), module("peers")
    question = peers.Question("any", ("党建",))
    right = checking.Right(2, [3, 5], [2.0, 1.0])

    assert checking.sane("tantivy", question, ([3, 5], [2.05, 0.99]), right, {3, 5})
    assert not checking.sane("tantivy", question, ([3, 5], [3.0, 1.0]), right, {3, 5})
    assert not checking.sane("fts5", question, ([3, 9], [2.0, 1.0]), right, {3, 5})


# --- make_corpus.py ---------------------------------------------------------------------------------------------


@pytest.fixture
def real_texts(tmp_path: Path) -> Path:
    """A folder like the one that real texts come in: 20 items and a law of 40 articles."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    law = "\n".join(
        f"第{number}条 {DEEDS[number % 7]}应当{ENDS[number % 4] * 4}。" for number in range(1, 41)
    )
    names = ("laws", "gov_reports_2026", "xi_speeches_2020", "rmrb_dprk")
    archive(folder / "xwlb.jsonl.gz", invented(20))
    for name in names:
        archive(folder / f"{name}.jsonl.gz", [{"title": f"{name}条例", "date": "2020-01-02", "body": law}])
    return folder


def test_a_corpus_is_the_same_for_the_same_seed_and_an_archive(real_texts: Path, tmp_path: Path) -> None:
    made = [tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"]
    for path in made:
        done = run("make_corpus.py", "--from", real_texts, "--docs", 120, "--out", path)
        assert done.returncode == 0, done.stderr
    with gzip.open(made[0], "rt", encoding="utf-8") as file:
        articles = [read_archive_line(line, source="files") for line in file]

    assert made[0].read_bytes() == made[1].read_bytes()
    assert len({article.key for article in articles}) == 120
    for name in ("newspaper", "published", "edition_page", "affiliation"):
        assert len({getattr(article, name) for article in articles}) > 2
        assert any(getattr(article, name) is None for article in articles)
    assert any(article.authors for article in articles)


def test_long_texts_are_cut_between_articles_and_nothing_of_them_is_lost(
    module: Callable[[str], ModuleType],
) -> None:
    make_corpus = module("make_corpus")
    body = "\n".join(f"第{number}条 {'党建工作应当与业务融合。' * 9}" for number in range(1, 30))
    pieces = list(make_corpus.pieces(make_corpus.Text("融合条例", None, body)))

    assert "\n".join(piece.body for piece in pieces) == body
    assert all(piece.body.startswith("第") and len(piece.body) < 1000 for piece in pieces)
    assert [piece.title for piece in pieces[:2]] == ["融合条例", f"融合条例 {pieces[1].body.split()[0]}"]


def test_real_texts_that_are_missing_are_named(tmp_path: Path) -> None:
    done = run("make_corpus.py", "--from", tmp_path, "--docs", 10, "--out", tmp_path / "out.jsonl.gz")

    assert done.returncode == 2
    assert "xwlb.jsonl.gz" in done.stderr
    assert not list(tmp_path.iterdir())
