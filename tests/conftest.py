"""Shared fixtures: an empty data folder, an open store, articles made on the spot."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.engine import warm_up
from kb.store.db import open_database
from tests.making import FOR_TESTS

# Tests promise what happens, not how fast: the machine is shared. Time is measured by scripts/bench/.
hypothesis.settings.register_profile("kb", deadline=None)
hypothesis.settings.load_profile("kb")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose data folder is new and empty."""
    made = Settings(data=tmp_path / "data", **FOR_TESTS)
    config.prepare_data(made)
    return made


@pytest.fixture
def database(settings: Settings) -> Database:
    """An empty store."""
    return open_database(settings.database)


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels() -> None:
    """The kernels of the index, compiled before the first test that would wait for them."""
    warm_up.ensure(lambda _line: None)  # once, however many processes test
    warm_up.compile_kernels()
