"""What each step of the ranking gives: nDCG@10 on sets of judged queries (see kb/evaluate.py), in two halves.

    .venv/bin/python scripts/bench/relevance.py --keep /tmp/relevance SET…

A query belongs to a half by a hash of its text. A weight is kept when it helps on one half and does no harm on the other. Each step is told
beside the step before it, with the paired standard error of the difference. Indexes stay in --keep and are used again; remove them
when the index or its words have changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from kb import config, evaluate
from kb.engine import Engine, open_engine, plan, window
from kb.engine.compiled import Floats
from kb.engine.tree import Rank, Term
from kb.errors import EngineDownError, QueryError
from kb.model import Page
from kb.query import parse
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter
from kb.text.stopwords import STOPWORDS

TODAY = date(2024, 3, 15)  # no query of these sets has a relative date


class Step(NamedTuple):
    """A way to rank. Each field switches one part of today's ranking on."""

    name: str
    grams: bool = True
    stop_words: bool = True
    together: bool = True
    first: bool = True
    composed: bool = True  # articles with everything before the others, and tiers


STEPS = (
    Step("words", grams=False, stop_words=False, together=False, first=False, composed=False),
    Step("+ bigrams at half weight", stop_words=False, together=False, first=False, composed=False),
    Step("+ stop words at half weight", together=False, first=False, composed=False),
    Step("+ best passage", first=False, composed=False),
    Step("+ beginning", composed=False),
    Step("+ articles with everything first"),
)


def main() -> None:
    asked = _arguments()
    segmenter = load_segmenter(config.lexicon_lines())
    for folder in asked.sets:
        engine, ids = _index(folder, asked.keep, segmenter)
        judged = evaluate.read_queries(folder)
        names = [f"{one.query_class} {_half(one.text)}" for one in judged]
        before = None
        for step in STEPS:
            now = _measured(engine, segmenter, judged, ids, step)
            print(f"{folder.name}  {step.name:34}", _line(names, now, before), flush=True)
            before = now


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path, help="folders as kb eval takes them")
    parser.add_argument("--keep", type=Path, required=True, help="where indexes are kept")
    return parser.parse_args()


def _index(folder: Path, keep: Path, segmenter: Segmenter) -> tuple[Engine, list[str]]:
    """The index of a set, made when it is not there, and its documents' ids."""
    place = keep / folder.resolve().name
    engine = open_engine(place / "index", segmenter)
    try:
        if engine.problem() is None and engine.count():
            return engine, json.loads((place / "ids.json").read_text(encoding="utf-8"))
    except EngineDownError:
        pass
    (place / "index").mkdir(parents=True, exist_ok=True)
    ids = evaluate.build(engine, evaluate.read_documents(folder), lambda *_: None)
    (place / "ids.json").write_text(json.dumps(ids), encoding="utf-8")
    return engine, ids


def _half(text: str) -> str:
    return "AB"[hashlib.sha256(text.encode()).digest()[0] & 1]


def _measured(
    engine: Engine, segmenter: Segmenter, judged: list[evaluate.Judged], ids: list[str], step: Step
) -> Floats:
    """nDCG@10 of every query."""
    values = np.zeros(len(judged))
    with _weights(step):
        for number, query in enumerate(judged):
            try:
                found = (
                    evaluate.first(engine, query.text, {})
                    if step.composed
                    else _any(engine, segmenter, query.text, step)
                )
            except QueryError:
                continue
            grades = [query.grades.get(ids[one - 1], 0) for one in found]
            values[number] = evaluate.measures(grades, query.grades)[0]
    return values


@contextmanager
def _weights(step: Step) -> Iterator[None]:
    with ExitStack() as stack:
        for name, is_on in (("TOGETHER_SHARE", step.together), ("FIRST_SHARE", step.first)):
            stack.enter_context(mock.patch.object(window, name, getattr(window, name) * is_on))
        yield


def _any(engine: Engine, segmenter: Segmenter, text: str, step: Step) -> tuple[int, ...]:
    """The ten best of all that the fallback finds, by their score alone."""
    tree = plan.of(parse(text, TODAY), segmenter, "any")
    by = tuple(_weighed(term, step) for term in tree.by if step.grams or term.field == "text")
    return engine.find_tree(Rank(tree.part, by), Page(limit=evaluate.DEPTH)).ids


def _weighed(term: Term, step: Step) -> Term:
    return term if step.stop_words or term.word not in STOPWORDS else replace(term, boost=2 * term.boost)


def _line(names: list[str], now: Floats, before: Floats | None) -> str:
    parts = []
    for name in sorted(set(names)):
        chosen = np.array([one == name for one in names])
        said = f"{name} {now[chosen].mean():.4f}"
        if before is not None:
            gained = (now - before)[chosen]
            said += f" {gained.mean():+.4f} ± {gained.std(ddof=1) / math.sqrt(len(gained)):.4f}"
        parts.append(said)
    return "  ".join(parts)


if __name__ == "__main__":
    main()
