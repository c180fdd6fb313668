"""What is written can be read back, however it was cut, merged, interrupted or resumed."""

import os
import random
import signal
import subprocess
import sys
from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.engine import columns, encoding, leaves, merging, parallel, segment_writer, segments, spool
from kb.engine.array_engine import ArrayEngine
from kb.engine.encoding import FieldWriter
from kb.engine.index_writer import IndexWriter
from kb.engine.inversion import invert
from kb.engine.layout import C_WIDTH, CHUNK, find_term, lower_bound, point, tops
from kb.engine.parallel import Workers, pieces
from kb.engine.tokens import FIELDS, Tokeniser, Tokens
from kb.text.segment import Segmenter
from tests.engine.test_contract import find, ids, stored
from tests.engine.test_exactness import SEGMENTER, article

TOKENISER = Tokeniser(SEGMENTER)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


# --- one field ----------------------------------------------------------------------------------------------


def tokens_of(postings):
    """{term: {document: positions}} as the tokens of a text."""
    terms = sorted(postings)
    found = sorted(
        (doc, position, number)
        for number, term in enumerate(terms)
        for doc, places in postings[term].items()
        for position in places
    )
    docs, positions, numbers = (np.array(column) for column in zip(*found, strict=True))
    return Tokens(
        np.frombuffer(b"".join(terms), np.uint8),
        np.cumsum([len(term) for term in terms]),
        numbers.astype(np.uint32),
        docs.astype(np.uint16),
        positions.astype(np.uint32),
    )


NOTHING = Tokens(*(np.empty(0, kind) for kind in (np.uint8, np.int64, np.uint32, np.uint16, np.uint32)))


def written(folder, name, postings, docs):
    """A segment whose field "text" has these postings."""
    packed = {}
    for field in FIELDS:
        tokens = tokens_of(postings) if field == "text" and postings else NOTHING
        writer = FieldWriter(folder, np.bincount(tokens.docs, minlength=docs).astype(np.uint32))
        invert(tokens, writer)
        packed[field] = writer.finish()
    shelf = [stored(number) for number in range(docs)]
    spans = TOKENISER.cut(one.article for one in shelf).spans
    segment_writer.write(folder, name, packed, columns.columns_of(shelf), spans)
    return segments.read(folder, name, 0)


def read_back(segment):
    row = segment.row("text")
    found = {}
    for number, term in enumerate(segment.terms("text")):
        docs, counts, places = leaves.all_positions(row, number)
        parts = np.split(places, np.cumsum(counts)[:-1])
        found[term] = {doc: part.tolist() for doc, part in zip(docs.tolist(), parts, strict=True)}
    return found


TERMS = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.text("党建学习", min_size=1, max_size=12).map(str.encode),
    st.integers(0, 40).map(lambda size: b"a" * size + b"b"),
    st.just(b"c" * 300),
)
PLACES = st.one_of(
    st.lists(st.integers(0, 200), min_size=1, max_size=40, unique=True).map(sorted),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4, unique=True).map(sorted),
)
DOCS = st.one_of(st.integers(0, 9), st.integers(0, 599))
SPARSE = st.dictionaries(TERMS, st.dictionaries(DOCS, PLACES, min_size=1, max_size=8), max_size=50)
SMALL_BUFFERS = {"ROOM": 640, "TERM_ROOM": 64, "POS_ROOM": 64}


def dense(draw_from):
    """Some of the terms in every third document as well."""
    return {
        term: {**{doc: [1, 2, 3 + number % 20] for doc in range(number % 3, 600, 3)}, **held}
        if number % 4 == 0
        else held
        for number, (term, held) in enumerate(draw_from.items())
    }


@pytest.mark.parametrize("buffers", ["large", "small"])
@settings(max_examples=12)
@given(postings=SPARSE.map(dense))
def test_documents_frequencies_and_positions_are_read_back_as_they_were_written(
    tmp_path_factory, buffers, postings
):
    folder = tmp_path_factory.mktemp("field")
    with ExitStack() as patched:
        for name, value in SMALL_BUFFERS.items() if buffers == "small" else ():
            patched.enter_context(patch.object(encoding, name, value))
        if buffers == "small":
            patched.enter_context(patch.object(spool, "KEPT_BYTES", 16))
        segment = written(folder, "MAIN_a", postings, 600)

    assert read_back(segment) == postings


