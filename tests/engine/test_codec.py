"""The index is a real Whoosh index: stock queries through stock collectors give what our evaluation gives."""

from __future__ import annotations

import json
import math
import random
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import strategies as st
from whoosh import analysis, fields, query, scoring, sorting
from whoosh.collectors import FilterCollector, TopCollector
from whoosh.index import create_in, exists_in, open_dir
from whoosh.qparser import QueryParser

from kb.engine import generations, open_engine, tree
from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import INDEX, open_snapshot
from kb.text.normalize import fold
from tests.engine.test_exactness import EXAMPLES, SEGMENTER, WORDS, article, holds


@pytest.fixture(scope="module", params=["whole", "changed"])
def library(request, tmp_path_factory):
    """A snapshot, and Whoosh's own searcher over the same folder; three segments, or four with deletions."""
    folder = tmp_path_factory.mktemp("stock")
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add([article(number) for number in range(1, 121)], batch=45)
    if request.param == "changed":
        writer.replace([article(number) for number in range(3, 120, 7)], batch=45)
    writer.seal()
    return open_snapshot(folder), open_dir(str(folder), indexname=INDEX).searcher(weighting=Lucene())


class Lucene(scoring.WeightingModel):
    """BM25 with exact lengths and Lucene's idf, by hand."""

    def scorer(self, searcher, fieldname, text, qf=1):
        whole = (searcher.get_parent() if searcher.has_parent() else searcher).reader()
        holding = len(list(whole.postings(fieldname, text).all_ids()))
        idf = math.log(1 + (whole.doc_count() - holding + 0.5) / (holding + 0.5))
        return _Scorer(searcher, fieldname, idf, whole.field_length(fieldname) / whole.doc_count())


class _Scorer(scoring.BaseScorer):
    def __init__(self, searcher, field, idf, mean):
        self.searcher, self.field, self.idf, self.mean = searcher, field, idf, mean

    def supports_block_quality(self):
        return False

    def score(self, matcher):
        often = matcher.weight()
        length = self.searcher.doc_field_length(matcher.id(), self.field)
        return self.idf * 2.2 * often / (often + 1.2 * (0.25 + 0.75 * length / self.mean))


def stock(searcher, asked):
    """Articles and scores. Nothing is skipped for its low quality (replace=0), where Whoosh can lose true best ones.

    Among the living only: Whoosh's InverseMatcher looks no more for deleted documents once its part has ended, and gives
    one after it, in its own codec as in ours.
    """
    collector = FilterCollector(TopCollector(1000, replace=0), allow=query.Every())
    searcher.search_with_collector(asked, collector)
    return {hit.fields()["article_id"]: hit.score for hit in collector.results()}


def ours(snapshot, node):
    found = evaluate(snapshot, node)
    return dict(
        zip(snapshot.article_ids[found.mask].tolist(), found.scores[found.mask].tolist(), strict=True)
    )


def as_stock(node):
    """The stock query that asks the same."""
    match node:
        case tree.Term(field, word, boost):
            return query.Term(field, word, boost=boost)
        case tree.Literal(text):
            return query.Phrase("grams", [text[i : i + 2] for i in range(len(text) - 1)])
        case tree.Prefix(field, text):
            return query.Prefix(field, text)
        case tree.Range(column, low, high):
            return query.NumericRange(column, low, high)
        case tree.Every():
            return query.Every()
        case tree.Not(part):
            return query.Not(as_stock(part))
        case tree.And(parts):
            return query.And(list(map(as_stock, parts)))
        case tree.Or(parts, 1):
            return query.Or(list(map(as_stock, parts)))


def nested(leaves, *, negated):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: tree.And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: tree.Or(tuple(parts))),
            *([inner.map(tree.Not)] if negated else []),
        ),
        max_leaves=6,
    )


TERMS = st.builds(
    tree.Term,
    st.sampled_from(["text", "grams"]),
    st.sampled_from(WORDS),
    st.sampled_from([1.0, 0.5]),
)
OTHERS = st.sampled_from(
    [
        tree.Every(),
        tree.Prefix("text", "公"),
        tree.Prefix("grams", "建"),
        tree.Range("published", 20230101, 20231231),
        tree.Range("published", 20240101, 20249999),
        tree.Literal("公益诉讼"),
        tree.Literal("习学习"),
    ]
)


@EXAMPLES
def test_stock_term_and_or_find_and_score_alike_to_the_sixth_digit(library, examples):
    snapshot, searcher = library

    @holds(examples, nested(TERMS, negated=False))
    def _(node):
        assert stock(searcher, as_stock(node)) == pytest.approx(ours(snapshot, node), rel=1e-6)


@EXAMPLES
def test_stock_not_phrase_prefix_range_and_every_find_the_same_articles(library, examples):
    """Scores apart: Whoosh gives 1 to what does not score here."""
    snapshot, searcher = library

    @holds(examples, nested(st.one_of(TERMS, OTHERS), negated=True))
    def _(node):
        assert stock(searcher, as_stock(node)).keys() == ours(snapshot, node).keys()


@pytest.mark.parametrize("node", [tree.Not(tree.Term("grams", "党建")), tree.Literal("公益诉讼")], ids=str)
def test_stock_queries_find_something_in_these_articles(library, node):
    snapshot, searcher = library

    assert 0 < len(stock(searcher, as_stock(node))) < snapshot.count


