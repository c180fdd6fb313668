"""The search of a serving process, without its process (tests/web/admin/test_lexicon_served.py has that)."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from kb import follow, ingest
from kb.config import Settings
from kb.model import NOTHING_HIDDEN, Filters, TopicContent
from kb.present import PresentSearch
from kb.search import Search, open_search
from kb.store import topics, words
from kb.store.db import writing
from kb.text.lexicon import OwnTerm
from tests.test_ingest import line

WORD = "枫溪夜话会"


@pytest.fixture(autouse=True)
def indexed(database: Database, settings: Settings, tmp_path: Path) -> None:
    """Two articles, indexed with the shipped words."""
    archive = tmp_path / "a.jsonl"
    archive.write_text(line(1) + line(2), encoding="utf-8")
    ingest.add(database, settings, [archive])
    ingest.reindex(database, settings, everything=False)


def add_word(database: Database, *, is_removed: bool = False) -> None:
    with writing(database) as connection:
        words.decide(connection, [OwnTerm(WORD, is_removed=is_removed)], "wang")


def is_one_word(search) -> bool:
    return search.segmenter.words(WORD) == [WORD]


def test_a_process_that_starts_before_the_rebuild_asks_the_index_with_its_own_words(
    database: Database, settings: Settings
) -> None:
    add_word(database)
    search = open_search(settings, database)

    assert not is_one_word(search)
    assert search.find("支部活动").total == 2


def test_a_process_that_runs_takes_the_new_words_when_the_index_has_them(
    database: Database, settings: Settings
) -> None:
    present = PresentSearch(settings, database)
    told = []
    present.on_swap(told.append)
    add_word(database)
    before = present.get()
    ingest.reindex(database, settings, everything=False)
    meanwhile = present.get().find("支部活动").total
    present.follow()

    assert not is_one_word(before) and is_one_word(present.get())
    assert (meanwhile, before.find("支部活动").total, present.get().find("支部活动").total) == (2, 2, 2)
    assert told == [present.get()]


def test_without_the_file_of_its_words_the_older_generation_answers(
    database: Database, settings: Settings
) -> None:
    for path in settings.index.glob("words-*.json"):
        path.write_text("[", encoding="utf-8")
    search = open_search(settings, database)
    add_word(database)

    assert search.find("支部活动").total == 2
    assert is_one_word(open_search(settings, database))


def test_the_indexer_ends_when_the_lexicon_has_been_quiet_and_the_next_one_makes_the_index_anew(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.3)
    slept = iter([lambda: add_word(database)])
    monkeypatch.setattr(follow.time, "sleep", lambda _seconds: next(slept, lambda: None)())
    first = follow.follow(database, settings)
    second = follow.follow(database, settings, enough=2)

    assert (first, second) == (0, 2)
    assert is_one_word(open_search(settings, database))


def test_equal_names_hold_at_once_and_the_rest_stays(database: Database, settings: Settings) -> None:
    present = PresentSearch(settings, database)
    engine = present.get().engine
    with writing(database) as connection:
        words.add_group(connection, ("支部活动", "枫溪活动"), "wang", is_removed=False)

    assert present.get().find("支部活动").expanded == (("支部活动", ("枫溪活动",)),)
    assert present.get().engine is engine


def test_a_topic_is_known_by_its_earlier_names_at_once_and_the_last_that_had_one_counts(
    database: Database, settings: Settings
) -> None:
    present, content = PresentSearch(settings, database), TopicContent("甲题", "党建")

    def known(search: Search) -> list[str]:
        return [
            search.topics.filters(Filters({"topic": (one,)})).only["topic"][0] for one in ("甲题", "乙题")
        ]

    with writing(database) as connection:
        first = topics.add(connection, "one", content, "wang")
        first = topics.change(connection, first, replace(content, name="乙题"), "wang", "")
        topics.add(connection, "draft", replace(content, state="draft"), "wang")
    assert known(present.get()) == ["乙题", "乙题"]
    with writing(database) as connection:
        second = topics.add(connection, "two", content, "wang")
    assert known(present.get()) == ["甲题", "乙题"]
    with writing(database) as connection:
        topics.change(connection, second, replace(content, name="丙题"), "wang", "")
        topics.change(connection, first, replace(content, name="丁题"), "wang", "")

    assert known(present.get()) == known(open_search(settings, database)) == ["丙题", "丁题"]


def test_old_files_of_words_are_cleared_away(settings: Settings) -> None:
    for number in range(20):
        words.keep_made_with(settings.index, f"{number:016}", words.Lexicon())

    assert len(list(settings.index.glob("words-*.json"))) == words.MADE_WITH_KEPT
    assert words.made_with(settings.index, f"{19:016}") == words.Lexicon()


def test_words_that_a_killed_run_left_unfinished_are_removed(settings: Settings) -> None:
    settings.index.mkdir(parents=True, exist_ok=True)
    left, present = settings.index / ".words-left", settings.index / ".words-present"
    left.touch()
    present.touch()
    os.utime(left, (1, 1))
    words.keep_made_with(settings.index, "0" * 16, words.Lexicon())

    assert not left.exists() and present.exists()


def test_what_goes_by_the_topics_is_worked_out_once_for_each_state_of_them(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.present.READY_SECONDS", 0.001)
    present, told, stop = PresentSearch(settings, database), [], Rounds(40)
    with writing(database) as connection:
        topics.add(connection, "zhibu", TopicContent("支部活动", "支部"), "")

    def then(search, _stop):
        told.append(sorted(search.counts(hidden=NOTHING_HIDDEN)))
        if len(told) == 1:
            with writing(database) as connection:
                topics.add(connection, "dangke", TopicContent("党课", "活动"), "")

    present.keep_ready(stop, then)

    assert told == [["支部活动"], ["党课", "支部活动"]]


class Rounds(threading.Event):
    """Stops after so many looks."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self._left = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self._left -= 1
        return self._left < 0
