"""What every engine promises, whatever is inside. A new engine joins ENGINES and must pass all of it."""

import gc
import itertools
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.engine import open_engine
from kb.errors import EngineDownError
from kb.model import Article, Author, Block, Filters, Page, Query, StoredArticle, Word
from kb.query import parse
from kb.text.normalize import fold
from kb.text.segment import Segmenter

ENGINES = {"whoosh": open_engine}
TODAY = date(2026, 11, 23)
LEXICON = ["三会一课", "主题党日", "主题党日活动", "党建引领", "公益诉讼"]


def stored(
    number,
    title="无题",
    *texts,
    authors=(),
    affiliation=None,
    newspaper=None,
    published=None,
    status="normal",
    **more,
):
    blocks = tuple(Block(f"b{i}", "paragraph", None, text) for i, text in enumerate(texts))
    people = tuple(Author(name, "作者") for name in authors)
    article = Article(
        key=str(number),
        source="files",
        title=title,
        blocks=blocks,
        authors=people,
        affiliation=affiliation,
        newspaper=newspaper,
        published=published,
        **more,
    )
    return StoredArticle(number, number, 1, status, article, None, None, "2026-11-22T00:00:00Z", 0)


SHELF = [
    stored(
        1,
        "党建与业务深度融合的探索",
        "县检察院把党建工作和业务工作一起谋划。",
        "支部每月开展主题党日活动,落实三会一课。",
        authors=("周见山",),
        affiliation="青石县人民检察院",
        newspaper="清河日报",
        published="2023-08-02",
        kicker="基层党建",
        subtitle="——以青石县为例",
    ),
    stored(
        2, "公益诉讼守护古树", "公益诉讼检察,服务生态保护。", newspaper="清河日报", published="2024-03-15"
    ),
    stored(
        3,
        "青年理论学习小组",
        "青年干警学习理论,党建引领业务。",
        newspaper="枫溪法治报",
        published="2023-12-31",
    ),
    stored(4, "没有日期的通知", "各支部学习通知精神。党建,常抓不懈。", newspaper="枫溪法治报"),
    stored(5, "来路不明的文章", "业务培训开班,周见山授课。", published="2024-01-01"),
]


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter(LEXICON)


@pytest.fixture(params=sorted(ENGINES))
def make(request, tmp_path, segmenter):
    """Opens the engine under test over one folder; further calls are further processes, as it were."""

    def opened(words=segmenter, **options):
        return ENGINES[request.param](tmp_path / "index", words, **options)

    return opened


@pytest.fixture(params=sorted(ENGINES), scope="module")
def shelf(request, tmp_path_factory, segmenter):
    """An engine with SHELF in it, for tests that only read."""
    engine = ENGINES[request.param](tmp_path_factory.mktemp("shelf"), segmenter)
    engine.rebuild([SHELF[:2], SHELF[2:]], seq=5)
    return engine


def find(engine, text, *, match="all", filters=None, sort="relevance", offset=0, limit=100):
    query = parse(text, TODAY)
    filters = filters or Filters()
    page = Page(only=filters.only, facets=("newspaper", "year"), sort=sort, offset=offset, limit=limit)
    return engine.find(query, page, match=match)


def ids(engine, text, **options):
    return sorted(find(engine, text, **options).ids)


