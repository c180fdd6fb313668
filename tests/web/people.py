"""People for the tests of the web: browsers that are signed in, and what they send."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from kb.model import Role
from kb.store import sign_ins, users
from kb.store.db import writing
from kb.web.library import EXTENSION

NO_PASSWORD = "$argon2id$none"  # matches nothing: these people are signed in by the tests themselves


def signed_in(
    app: Flask, role: Role = "reader", *, name: str | None = None, units: Collection[int] = ()
) -> FlaskClient:
    """A browser in which a person of this role is signed in."""
    library = app.extensions[EXTENSION]
    name = name or f"a-{role}"
    with writing(library.database) as connection:
        found = users.by_name(connection, name)
        user_id = found.id if found else users.add(connection, name, name, role, NO_PASSWORD, units=units)
        token = sign_ins.begin(connection, user_id, address="127.0.0.1", device="test")
    client = app.test_client()
    client.set_cookie("sign_in", token)
    return client


def post(client: FlaskClient, url: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
    """Send a form as a page of kb would, with its token."""
    return client.post(url, data={**(data or {}), "csrf_token": csrf(client)}, **more)


def csrf(client: FlaskClient) -> str:
    """A token that this browser's session holds."""
    with client.session_transaction() as session:
        raw = session.setdefault("csrf_token", "0" * 40)
    with client.application.test_request_context():
        from flask import session as fresh

        fresh["csrf_token"] = raw
        return str(generate_csrf())
