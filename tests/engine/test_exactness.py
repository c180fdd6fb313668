"""Every answer equals an exhaustive scan of the texts in plain Python: ids, scores, totals, over any number of segments."""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.engine import best, clock
from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.tree import Also, And, Boost, Every, Literal, Not, Or, Phrase, Prefix, Range, Term, Value
from kb.text.normalize import fold
from kb.text.segment import Segmenter
from scripts.bench import exactness
from scripts.bench.reference import Answer
from tests.engine.test_contract import WORDS, stored

VOCABULARY = [*WORDS, "𠮷", "a"]
SEGMENTER = Segmenter(["主题党日", "主题党日活动", "公益诉讼"])
PICK = random.Random(5)


def text(most=30):
    return "".join(PICK.choices(VOCABULARY, weights=range(len(VOCABULARY), 0, -1), k=PICK.randint(1, most)))


def article(number):
    day = PICK.choice([None, "2023-01-05", "2023-12-31", "2024-02-29"])
    newspaper = PICK.choice([None, "清河日报", "枫溪法治报"])
    authors = PICK.sample(["许剑虹", "周见山", "和学习"], PICK.randint(0, 2))
    repeated = "学习" * PICK.choice([1, 1, 1, 20, 300])
    return stored(
        number, text(6), text(), repeated + text(80), authors=authors, newspaper=newspaper, published=day
    )


@pytest.fixture(scope="module")
def shelf():
    """600 articles, numbered out of the order of their arrival."""
    numbers = list(range(1, 601))
    PICK.shuffle(numbers)
    return {number: article(number) for number in numbers}


LAYOUTS = {"one": 1, "three": 3, "twelve": 12, "changed": 5, "merged": 5}