# --- what is found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("党建", [1, 3, 4]),
        ("党建 业务", [1, 3]),
        ("党建 公益诉讼", []),
        ("黨建　業務", [1, 3]),
        ("主题党日", [1]),
        ("党建工作", [1]),
        ("古树", [2]),
        ("基层", [1]),
        ("青石县", [1]),
        ("周见山", [1, 5]),
        ("见周山", []),
        ("作者:周见山", [1]),
        ("单位:检察院", [1]),
        ("单位:公益诉讼", []),
        ("报纸:清河日报", [1, 2]),
        ("标题:学习", [3]),
        ("标题:“理论学习”", [3]),
        ("标题:党建 业务", [1]),
        ("“党建引领业务”", [3]),
        ("“党建工作和业务工作”", [1]),
        ("“业务工作和党建工作”", []),
        ("“学习理论”", [3]),
        ("“理论党建引领”", [3]),
        ("“一起谋划支部”", []),
        ("“周见山”", [5]),
        ("日期:2023", [1, 3]),
        ("日期:2023-12 党建", [3]),
        ("日期:2024..", [2, 5]),
        ("日期:..2023-08-02", [1]),
        ("没有这个词呀", []),
    ],
)
def test_all_that_was_typed_must_be_there(shelf, text, expected):
    found = find(shelf, text)

    assert sorted(found.ids) == expected
    assert found.total == len(expected)


def test_a_clause_of_marks_alone_finds_nothing(shelf):
    query = Query("——", Word("——"))
    found = shelf.find(query, Page())

    assert found.total == 0


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        ("党建 公益诉讼 生态", [2], {1, 3, 4}),
        ("青年 党建 没有这个词呀", [3], {1, 4}),
        ("党建引领青年办案的经验", [3], {1, 2, 4}),
        ("日期:2023 公益诉讼 青年", [3], set()),
    ],
)
def test_any_puts_articles_with_more_of_the_words_first(shelf, text, first, others):
    found = find(shelf, text, match="any")

    assert list(found.ids[: len(first)]) == first
    assert set(found.ids[len(first) :]) <= others
    assert found.total == len(found.ids)


def test_marks_are_the_pieces_of_words_and_whole_phrases(shelf):
    query = parse("黨建工作 “业务,融合” 作者:周见山 标题:探索 许剑虹 日期:2023", TODAY)

    assert [mark.text for mark in shelf.marks(query)][-3:] == ["业务融合", "探索", "许剑虹"]


# --- order, pages, facets ---------------------------------------------------------------------------------


def test_dates_sort_both_ways_and_unknown_ones_come_last(shelf):
    newest = find(shelf, "党建", sort="newest").ids
    oldest = find(shelf, "党建", sort="oldest").ids

    assert newest == (3, 1, 4)
    assert oldest == (1, 3, 4)


def test_facets_count_the_whole_match_set_and_name_the_unknown(shelf):
    found = find(shelf, "业务", limit=1)

    assert found.total == 3
    assert found.facets["newspaper"] == (("枫溪法治报", 1), ("清河日报", 1), ("", 1))
    assert found.facets["year"] == (("2024", 1), ("2023", 2))
    assert find(shelf, "学习").facets["year"] == (("2023", 1), ("", 1))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters({"newspaper": ("清河日报",)}), [1]),
        (Filters({"newspaper": ("清河日报", "枫溪法治报")}), [1, 3, 4]),
        (Filters({"newspaper": ("枫溪法治报",), "year": ("2023",)}), [3]),
        (Filters({"year": ("",)}), [4]),
        (Filters({"year": ("2023", "")}), [1, 3, 4]),
        (Filters({"newspaper": ("",)}), []),
        (Filters({"year": ("二〇二三", "99999999999999999999")}), []),
    ],
)
def test_filters_are_or_within_a_facet_and_and_across(shelf, filters, expected):
    found = find(shelf, "党建", filters=filters)

    assert sorted(found.ids) == expected
    assert found.total == len(expected)


def test_the_other_values_of_a_chosen_facet_stay_in_sight(shelf):
    found = find(shelf, "党建", filters=Filters({"newspaper": ("清河日报",)}))

    assert dict(found.facets["newspaper"]) == {"清河日报": 1, "枫溪法治报": 2}
    assert dict(found.facets["year"]) == {"2023": 1}


