"""Makes backups, restores or upgrades in a child that is killed at random moments, again and again.

    python -m tests.gates.kill_backup FOLDER backup|restore|upgrade KILLS

Prints JSON: how often a child was killed before it had finished, and what was wrong after a kill.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kb import backup, config
from kb.config import Settings
from kb.model import Actor
from kb.store import articles, audit, audit_check, pages
from kb.store.articles import NewArticle
from kb.store.backup_folder import copied
from kb.store.db import check, connect, open_database, reading, revision, upgrade, writing
from kb.store.inventory import inventory
from kb.text.fingerprint import Fingerprints
from tests.making import article

ARTICLES, PAGES = 400, 150
TRIES = 8  # of one kill
OPERATOR = Actor("cli:kb")
took: list[float] = []  # seconds of the runs that were left in peace
hits: list[bool] = []  # whether a child was still at work when it was killed


def library(data: Path, schema: str) -> Settings:
    """A library of a schema, with articles, pages and, where it has a log, records."""
    settings = Settings(data=data)
    config.prepare_data(settings)
    database = connect(settings.database)
    upgrade(database, schema)
    with writing(database) as connection:
        made = (article(f"第{n}号", (noise(n),), key=f"https://a.example/{n}") for n in range(ARTICLES))
        articles.save(connection, [NewArticle(one) for one in made], Fingerprints())
        if schema != "0002":
            audit.record(connection, OPERATOR, "user.added", "user:zhangsan")
    for number in range(PAGES):
        pages.put(settings.pages, os.urandom(2000) + bytes([number]))
    database.dispose()
    return settings


def noise(number: int) -> str:
    """A text that is like no other."""
    rng = random.Random(number)
    return "".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(900))


def killed(work: Callable[[], object], seconds: float | None) -> None:
    """Do it in a child, killed after so many seconds."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    took.append(time.monotonic() - started if seconds is None else 0.0)
    hits.append(os.WIFSIGNALED(status))
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed"


def content(settings: Settings, folder: Path) -> str:
    database = connect(settings.database)
    plain = folder / "plain.sqlite3"
    plain.unlink(missing_ok=True)
    copied(database, settings.data, plain)
    database.dispose()
    return inventory(plain).content


def whole(settings: Settings, folder: Path, expected: str) -> list[str]:
    """What is wrong with a library that should be as it was."""
    database = open_database(settings.database)
    wrong = check(database)
    with reading(database) as connection:
        problem = audit_check.verify(connection).problem
    database.dispose()
    wrong += [str(problem)] if problem else []
    wrong += [] if content(settings, folder) == expected else ["the texts differ"]
    wrong += [] if len(list(settings.pages.glob("*/*.gz"))) == PAGES else ["pages are missing"]
    return wrong


def backups(folder: Path, seconds: Callable[[], float | None]) -> list[str]:
    """Backups into one folder: each file there is whole, no half one outlives the next run."""
    settings, target = library(folder / "data", "head"), folder / "backups"
    expected = content(settings, folder)

    def work() -> None:
        database = open_database(settings.database)
        backup.backup(database, settings, target, OPERATOR, keep=3)

    for moment in iter(seconds, -1.0):
        killed(work, moment)
        for path in target.glob("*.tar"):
            if backup.check(path).content != expected:
                return [f"{path} differs"]
    left = [path.name for path in target.iterdir() if not path.name.endswith((".tar", ".lock"))]
    return [*left, *whole(settings, folder, expected)]


def restores(folder: Path, seconds: Callable[[], float | None]) -> list[str]:
    """Restores of one backup, each into a folder that a killed run left behind."""
    settings = library(folder / "data", "head")
    expected = content(settings, folder)
    database = open_database(settings.database)
    kept = backup.backup(database, settings, folder / "backups", OPERATOR)
    database.dispose()
    wrong: list[str] = []
    number = 0
    new = Settings(data=folder / "new-0")
    for moment in iter(seconds, -1.0):
        new.data.mkdir(exist_ok=True)
        if not (new.data / "audit.key").exists():
            shutil.copy(settings.data / "audit.key", new.data)
        killed(partial(backup.restore, new, kept.path, OPERATOR), moment)
        if new.database.exists():  # killed late, or done
            wrong += whole(new, folder, expected)
            shutil.rmtree(new.data)
            number += 1
            new = Settings(data=folder / f"new-{number}")
    left = [path.name for path in folder.glob("new-*/.restoring")]
    return wrong + left


def upgrades(folder: Path, seconds: Callable[[], float | None]) -> list[str]:
    """Upgrades of one old library: it is old or new, never between; what it was is kept."""
    old = library(folder / "old", "0002")
    expected = content(old, folder)
    wrong: list[str] = []
    data = folder / "data"
    shutil.copytree(old.data, data)
    settings = Settings(data=data)
    for moment in iter(seconds, -1.0):
        killed(lambda: backup.upgrade_store(settings, OPERATOR), moment)
        database = connect(settings.database)
        found = revision(database)
        database.dispose()
        wrong += [] if content(settings, folder) == expected else ["the texts differ"]
        if found != "0002":
            kept = list((data / "backups").glob("*.sqlite3"))
            wrong += (
                []
                if len(kept) == 1 and inventory(kept[0]).content == expected
                else ["what it was is not kept"]
            )
            wrong += whole(settings, folder, expected)
            shutil.rmtree(data)
            shutil.copytree(old.data, data)
    return wrong


def paced(shares: list[float]) -> Callable[[], float | None]:
    """Seconds before each kill: shares of how long a run takes; None at the beginning and the end: no kill; then -1.

    A first run beside other work takes many times as long as the next. So a kill that came too late is made again, of half
    the time.
    """
    left: list[float | None] = [None, *shares, None]
    half, tries = 1.0, 0
    share: float | None = None

    def seconds() -> float | None:
        nonlocal half, tries, share
        if share is not None and not hits[-1] and tries < TRIES:
            half, tries = half / 2, tries + 1
            return share * half * max(took)
        if not left:
            return -1.0
        share, tries = left.pop(0), 0
        return None if share is None else share * half * max(took)

    return seconds


def main(folder: Path, work: str, kills: int) -> None:
    seed = random.SystemRandom().randrange(10**9)
    pick = random.Random(seed)
    done = {"backup": backups, "restore": restores, "upgrade": upgrades}[work]
    started = time.monotonic()
    wrong = done(folder, paced([pick.uniform(0, 0.9) for _ in range(kills)]))
    said = {"kills": kills, "at_work": sum(hits), "wrong": [f"seed {seed}: {one}" for one in wrong]}
    json.dump(said | {"seconds": round(time.monotonic() - started)}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
