"""A backup is whole or refused; a restored library is the one that was backed up; killed runs are simply run again."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from kb import backup, config
from kb.backup import Backup
from kb.cli import main
from kb.config import Settings
from kb.errors import BackupError, KbError, LockedError, StoreError
from kb.model import Actor
from kb.store import archive, articles, audit, audit_check, pages, sign_ins, users
from kb.store.articles import NewArticle
from kb.store.backup_folder import alone_in, copied
from kb.store.db import REVISION, check, connect, open_database, reading, revision, upgrade, writing
from kb.store.inventory import inventory
from kb.store.tables import audit as audit_table
from kb.store.tables import sign_ins as sign_in_table
from kb.text.fingerprint import Fingerprints
from tests.gates import kill_backup
from tests.making import article

OPERATOR = Actor("cli:kb")
ARTICLES = 30


def save(database: backup.Database, first: int, count: int) -> None:
    with writing(database) as connection:
        made = (article(f"第{n}号材料", key=f"https://a.example/{n}") for n in range(first, first + count))
        articles.save(connection, [NewArticle(one) for one in made], Fingerprints())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Backup]:
    """A library with everything that a backup takes along, and more, and its backup."""
    folder = tmp_path_factory.mktemp("library")
    settings = Settings(data=folder / "data")
    config.prepare_data(settings)
    database = open_database(settings.database)
    save(database, 0, ARTICLES)
    for number in range(3):
        pages.put(settings.pages, f"<p>{number}</p>".encode())
    (settings.own_sources / "own.toml").write_text('slug = "own"\n', encoding="utf-8")
    (settings.own_sources / "notes.txt").write_text("mine", encoding="utf-8")
    (settings.index / "CURRENT").write_text("gen-0001", encoding="utf-8")
    (settings.data / "secret_key").write_bytes(b"0" * 32)
    with writing(database) as connection:
        user = users.add(connection, "zhangsan", "张三", "reader", "$argon2id$none")
        sign_ins.begin(connection, user)
        audit.record(connection, OPERATOR, "user.added", "user:zhangsan")
    kept = backup.backup(database, settings, folder / "backups", OPERATOR)
    database.dispose()
    return settings, kept


@pytest.fixture
def new(tmp_path: Path) -> Settings:
    """Settings whose data folder is not there yet."""
    return Settings(data=tmp_path / "new")


def content(settings: Settings, folder: Path) -> str:
    """The hash of all texts of a library that nobody else has open."""
    database = connect(settings.database)
    plain = folder / "plain.sqlite3"
    plain.unlink(missing_ok=True)
    copied(database, settings.data, plain)
    database.dispose()
    return inventory(plain).content


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- making ---------------------------------------------------------------------------------------------------------


def test_a_backup_holds_database_pages_sources_and_audit_log_and_neither_index_nor_keys(
    made: tuple[Settings, Backup],
) -> None:
    settings, kept = made
    with tarfile.open(kept.path) as file:
        names = file.getnames()
        manifest = json.load(file.extractfile("manifest.json"))  # type: ignore[arg-type]
    page_names = [f"pages/{path.parent.name}/{path.name}" for path in sorted(settings.pages.glob("*/*"))]

    assert [name for name in names if not name.startswith("audit/")] == [
        archive.DATABASE,
        *page_names,
        "sources/own.toml",
        "manifest.json",
        "SHA256",
    ]
    assert (manifest["schema"], manifest["pages"], manifest["counts"]["articles"]) == ("0004", 3, ARTICLES)
    assert kept.path.stat().st_mode & 0o077 == 0
    assert kept.bytes == kept.path.stat().st_size


def test_making_a_backup_is_recorded_and_keeps_as_many_as_are_asked_for(
    settings: Settings, database: backup.Database, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    for name in ("kb-20200101T000000Z.tar", "kb-20200102T000000Z.tar", "kb-notes.tar", ".kb-x.tar.partial"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    kept = backup.backup(database, settings, folder, OPERATOR, keep=2)
    with reading(database) as connection:
        row = connection.execute(select(audit_table)).one()

    assert kept.removed == ("kb-20200101T000000Z.tar",)
    assert sorted(path.name for path in folder.iterdir()) == [
        ".kb-backup.lock",
        "kb-20200102T000000Z.tar",
        kept.path.name,
        "kb-notes.tar",
    ]
    assert (row.action, row.object) == ("backup.made", f"backup:{kept.path.name}")


def test_two_backups_do_not_write_to_one_folder_at_once(
    settings: Settings, database: backup.Database, tmp_path: Path
) -> None:
    with alone_in(tmp_path), pytest.raises(LockedError) as caught:
        backup.backup(database, settings, tmp_path, OPERATOR)

    assert caught.value.key == "backup.running"


def limited(work: Callable[[], object], kib: int) -> str:
    """The key of the error of work in a process whose files may grow no larger."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024))
        said = b"done"
        try:
            work()
        except KbError as error:
            said = error.key.encode()
        finally:
            os.write(writes, said)
            os._exit(0)
    os.close(writes)
    os.waitpid(child, 0)
    with os.fdopen(reads) as file:
        return file.read()