def test_equal_scores_are_ordered_by_article_id_and_pages_fit_together(make):
    engine = make(batch=7)
    numbers = list(range(1, 41))
    random.Random(4).shuffle(numbers)
    engine.rebuild([[stored(n, "标题", "支部学习党建。")] for n in numbers], seq=40)
    pages = [find(engine, "党建", offset=at, limit=9).ids for at in range(0, 45, 9)]

    assert [one for page in pages for one in page] == list(range(1, 41))
    assert find(engine, "党建", offset=4, limit=0).total == 40


# --- exactness --------------------------------------------------------------------------------------------

WORDS = "党建 业务 融合 学习 公益诉讼 主题党日活动 检察 的 和 许 剑 虹 2023 gb/t , 。".split()
VOCABULARY = [*WORDS, " "]
GENERATED = st.lists(st.sampled_from(VOCABULARY), max_size=12).map("".join)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def generated(request, tmp_path_factory, segmenter):
    """300 articles of random words over several segments, some replaced, some removed; and what is in them."""
    pick = random.Random(7)

    def text():
        return "".join(pick.choices(VOCABULARY, k=pick.randint(1, 30)))

    articles = {n: stored(n, text(), text(), text()) for n in range(1, 301)}
    engine = ENGINES[request.param](tmp_path_factory.mktemp("generated"), segmenter, batch=60)
    engine.rebuild([list(articles.values())], seq=300)
    for n in range(1, 61, 3):
        articles[n] = stored(n, text(), text())
    engine.update([articles[n] for n in range(1, 61, 3)], seq=301)
    engine.update([replace(articles.pop(n), status="withdrawn") for n in range(100, 130)], seq=302)
    return engine, articles


def parts(one):
    return [one.article.title, *(block.text for block in one.article.blocks)]


@given(phrase=GENERATED.filter(lambda text: bool(fold(text))))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_phrase_is_found_exactly_where_its_folded_characters_stand(generated, phrase):
    engine, articles = generated
    holding = {n for n, one in articles.items() if any(fold(phrase) in fold(part) for part in parts(one))}

    assert set(ids(engine, f"“{phrase}”", limit=1000)) == holding


def test_ids_totals_and_scores_equal_an_exhaustive_scan(generated, segmenter, monkeypatch):
    """Before the first of the order are looked at again (test_window.py)."""
    monkeypatch.setattr("kb.engine.rank.rerank", lambda _snapshot, _docs, scores, _terms: scores)
    engine, articles = generated
    words = {
        n: Counter(token.word for part in parts(one) for token in segmenter.tokens(part))
        for n, one in articles.items()
    }
    grams = {
        n: Counter(gram for part in parts(one) for gram in _grams(fold(part))) for n, one in articles.items()
    }
    for query in (["党建"], ["党建", "业务"], ["公益诉讼", "2023", "检察"], ["主题", "活动"]):
        pairs = list(dict.fromkeys(gram for word in query for gram in map("".join, itertools.pairwise(word))))
        beside = _bm25(pairs, grams)
        expected = {
            n: score + 0.5 * beside[n]
            for n, score in _bm25(query, words).items()
            if all(words[n][w] for w in query)
        }
        found = find(engine, " ".join(query), limit=1000)

        assert found.total == len(expected) > 0
        assert dict(zip(found.ids, found.scores, strict=True)) == pytest.approx(expected, rel=1e-6)
        assert list(found.ids) == sorted(expected, key=lambda n: (-round(expected[n], 9), n))


def _grams(folded):
    return map("".join, itertools.pairwise(folded + "\n"))


def _bm25(words, bags):
    lengths = {n: sum(bag.values()) for n, bag in bags.items()}
    mean = sum(lengths.values()) / len(lengths)
    scores = dict.fromkeys(bags, 0.0)
    for word in words:
        holding = sum(1 for bag in bags.values() if bag[word])
        idf = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
        for n, bag in bags.items():
            scores[n] += idf * bag[word] * 2.2 / (bag[word] + 1.2 * (0.25 + 0.75 * lengths[n] / mean))
    return scores


