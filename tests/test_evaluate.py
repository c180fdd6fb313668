from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb import config
from kb.cli import main
from kb.errors import JudgmentsError
from kb.evaluate import Quality, evaluate, measures, read_documents, read_queries, read_samples

DOCS = (
    {"id": "d1", "title": "青石县的三本账", "text": "流动党员的去向账。\n学习账和作用账。"},
    {"id": "d2", "text": "清河市举办志愿服务活动,党员参加。"},
    {"id": 3, "title": None, "text": "望岭县修好一条水渠。"},
)
QUERIES = "q1\t党员 去向\nq2\t水渠\nq3\t龘龘\nq4\t(没有判定)\n"
QRELS = "q1\td1\t2\nq1\td2\t1\nq2\t3\t1\nq3\td2\t1\nq4\td1\t0\n"
JUDGMENTS = config.shipped("corpus") / "judgments"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    path.mkdir()
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in DOCS)
    (path / "docs.jsonl").write_text(lines, encoding="utf-8")
    (path / "queries.tsv").write_text(QUERIES, encoding="utf-8")
    (path / "qrels.tsv").write_text(QRELS, encoding="utf-8")
    return path


def kb(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(tmp_path / "data"), "eval", *arguments])


def silent(_stage: str, _done: int, _total: int | None) -> None:
    pass


def test_a_set_is_measured_and_printed_as_json(tmp_path: Path, folder: Path) -> None:
    result = kb(tmp_path, str(folder), "--json")
    found = json.loads(result.stdout)

    assert result.exit_code == 0
    assert {name: found[name] for name in ("queries", "documents", "unreadable")} == {
        "queries": 3,
        "documents": 3,
        "unreadable": 0,
    }
    assert (found["ndcg@10"], found["mrr@10"], found["recall@10"]) == (0.6667, 0.6667, 0.6667)
    assert found["zero_hit_rate"] == 0.3333
    assert set(found["intervals"]) == {"ndcg@10", "mrr@10", "recall@10", "zero_hit_rate"}
    assert all(low <= found[name] <= high for name, (low, high) in found["intervals"].items())
    assert found["classes"]["queries"]["ndcg@10"] == 0.6667
    assert json.loads(kb(tmp_path, str(folder), "--json").stdout) == found


def test_the_table_has_a_line_for_every_class_and_one_for_all(tmp_path: Path, folder: Path) -> None:
    (folder / "queries.tsv").rename(folder / "queries_words.tsv")
    (folder / "queries_places.tsv").write_text("q2\t望岭县\n", encoding="utf-8")

    lines = kb(tmp_path, str(folder)).stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["places", "words", "全部"]
    assert "ndcg@10 1.0000 [1.000, 1.000]" in lines[0]


def test_a_third_column_names_the_class_and_documents_may_be_packed(folder: Path) -> None:
    (folder / "queries.tsv").write_text("q1\t党员\tpeople\nq2\t水渠\tplaces\n", encoding="utf-8")
    with gzip.open(folder / "docs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write((folder / "docs.jsonl").read_text(encoding="utf-8"))
    (folder / "docs.jsonl").unlink()

    found = evaluate(folder, config.Settings(), silent)

    assert {name: one.queries for name, one in found.classes.items()} == {"people": 1, "places": 1}
    assert found.documents == 3


def test_fewer_than_ten_articles_with_everything_are_followed_by_those_with_a_part(folder: Path) -> None:
    found = evaluate(folder, config.Settings(), silent)

    # d1 has both words of q1, d2 only 党员: both are judged, and only the two together make the list perfect.
    assert found.overall.means["recall@10"] == 0.6667


def test_a_query_that_cannot_be_read_is_asked_in_plain_words_as_the_page_offers(folder: Path) -> None:
    (folder / "queries.tsv").write_text("q1\t“党员\nq2\t   \n", encoding="utf-8")

    found = evaluate(folder, config.Settings(), silent)

    assert found.unreadable == 2
    assert found.overall.means["zero_hit_rate"] == 0.5


def test_measures_follow_their_definitions() -> None:
    ndcg, rr, recall, empty = measures([0, 2, 1], {"a": 2, "b": 1, "c": 1})

    assert ndcg == pytest.approx((3 / 1.5849625 + 1 / 2) / (3 + 1 / 1.5849625 + 1 / 2))
    assert (rr, recall, empty) == (0.5, pytest.approx(2 / 3), 0.0)
    assert measures([], {"a": 1}) == (0.0, 0.0, 0.0, 1.0)


def broken(name: str, text: str | None) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, encoding="utf-8")

    return break_it