@pytest.mark.parametrize("kib", [1, 20, 60])
def test_a_full_disk_is_said_and_leaves_nothing(
    made: tuple[Settings, Backup], tmp_path: Path, kib: int
) -> None:
    settings, kept = made
    database = connect(settings.database)
    target, data = tmp_path / "backups", tmp_path / "new"
    with database.connect():  # so that the library itself has its files
        said = limited(lambda: backup.backup(connect(settings.database), settings, target, OPERATOR), kib)
    database.dispose()

    assert said == "backup.unwritable"
    assert [path.name for path in target.iterdir()] == [".kb-backup.lock"]
    assert limited(lambda: backup.restore(Settings(data=data), kept.path, OPERATOR), kib) == said
    assert [path.name for path in data.iterdir()] == [".writer"]


# --- restoring --------------------------------------------------------------------------------------------------------


def test_a_restored_library_is_the_one_that_was_backed_up(
    made: tuple[Settings, Backup], new: Settings, tmp_path: Path
) -> None:
    settings, kept = made
    found = backup.restore(new, kept.path, OPERATOR)
    database = open_database(new.database)

    assert found.content == kept.content == content(settings, tmp_path) == content(new, tmp_path)
    assert check(database) == []
    assert files(new.pages) == files(settings.pages)
    assert files(new.own_sources) == {"own.toml": b'slug = "own"\n'}
    assert not list(new.index.iterdir())
    with reading(database) as connection:
        open_sign_ins = select(func.count()).where(sign_in_table.c.ended_at.is_(None))
        assert connection.scalar(open_sign_ins.select_from(sign_in_table)) == 0
        assert users.by_name(connection, "zhangsan") is not None
        last = connection.execute(select(audit_table).order_by(audit_table.c.seq.desc()).limit(1)).one()
    assert (last.action, json.loads(last.detail)["new_key"]) == ("backup.restored", True)
    database.dispose()


def test_the_audit_log_of_a_restored_library_holds_with_the_key_that_was_put_there_first(
    made: tuple[Settings, Backup], new: Settings
) -> None:
    settings, kept = made
    new.data.mkdir()
    shutil.copy(settings.data / "audit.key", new.data)
    found = backup.restore(new, kept.path, OPERATOR)
    database = open_database(new.database)
    with reading(database) as connection:
        verdict = audit_check.verify(connection)
    database.dispose()

    assert not found.new_key
    assert (verdict.problem, verdict.last, verdict.copied) == (None, 2, 2)


def test_without_that_key_the_log_goes_on_with_a_new_one_and_both_verify_it(
    made: tuple[Settings, Backup], new: Settings
) -> None:
    settings, kept = made
    backup.restore(new, kept.path, OPERATOR)
    database = open_database(new.database)
    with reading(database) as connection:
        alone = audit_check.verify(connection).problem
        both = audit_check.verify(connection, keys=audit_check.keys_in([settings.data / "audit.key"])).problem
    database.dispose()

    assert (alone and alone.key, both) == ("audit.other_key", None)


@pytest.mark.parametrize("name", ["kb.sqlite3", "pages/ab/x.gz", "sources/a.toml", "letter.txt"])
def test_a_folder_that_holds_anything_is_refused_untouched(
    made: tuple[Settings, Backup], new: Settings, name: str
) -> None:
    (new.data / name).parent.mkdir(parents=True)
    (new.data / name).write_bytes(b"mine")
    with pytest.raises(BackupError) as caught:
        backup.restore(new, made[1].path, OPERATOR)

    assert caught.value.key == "backup.not_empty"
    assert {name: data for name, data in files(new.data).items() if name != ".writer"} == {name: b"mine"}


def test_an_empty_folder_may_hold_keys_and_what_commands_make(
    made: tuple[Settings, Backup], new: Settings
) -> None:
    config.prepare_data(new)
    (new.data / "secret_key").write_bytes(b"1" * 32)
    backup.restore(new, made[1].path, OPERATOR)

    assert (new.data / "secret_key").read_bytes() == b"1" * 32