def test_many_small_updates_answer_as_one_build_does(make, segmenter, tmp_path):
    pick = random.Random(9)
    latest = {}
    grown = make()
    grown.rebuild([], seq=0)
    for seq in range(1, 41):
        batch = [
            stored(
                n, "一", "".join(pick.choices(VOCABULARY, k=9)), newspaper=pick.choice(["甲报", "乙报", None])
            )
            for n in pick.choices(range(1, 60), k=3)
        ]
        latest.update({one.id: one for one in batch})
        grown.update(batch, seq=seq)
    built = open_engine(tmp_path / "other", segmenter)
    built.rebuild([list(latest.values())], seq=40)

    assert grown.count() == built.count() == len(latest)
    assert grown.indexed_seq() == 40
    for text in ("党建", "业务 学习", "“党建业务”", "许剑虹", "报纸:甲报"):
        one, other = find(grown, text), find(built, text)
        assert one.ids == other.ids
        assert one.scores == pytest.approx(other.scores)
        assert one.facets == other.facets
    assert len(list((tmp_path / "index").glob("*/*"))) < 60  # segments were merged, old generations removed


# --- change -----------------------------------------------------------------------------------------------


def test_an_update_replaces_adds_and_removes_and_counts_as_one(make):
    engine = make()
    engine.rebuild([SHELF], seq=5)
    changed = stored(1, "改了题目", "新的内容。", newspaper="新来的报")
    gone = replace(SHELF[1], status="gone")
    engine.update([SHELF[0], gone, changed, stored(9, "第九篇", "新的内容。")], seq=9)

    assert ids(engine, "新的内容") == [1, 9]
    assert ids(engine, "党建") == [3, 4]
    assert ids(engine, "公益诉讼") == []
    assert engine.count() == 5
    assert engine.indexed_seq() == 9
    assert dict(find(engine, "新的内容").facets["newspaper"]) == {"新来的报": 1, "": 1}


def test_the_same_update_twice_changes_nothing(make):
    engine = make()
    engine.rebuild([SHELF], seq=5)
    for _ in range(2):
        engine.update([stored(1, "改了题目", "新的内容。")], seq=6)

    assert engine.count() == 5
    assert ids(engine, "新的内容") == [1]


def test_an_empty_update_still_moves_the_sequence_number(make):
    engine = make()
    engine.rebuild([SHELF], seq=5)
    engine.update([], seq=8)

    assert engine.indexed_seq() == 8
    assert engine.count() == 5


def test_another_process_sees_a_change_at_its_next_query(make):
    writer, reader = make(), make()
    writer.rebuild([SHELF[:1]], seq=1)
    before = ids(reader, "党建")
    writer.update([SHELF[2]], seq=3)

    assert before == [1]
    assert ids(reader, "党建") == [1, 3]


def test_an_empty_index_answers_with_nothing_and_has_no_problem(make):
    engine = make()
    engine.rebuild([], seq=0)

    assert engine.problem() is None
    assert find(engine, "党建").total == 0
    assert find(engine, "日期:2023", match="any").total == 0


def test_a_build_that_fails_leaves_the_old_index_and_no_litter(make, tmp_path):
    engine = make(batch=2)
    engine.rebuild([SHELF], seq=5)
    before = sorted(path.name for path in (tmp_path / "index").rglob("*"))

    def broken():
        yield SHELF
        raise RuntimeError("store went away")

    with pytest.raises(RuntimeError):
        engine.rebuild(broken(), seq=6)

    assert sorted(path.name for path in (tmp_path / "index").rglob("*")) == before
    assert ids(engine, "党建") == [1, 3, 4]
    engine.update([stored(9, "之后", "照常写入。")], seq=9)
    assert engine.count() == 6


