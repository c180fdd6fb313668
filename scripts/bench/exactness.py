"""Whether the index answers as an exhaustive scan does, on real articles, over several layouts and by every road.

    .venv/bin/python scripts/bench/exactness.py --corpus PATH.jsonl.gz [--docs 20000] [--queries 2000] [--segments 1,3,12]
        [--classes one,and,…] [--seed N]

Builds an index of the articles over each number of segments, asks random queries of every class, then replaces some articles,
removes others and adds new ones in several updates, merges, and asks again. Every answer (ids, scores, totals, facets) is held
against the scan; answers of different roads and layouts must be equal to the last bit. Prints, for each class, how many
answers were looked at and how many differ, with the first query that does. Exit code 1 when any differs.

Texts and titles are those of the corpus, a tenth of them put into traditional script; newspapers, bylines, affiliations,
names of pages, groups of reprints and some dates are invented, because the corpora have few.
"""

from __future__ import annotations

import argparse
import gzip
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from opencc import OpenCC

from kb import config
from kb.engine import best, rank
from kb.engine.array_engine import ArrayEngine
from kb.engine.evaluate import Matches, evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import Snapshot
from kb.engine.tree import Also, And, Node, Or, Phrase, Rank, Term
from kb.errors import ParseError
from kb.model import Article, Author, StoredArticle
from kb.parse.archive import read_archive_line
from kb.parse.quotation import quotations
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter
from scripts.bench.random_queries import CLASSES, Asked, Words
from scripts.bench.reference import Answer, Reference

CLOSE = 1e-6  # how far a score may be from the scan's
TRADITIONAL = OpenCC("s2t")
NEWSPAPERS = ("清河日报", "枫溪法治报", "青石县报", "学习参考", "党建周刊", None)
PEOPLE = ("许剑虹", "周见山", "欧阳学文", "和平", "李学习", "Ａnna Smith", "王党建")
AFFILIATIONS = ("青石县人民检察院", "清河市委党校", "枫溪镇党委", *[None] * 60)  # less than a word an article


def main() -> None:
    options = _options()
    segmenter = load_segmenter(config.lexicon_lines())
    started = time.monotonic()
    fresh, later = read(options.corpus, options.docs, options.seed)
    tally = Tally()
    rank.rerank = lambda _snapshot, _docs, scores, _terms: scores  # the order before it is what a scan gives
    with tempfile.TemporaryDirectory(prefix="kb-exactness-") as folder:
        for name, living, layouts in libraries(Path(folder), segmenter, fresh, later, options):
            reference = Reference(living.values(), segmenter)
            say(started, f"{name}: {len(living)} articles, {', '.join(layouts)}")
            words = Words(reference, segmenter, random.Random(f"{options.seed} {name}"))  # noqa: S311
            for kind in options.classes:
                for _ in range(options.queries):
                    compare(tally, reference, layouts, kind, CLASSES[kind](words))
                say(started, f"  {kind:8} {tally.asked[kind]:6} answers, {tally.differing[kind]} differ")
    tally.report()
    sys.exit(1 if any(tally.differing.values()) else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=2_000, help="of every class")
    parser.add_argument("--segments", type=_numbers, default=[1, 3, 12])
    parser.add_argument("--classes", type=_classes, default=list(CLASSES), help=",".join(CLASSES))
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _classes(text: str) -> list[str]:
    unknown = set(text.split(",")) - CLASSES.keys()
    if unknown:
        raise argparse.ArgumentTypeError(f"no class {unknown}")
    return text.split(",")


def say(started: float, text: str) -> None:
    print(f"{time.monotonic() - started:7.0f} s  {text}", flush=True)


# --- articles --------------------------------------------------------------------------------------------


