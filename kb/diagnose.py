"""What `kb doctor` looks at: the database, the index, the disk, the libraries; each with its remedy."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.ingest import open_index
from kb.store import articles
from kb.store.audit_check import verify
from kb.store.audit_copy import catch_up
from kb.store.db import REVISION, check, reading, revision

LEAST_FREE_SHARE = 0.10  # reliability.md §7.7: below 10 % or 1 GiB free, writing is at risk
LEAST_FREE_BYTES = 2**30
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
        _audit,
        _disk,
        _sqlite,
    )
    return [look(database, settings) for look in looks]


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
    engine = open_index(settings, database)
    problem = engine.problem()
    if problem is not None:
        return Finding("index", False, problem)
    damage = engine.verify()
    if damage:
        return Finding("index", False, f"索引损坏:{damage[0]}。文章没有丢失;请运行 kb reindex --all。")
    return Finding("index", True, f"完好,{engine.count()} 篇可检索")


def _lag(database: Database, settings: Settings) -> Finding:
    engine = open_index(settings, database)
    indexed = 0 if engine.problem() is not None else engine.indexed_seq()
    with reading(database) as connection:
        behind = articles.count_unindexed(connection, indexed)
    if behind:
        return Finding("index lag", False, f"{behind} 篇已入库、尚不可检索。请运行 kb reindex --new。")
    return Finding("index lag", True, "索引与资料库一致")


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
