"""Numbers that no key of the store can be: in the path of every route that names one, and in forms."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter

from kb.web.admin import audit as audit_page
from kb.web.ids import LARGEST, read_ids
from tests.web.people import post, signed_in

TOO_LARGE = (str(2**63), "9" * 30, "9" * 5000)
HUGE = "9" * 5000


@pytest.mark.parametrize("number", TOO_LARGE, ids=len)
def test_no_route_takes_a_number_that_no_key_can_be(app: Flask, number: str) -> None:
    client = signed_in(app, "admin")
    asked = set()
    for rule in app.url_map.iter_rules():
        named = {
            name for name, one in rule._converters.items() if isinstance(one, IntegerConverter)
        }  # werkzeug has no public way
        path = rule.rule
        for name in named:
            path = path.replace(f"<id:{name}>", number)
        if named:
            assert "<" not in path, f"{rule.rule} takes numbers of its own"
            asked.add(path)
            answer = post(client, path) if "POST" in (rule.methods or ()) else client.get(path)
            assert answer.status_code == 404, rule.rule

    assert len(asked) >= 15


def test_what_cannot_be_an_id_is_left_out() -> None:
    assert read_ids(["1", HUGE, "٣", "-1", "", str(LARGEST), str(LARGEST + 1)]) == [1, LARGEST]


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("/admin/users/new", {"name": "new", "role": "nothing"}),
        ("/admin/limits", {"kind": "source", "source": "sample"}),
    ],
)
@pytest.mark.parametrize("number", [HUGE, "9" * 30], ids=len)
def test_a_unit_that_cannot_be_is_refused_by_forms(
    app: Flask, url: str, data: dict[str, str], number: str
) -> None:
    answer = post(signed_in(app, "admin"), url, {**data, "units": number})

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@pytest.fixture
def auditor(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(audit_page, "_recorded", lambda *_: None)
    return signed_in(app, "auditor")


@pytest.mark.parametrize("number", [HUGE, "9" * 30, "-1", "x"], ids=lambda text: text[:4])
def test_the_audit_page_refuses_a_number_that_cannot_be(auditor: FlaskClient, number: str) -> None:
    assert auditor.get(f"/admin/audit?before={number}").status_code == 400


@pytest.mark.parametrize(
    "query", ["since=0001-01-01", "until=9999-12-31", "since=9999-12-31", "until=0001-01-01"]
)
def test_the_audit_page_takes_every_day(
    auditor: FlaskClient, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auditor.get(f"/admin/audit?{query}").status_code == 200


def test_every_number_up_to_the_largest_key_is_an_id() -> None:
    near = {at for power in range(64) for at in range(2**power - 3, 2**power + 3)}
    near |= {LARGEST - 10**power for power in range(19)} | {LARGEST + 10**power for power in range(19)}

    assert read_ids(map(str, near)) == [one for one in near if 0 <= one <= LARGEST]
