from __future__ import annotations

import pytest
from flask import Flask
from lxml import html

from kb.model import Role
from tests.web.people import signed_in


def links(app: Flask, role: Role) -> list[str]:
    """What the navigation of /admin leads a role to."""
    tree = html.document_fromstring(signed_in(app, role).get("/admin").text)
    return [str(one) for one in tree.xpath("//nav[@aria-label='管理页面']//a/@href")]


@pytest.mark.parametrize("role", ["editor", "operator", "admin", "auditor"])
def test_the_navigation_leads_only_where_the_role_may_go(app: Flask, role: Role) -> None:
    found = links(app, role)
    client = signed_in(app, role)

    assert found[0] == "/admin"
    assert {client.get(url).status_code for url in found} == {200}


def test_readers_have_no_administration(app: Flask) -> None:
    assert signed_in(app, "reader").get("/admin").status_code == 403
