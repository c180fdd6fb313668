"""USE CASE  A topic -> the phrases that are frequent in it against the whole library. Of what everybody may see."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine as Database

from kb.model import And, Hidden, Node, Or, Topic, Word
from kb.model import Phrase as Literal
from kb.search import Search
from kb.store import limits, topics
from kb.store.db import reading
from kb.text.keyness import Phrase, telling
from kb.text.normalize import fold

MOST = 20
LEAST = 3  # articles of the topic that hold a phrase …
LEAST_SHARE = 0.02  # … and which part of them
PAUSE_SECONDS = 0.02  # between two topics that are worked out before somebody asks
KEPT = 1024  # topics whose phrases are remembered
State = tuple[object, ...]  # what phrases go by
_known: WeakKeyDictionary[Database, dict[int, tuple[State, list[Phrase]]]] = WeakKeyDictionary()
_lock = threading.Lock()


def phrases(search: Search, database: Database, topic: Topic) -> list[Phrase]:
    """The phrases of a topic, the surest first, at most MOST; those of its own rule are left out.

    Remembered until the topic, the index, the synonyms, the limits or the day is another. Raises as Search.find does.
    """
    with reading(database) as connection:
        everybody = limits.hidden(connection, ())
    today = datetime.now().astimezone().date()
    words = search.segmenter.fingerprint if search.segmenter else ""
    state = (topic.version, search.engine.indexed_seq(), words, everybody, search.synonyms, today)
    with _lock:
        kept = _known.setdefault(database, {})
        found = kept.get(topic.id)
    if found is None or found[0] != state:
        found = state, _phrases(search, topic, everybody, today)
        with _lock:
            if len(kept) >= KEPT:
                kept.clear()
            kept[topic.id] = found
    return found[1]


def work_out(search: Search, stop: threading.Event, *, database: Database) -> None:
    """Have the phrases of every shown topic known before somebody asks, until told to stop; requests go first."""
    with reading(database) as connection:
        shown = [topic for topic in topics.every(connection) if topic.content.state == "shown"]
    for topic in shown:
        phrases(search, database, topic)
        if stop.wait(PAUSE_SECONDS):
            return


def _phrases(search: Search, topic: Topic, hidden: Hidden, today: date) -> list[Phrase]:
    held = search.held_words(topic, hidden=hidden)
    root = search.topics.membership(topic, today).root
    least = max(LEAST, LEAST_SHARE * held.articles)
    often = (one for one in held.words if one[1] >= least)
    known = [fold(topic.content.name), *(_texts(root) if root else ())]
    return telling(often, held.articles, held.everywhere, MOST, known)


def _texts(node: Node) -> Iterator[str]:
    """What a rule looks for, folded; not what must not be there."""
    match node:
        case And() | Or():
            for part in node.parts:
                yield from _texts(part)
        case Word():
            yield from map(fold, (node.text, *node.also))
        case Literal():
            yield fold(node.text)