@settings(max_examples=25)
@given(postings=SPARSE, asked=st.lists(TERMS, max_size=20))
def test_every_term_is_found_and_nothing_else(tmp_path_factory, postings, asked):
    segment = written(tmp_path_factory.mktemp("field"), "MAIN_a", postings, 600)
    row = segment.row("text")
    terms = sorted(postings)
    for word in [*terms, *asked, b""]:
        letters = np.frombuffer(b"xx" + word, np.uint8)

        assert lower_bound(row, letters, 2, len(word)) == bisect_left(terms, word)
        assert find_term(row, letters, 2, len(word)) == (terms.index(word) if word in postings else -1)


@settings(max_examples=12)
@given(postings=SPARSE.map(dense))
def test_no_posting_scores_more_than_the_top_of_its_chunk(tmp_path_factory, postings):
    segment = written(tmp_path_factory.mktemp("field"), "MAIN_a", postings, 600)
    row, chunks = segment.row("text"), 3
    norm = encoding.norms(segment.arrays["text.length"], segment.means["text"])
    for number, term in enumerate(segment.terms("text")):
        cursors, starts = np.zeros((1, C_WIDTH), np.int64), np.zeros((1, chunks + 1), np.int32)
        reach = np.zeros((1, chunks))
        point(row, number, cursors, 0, starts)
        tops(row, number, starts, 0, 1.0, reach)
        for doc, places in postings[term].items():
            assert len(places) / (len(places) + norm[doc]) <= reach[0, doc // CHUNK] * (1 + 1e-9)


# --- articles -----------------------------------------------------------------------------------------------


def built(folder, name, articles):
    segment_writer.build(folder, name, articles, TOKENISER)
    return folder / f"{name}.kbs"


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 90), max_size=6), deleted=st.sets(st.integers(0, 89), max_size=30))
def test_a_merge_gives_byte_for_byte_what_one_build_gives(tmp_path_factory, cuts, deleted):
    folder = tmp_path_factory.mktemp("merge")
    shelf = [article(number) for number in range(1, 91)]
    edges = [0, *sorted(set(cuts) - {0, 90}), 90]
    parts = []
    for number, (start, end) in enumerate(pairwise(edges)):
        built(folder, f"MAIN_{number}", shelf[start:end])
        part = segments.read(folder, f"MAIN_{number}", 0)
        doomed = np.array(sorted(place - start for place in deleted if start <= place < end), np.int64)
        if len(doomed):
            segments.delete(folder, part, doomed, 1)
            part = segments.read(folder, f"MAIN_{number}", 1)
        parts.append(part)
    merging.merge(folder, "MAIN_merged", parts)
    whole = built(folder, "MAIN_whole", [one for place, one in enumerate(shelf) if place not in deleted])

    assert (folder / "MAIN_merged.kbs").read_bytes() == whole.read_bytes()


def test_a_merge_of_segments_larger_than_its_buffers_is_the_same(folder):
    shelf = [article(number) for number in range(1, 301)]
    whole = built(folder, "MAIN_whole", shelf).read_bytes()
    parts = []
    for number in range(3):
        built(folder, f"MAIN_{number}", shelf[100 * number : 100 * number + 100])
        parts.append(segments.read(folder, f"MAIN_{number}", 0))
    with ExitStack() as patched:
        for name, value in SMALL_BUFFERS.items():
            patched.enter_context(patch.object(encoding, name, value))
        patched.enter_context(patch.object(spool, "KEPT_BYTES", 1000))
        merging.merge(folder, "MAIN_merged", parts)

    assert (folder / "MAIN_merged.kbs").read_bytes() == whole


@pytest.mark.parametrize("merged", [False, True])
def test_a_word_that_stands_300000_times_in_one_article_keeps_all_its_places(folder, merged):
    text = "党，" * 100_000 + "党" * 200_000 + "习，" * 49_000
    huge = stored(1, "长文", text)
    built(folder, "MAIN_a", [huge])
    name = "MAIN_a"
    if merged:
        built(folder, "MAIN_b", [stored(2, "短文", "党 习")])
        merging.merge(folder, "MAIN_c", [segments.read(folder, part, 0) for part in ("MAIN_b", "MAIN_a")])
        name = "MAIN_c"
    segment = segments.read(folder, name, 0)
    start = len("长文") + 1
    tokens = SEGMENTER.tokens(text)
    for word in ("党", "习"):
        place = segment.terms("text").index(word.encode())
        _, counts, places = leaves.all_positions(segment.row("text"), place)
        expected = [start + token.position for token in tokens if token.word == word]

        assert places[-counts[-1] :].tolist() == expected
    assert sum(token.word == "党" for token in tokens) >= 300_000
    gram = segment.terms("grams").index("党党".encode())
    assert leaves.all_positions(segment.row("grams"), gram)[1].tolist()[-1] >= 299_999