def test_searches_in_many_threads_never_see_half_a_batch(make):
    engine = make()
    engine.rebuild([[stored(n, "题", "党建学习。") for n in range(1, 11)]], seq=0)
    seen, failures, stop = set(), [], threading.Event()

    def search():
        while not stop.is_set():
            try:
                found = find(engine, "党建 学习")
                seen.add(found.total)
                if found.total != len(found.ids):
                    failures.append(found)
            except EngineDownError as error:
                failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for seq in range(1, 9):
        make().update([stored(seq * 100 + n, "题", "党建学习。") for n in range(10)], seq=seq)
    stop.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert seen <= set(range(10, 91, 10))


# --- trouble ----------------------------------------------------------------------------------------------


def test_without_an_index_it_says_so_instead_of_answering_nothing(make):
    engine = make()
    for ask in (
        lambda: find(engine, "党建"),
        engine.count,
        engine.indexed_seq,
        lambda: engine.update([], seq=1),
    ):
        with pytest.raises(EngineDownError):
            ask()

    assert "kb reindex --all" in engine.problem()
    assert engine.verify() == [engine.problem()]


def test_an_index_made_with_another_lexicon_must_be_rebuilt(make):
    make().rebuild([SHELF], seq=5)
    other = make(Segmenter([*LEXICON, "枫溪夜话"]))
    with pytest.raises(EngineDownError) as caught:
        find(other, "党建")

    assert caught.value.key == "index.outdated"
    other.rebuild([SHELF], seq=5)
    assert ids(other, "党建") == [1, 3, 4]


def test_a_deleted_index_is_noticed_by_a_running_process(make, tmp_path):
    engine = make()
    engine.rebuild([SHELF], seq=5)
    assert ids(engine, "党建") == [1, 3, 4]
    (tmp_path / "index" / "CURRENT").unlink()

    assert engine.problem() is not None


def test_truncated_files_are_never_answered_from(make, tmp_path):
    make().rebuild([SHELF], seq=5)
    for path in sorted((tmp_path / "index").glob("gen-*/*")):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(EngineDownError):
            find(make(), "党建")
        path.write_bytes(whole)

    assert ids(make(), "党建") == [1, 3, 4]


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Whoosh lets go of files that it fails to read unclosed
def test_a_flipped_bit_is_found_by_verify_and_never_crashes_a_search(make, tmp_path):
    make().rebuild([SHELF], seq=5)
    pick = random.Random(3)
    paths = sorted((tmp_path / "index").glob("gen-*/*"))
    for _ in range(60):
        path = pick.choice(paths)
        whole = path.read_bytes()
        at = pick.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << pick.randrange(8)]) + whole[at + 1 :])
        engine = make()
        try:
            find(engine, "党建")
        except EngineDownError as error:
            assert error.words("zh")
        assert engine.verify() != []
        path.write_bytes(whole)
    gc.collect()

    assert make().verify() == []


KILLED = """
import sys
from pathlib import Path
from kb.engine import generations, open_engine
from kb.text.segment import Segmenter
from tests.engine.test_contract import LEXICON, stored
engine = open_engine(Path(sys.argv[1]), Segmenter(LEXICON))
seq = engine.indexed_seq()
print("ready", flush=True)
while True:
    seq += 1
    engine.update([stored(seq * 10 + n, "题", "党建学习。") for n in range(10)], seq=seq)
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_keeps_whole_batches_and_the_next_run_goes_on(make, tmp_path):
    make().rebuild([], seq=0)
    pick = random.Random()
    for _ in range(20):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / "index")],
            stdout=subprocess.PIPE,
            cwd=os.getcwd(),
        )
        assert child.stdout.readline() == b"ready\n"
        time.sleep(pick.uniform(0, 0.5))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        engine = make()

        assert engine.verify() == []
        assert engine.count() == find(engine, "党建 学习", limit=0).total == engine.indexed_seq() * 10
    engine.tidy()
    left = sorted(path.name for path in (tmp_path / "index").iterdir())
    assert len(left) <= 3
    assert not any("partial" in name or "new" in name for name in left)