def read(corpus: Path, docs: int, seed: int) -> tuple[list[StoredArticle], list[StoredArticle]]:
    """`docs` random articles in random order, and some more for updates. Ids are not in the order of arrival."""
    pick = random.Random(seed)  # noqa: S311
    opened = gzip.open if corpus.suffix == ".gz" else open
    with opened(corpus, "rt", encoding="utf-8") as file:
        lines = list(file)
    pick.shuffle(lines)
    wanted = min(docs, len(lines) * 9 // 10)
    made = []
    numbers = pick.sample(range(1, 10 * len(lines)), len(lines))
    for number, line in zip(numbers, lines, strict=True):
        if len(made) == wanted + wanted // 9:
            break
        try:
            made.append(_stored(number, read_archive_line(line, source="files"), pick))
        except ParseError:
            continue  # a line without a body is no article
    return made[:wanted], made[wanted:]


def _stored(number: int, article: Article, pick: random.Random) -> StoredArticle:
    article = replace(
        article,
        newspaper=pick.choice(NEWSPAPERS),
        authors=tuple(Author(name, "作者") for name in pick.sample(PEOPLE, pick.choice((0, 0, 1, 1, 2, 3)))),
        affiliation=pick.choice(AFFILIATIONS),
        published=article.published if pick.random() < 0.9 else None,
        kicker=pick.choice((None, None, "学习贯彻党的精神")),
        subtitle=pick.choice((None, None, "——以青石县为例", "Ｂ面:訪談")),
        edition_page=pick.choice((None, "01", "07版", "A01", "10")),
        page_name=pick.choice((None, "理论", "黨建要聞", "Law")),
    )
    if pick.random() < 0.1:
        article = in_other_letters(article)
    body = sum(len(block.text) for block in article.blocks)
    group = None if pick.random() < 0.8 else pick.randint(1, 200)
    return StoredArticle(number, number, 1, "normal", article, group, None, "", body)


def in_other_letters(article: Article) -> Article:
    """The article in traditional script and full-width letters and digits, its first block a caption."""
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    blocks = [replace(one, text=TRADITIONAL.convert(one.text).translate(wide)) for one in article.blocks]
    first = replace(blocks[0], kind="caption", level=None, run_in=0)
    title = TRADITIONAL.convert(article.title)
    return replace(article, title=title, blocks=(first, *blocks[1:]), quotations=quotations(blocks))


# --- layouts ---------------------------------------------------------------------------------------------


class Layout:
    """One index, with the engine that serves it."""

    def __init__(self, engine: ArrayEngine, snapshot: Snapshot) -> None:
        self.engine, self.snapshot = engine, snapshot
        living = np.flatnonzero(snapshot.alive)
        self.by_id = living[
            np.argsort(snapshot.article_ids[living])
        ]  # documents in the order of the reference


class Shelf(ArrayEngine):
    """An engine whose segments are laid out as the script wants them."""

    def lay(self, change: Callable[[IndexWriter], None], *, is_new: bool) -> None:
        previous = None if is_new else self._serving.usable()
        with self._partial(previous) as folder, closing(Workers(self._segmenter, 1)) as workers:
            writer = IndexWriter(folder, workers, is_new=is_new, chars=1 << 40)
            change(writer)
            self._publish(folder, writer, 1, previous)

    def layout(self) -> Layout:
        return Layout(self, self._serving.opened().snapshot)


def libraries(
    folder: Path, segmenter: Segmenter, fresh: list[StoredArticle], later: list[StoredArticle],
    options: argparse.Namespace,
) -> Iterator[tuple[str, dict[int, StoredArticle], dict[str, Layout]]]:  # fmt: skip
    """(name, living articles, layouts) as written, and then after updates, deletions and merges."""

    def shelf(name: str) -> Shelf:
        return Shelf(folder / name, segmenter, memory_mib=1024, batch=20_000, processes=1)

    shelves = {count: shelf(f"{count}") for count in options.segments}
    for count, one in shelves.items():
        size = -(-len(fresh) // count)
        one.lay(lambda writer, size=size: writer.add(fresh, batch=size), is_new=True)
    layouts = {f"{count} segments": one.layout() for count, one in shelves.items()}
    for name, layout in layouts.items():
        if f"{len(layout.snapshot.segments)} segments" != name:
            raise SystemExit(f"{name} wanted, {len(layout.snapshot.segments)} made")
    yield "as written", {one.id: one for one in fresh}, layouts

    living, changes = changed(fresh, later, random.Random(options.seed))  # noqa: S311
    for one in shelves.values():
        for change in changes:
            one.lay(partial(_replace, change), is_new=False)
    layouts = {f"{count} changed": one.layout() for count, one in shelves.items()}
    for name, everything in (("tiers", False), ("merged", True)):
        shutil.copytree(folder / f"{max(shelves)}", folder / name)
        one = shelf(name)
        one.lay(lambda writer, all_=everything: writer.merge(everything=all_), is_new=False)
        layouts[name] = one.layout()
    anew = shelf("anew")
    anew.rebuild([list(living.values())], seq=1)
    layouts["anew"] = anew.layout()
    yield "changed", living, layouts


def _replace(change: Sequence[StoredArticle], writer: IndexWriter) -> None:
    writer.replace(change, batch=5_000)


def changed(
    fresh: Sequence[StoredArticle], later: Sequence[StoredArticle], pick: random.Random
) -> tuple[dict[int, StoredArticle], list[list[StoredArticle]]]:
    """What lives after several updates, and the updates: a sixth of the articles gets another text, some go, some come."""
    living = {one.id: one for one in fresh}
    changes = []
    for number in range(10):
        some = pick.sample(sorted(living), len(fresh) // 40)
        others = pick.sample(fresh, len(fresh) // 60)
        rewritten = [
            replace(living[one], article=other.article, body_chars=other.body_chars)
            for one, other in zip(some, others, strict=False)
        ]
        gone = [replace(living[one], status="gone") for one in some[len(others) :]]
        change = [*rewritten, *gone, *later[number::10]]
        pick.shuffle(change)
        for one in change:
            living[one.id] = one
            if one.status == "gone":
                del living[one.id]
        changes.append(change)
    return living, changes


# --- roads: what one layout answers ------------------------------------------------------------------------


def by_evaluation(layout: Layout, asked: Asked) -> Matches:
    """Every match with its score, in the order of the reference."""
    found = evaluate(layout.snapshot, asked.node)
    if (found.mask & ~layout.snapshot.alive).any():
        raise SystemExit(f"removed articles are found by {asked.node}")
    return Matches(found.mask[layout.by_id], found.scores[layout.by_id])


def by_skipping(layout: Layout, asked: Asked, limit: int) -> tuple[list[int], list[float]] | None:
    """The best of a list of words or a phrase; None for other trees."""
    best_of = partial(layout.snapshot.best, limit=limit)
    terms: tuple[Node, ...]
    optional: tuple[Node, ...] = ()
    match asked.node:
        case Term():
            mode, terms = best.ANY, (asked.node,)
        case Or(terms, 1):
            mode = best.ANY
        case And(terms):
            mode = best.ALL
        case Also(And(terms), optional):
            mode = best.ALL
        case Phrase(field, words, offsets):
            named = [(field, word.encode()) for word in words]
            return best_of(best.PHRASE, named, offsets=offsets)
        case _:
            return None
    words = [one for one in (*terms, *optional) if isinstance(one, Term)]
    if len(words) < len(terms) + len(optional):
        return None
    return best_of(
        mode, [(one.field, one.word.encode()) for one in words], boosts=[one.boost for one in words],
        needed=[True] * len(terms) + [False] * len(optional),
    )  # fmt: skip


def on_page(layout: Layout, asked: Asked) -> Answer:
    found = layout.engine.find_tree(asked.node, asked.page)
    return Answer(found.ids, found.scores, found.total, found.facets, found.articles)


# --- comparing -------------------------------------------------------------------------------------------


class Tally:
    """Answers looked at and found different, by class, with the first difference of each."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.differing: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def take(self, kind: str, where: str, asked: object, difference: str | None) -> None:
        self.asked[kind] += 1
        if difference is not None:
            self.differing[kind] += 1
            self.first.setdefault(kind, f"{kind}, {where}: {difference}\n    {asked}")

    def report(self) -> None:
        print(
            f"{self.asked.total()} answers, {self.differing.total()} differ from the scan or from each other"
        )
        for text in self.first.values():
            print(text[:2000])


def compare(
    tally: Tally, reference: Reference, layouts: Mapping[str, Layout], kind: str, asked: Asked
) -> None:
    if isinstance(asked.node, Rank):
        expected = reference.ranked(asked.node, asked.page)
        for name, layout in layouts.items():
            tally.take(kind, f"{name}, rank", asked, page_difference(on_page(layout, asked), expected))
        return
    found = reference.found(asked.node)
    expected = reference.answer(found, asked.page)
    limit = (1, 10, 100)[tally.asked[kind] % 3]
    ids, scores = reference.fields["text"].ranked(found, limit=limit)
    earlier: Matches | None = None
    for name, layout in layouts.items():
        matches, page = by_evaluation(layout, asked), on_page(layout, asked)
        tally.take(kind, f"{name}, evaluate", asked, match_difference(reference, matches, found, earlier))
        tally.take(kind, f"{name}, page", asked, page_difference(page, expected))
        skipped = by_skipping(layout, asked, limit)
        if skipped is not None:
            own = matches.scores[np.searchsorted(reference.numbers["id"], skipped[0])].tolist()
            some = Answer(tuple(ids.tolist()), tuple(scores.tolist()), 0, {})
            got = Answer(tuple(skipped[0]), tuple(skipped[1]), 0, {})
            other = f"scores {skipped[1]}, but {own} by evaluation" if own != skipped[1] else None
            tally.take(kind, f"{name}, best {limit}", asked, page_difference(got, some) or other)
        earlier = matches


def match_difference(
    reference: Reference, got: Matches, expected: Matches, earlier: Matches | None
) -> str | None:
    """`earlier`: of another layout, which must be equal to the last bit."""
    wrong = np.flatnonzero(got.mask != expected.mask)
    if len(wrong):
        one = reference.ids[wrong[0]]
        return f"{len(wrong)} articles, {one} is {'' if got.mask[wrong[0]] else 'not '}found"
    off = np.abs(got.scores - expected.scores)
    if off.max(initial=0.0) > CLOSE:
        at = int(off.argmax())
        return f"score of {reference.ids[at]} is {got.scores[at]!r}, not {expected.scores[at]!r}"
    if earlier is not None and not np.array_equal(got.scores, earlier.scores):
        at = int((got.scores != earlier.scores).argmax())
        return f"score of {reference.ids[at]} is {got.scores[at]!r}, {earlier.scores[at]!r} in another layout"
    return None


def page_difference(got: Answer, expected: Answer) -> str | None:
    if got.total != expected.total:
        return f"total {got.total}, not {expected.total}"
    if got.articles != expected.articles:
        return f"{got.articles} articles, not {expected.articles}"
    if got.ids != expected.ids:
        return f"ids {got.ids[:10]}, not {expected.ids[:10]}; scores {got.scores[:10]}, not {expected.scores[:10]}"
    pairs = zip(got.scores, expected.scores, strict=True)
    if any(abs(one - other) > CLOSE for one, other in pairs):
        return f"scores {got.scores[:10]}, not {expected.scores[:10]}"
    if dict(got.facets) != dict(expected.facets):
        return f"facets {got.facets}, not {expected.facets}"
    return None


if __name__ == "__main__":
    main()