def test_words_of_any_length_are_indexed(folder):
    long = "a" * 200_000
    built(folder, "MAIN_a", [stored(1, "题", f"{long} {long}b")])
    segment = segments.read(folder, "MAIN_a", 0)

    assert [len(term) for term in segment.terms("text") if term.startswith(b"a")] == [200_000, 200_001]


def test_a_segment_is_cut_by_characters_and_by_articles():
    shelf = [stored(number, "", "字" * size) for number, size in enumerate([5, 5, 5, 30, 1, 1, 1, 1])]

    assert [[one.id for one in piece] for piece in pieces(shelf, 3, 12)] == [[0, 1], [2], [3], [4, 5, 6], [7]]


def test_segments_with_too_many_tokens_are_not_merged(folder):
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True, tokens=1)
    writer.add([article(number) for number in range(1, 41)], batch=10)
    writer.merge(everything=True)
    writer.seal()

    assert len(list(folder.glob("*.kbs"))) == 4


def test_many_single_updates_leave_few_segments_and_no_files(tmp_path):
    engine = opened(tmp_path)
    engine.rebuild([[article(number) for number in range(1, 31)]], seq=30)
    pick = random.Random(5)
    for seq in range(31, 91):
        engine.update([replace(article(pick.randint(1, 60)), seq=seq)], seq=seq)
    serving = tmp_path / (tmp_path / "CURRENT").read_text().strip()

    assert len(list(serving.glob("*.kbs"))) <= 2
    assert len(list(serving.iterdir())) <= 2 * 2 + 2
    assert engine.verify() == []


# --- the whole index ----------------------------------------------------------------------------------------


def opened(index, words=SEGMENTER, **options):
    chosen = {"memory_mib": 64, "batch": 20_000, "processes": 1} | options
    return ArrayEngine(index, words, **chosen)


class Shelf:
    """Articles as a rebuild gets them from the store: made where they are gone through."""

    def __init__(self, first, behind, **changes):
        self.first, self.behind, self.changes = first, behind, changes

    def __iter__(self):
        for number in range(self.first, self.behind):
            yield stored(number, f"第{number}篇", "党建学习。", **self.changes)


class Interrupted(Shelf):
    def __iter__(self):
        raise KeyboardInterrupt


def interrupted(index, **options):
    """A rebuild that got to article 40."""
    engine = opened(index, **options)
    with pytest.raises(KeyboardInterrupt):
        engine.rebuild([Shelf(1, 21), Shelf(21, 41), Interrupted(41, 61)], seq=60)
    return engine


def partial(index):
    return [path.name for path in index.glob("*.partial")]


def test_an_interrupted_rebuild_goes_on_where_it_was(tmp_path):
    interrupted(tmp_path)
    engine = opened(tmp_path)
    told = []
    engine.tidy()
    after = engine.reached()
    engine.rebuild([Shelf(41, 61)], seq=60, after=after, progress=told.append)

    assert after == 40
    assert told == [20]
    assert (engine.count(), engine.indexed_seq(), engine.reached()) == (60, 60, 0)
    assert ids(engine, "党建 第3篇") == [3]
    assert engine.verify() == []
    assert partial(tmp_path) == []


def test_what_changed_or_was_hidden_in_the_meantime_counts_as_it_is_now(tmp_path):
    interrupted(tmp_path)
    engine = opened(tmp_path)
    changed = replace(stored(7, "改过的标题", "党建学习。"), seq=61)
    hidden = replace(stored(8, "第8篇", status="withdrawn"), seq=62)
    again = replace(stored(9, "第9篇", status="withdrawn"), seq=63)
    engine.rebuild(
        [Shelf(41, 61), [changed, hidden, again], [stored(9, "又有了", "党建学习。")]], seq=63, after=40
    )

    assert engine.count() == 59
    assert ids(engine, "改过的标题") == [7]
    assert ids(engine, "第7篇") == ids(engine, "第8篇") == ids(engine, "第9篇") == []
    assert ids(engine, "又有了") == [9]
    assert find(engine, "党建", limit=0).total == 59


def test_updates_go_on_beside_a_rebuild_that_waits(tmp_path):
    engine = opened(tmp_path)
    engine.rebuild([Shelf(1, 6)], seq=5)
    interrupted(tmp_path)
    engine.update([stored(99, "新来的")], seq=99)

    assert ids(engine, "新来的") == [99]
    assert engine.reached() == 40
    engine.rebuild([Shelf(41, 61)], seq=60, after=40)
    assert engine.count() == 60
    assert len(list(tmp_path.glob("gen-*"))) <= 2


