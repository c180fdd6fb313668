"""The page that leads to all the others: health, last crawl and index, what waits, disk."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from kb.web.access import may, only

blueprint = Blueprint("admin", __name__)

PAGES = (
    ("admin.page", "概况"),
    ("admin_sources.page", "来源"),
    ("admin_runs.page", "采集记录"),
    ("admin_review.page", "待审"),
    ("admin_upload.page", "上传"),
    ("admin_lexicon.page", "词表"),
    ("admin_queries.page", "检索分析"),
    ("admin_users.page", "用户"),
    ("admin_units.page", "单位"),
    ("admin_limits.page", "阅读范围"),
    ("admin_audit.page", "审计"),
    ("admin.health", "健康检查"),
)


@blueprint.app_template_global("admin_pages")
def admin_pages() -> list[tuple[str, str]]:
    """Endpoint and name of every page of /admin that the visitor may use."""
    return [one for one in PAGES if one[0] in current_app.view_functions and may(one[0])]


@blueprint.get("/admin")
@only("editor", "operator", "admin", "auditor")
def page() -> str:
    """What needs looking after."""
    return render_template("admin_home.html")
