from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from kb.config import Settings
from kb.web import create_app


def test_alive_reads_nothing(settings: Settings) -> None:
    app = create_app(settings)
    app.extensions.clear()

    assert app.test_client().get("/healthz").text == "ok\n"


def test_ready_when_store_and_index_answer(client: FlaskClient) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.json) == (200, {"ready": True})


def test_not_ready_without_an_index(empty_client: FlaskClient) -> None:
    response = empty_client.get("/readyz")

    assert response.status_code == 503
    assert response.json == {"ready": False, "reasons": ["index.unavailable"]}


def test_not_ready_when_the_store_cannot_be_read(settings: Settings) -> None:
    client = create_app(settings).test_client()
    client.application.extensions["kb"].database.dispose()
    settings.database.write_bytes(b"not a database" * 1000)

    assert "store.unreadable" in client.get("/readyz").json["reasons"]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_reasons_are_for_this_machine_only(empty_client: FlaskClient, address: str) -> None:
    response = empty_client.get("/readyz", environ_base={"REMOTE_ADDR": address})

    assert (response.status_code, response.json) == (503, {"ready": False})