@pytest.mark.parametrize("why", ["other words", "damage", "missing file", "no journal"])
def test_a_rebuild_that_cannot_be_gone_on_with_is_removed(tmp_path, why):
    interrupted(tmp_path)
    folder = next(tmp_path.glob("*.partial"))
    words = Segmenter(["另外的词"]) if why == "other words" else SEGMENTER
    file = next(folder.glob("*.kbs"))
    if why == "damage":
        data = bytearray(file.read_bytes())
        data[-100] ^= 1
        file.write_bytes(data)
    elif why == "missing file":
        file.unlink()
    elif why == "no journal":
        (folder / "JOURNAL.json").write_text("{")
    engine = opened(tmp_path, words)
    engine.tidy()

    assert engine.reached() == 0
    assert partial(tmp_path) == []


def test_to_go_on_with_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="40"):
        opened(tmp_path).rebuild([Shelf(41, 61)], seq=60, after=40)


def test_a_rebuild_that_begins_anew_drops_what_waits(tmp_path):
    interrupted(tmp_path)
    engine = opened(tmp_path)
    engine.rebuild([Shelf(1, 4)], seq=3)

    assert engine.count() == 3
    assert partial(tmp_path) == []


def test_an_article_that_comes_twice_counts_as_it_came_last(tmp_path):
    engine = opened(tmp_path, batch=3)
    engine.rebuild(
        [[*Shelf(1, 5), stored(2, "后来的")], Shelf(3, 4), [stored(4, "第4篇", status="gone")]], seq=9
    )

    assert ids(engine, "后来的") == [2]
    assert ids(engine, "第2篇") == []
    assert ids(engine, "第3篇") == [3]


KILLED = """
import sys, time
from pathlib import Path
from tests.engine.test_build import Shelf, opened

class Slow(Shelf):
    def __iter__(self):
        for number, stored in enumerate(super().__iter__()):
            if number == 19:
                time.sleep(0.05)
            yield stored

if __name__ == "__main__":
    engine = opened(Path(sys.argv[1]), processes=int(sys.argv[2]))
    after = engine.reached()
    print("ready", flush=True)
    batches = [Slow(first, first + 20) for first in range(after + 1, 2001, 20)]
    engine.rebuild(batches, seq=2000, after=after, progress=lambda done: print(done, flush=True))
"""


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_at_any_moment_a_rebuild_goes_on_with_what_was_finished(tmp_path, processes):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    index = tmp_path / "index"
    pick = random.Random(processes)
    reached = [0]
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, str(script), str(index), str(processes)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        for _ in range(pick.randint(3, 12)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        engine = opened(index)
        engine.tidy()
        reached.append(engine.reached())

        assert len(partial(index)) <= 1
        assert engine.problem() is not None
    assert reached == sorted(set(reached))
    engine.rebuild([Shelf(reached[-1] + 1, 2001)], seq=2000, after=reached[-1])

    assert engine.count() == find(engine, "党建 学习", limit=0).total == 2000
    assert engine.verify() == []
    assert sorted(path.name for path in index.iterdir())[0] == "CURRENT"
    assert len(list(index.iterdir())) == 2


def test_processes_build_the_same_index_as_one(tmp_path):
    batches = [Shelf(first, first + 50) for first in range(1, 301, 50)]
    one, two = opened(tmp_path / "one"), opened(tmp_path / "two", processes=2)
    for engine in (one, two):
        engine.rebuild(batches, seq=300)
    files = [next((tmp_path / name).glob("gen-*/*.kbs")) for name in ("one", "two")]

    assert files[0].read_bytes() == files[1].read_bytes()
    assert two.count() == 300


def test_workers_end_with_the_process_that_started_them(tmp_path):
    code = (
        "import os, signal\n"
        "from kb.engine.parallel import Workers\n"
        "from kb.text.segment import Segmenter\n"
        "if __name__ == '__main__':\n"
        "    pool = Workers(Segmenter([]), 1)._started()\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    child = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    # The worker holds the other end of stdout as well: the end of it comes when the last one is gone.
    said, _ = child.communicate(timeout=60)

    assert child.returncode == -signal.SIGKILL
    assert int(said) != child.pid


def test_memory_is_shared_among_the_processes(tmp_path):
    assert opened(tmp_path, processes=4).batch_chars * 4 * parallel.BYTES_A_CHAR <= 64 << 20