@pytest.fixture(scope="module", params=LAYOUTS)
def library(request, shelf, tmp_path_factory):
    """A snapshot of one layout, and a scan of the articles that live in it."""
    folder = tmp_path_factory.mktemp(request.param)
    living = dict(shelf)
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(list(shelf.values()), batch=-(-len(shelf) // LAYOUTS[request.param]))
    if request.param in ("changed", "merged"):
        for first in (1, 2, 3):
            changed = [article(number) for number in range(first, 600, 11)] + [article(700 + first)]
            gone = [
                replace(living.pop(number), status="gone")
                for number in range(first * 100, first * 100 + 40)
                if number in living
            ]
            changed = [one for one in changed if one.id not in {other.id for other in gone}]
            living.update({one.id: one for one in changed})
            writer.replace([*changed, *gone], batch=100)
    if request.param == "merged":
        writer.merge(everything=True)
    writer.seal()
    return open_snapshot(folder), Scan(living)


class Scan:
    """What the texts say, looked at one after the other."""

    def __init__(self, articles):
        self.articles = articles
        self.places = {
            field: {n: self._places(field, one.article) for n, one in articles.items()}
            for field in ("text", "grams")
        }
        self.lengths = {
            f: {n: sum(map(len, p.values())) for n, p in places.items()} for f, places in self.places.items()
        }

    def _places(self, field, one):
        names = [author.name for author in one.authors]
        body = [one.title, *(block.text for block in one.blocks)]
        texts = {"text": [*body, *names], "grams": body}[field]
        found = defaultdict(list)
        start = 0
        for place, part in enumerate(texts):
            folded = fold(part)
            tokens = (
                [(a + b, i) for i, (a, b) in enumerate(zip(folded, folded[1:] + "\n", strict=False))]
                if field == "grams"
                else SEGMENTER.tokens(part)
            )
            for word, position in tokens:
                found[word].append(start + position)
            start += len(folded) + 1
            assert place or field != "grams" or start == len(fold(one.title)) + 1
        return found

    def bm25(self, field, weight, often, number):
        mean = sum(self.lengths[field].values()) / len(self.articles)
        return weight * often / (often + 1.2 * (0.25 + 0.75 * self.lengths[field][number] / mean))

    def weight(self, df, boost):
        return math.log(1 + (len(self.articles) - df + 0.5) / (df + 0.5)) * 2.2 * boost

    def term(self, field, word, boost):
        counts = {n: len(p[word]) for n, p in self.places[field].items() if word in p}
        return {n: self.bm25(field, self.weight(len(counts), boost), often, n) for n, often in counts.items()}

    def phrase(self, node):
        weight = sum(
            self.weight(sum(word in p for p in self.places[node.field].values()), node.boost)
            for word in node.words
        )
        found = {}
        for n, places in self.places[node.field].items():
            if all(word in places for word in node.words):
                starts = set.intersection(
                    *(
                        {p - offset for p in places[word]}
                        for word, offset in zip(node.words, node.offsets, strict=True)
                    )
                )
                if starts:
                    found[n] = self.bm25(node.field, weight, len(starts), n)
        return found

    def literal(self, node):
        counts = {}
        for n, one in self.articles.items():
            texts = (
                [one.article.title]
                if node.field
                else [one.article.title, *(block.text for block in one.article.blocks)]
            )
            count = sum(
                folded.startswith(node.text, i) for folded in map(fold, texts) for i in range(len(folded))
            )
            if count:
                counts[n] = count
        return {
            n: self.bm25("grams", self.weight(len(counts), node.boost), often, n)
            for n, often in counts.items()
        }

    def find(self, node):
        match node:
            case Term(field, word, boost):
                return self.term(field, word, boost)
            case Phrase():
                return self.phrase(node)
            case Literal():
                return self.literal(node)
            case Prefix(field, prefix):
                return {
                    n: 0.0
                    for n, p in self.places[field].items()
                    if any(word.startswith(prefix) for word in p)
                }
            case Range(_, low, high):
                return {
                    n: 0.0
                    for n, one in self.articles.items()
                    if low <= int((one.article.published or "0").replace("-", "")) <= high
                }
            case Value("author", values):
                return {
                    n: 0.0
                    for n, one in self.articles.items()
                    if {author.name for author in one.article.authors} & values
                    or ("" in values and not one.article.authors)
                }
            case Value(_, values):
                return {n: 0.0 for n, one in self.articles.items() if (one.article.newspaper or "") in values}
            case Every():
                return dict.fromkeys(self.articles, 0.0)
            case Not(part):
                return dict.fromkeys(self.articles.keys() - self.find(part).keys(), 0.0)
            case Boost(part, factor):
                return {n: score * factor for n, score in self.find(part).items()}
            case Also(part, more):
                others = [self.find(one) for one in more]
                return {
                    n: score + sum(other.get(n, 0.0) for other in others)
                    for n, score in self.find(part).items()
                }
            case And(parts):
                return self._sum(parts, len(parts))
            case Or(parts, minimum):
                return self._sum(parts, minimum)

    def _sum(self, parts, minimum):
        found = [self.find(part) for part in parts]
        counts = Counter(n for one in found for n in one)
        return {n: sum(one.get(n, 0.0) for one in found) for n, count in counts.items() if count >= minimum}


WORDS = [
    "党建",
    "业务",
    "融合",
    "学习",
    "公益",
    "公益诉讼",
    "主题党日",
    "检察",
    "的",
    "许",
    "剑",
    "2023",
    "gb/t",
    "没有",
    "𠮷",
]
terms = st.builds(
    Term,
    st.sampled_from(["text", "text", "grams"]),
    st.sampled_from(WORDS),
    st.sampled_from([1.0, 0.5]),
)
phrases = st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(
    lambda words: Phrase("text", tuple(words), tuple(len("".join(words[:i])) for i in range(len(words))))
)
literals = st.builds(
    Literal,
    st.lists(st.sampled_from([*VOCABULARY, "建", "诉", "题党"]), min_size=1, max_size=4)
    .map(lambda parts: fold("".join(parts)))
    .filter(bool),
    st.sampled_from([None, "title"]),
)
flat = st.sampled_from(
    [
        Every(),
        Prefix("text", "公"),
        Prefix("grams", "建"),
        Range("published", 20230101, 20231231),
        Range("published", 0, 0),
    ]
    + [Value("newspaper", frozenset(some)) for some in (["清河日报"], ["", "枫溪法治报"], [])]
    + [Value("author", frozenset(some)) for some in (["许剑虹"], ["", "周见山"])]
)
trees = st.recursive(
    st.one_of(terms, phrases, literals, flat),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.builds(
            lambda parts, least: Or(tuple(parts), min(least, len(parts))),
            st.lists(inner, min_size=1, max_size=4),
            st.integers(1, 3),
        ),
        inner.map(Not),
        st.builds(Boost, inner, st.sampled_from([2.0, 0.25])),
        st.builds(Also, inner, st.lists(inner, max_size=2).map(tuple)),
    ),
    max_leaves=8,
)
# Few in the fast suite, many in the slow one.
EXAMPLES = pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.slow)])


