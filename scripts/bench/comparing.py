"""One comparison from end to end: store, build every index, open it, ask every engine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
from collections.abc import Callable, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import kb_index
import measure
import peers
import questions
from asking import Classes, Exact, Odd, Result, best_of_all_engines, finding, say
from checking import Reference
from kb_index import Kb
from peers import Question

from kb.model import Page

OFFICERS = 5  # every fifth query is enough for two threads of Engine.find, which takes longer

Asked = argparse.Namespace


def compared(asked: Asked, folder: Path) -> Result:
    """The whole result, as docs/benchmarks.md describes it. `asked`: see engines.arguments."""
    prepare(asked, folder)
    data, lines = folder / "data", folder / "documents.jsonl"
    measure.in_fresh_process(kb_index.warm_up)
    docs = _stored(asked, folder, data, lines)
    words = questions.classes(lines, docs, asked.queries, asked.seed)
    both = {name: [questions.with_grams(one) for one in some] for name, some in words.items()}
    index = {"kb": _index(folder, "kb", docs, data / "index", kb_index.build, data)}
    opening = _openings(data, words["nl"][0], asked.openings)
    opened: dict[str, Any] = {}
    for peer in asked.peers:
        index[peer.name] = _peer_index(asked, folder, peer, lines, docs)
        opened[peer.name] = peer(folder / peer.name)
        index[peer.name] |= opened[peer.name].facts
    kb = Kb(data)
    index["kb"] |= kb.facts
    say("looking through all documents for the right answers")
    reference = Reference(lines, chain.from_iterable(both.values()))
    exact, odd = Exact(), Odd(list(opened))
    loose = {name: some for name, some in both.items() if name != "phrase"}
    fast = {name: peer for name, peer in opened.items() if not peer.is_slow}
    result: Result = {"docs": docs, "exact": {}}
    result["classes"] = best_of_all_engines(kb, opened, words, asked.passes, reference, exact, odd)
    result |= {"index": index, **opening}
    result["words_bigrams"] = best_of_all_engines(kb, fast, loose, asked.passes, reference, exact, odd)
    result["find"] = finding(kb, both, asked.passes, reference, exact)
    result["exact"] = {"queries": exact.queries, "differences": exact.differences}
    return result | {
        "two_threads": _threads(kb, words, both),
        "commands": _commands(data, words["and"][0], asked.openings),
        "peers_odd_answers": odd.counts,
        "machine": _machine(),
        "run": _run_facts(asked),
    }


# --- indexes -------------------------------------------------------------------------------------------------


def prepare(asked: Asked, folder: Path) -> None:
    """Empty the folder, unless it is to be used again and was made from the same documents."""
    note = folder / "made-from.json"
    size = asked.corpus.stat().st_size
    key = json.dumps([str(asked.corpus.resolve()), size, asked.docs, asked.slow_docs])
    if not (asked.reuse and note.exists() and note.read_text(encoding="utf-8") == key):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(key, encoding="utf-8")


def _once(folder: Path, name: str, work: Callable[..., Any], *given: Any) -> Result:
    """The work done in a fresh process, or what is known of it from an earlier run."""
    note = folder / f"{name}.json"
    if note.exists():
        known: Result = json.loads(note.read_text(encoding="utf-8"))
        return known
    say(f"{name}: {work.__module__}.{work.__name__}")
    spent = measure.in_fresh_process(work, *given)._asdict()
    note.write_text(json.dumps(spent), encoding="utf-8")
    return spent


def _stored(asked: Asked, folder: Path, data: Path, lines: Path) -> int:
    """How many documents there are to measure with. Raises SystemExit when there is none."""
    stored, failed = _once(folder, "stored", kb_index.stored, asked.corpus, asked.docs, data, lines)["answer"]
    if failed:
        say(f"{len(failed)} lines of {asked.corpus} could not be read, the first: {failed[0]}")
    if not stored:
        raise SystemExit(f"{asked.corpus} holds no article")
    if stored < asked.docs:
        say(f"{asked.corpus} holds {stored} articles only, {asked.docs} were asked for")
    return int(stored)


def _index(folder: Path, name: str, docs: int, files: Path, work: Callable[..., Any], *given: Any) -> Result:
    """Figures of building an index of so many documents."""
    spent = _once(folder, name, work, *given)
    return {
        "docs_per_s_cpu": round(docs / spent["cpu"], 1),
        "docs_per_s_wall": round(docs / spent["wall"], 1),
        "size_mb": round(measure.folder_mb(files), 3),
        "peak_mb": round(spent["peak_mb"], 1),
        "docs": docs,
    }


def _peer_index(asked: Asked, folder: Path, peer: Any, lines: Path, docs: int) -> Result:
    taken = min(docs, asked.slow_docs) if peer is peers.StockWhoosh else docs
    if taken < docs:
        say(
            f"{peer.name} gets {taken} of {docs} documents (--slow-docs): its times are those of the smaller index"
        )
    files = folder / peer.name
    return _index(folder, peer.name, taken, files, peers.built, peer.name, files, lines, taken)


def _openings(data: Path, question: Question, times: int) -> Result:
    """Medians over fresh processes, with the files in the page cache and without."""
    warm = [_opening(data, question) for _ in range(times)]
    cold = []
    for _ in range(times):
        measure.drop_from_page_cache(data / "index")
        cold.append(_opening(data, question))
    return {
        "open_ms": round(statistics.median(opened for opened, _ in warm), 2),
        "cold_first_query_ms": round(statistics.median(first for _, first in cold), 2),
        "cold_open_ms": round(statistics.median(opened for opened, _ in cold), 2),
        "warm_first_query_ms": round(statistics.median(first for _, first in warm), 2),
    }


def _opening(data: Path, question: Question) -> tuple[float, float]:
    answer: tuple[float, float] = measure.in_fresh_process(kb_index.opening_ms, data, question).answer
    return answer


# --- the rest ------------------------------------------------------------------------------------------------


def _threads(kb: Kb, words: Classes, both: Classes) -> Result:
    say("two threads")
    plain, officers = (list(chain.from_iterable(one.values())) for one in (words, both))
    some = officers[::OFFICERS]
    return {
        **measure.threads_compared(kb.best, plain),
        "find": measure.threads_compared(lambda one: kb.find(one, Page()), some, rounds=3),
    }


def _commands(data: Path, question: Question, times: int) -> Result:
    """Seconds of commands from start to end, medians."""
    runs = {"search_s": ("search", " ".join(question.words)), "help_s": ("--help",)}
    return {
        name: round(statistics.median(kb_index.command_seconds(data, *words) for _ in range(times)), 3)
        for name, words in runs.items()
    }


def _machine() -> Result:
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gib": round(memory[0] / 2**20, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def _lines(path: str) -> Sequence[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _run_facts(asked: Asked) -> Result:
    facts = {name: getattr(asked, name) for name in ("docs", "queries", "passes", "seed", "slow_docs")}
    return {"corpus": asked.corpus.name, **facts, "date": date.today().isoformat()}  # noqa: DTZ011 - the operator's day
