from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.errors import StoreError
from kb.store import pages


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_a_page_comes_back_byte_for_byte(tmp_path: Path, body: bytes) -> None:
    assert pages.get(tmp_path, pages.put(tmp_path, body)) == body


def test_a_page_is_named_for_its_bytes_and_kept_once(tmp_path: Path) -> None:
    body = "青石县".encode("gb18030")
    first, second = pages.put(tmp_path, body), pages.put(tmp_path, body)

    assert first == second == hashlib.sha256(body).hexdigest()
    assert files(tmp_path) == [f"{first[:2]}/{first}.gz"]
    assert gzip.decompress((tmp_path / first[:2] / f"{first}.gz").read_bytes()) == body


def test_the_bytes_are_synced_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(handle: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{handle}"))
        done.append("sync folder" if name.is_dir() else "sync file")
        fsync(handle)

    def note_replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    pages.put(tmp_path, b"x")

    assert done == ["sync folder", "sync file", "rename", "sync folder"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / hashlib.sha256(b"x").hexdigest()[:2]).mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        pages.put(tmp_path, b"x")

    assert caught.value.key == "store.unwritable"
    assert "No space left" in caught.value.words("zh")
    assert files(tmp_path) == []


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    kept = pages.put(tmp_path, b"x")
    (tmp_path / kept[:2] / "0123.part").write_bytes(b"half")

    assert pages.clean(tmp_path) == 1
    assert files(tmp_path) == [f"{kept[:2]}/{kept}.gz"]
    assert pages.clean(tmp_path) == 0


def test_a_missing_page_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        pages.get(tmp_path, "0" * 64)

    assert caught.value.key == "store.page_missing"


@pytest.mark.parametrize(
    "damage", [b"", b"no gzip", gzip.compress(b"another page", mtime=0), gzip.compress(b"x", mtime=0)[:-4]]
)
def test_a_damaged_page_is_never_handed_out(tmp_path: Path, damage: bytes) -> None:
    kept = pages.put(tmp_path, b"x")
    (tmp_path / kept[:2] / f"{kept}.gz").write_bytes(damage)
    with pytest.raises(StoreError) as caught:
        pages.get(tmp_path, kept)

    assert caught.value.key == "store.page_damaged"


def test_raw_pages_are_private(tmp_path: Path) -> None:
    kept = pages.put(tmp_path, b"x")

    assert (tmp_path / kept[:2]).stat().st_mode & 0o077 == 0
    assert (tmp_path / kept[:2] / f"{kept}.gz").stat().st_mode & 0o077 == 0