def holds(examples, *strategies):
    """Runs the promise that it decorates, for so many examples."""
    return lambda promise: settings(max_examples=examples, suppress_health_check=list(HealthCheck))(
        given(*strategies)(promise)
    )()


@EXAMPLES
def test_a_tree_matches_and_scores_as_a_scan_does(library, examples):
    snapshot, scan = library

    @holds(examples, trees)
    def _(tree):
        assert scored(snapshot, tree) == pytest.approx(scan.find(tree), rel=1e-9, abs=1e-12)


queries = st.tuples(
    st.sampled_from([best.ANY, best.ALL]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6, unique=True),
)


@EXAMPLES
def test_the_best_by_skipping_are_the_best_of_all_to_the_last_bit(library, examples):
    snapshot, _ = library

    @holds(examples, queries, st.sampled_from([1, 3, 10, 1000]))
    def _(asked, limit):
        mode, words = asked
        nodes = tuple(Term("text", word) for word in words)
        found = evaluate(snapshot, And(nodes) if mode == best.ALL else Or(nodes))
        ranked = sorted(
            zip((-found.scores[found.mask]).tolist(), snapshot.article_ids[found.mask].tolist(), strict=True)
        )[:limit]
        ids, scores = snapshot.best(mode, [("text", word.encode()) for word in words], limit=limit)

        assert [(-score, one) for score, one in zip(scores, ids, strict=True)] == ranked


@EXAMPLES
def test_the_best_of_a_phrase_are_those_of_the_scan(library, examples):
    snapshot, scan = library

    @holds(examples, phrases, st.sampled_from([1, 10, 1000]))
    def _(node, limit):
        expected = scan.find(node)
        ranked = sorted(expected, key=lambda n: (-round(expected[n], 9), n))[:limit]
        terms = [("text", word.encode()) for word in node.words]
        ids, scores = snapshot.best(best.PHRASE, terms, limit=limit, offsets=list(node.offsets))

        assert ids == ranked
        assert scores == pytest.approx([expected[n] for n in ranked])


@EXAMPLES
def test_optional_terms_of_another_field_count_but_need_not_be_there(library, examples):
    snapshot, _ = library

    @holds(
        examples,
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True),
        st.sampled_from([1, 10]),
    )
    def _(words, limit):
        terms = [("text", word.encode(), 1.0) for word in words] + [
            ("grams", gram.encode(), 0.5) for gram in ("党建", "建业")
        ]
        tree = Also(
            And(tuple(Term("text", word) for word in words)),
            (Term("grams", "党建", 0.5), Term("grams", "建业", 0.5)),
        )
        found = evaluate(snapshot, tree)
        ranked = sorted(
            zip((-found.scores[found.mask]).tolist(), snapshot.article_ids[found.mask].tolist(), strict=True)
        )[:limit]
        ids, scores = snapshot.best(
            best.ALL, [(field, word) for field, word, _ in terms], limit=limit,
            boosts=[boost for *_, boost in terms], needed=[1] * len(words) + [0, 0],
        )  # fmt: skip

        assert [n for _, n in ranked] == ids
        assert [-score for score, _ in ranked] == pytest.approx(scores, rel=1e-12)


