"""Generations on disk: sealed, switched by one rename, nothing left behind."""

import json
import os
import shutil

import pytest

from kb.engine import generations
from kb.errors import EngineDownError


def make(index, previous=None, **files):
    partial = generations.begin(index, previous)
    for name, text in files.items():
        (partial / name).write_text(text)
    return generations.publish(partial, {"seq": len(files)}, previous)


def serving(index):
    folder = generations.current(index)
    return None if folder is None else generations.read(folder)


def names(index):
    return sorted(path.name for path in index.iterdir())


def test_without_current_there_is_no_generation(tmp_path):
    found = serving(tmp_path / "index")

    assert found is None
    assert generations.stamp(tmp_path / "index") is None


def test_a_published_generation_serves_and_is_sound(tmp_path):
    made = make(tmp_path / "index", a="one", b="two")

    assert serving(tmp_path / "index") == made
    assert made.facts == {"seq": 2}
    assert generations.problems(made) == []
    assert names(tmp_path / "index") == ["CURRENT", "gen-0001"]


def test_folders_are_private_to_their_owner(tmp_path):
    make(tmp_path / "index", a="one")

    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "index" / "gen-0001").stat().st_mode & 0o777 == 0o700


def test_files_are_private_to_their_owner_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        made = make(tmp_path / "index", a="one", b="two")
        make(tmp_path / "index", made, c="three")
    finally:
        os.umask(before)
    found = list((tmp_path / "index").rglob("*"))

    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}


def test_a_folder_that_was_made_for_all_to_see_is_made_private(tmp_path):
    (tmp_path / "index").mkdir(mode=0o755)
    make(tmp_path / "index", a="one")

    assert (tmp_path / "index").stat().st_mode & 0o777 == 0o700


def test_the_next_generation_shares_files_and_keeps_their_hashes(tmp_path, monkeypatch):
    first = make(tmp_path / "index", a="one")
    hashed = []
    monkeypatch.setattr(generations, "_hash", lambda path, *_: hashed.append(path.name) or "0")
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


def test_a_generation_that_is_being_opened_is_not_removed(tmp_path):
    index = tmp_path / "index"
    first = make(index, a="one")
    with generations.held(first.folder):
        for text in "bcd":
            make(index, a=text)
        assert generations.problems(first) == []
    assert names(index) == ["CURRENT", "gen-0001", "gen-0003", "gen-0004"]
    generations.tidy(index)

    assert names(index) == ["CURRENT", "gen-0003", "gen-0004"]


def test_a_generation_that_was_removed_cannot_be_held(tmp_path):
    index = tmp_path / "index"
    first = make(index, a="one")
    for text in "bc":
        make(index, a=text)
    with pytest.raises(EngineDownError), generations.held(first.folder):
        pass

    assert names(index) == ["CURRENT", "gen-0002", "gen-0003"]


def test_nothing_sealed_is_removed_while_current_is_unreadable(tmp_path):
    index = tmp_path / "index"
    for text in "abc":
        make(index, a=text)
    (index / "CURRENT").write_text("gen-0001\n")
    generations.tidy(index)

    assert names(index) == ["CURRENT", "gen-0002", "gen-0003"]


def test_a_manifest_of_another_generation_is_refused(tmp_path):
    index = tmp_path / "index"
    first = make(index, a="one")
    second = make(index, first)
    shutil.copy(first.folder / "MANIFEST.json", second.folder / "MANIFEST.json")
    with pytest.raises(EngineDownError):
        serving(index)

    assert generations.problems(second) != []


def test_what_a_killed_run_left_goes_with_the_next(tmp_path):
    index = tmp_path / "index"
    make(index, a="one")
    (index / "gen-0002.partial").mkdir()
    (index / "gen-0002.partial" / "half").write_text("half")
    (index / "gen-0003").mkdir()
    (index / "gen-0000.old").mkdir()
    (index / "CURRENT.new").write_text("gen-0003\n")
    generations.tidy(index)

    assert names(index) == ["CURRENT", "gen-0001"]


def test_a_generation_being_made_does_not_disturb_the_serving_one(tmp_path):
    first = make(tmp_path / "index", a="one")
    stamp = generations.stamp(tmp_path / "index")
    generations.begin(tmp_path / "index", first)

    assert serving(tmp_path / "index") == first
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
        lambda index: (index / "CURRENT").unlink(),
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
        serving(tmp_path / "index")

    assert caught.value.key == "index.damaged"
    assert "kb reindex --all" in caught.value.words("zh")


def test_a_flipped_bit_behind_the_head_of_a_large_file_is_found_by_the_full_check(tmp_path, monkeypatch):
    monkeypatch.setattr(generations, "HEAD_BYTES", 1)
    made = make(tmp_path / "index", **{"a.kbs": "one"})
    flip(made.folder / "a.kbs")

    assert serving(tmp_path / "index") == made
    assert generations.problems(made) == ["gen-0001/a.kbs: SHA-256"]


def test_a_missing_file_is_named_by_the_full_check(tmp_path):
    made = make(tmp_path / "index", a="one")
    (made.folder / "a").unlink()

    assert generations.problems(made)[0].startswith("gen-0001/a: ")


def test_the_manifest_can_be_read_by_people(tmp_path):
    made = make(tmp_path / "index", a="one")
    manifest = json.loads((made.folder / "MANIFEST.json").read_text())

    assert manifest["files"]["a"]["size"] == 3
    assert manifest["facts"] == {"seq": 1}
