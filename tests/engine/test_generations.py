"""Generations on disk: sealed, switched by one rename, nothing left behind."""

import json
import os

import pytest

from kb.engine import generations
from kb.errors import EngineDownError


def make(index, previous=None, **files):
    partial = generations.begin(index, previous)
    for name, text in files.items():
        (partial / name).write_text(text)
    return generations.publish(partial, {"seq": len(files)}, previous)


def names(index):
    return sorted(path.name for path in index.iterdir())


def test_without_current_there_is_no_generation(tmp_path):
    found = generations.current(tmp_path / "index")

    assert found is None
    assert generations.stamp(tmp_path / "index") is None


def test_a_published_generation_serves_and_is_sound(tmp_path):
    made = make(tmp_path / "index", a="one", b="two")

    assert generations.current(tmp_path / "index") == made
    assert made.facts == {"seq": 2}
    assert generations.problems(made) == []
    assert names(tmp_path / "index") == ["CURRENT", "gen-0001"]


def test_folders_are_private_to_their_owner(tmp_path):
    make(tmp_path / "index", a="one")

    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "index" / "gen-0001").stat().st_mode & 0o777 == 0o700


def test_the_next_generation_shares_files_and_keeps_their_hashes(tmp_path, monkeypatch):
    first = make(tmp_path / "index", a="one")
    hashed = []
    monkeypatch.setattr(generations, "_hash", lambda path: hashed.append(path.name) or "0")
    second = make(tmp_path / "index", first, b="two")

    assert hashed == ["b"]
    assert second.files["a"] == first.files["a"]
    assert (second.folder / "a").samefile(first.folder / "a")


def test_a_file_that_was_written_anew_under_its_name_is_hashed_again(tmp_path):
    first = make(tmp_path / "index", a="one")
    partial = generations.begin(tmp_path / "index", first)
    (partial / "a").unlink()
    (partial / "a").write_text("two")
    second = generations.publish(partial, {}, first)

    assert second.files["a"]["sha256"] != first.files["a"]["sha256"]
    assert generations.problems(second) == []


def test_without_hard_links_files_are_copied(tmp_path, monkeypatch):
    def refused(*_args):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refused)
    first = make(tmp_path / "index", a="one")
    second = make(tmp_path / "index", first)

    assert (second.folder / "a").read_text() == "one"
    assert generations.problems(second) == []


def test_only_the_serving_generation_and_the_one_before_it_stay(tmp_path):
    for text in "abcd":
        make(tmp_path / "index", a=text)

    assert names(tmp_path / "index") == ["CURRENT", "gen-0003", "gen-0004"]


def test_what_a_killed_run_left_goes_with_the_next(tmp_path):
    index = tmp_path / "index"
    make(index, a="one")
    (index / "gen-0002.partial").mkdir()
    (index / "gen-0002.partial" / "half").write_text("half")
    (index / "gen-0003").mkdir()
    (index / "CURRENT.new").write_text("gen-0003\n")
    generations.tidy(index)

    assert names(index) == ["CURRENT", "gen-0001"]


def test_a_generation_being_made_does_not_disturb_the_serving_one(tmp_path):
    first = make(tmp_path / "index", a="one")
    stamp = generations.stamp(tmp_path / "index")
    generations.begin(tmp_path / "index", first)

    assert generations.current(tmp_path / "index") == first
    assert generations.stamp(tmp_path / "index") == stamp


def test_readers_see_that_current_was_replaced(tmp_path):
    make(tmp_path / "index", a="one")
    before = generations.stamp(tmp_path / "index")
    make(tmp_path / "index", a="one")

    assert generations.stamp(tmp_path / "index") != before


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda index: (index / "gen-0001" / "a").unlink(),
        lambda index: (index / "gen-0001" / "a").write_text("on"),
        lambda index: flip(index / "gen-0001" / "a"),
        lambda index: (index / "gen-0001" / "MANIFEST.json").unlink(),
        lambda index: (index / "gen-0001" / "MANIFEST.json").write_text(""),
        lambda index: (index / "gen-0001" / "MANIFEST.json").write_text("[]"),
        lambda index: flip(index / "gen-0001" / "MANIFEST.json"),
        lambda index: (index / "CURRENT").write_text("gen-0007\n"),
        lambda index: (index / "CURRENT").write_text(""),
        lambda index: (index / "CURRENT").write_text("../../etc\n"),
        lambda index: (index / "CURRENT").write_bytes(b"\xff\xfe"),
    ],
)
def test_damage_is_said_and_never_taken_for_an_empty_index(tmp_path, damage):
    make(tmp_path / "index", a="one")
    damage(tmp_path / "index")
    with pytest.raises(EngineDownError) as caught:
        generations.current(tmp_path / "index")

    assert caught.value.key == "index.damaged"
    assert "kb reindex --all" in caught.value.words("zh")


def test_a_flipped_bit_in_a_large_file_is_found_by_the_full_check(tmp_path, monkeypatch):
    monkeypatch.setattr(generations, "SMALL_BYTES", 0)
    made = make(tmp_path / "index", a="one")
    flip(made.folder / "a")

    assert generations.current(tmp_path / "index") == made
    assert generations.problems(made) == ["gen-0001/a: SHA-256"]


def test_a_missing_file_is_named_by_the_full_check(tmp_path):
    made = make(tmp_path / "index", a="one")
    (made.folder / "a").unlink()

    assert generations.problems(made)[0].startswith("gen-0001/a: ")


def test_the_manifest_can_be_read_by_people(tmp_path):
    made = make(tmp_path / "index", a="one")
    manifest = json.loads((made.folder / "MANIFEST.json").read_text())

    assert manifest["files"]["a"]["size"] == 3
    assert manifest["facts"] == {"seq": 1}
