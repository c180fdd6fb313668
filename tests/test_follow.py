"""The indexer's work, without its process (tests/web/test_serve.py has that)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.engine import generations
from kb.follow import follow, is_behind
from kb.search import open_search
from tests.test_ingest import line


def add(database: Database, settings: Settings, folder: Path, *numbers: int) -> None:
    archive = folder / f"{numbers[0]}.jsonl"
    archive.write_text("".join(line(number) for number in numbers), encoding="utf-8")
    ingest.add(database, settings, [archive])


def test_it_indexes_what_is_stored_and_ends_after_enough_of_it(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    add(database, settings, tmp_path, 1, 2, 3)
    engine = ingest.open_index(settings, database)
    before = is_behind(database, engine)
    done = follow(database, settings, enough=3)

    assert (before, done, is_behind(database, engine)) == (True, 3, False)
    assert open_search(settings, database).find("支部活动2").total == 1


def test_it_goes_on_where_the_index_ends(database: Database, settings: Settings, tmp_path: Path) -> None:
    add(database, settings, tmp_path, 1, 2, 3)
    follow(database, settings, enough=3)
    add(database, settings, tmp_path, 4)

    assert follow(database, settings, enough=1) == 1
    assert ingest.open_index(settings, database).count() == 4


def test_damage_that_no_search_has_met_yet_is_found_and_mended(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch
) -> None:
    add(database, settings, tmp_path, 1, 2)
    follow(database, settings, enough=2)
    monkeypatch.setattr(generations, "problems", lambda generation: ["MAIN.kbs: SHA-256"])
    done = follow(database, settings, enough=2)
    monkeypatch.undo()

    assert ingest.open_index(settings, database).verify() == []
    assert (done, (settings.index / "CURRENT").read_text()) == (2, "gen-0002\n")
