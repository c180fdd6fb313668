"""Fixtures of the web tests: the application over a small library, and what comes back as a tree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kb.config import Settings
from kb.web import create_app
from tests.web import shelf

See = Callable[..., html.HtmlElement]


@pytest.fixture(scope="session")
def library_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings over the library of tests/web/shelf.py; read only."""
    return shelf.build(tmp_path_factory.mktemp("library") / "data")


@pytest.fixture(scope="session")
def app(library_settings: Settings) -> Flask:
    return create_app(library_settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def empty_client(settings: Settings) -> FlaskClient:
    """Nothing stored, no index."""
    return create_app(settings).test_client()


@pytest.fixture
def see(client: FlaskClient) -> See:
    """Get a page as a tree; its status must be as told."""

    def get(url: str, status: int = 200) -> html.HtmlElement:
        response = client.get(url)
        assert response.status_code == status, response.text[:500]
        return html.document_fromstring(response.text)

    return get
