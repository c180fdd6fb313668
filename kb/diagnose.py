"""What `kb doctor` looks at: the database, the index, the disk, the libraries; each with its remedy."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine as Database
from sqlalchemy import select

from kb.config import Settings
from kb.engine import Engine
from kb.errors import KbError
from kb.ingest import open_index
from kb.store import articles, topics
from kb.store.audit_check import verify
from kb.store.audit_copy import catch_up
from kb.store.db import REVISION, check, reading, revision
from kb.store.tables import audit
from kb.topic_checks import check_rule

LEAST_FREE_SHARE = 0.10  # reliability.md §7.7: below 10 % or 1 GiB free, writing is at risk
LEAST_FREE_BYTES = 2**30
BACKUP_DAYS = 7  # without one; reliability.md keeps the last seven daily ones
# Older ones can lose a WAL reset when two connections checkpoint at once (sqlite.org/wal.html#walresetbug).
WAL_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str  # index
    ok: bool
    says: str  # in Chinese; when not ok, with the remedy


def diagnose(database: Database, settings: Settings) -> list[Finding]:
    """Everything worth knowing about this installation, problems first named with what to do."""
    looks: tuple[Callable[[Database, Settings], Finding], ...] = (
        _database,
        _schema,
        _index,
        _lag,
        _topics,
        _audit,
        _disk,
        _sqlite,
    )
    return [look(database, settings) for look in looks]


def glance(database: Database, settings: Settings, engine: Engine) -> list[Finding]:
    """What of it is known at once, and what a running web service needs besides. Reads no article and no file of the index."""
    return [
        _usable(engine),
        _behind(database, engine),
        _indexer(processes()),
        _backup(database),
        _disk(database, settings),
        _sqlite(database, settings),
    ]


def _database(database: Database, _settings: Settings) -> Finding:
    problems = check(database)
    if problems:
        return Finding(
            "database", False, f"数据库损坏:{problems[0]}。请停止写入,用最近的备份恢复数据文件夹。"
        )
    with reading(database) as connection:
        return Finding("database", True, f"完好,{articles.summary(connection).count} 篇文章")


def _schema(database: Database, _settings: Settings) -> Finding:
    return Finding("schema", True, f"结构版本 {revision(database)}(本程序 {REVISION})")


def _index(database: Database, settings: Settings) -> Finding:
    engine = open_index(settings, database, writes=False)
    problem = engine.problem()
    if problem is not None:
        return Finding("index", False, problem)
    damage = engine.verify()
    if damage:
        return Finding("index", False, f"索引损坏:{damage[0]}。文章没有丢失;请运行 kb reindex --all。")
    return Finding("index", True, f"完好,{engine.count()} 篇可检索")


def _usable(engine: Engine) -> Finding:
    problem = engine.problem()
    if problem is not None:
        return Finding("index", False, problem)
    return Finding("index", True, f"{engine.count()} 篇可检索")


def _lag(database: Database, settings: Settings) -> Finding:
    return _behind(database, open_index(settings, database, writes=False))


def _behind(database: Database, engine: Engine) -> Finding:
    indexed = 0 if engine.problem() is not None else engine.indexed_seq()
    with reading(database) as connection:
        behind = articles.count_unindexed(connection, indexed)
    if behind:
        return Finding("index lag", False, f"{behind} 篇已入库、尚不可检索。请运行 kb reindex --new。")
    return Finding("index lag", True, "索引与资料库一致")


def _topics(database: Database, _settings: Settings) -> Finding:
    """A rule that an earlier kb could read may be one that this cannot."""
    with reading(database) as connection:
        found = [one for one in topics.every(connection) if one.content.state != "removed"]
    today = datetime.now().astimezone().date()
    for topic in found:
        try:
            check_rule(topic.content.rule, today)
        except KbError as error:
            says = f"专题「{topic.content.name}」的规则读不懂,现在只有必读:{error.words('zh')}"
            return Finding("topics", False, f"{says} 请在 /t/{topic.slug}/edit 改正。")
    return Finding("topics", True, f"{len(found)} 个专题,规则都读得懂")


def _audit(database: Database, settings: Settings) -> Finding:
    with database.connect() as connection:
        catch_up(connection)  # what a crash left behind is no reason to complain
    with reading(database) as connection:
        found = verify(connection)
    if found.problem is not None:
        return Finding("audit", False, found.problem.words("zh"))
    if found.copied < found.last:
        behind = f"审计记录的副本落后 {found.last - found.copied} 条"
        return Finding(
            "audit", False, f"{behind},写不进 {settings.audit_copy}。记录没有丢失;请检查空间和权限。"
        )
    return Finding("audit", True, f"完好,{found.last - found.first + 1 if found.last else 0} 条记录")


def _disk(_database: Database, settings: Settings) -> Finding:
    usage = shutil.disk_usage(settings.data)
    free = f"剩余 {usage.free / 2**30:.1f} GiB({usage.free / usage.total:.0%})"
    if usage.free < LEAST_FREE_BYTES or usage.free < LEAST_FREE_SHARE * usage.total:
        return Finding("disk", False, f"磁盘空间不足:{free}。请清理,或把 KB_DATA 移到更大的磁盘。")
    return Finding("disk", True, free)


def _sqlite(_database: Database, _settings: Settings) -> Finding:
    version = sqlite3.sqlite_version_info
    fixed = version >= WAL_FIXED[0] or any(
        version[:2] == line[:2] and version >= line for line in WAL_FIXED[1:]
    )
    note = "" if fixed else ";此版本有 WAL 重置缺陷,kb 已用自己的检查点锁避开,建议升级到 3.51.3 以上"
    return Finding("sqlite", True, f"SQLite {sqlite3.sqlite_version}{note}")


def _indexer(found: Sequence[Process]) -> Finding:
    if any(one.kind == "indexer" for one in found):
        return Finding("indexer", True, "索引进程在运行,新文章随到随建")
    return Finding(
        "indexer", False, "没有见到索引进程。kb serve 会在一分钟内自己补上;否则请定时运行 kb reindex --new。"
    )


def _backup(database: Database) -> Finding:
    asked = select(audit.c.at).where(audit.c.action == "backup.made").order_by(audit.c.seq.desc()).limit(1)
    with reading(database) as connection:
        at: str | None = connection.scalar(asked)
    if at is None:
        return Finding("backup", False, "没有备份的记录。请运行 kb backup 文件夹,并定时做。")
    days = (datetime.now(UTC) - datetime.fromisoformat(at)).days
    if days > BACKUP_DAYS:
        return Finding(
            "backup", False, f"最近的备份在 {days} 天前({at[:10]})。请运行 kb backup 文件夹,并定时做。"
        )
    return Finding("backup", True, f"最近的备份在 {at[:10]}")


# --- processes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this web service."""

    pid: int
    kind: Literal["keeper", "web", "indexer"]
    memory_mib: int  # resident; what several share counts in each


def processes() -> list[Process]:
    """The processes of the web service that asks: itself, its children, and, where it was forked by a keeper, its family."""
    own, parent = os.getpid(), os.getppid()
    top = parent if "serve" in _words_of(parent) else own
    return [
        Process(pid, kind, _memory_mib(pid))
        for pid in sorted({top, own, *_children(top)})
        if (kind := _kind(pid, top, own)) is not None
    ]


def _kind(pid: int, top: int, own: int) -> Literal["keeper", "web", "indexer"] | None:
    """What a process of the family does; None for one that is none of ours."""
    words = _words_of(pid)
    if "--follow" in words:
        return "indexer"
    if pid == top != own:
        return "keeper"
    return "web" if pid == own or "serve" in words else None


def _children(parent: int) -> list[int]:
    """Ids of the processes that another one started and that live."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == parent]


def _parent(path: Path) -> int | None:
    try:
        state, number = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
    except (OSError, ValueError):  # it has just ended
        return None
    return None if state == "Z" else int(number)


def _words_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


def _memory_mib(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