CHANGES = st.lists(
    st.dictionaries(st.integers(1, 12), st.none() | st.integers(0, 599), min_size=1, max_size=6)
    | st.sampled_from(["merge", "merge everything"]),
    min_size=1,
    max_size=6,
)


@EXAMPLES
def test_after_any_changes_scores_are_those_of_a_fresh_index_to_the_last_bit(
    shelf, tmp_path_factory, examples
):
    texts = list(shelf.values())

    @holds(examples, CHANGES, st.lists(trees, min_size=3, max_size=3))
    def _(changes, asked):
        living = {number: replace(texts[number], id=number) for number in range(1, 9)}
        folder = tmp_path_factory.mktemp("changes")
        writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
        writer.add(list(living.values()), batch=3)
        for change in changes:
            if isinstance(change, str):
                writer.merge(everything=change == "merge everything")
                continue
            gone = [number for number, text in change.items() if text is None]
            rewritten = {n: replace(texts[text], id=n) for n, text in change.items() if text is not None}
            writer.replace(
                [*rewritten.values(), *(replace(texts[n], id=n, status="gone") for n in gone)], batch=2
            )
            living = {n: one for n, one in (living | rewritten).items() if n not in gone}
        writer.seal()
        fresh = tmp_path_factory.mktemp("fresh")
        other = IndexWriter(fresh, Workers(SEGMENTER, 1), is_new=True)
        other.add(list(living.values()), batch=100)
        other.seal()
        changed, anew = open_snapshot(folder), open_snapshot(fresh)
        for tree in asked:
            assert scored(changed, tree) == scored(anew, tree)


def scored(snapshot, tree):
    found = evaluate(snapshot, tree)
    return dict(
        zip(snapshot.article_ids[found.mask].tolist(), found.scores[found.mask].tolist(), strict=True)
    )


def test_the_script_that_compares_real_articles_finds_no_difference_here(
    shelf, tmp_path, monkeypatch, capsys
):
    corpus = tmp_path / "corpus.jsonl"
    lines = [
        {"title": one.article.title or "题", "body": "\n".join(block.text for block in one.article.blocks)}
        for one in list(shelf.values())[:60]
    ]
    corpus.write_text("\n".join(map(json.dumps, lines)))
    options = ["--corpus", str(corpus), "--queries", "4", "--segments", "1,4"]
    monkeypatch.setattr(sys, "argv", ["exactness.py", *options])
    with pytest.raises(SystemExit) as ended:
        exactness.main()

    assert ended.value.code == 0, capsys.readouterr().out
    assert " 0 differ from the scan" in capsys.readouterr().out


def test_the_script_tells_when_an_answer_is_wrong():
    right = Answer((1, 2), (2.0, 1.0), 2, {"year": (("2023", 2),)})

    assert exactness.page_difference(right, right) is None
    for wrong in (
        replace(right, ids=(2, 1)),
        replace(right, scores=(2.0, 1.1)),
        replace(right, total=3),
        replace(right, facets={"year": (("2023", 1),)}),
    ):
        assert exactness.page_difference(wrong, right)


def test_a_query_stops_at_its_deadline_in_any_thread(library):
    snapshot, _ = library
    clock.CLOCK[0] = 1
    try:
        for mode in (best.ANY, best.ALL, best.PHRASE):
            with pytest.raises(TimeoutError):
                snapshot.best(
                    mode, [("text", "学习".encode()), ("text", "党建".encode())], limit=3, deadline=0
                )
        with pytest.raises(TimeoutError):
            evaluate(snapshot, Literal("学习"), deadline=0)
    finally:
        clock.CLOCK[0] = 0