def test_a_backup_of_an_older_schema_is_restored_and_upgraded(tmp_path: Path, new: Settings) -> None:
    old = Settings(data=tmp_path / "old")
    database = older(old)
    before = content(old, tmp_path)
    backup._written(database, old, tmp_path / "old.tar", tmp_path / "plain", "2026-01-01T00:00:00Z")
    database.dispose()
    found = backup.restore(new, tmp_path / "old.tar", OPERATOR)
    restored = open_database(new.database)

    assert (found.schema, found.content) == ("0002", before)
    assert revision(restored) == "0004"
    assert content(new, tmp_path) == before
    restored.dispose()


def older(settings: Settings) -> backup.Database:
    """A library as an earlier kb left it."""
    config.prepare_data(settings)
    database = connect(settings.database)
    upgrade(database, "0002")
    save(database, 0, ARTICLES)
    return database


def test_a_backup_of_a_newer_kb_is_refused(tmp_path: Path, new: Settings) -> None:
    newer = Settings(data=tmp_path / "newer")
    config.prepare_data(newer)
    database = open_database(newer.database)
    with writing(database) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    backup._written(database, newer, tmp_path / "newer.tar", tmp_path / "plain", "2026-01-01T00:00:00Z")
    database.dispose()
    for work in (
        lambda: backup.check(tmp_path / "newer.tar"),
        lambda: backup.restore(new, tmp_path / "newer.tar", OPERATOR),
    ):
        with pytest.raises(StoreError) as caught:
            work()
        assert caught.value.key == "store.newer_schema"

    assert files(new.data).keys() == {".writer"}


# --- damage -------------------------------------------------------------------------------------------------------------


def refused(path: Path) -> bool:
    try:
        backup.check(path)
    except BackupError as error:
        return error.key == "backup.damaged"
    return False