def test_a_sloppy_stock_phrase_finds_words_as_far_apart_as_it_allows(library):
    snapshot, searcher = library
    near = tuple(tree.Phrase("text", ("党建", "业务"), (0, distance)) for distance in (1, 2))
    found = stock(searcher, query.Phrase("text", ["党建", "业务"], slop=2))

    assert found.keys() == ours(snapshot, tree.Or(near)).keys() != set()


# --- a stock user -----------------------------------------------------------------------------------------


@pytest.fixture
def generation(tmp_path):
    engine = open_engine(tmp_path / "index", SEGMENTER)
    engine.rebuild([[article(number) for number in range(1, 61)]], seq=1)
    engine.update([article(number) for number in range(3, 60, 7)], seq=2)
    return generations.current(tmp_path / "index")


def test_whoosh_opens_a_generation_and_reads_it_without_leaving_a_trace(generation):
    before = sorted(path.name for path in generation.iterdir())
    assert exists_in(str(generation))
    with closing(open_dir(str(generation), readonly=True)) as index, index.searcher() as searcher:
        asked = QueryParser("text", index.schema).parse("党建 published:[20230101 TO 20231231]")
        found = searcher.search(asked, limit=3, sortedby=sorting.FieldFacet("published", reverse=True))
        dates = [hit["published"] for hit in found]
        reader = searcher.reader()

        assert index.doc_count() == 60
        assert len(found) > 3
        assert dates == sorted(dates, reverse=True)
        assert searcher.document(article_id=17) is None  # a column, not a field of terms
        assert "公益诉讼" in {term.decode() for term in reader.expand_prefix("text", "公益")}
        assert len(searcher.search(query.FuzzyTerm("text", "公益诉公"))) > 0

    assert sorted(path.name for path in generation.iterdir()) == before


class AsGiven(analysis.Analyzer):
    """Words and places as JSON, for Whoosh's own writer."""

    def __call__(self, value, **options):
        token = analysis.Token(positions=True, boost=1.0, stopped=False)
        for token.text, token.pos in json.loads(value):
            yield token


def given_tokens(one):
    """Words of title and body with their places, as our index has them."""
    start, tokens = 0, []
    for text in (one.title, *(block.text for block in one.blocks), *(author.name for author in one.authors)):
        tokens += [(word, start + place) for word, place in SEGMENTER.tokens(text)]
        start += len(fold(text)) + 1
    return json.dumps(sorted(tokens, key=lambda token: token[1]))


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Searchers over the same articles in our codec and in Whoosh's own; the same ones are deleted from both."""
    folder = tmp_path_factory.mktemp("ours")
    shelf = [article(number) for number in range(1, 121)]
    gone = [replace(one, status="gone") for one in shelf[2::7]]
    writer = IndexWriter(folder, Workers(SEGMENTER, 1), is_new=True)
    writer.add(shelf, batch=200)
    writer.replace(gone, batch=200)
    writer.seal()
    numbers = {"article_id": fields.NUMERIC(int, 64, stored=True, unique=True)}
    days = fields.NUMERIC(int, bits=32, signed=False, shift_step=0)
    schema = fields.Schema(text=fields.TEXT(AsGiven()), published=days, **numbers)
    whooshs = create_in(str(tmp_path_factory.mktemp("whooshs")), schema)
    with whooshs.writer() as other:
        for one in shelf:
            day = int((one.article.published or "0").replace("-", ""))
            other.add_document(article_id=one.id, text=given_tokens(one.article), published=day)
    with whooshs.writer() as other:
        other.mergetype = lambda _writer, segments: segments
        for one in gone:
            other.delete_by_term("article_id", one.id)
    opened = (open_dir(str(folder), indexname=INDEX), whooshs)
    return [index.searcher(weighting=scoring.Frequency()) for index in opened]


def random_stock_query(pick, depth):
    kind = pick.randrange(12) if depth else 0
    words = pick.choices(WORDS, k=2)
    if kind <= 1:
        return query.Term("text", words[0])
    several = {2: query.And, 3: query.Or, 4: query.DisjunctionMax}
    if kind in several:
        return several[kind]([random_stock_query(pick, depth - 1) for _ in range(pick.randint(2, 3))])
    pairs = {5: query.AndNot, 6: query.AndMaybe, 7: query.Require}
    if kind in pairs:
        return pairs[kind](*(random_stock_query(pick, depth - 1) for _ in range(2)))
    return {
        8: lambda: query.Not(random_stock_query(pick, depth - 1)),
        9: lambda: query.Phrase("text", words, slop=pick.randint(1, 4)),
        10: lambda: query.Prefix("text", words[0][:1]),
        11: lambda: query.NumericRange("published", 20230101, pick.choice([20231231, None])),
    }[kind]()


@EXAMPLES
def test_our_codec_answers_any_stock_query_as_whooshs_own_does(twins, examples):
    pick = random.Random(5)
    for asked in (random_stock_query(pick, 2) for _ in range(4 * examples)):
        ours_found, whooshs_found = (stock(one, asked) for one in twins)

        assert ours_found == whooshs_found, asked