@pytest.mark.parametrize(
    ("break_it", "key", "said"),
    [
        (broken("docs.jsonl", None), "eval.no_file", "docs.jsonl"),
        (broken("queries.tsv", None), "eval.no_file", "queries.tsv"),
        (broken("qrels.tsv", None), "eval.no_file", "qrels.tsv"),
        (broken("docs.jsonl", "{"), "eval.bad_line", "docs.jsonl"),
        (broken("docs.jsonl", '{"id": "d1"}'), "eval.bad_line", "text"),
        (broken("docs.jsonl", '{"id": "d1", "text": "一"}\n' * 2), "eval.repeated", "d1"),
        (broken("docs.jsonl", "\n"), "eval.nothing", "docs"),
        (broken("queries.tsv", "q1 党员\n"), "eval.bad_line", "1 < 2"),
        (broken("qrels.tsv", "q1\td1\thigh\n"), "eval.bad_line", "high"),
        (broken("qrels.tsv", "q9\td1\t1\n"), "eval.nothing", "queries"),
        (lambda folder: (folder / "qrels.tsv").write_bytes(b"\xff\xfe"), "eval.unreadable", "qrels.tsv"),
    ],
)
def test_what_is_wrong_with_a_set_is_said_in_both_languages(
    folder: Path, break_it: Callable[[Path], None], key: str, said: str
) -> None:
    break_it(folder)

    with pytest.raises(JudgmentsError) as caught:
        evaluate(folder, config.Settings(), silent)

    assert caught.value.key == key
    assert said in caught.value.words("zh") and said in caught.value.words("en")


def test_a_folder_or_the_builtin_set_must_be_named(tmp_path: Path, folder: Path) -> None:
    missing = kb(tmp_path, str(tmp_path / "nowhere"))

    assert (missing.exit_code, "eval.no_file" in missing.stderr) == (2, True)
    assert kb(tmp_path).exit_code == 2
    assert kb(tmp_path, str(folder), "--builtin").exit_code == 2


def test_a_text_without_a_title_is_cut_into_a_block_a_line(folder: Path) -> None:
    found = dict(read_documents(folder))

    assert [block.text for block in found["d1"].blocks] == ["流动党员的去向账。", "学习账和作用账。"]
    assert (found["3"].title, len(found["3"].blocks)) == ("", 1)


# --- the judged queries that kb brings ------------------------------------------------------------------------


def test_every_builtin_judgment_names_a_sample_and_a_query() -> None:
    names = {name for name, _ in read_samples()}
    judged = read_queries(JUDGMENTS)
    asked = {
        line.split("\t")[0]
        for path in JUDGMENTS.glob("queries_*.tsv")
        for line in path.read_text(encoding="utf-8").splitlines()
    }

    assert len(judged) >= 150 and len(judged) == len(asked)
    assert {document for one in judged for document in one.grades} <= names
    assert {grade for one in judged for grade in one.grades.values()} == {1, 2}


def test_the_builtin_set_reaches_its_floors() -> None:
    """Floors only rise (corpus/judgments/README.md)."""
    floors = json.loads((JUDGMENTS / "floors.json").read_text(encoding="utf-8"))
    found = evaluate(None, config.Settings(), silent)
    classes: dict[str, Quality] = {"all": found.overall, **found.classes}

    assert set(floors) == set(classes)
    below = [
        f"{name} {metric}: {classes[name].means[metric]} < {least}"
        for name, of_class in floors.items()
        for metric, least in of_class.items()
        if (
            classes[name].means[metric] > least
            if metric == "zero_hit_rate"
            else classes[name].means[metric] < least
        )
    ]
    assert not below