@pytest.mark.parametrize("samples", [250, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_backup_that_was_altered_in_any_byte_or_cut_anywhere_is_refused(
    made: tuple[Settings, Backup], tmp_path: Path, samples: int
) -> None:
    whole = made[1].path.read_bytes()
    rng = random.Random(samples)
    # Every kind of place: a header, what follows the end of a member, the last kilobytes; else anywhere.
    places = [*range(0, 512, 9), *range(len(whole) - 3072, len(whole), 13)]
    places += [rng.randrange(len(whole)) for _ in range(samples)]
    missed = []
    path = tmp_path / "altered.tar"
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        missed += [] if refused(path) else [f"flip at {place}"]
    for size in [
        0,
        1,
        511,
        512,
        len(whole) - 1,
        len(whole) - 512,
        *(rng.randrange(len(whole)) for _ in range(60)),
    ]:
        path.write_bytes(whole[:size])
        missed += [] if refused(path) else [f"cut at {size}"]
    for more in (b"\0", bytes(512), b"x" * 10_000):
        path.write_bytes(whole + more)
        missed += [] if refused(path) else ["added"]

    assert missed == []
    assert backup.check(made[1].path).content == made[1].content


def crafted(path: Path, headers: list[tuple[bytes, bytes]], manifest: dict[str, object]) -> None:
    """An archive whose sums are right and whose content is anything."""
    members = [
        [
            tarfile.TarInfo.frombuf(head[:512], "utf-8", "strict").name,
            len(data),
            hashlib.sha256(data).hexdigest(),
        ]
        for head, data in headers
    ]
    said = json.dumps(manifest | {"members": members}).encode()
    headers = [*headers, (archive.header("manifest.json", len(said)), said)]
    out = b"".join(head + data + bytes(-len(data) % 512) for head, data in headers)
    seal = f"{hashlib.sha256(out).hexdigest()}\n".encode()
    path.write_bytes(out + archive.header("SHA256", len(seal)) + seal.ljust(512, b"\0") + bytes(1024))


def link(name: str, kind: bytes, target: str, mode: int = 0o600) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    return info.tobuf(tarfile.GNU_FORMAT)


SHA = "ab" * 32
EVIL = {
    "up": archive.header("../evil", 4),
    "up inside": archive.header("pages/../../evil.gz", 4),
    "absolute": archive.header("/evil", 4),
    "index": archive.header("index/CURRENT", 4),
    "index pickle": archive.header("index/gen-0001/_MAIN_0.toc", 4),
    "key": archive.header("audit.key", 4),
    "kernels": archive.header("kernels/a.nbc", 4),
    "page in a wrong place": archive.header(f"pages/cd/{SHA}.gz", 4),
    "hidden source": archive.header("sources/.toml", 4),
    "source below": archive.header("sources/a/b.toml", 4),
    "plain database": archive.header("kb.sqlite3", 4),
    "symlink": link(f"pages/ab/{SHA}.gz", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": link(f"pages/ab/{SHA}.gz", tarfile.LNKTYPE, "kb.sqlite3"),
    "device": link("sources/a.toml", tarfile.CHRTYPE, ""),
    "folder": link("pages/ab", tarfile.DIRTYPE, ""),
    "long name": archive.header("sources/" + "a" * 120 + ".toml", 4),
    "executable": link("sources/a.toml", tarfile.REGTYPE, "", 0o755),
}


@pytest.mark.parametrize("name", EVIL)
def test_what_kb_does_not_write_is_refused_even_where_every_sum_is_right(
    made: tuple[Settings, Backup], new: Settings, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "evil.tar"
    data = b"evil" if tarfile.TarInfo.frombuf(EVIL[name][:512], "utf-8", "strict").isreg() else b""
    crafted(path, [(EVIL[name], data)], {"format": 1})
    with pytest.raises(BackupError) as caught:
        backup.restore(new, path, OPERATOR)

    assert caught.value.key == "backup.damaged"
    assert files(new.data).keys() == {".writer"}
    assert not list(tmp_path.rglob("evil")) + list(tmp_path.rglob("_MAIN_0.toc"))


def test_a_small_archive_does_not_fill_the_disk(
    new: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.tar"
    bomb = b"".join(archive.packed(iter([bytes(30 * 2**20)])))
    crafted(path, [(archive.header(archive.DATABASE, len(bomb)), bomb)], {"format": 1})
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**30 + 4 * 2**20))
    with pytest.raises(BackupError) as caught:
        backup.restore(new, path, OPERATOR)

    assert (caught.value.key, caught.value.facts["mib"]) == ("backup.too_large", 4)
    assert files(new.data).keys() == {".writer"}


@pytest.mark.parametrize("database", [b"no database", b"SQLite format 3\0" + bytes(4096), b""])
def test_an_archive_whose_database_is_none_is_refused(new: Settings, tmp_path: Path, database: bytes) -> None:
    path = tmp_path / "none.tar"
    data = b"".join(archive.packed(iter([database])))
    manifest = {"format": 1, "made_at": "", "schema": "0004", "content": "", "counts": {}, "pages": 0}
    manifest |= {"database": {"bytes": len(database), "sha256": hashlib.sha256(database).hexdigest()}}
    crafted(path, [(archive.header(archive.DATABASE, len(data)), data)], manifest)
    with pytest.raises(BackupError) as caught:
        backup.restore(new, path, OPERATOR)

    assert caught.value.key == "backup.damaged"
    assert files(new.data).keys() == {".writer"}


@pytest.mark.parametrize("data", [b"", b"not a tar at all" * 100, io.BytesIO(bytes(10240)).getvalue()])
def test_a_file_that_is_no_backup_is_refused(new: Settings, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(data)

    assert refused(tmp_path / "x.tar")
    with pytest.raises(BackupError, match="cannot be read"):
        backup.check(tmp_path / "missing.tar")


# --- while others write, and kills ------------------------------------------------------------------------------------------


def _keep_writing(data: Path, acknowledged: Path, stop: object) -> None:
    database = open_database(Settings(data=data).database)
    number = ARTICLES
    while not stop.is_set():  # type: ignore[attr-defined]
        save(database, number, 1)
        number += 1
        with acknowledged.open("a", encoding="utf-8") as file:
            file.write(f"{number}\n")
        time.sleep(0.005)  # as a crawl pauses, if only to parse


def test_a_backup_made_while_others_write_holds_all_that_was_acknowledged_before(
    settings: Settings, database: backup.Database, new: Settings, tmp_path: Path
) -> None:
    save(database, 0, ARTICLES)
    context = multiprocessing.get_context("spawn")
    stop, acknowledged = context.Event(), tmp_path / "acknowledged"
    writer = context.Process(target=_keep_writing, args=(settings.data, acknowledged, stop))
    writer.start()
    try:
        while not acknowledged.exists():
            writer.join(0.02)
        before = len(acknowledged.read_text().split())
        kept = backup.backup(database, settings, tmp_path / "backups", OPERATOR)
    finally:
        stop.set()
        writer.join(60)
    backup.restore(new, kept.path, OPERATOR)

    assert writer.exitcode == 0
    assert kept.counts["articles"] >= ARTICLES + before
    assert content(new, tmp_path) == kept.content


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("work", ["backup", "restore", "upgrade"])
def test_killed_at_any_moment_nothing_is_lost_and_the_same_again_does_it(
    tmp_path: Path, work: str, kills: int
) -> None:
    command = [sys.executable, "-m", "tests.gates.kill_backup", str(tmp_path), work, str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["at_work"] * 2 >= kills


def test_kills_meet_a_run_at_work_also_where_the_first_took_ten_times_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kill_backup, "took", [])
    monkeypatch.setattr(kill_backup, "hits", [])
    for moment in iter(kill_backup.paced([0.9, 0.2]), -1.0):
        kill_backup.took.append(10.0 if moment is None else 0.0)
        kill_backup.hits.append(moment is not None and moment < 1)

    assert sum(kill_backup.hits) == 2


def test_a_library_is_not_begun_anew_where_restoring_was_not_finished(
    made: tuple[Settings, Backup], new: Settings
) -> None:
    (new.data / ".restoring").mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        open_database(new.database)

    assert caught.value.key == "backup.not_restored"
    assert not new.database.exists()
    assert backup.restore(new, made[1].path, OPERATOR).content == made[1].content


# --- upgrading, and the commands ----------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., object]]:
    def call(data: Path, *arguments: str) -> object:
        monkeypatch.setenv("KB_DATA", str(data))
        return CliRunner().invoke(main, list(arguments))

    yield call


def test_an_upgrade_keeps_the_database_as_it_was_and_says_where(
    tmp_path: Path, run: Callable[..., object]
) -> None:
    settings = Settings(data=tmp_path / "old")
    older(settings).dispose()
    before = content(settings, tmp_path)
    done, again = run(settings.data, "db", "upgrade"), run(settings.data, "db", "upgrade")
    (kept,) = (settings.data / "backups").glob("*.sqlite3")
    database = open_database(settings.database)
    with reading(database) as connection:
        row = connection.execute(select(audit_table)).one()
    database.dispose()

    assert str(kept) in done.stderr  # type: ignore[attr-defined]
    assert done.stdout == again.stdout == f"db ok: revision {REVISION}\n"  # type: ignore[attr-defined]
    found = inventory(kept)
    assert (found.schema, found.content) == ("0002", before)
    assert content(settings, tmp_path) == before
    assert (row.action, json.loads(row.detail)["backup"]) == ("store.upgraded", str(kept))


def test_the_commands_say_in_one_line_what_they_did(
    settings: Settings, database: backup.Database, tmp_path: Path, run: Callable[..., object]
) -> None:
    save(database, 0, 2)
    said = run(settings.data, "backup", str(tmp_path / "b"), "--keep", "3").stdout.splitlines()  # type: ignore[attr-defined]
    as_json = json.loads(run(settings.data, "backup", str(tmp_path / "b"), "--json").stdout)  # type: ignore[attr-defined]
    checked = run(tmp_path / "new", "restore", "--check", said[0]).stdout  # type: ignore[attr-defined]
    restored = run(tmp_path / "new", "restore", said[0])
    again = run(tmp_path / "new", "restore", said[0])

    assert said[1].startswith("backup ok: 2 articles, 0 pages,")
    assert (as_json["counts"]["articles"], as_json["schema"]) == (2, "0004")
    assert checked.startswith("check ok: 2 articles")
    assert restored.stdout.startswith("restore ok: 2 articles")  # type: ignore[attr-defined]
    assert "kb reindex" in restored.stderr  # type: ignore[attr-defined]
    assert (again.exit_code, "已有" in again.stderr) == (1, True)  # type: ignore[attr-defined]


def test_a_damaged_library_makes_no_backup(settings: Settings, tmp_path: Path) -> None:
    database = open_database(settings.database)
    save(database, 0, ARTICLES)
    with database.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    with closing(settings.database.open("r+b")) as file:
        file.seek(-8192, 2)
        file.write(b"\xff" * 8192)
    damaged = connect(settings.database)
    with pytest.raises(BackupError) as caught:
        backup.backup(damaged, settings, tmp_path / "b", OPERATOR)
    damaged.dispose()

    assert caught.value.key == "backup.source_damaged"
    assert [path.name for path in (tmp_path / "b").iterdir()] == [".kb-backup.lock"]
