"""The audit log: page and exports, for the auditor alone. Looking at it is on record once an hour, each export always."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, stream_with_context, url_for
from sqlalchemy import Row

from kb.errors import AuditError
from kb.export import audit_table
from kb.store import audit as audit_log
from kb.store import audit_check, audit_copy, audit_lines
from kb.store.audit_check import Verdict
from kb.store.audit_lines import Asked
from kb.store.db import reading, writing
from kb.store.tables import audit
from kb.text.visible import visible
from kb.web.access import only
from kb.web.asked import read_number
from kb.web.library import the_library
from kb.web.visitor import the_visitor

blueprint = Blueprint("admin_audit", __name__)

checking = threading.Lock()  # one look at the whole log at a time: it reads every record

LINES = 50  # on a page
LOOKED_AT = 1000  # newest records that every page verifies; all of them when it is asked to
OUTCOMES = {"ok": "成功", "refused": "拒绝", "failed": "失败"}
ACTIONS = {
    "sign_in.begun": "登录",
    "sign_in.failed": "登录未成功",
    "sign_in.ended": "结束登录",
    "user.added": "添加账号",
    "user.changed": "修改账号",
    "user.locked": "锁定账号",
    "user.unlocked": "解锁账号",
    "user.deleted": "删除账号",
    "password.changed": "更改密码",
    "unit.added": "添加单位",
    "unit.renamed": "单位改名",
    "unit.deleted": "删除单位",
    "limit.set": "设置阅读范围",
    "limit.lifted": "取消阅读范围",
    "source.paused": "暂停来源",
    "source.resumed": "恢复来源",
    "run.retried": "重试抓取",
    "lexicon.changed": "修改词典",
    "synonyms.changed": "修改同义词",
    "topic.created": "新建专题",
    "topic.changed": "修改专题",
    "topic.removed": "移除专题",
    "topic.put_back": "恢复专题",
    "topic.restored": "恢复专题旧版",
    "topic.imported": "导入专题",
    "file.uploaded": "上传文件",
    "review.passed": "审核通过",
    "review.returned": "审核退回",
    "review.reopened": "放回待审",
    "data.exported": "导出个人数据",
    "data.deleted": "删除个人数据",
    "backup.made": "备份",
    "backup.restored": "恢复备份",
    "store.upgraded": "升级数据库",
    "audit.read": "查看审计记录",
    "audit.exported": "导出审计记录",
    "audit.pruned": "清理到期审计记录",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A record as the page shows it: whatever it holds is plain text."""

    seq: int
    at: str
    actor: str
    address: str
    action: str
    means: str  # 锁定账号; empty for an action without a name
    target: str
    outcome: str
    detail: tuple[tuple[str, str], ...]


@blueprint.get("/admin/audit")
@only("auditor")
def page() -> str:
    """The newest records, and whether the log holds."""
    asked, wrong = _asked()
    address: dict[str, Any] = asked.named()
    before = read_number(request.args, "before", default=0, least=1, most=10**10) or None
    database = the_library().database
    rows: list[Row[Any]] = []
    problem: AuditError | None = None
    try:
        _recorded("audit.read")
        with reading(database) as connection:
            rows = audit_lines.page(connection, asked, before=before, limit=LINES + 1)
    except AuditError as error:
        problem = error
    verdict, whole, busy = _verified()
    return render_template(
        "admin_audit.html",
        lines=[_line(row) for row in rows[:LINES]],
        older=url_for("admin_audit.page", **address, before=rows[LINES - 1].seq) if rows[LINES:] else "",
        is_first=before is None,
        asked=asked,
        typed=request.args,
        wrong=wrong,
        verdict=verdict,
        problem=problem or verdict.problem,
        is_whole=whole,
        is_busy=busy,
        looked_at=LOOKED_AT,
        address=address,
        actions=ACTIONS,
        outcomes=OUTCOMES,
    )


def _verified() -> tuple[Verdict, bool, bool]:
    """Whether the log holds; whether all of it was looked at; whether that was asked for while somebody else does it."""
    asked = request.args.get("check") == "all"
    whole = asked and checking.acquire(blocking=False)
    try:
        with reading(the_library().database) as connection:
            return (
                audit_check.verify(connection, newest=None if whole else LOOKED_AT),
                whole,
                asked and not whole,
            )
    finally:
        if whole:
            checking.release()


@blueprint.get("/admin/audit.csv")
@only("auditor")
def export_csv() -> Response:
    """The records that the filters leave, for a spreadsheet."""
    names = [column.name for column in audit.columns]
    return _exported("csv", lambda records: audit_table.table(names, records), "text/csv")


@blueprint.get("/admin/audit.jsonl")
@only("auditor")
def export_jsonl() -> Response:
    """The records that the filters leave, a line of JSON each, with their seals."""
    return _exported("jsonl", lambda records: map(audit_copy.line, records), "application/x-ndjson")


def _exported(kind: str, form: Any, mimetype: str) -> Response:
    asked, wrong = _asked()
    if wrong:
        return make_response(page(), 400)
    _recorded("audit.exported", {"format": kind, **asked.named()})
    database = the_library().database
    with reading(database) as connection:
        until = (audit_lines.head(connection) or (0, ""))[0]
    records = audit_lines.every(database, asked, until=until)
    response = Response(stream_with_context(form(records)), mimetype=mimetype)
    day = datetime.now().astimezone().strftime("%Y%m%d")
    response.headers["Content-Disposition"] = f'attachment; filename="kb-audit-{day}.{kind}"'
    return response


def _recorded(action: str, detail: dict[str, str] | None = None) -> None:
    """Looking is on record. Raises AuditError where that cannot be: then nothing is shown either."""
    database = the_library().database
    actor = the_visitor().actor
    if action == "audit.read":
        with reading(database) as connection:
            if audit_lines.has_read(connection, actor):
                return
    with writing(database) as connection:
        audit_log.record(connection, actor, action, "audit", detail=detail)


def _asked() -> tuple[Asked, str]:
    """What the form asks for, and what of it cannot be used."""
    typed = {name: request.args.get(name, "").strip() for name in ("actor", "action", "target", "outcome")}
    days: dict[str, date | None] = {}
    wrong = []
    for name, words in (("since", "起始日期"), ("until", "截止日期")):
        text = request.args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            wrong.append(f"{words}「{visible(text)}」读不懂,请写成 2026-11-22。")
            days[name] = None
    return Asked(**typed, since=days["since"], until=days["until"]), "".join(wrong)


def _line(row: Row[Any]) -> Line:
    return Line(
        seq=row.seq,
        at=_clock(str(row.at)),
        actor=visible(str(row.actor)),
        address=visible(str(row.address)),
        action=visible(str(row.action)),
        means=ACTIONS.get(row.action, ""),
        target=visible(str(row.object)),
        outcome=OUTCOMES.get(row.outcome, visible(str(row.outcome))),
        detail=_facts(str(row.detail)),
    )


def _clock(at: str) -> str:
    """The server's own time, to the second; what was tampered with is shown as it is."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return visible(at)


def _facts(detail: str) -> tuple[tuple[str, str], ...]:
    try:
        found = json.loads(detail)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return (("", visible(detail)),)
    return tuple((visible(name), visible(_words(value))) for name, value in found.items())


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
