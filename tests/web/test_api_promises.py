"""What docs/openapi.yaml promises, asked by schemathesis: as everybody, with what it allows and with what it does not."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis import checks as other_checks
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from kb.config import Settings
from kb.web import create_app
from tests.web.asking_api import NOTES, bearer, token_of, with_topics
from tests.web.test_api import SPEC
from tests.web.test_matrix import ROLES

# Not positive_data_acceptance: a query that the description allows may still be one that cannot be read, which is a 400.
CHECKS = [
    other_checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.allow_header_conformance,
]
OPERATIONS = sorted(SPEC["paths"])
STRANGERS = ("anonymous", "anonymous where one must sign in", "with a token that is none")
FEW, MANY = 10, 300  # examples of an operation
# What chance does not find: what is there.
THERE: dict[str, dict[str, Any]] = {
    "path_parameters": {"article_id": 1, "topic_slug": NOTES},
    "query": {"q": "三会 支部", "version": 1},
}
WORDINGS = {"q": ["三会一课", "民惟邦本"]}


@pytest.fixture(scope="module")
def apps(library_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Flask]:
    """One library, by whether anybody may read it."""
    made = with_topics(library_settings, tmp_path_factory.mktemp("promises") / "data")
    made = made.model_copy(update={"log_level": "ERROR"})
    return {
        is_open: create_app(made.model_copy(update={"anonymous_reading": is_open}))
        for is_open in (True, False)
    }


def asker(apps: dict[bool, Flask], who: str) -> tuple[Flask, dict[str, str]]:
    """The library that somebody asks, and the headers that he or she sends."""
    if who in STRANGERS:
        return apps[who != STRANGERS[1]], bearer("kb_none") if who == STRANGERS[2] else {}
    return apps[False], bearer(token_of(apps[False], who))  # type: ignore[arg-type]


def cases(operation: APIOperation) -> st.SearchStrategy[Case]:
    """Requests that the description allows, some of them for what is there, and those that it does not."""
    there = {
        kind: {one.name: values[one.name] for one in getattr(operation, kind) if one.name in values}
        for kind, values in THERE.items()
    }
    if operation.path.endswith("/formulations"):
        there["query"] = WORDINGS
    found = {kind: values for kind, values in there.items() if values}
    allowed = operation.as_strategy(GenerationMode.POSITIVE)
    some = operation.as_strategy(GenerationMode.POSITIVE, **found) if found else allowed
    refused = operation.as_strategy(GenerationMode.NEGATIVE)
    return st.one_of(allowed, some, refused) if operation.query or operation.path_parameters else allowed


def hold(app: Flask, headers: dict[str, str], path: str, examples: int) -> dict[int, int]:
    """Ask an operation; returns how often it answered with which status. Raises what does not hold."""
    schema = schemathesis.openapi.from_wsgi("/openapi.yaml", app)
    operation = schema[path]["GET"]
    statuses: dict[int, int] = {}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation))
    def ask(case: Case) -> None:
        response = case.call(headers=headers)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        case.validate_response(response, checks=CHECKS, headers=headers)

    ask()
    return statuses


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_operation_keeps_its_promises(apps: dict[bool, Flask], path: str) -> None:
    statuses = hold(*asker(apps, "reader"), path, FEW)

    assert statuses.get(200, 0) > 0


@pytest.mark.slow
@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize("who", [*STRANGERS, *ROLES])
def test_every_operation_keeps_its_promises_to_everybody(
    apps: dict[bool, Flask], who: str, path: str
) -> None:
    statuses = hold(*asker(apps, who), path, MANY)
    print(who, path, statuses)  # noqa: T201  # how often what was answered

    # To strangers a path that is none is not there; nothing else is told them.
    assert set(statuses) <= {401, 404} if who in STRANGERS[1:] else statuses.get(200, 0) > 0


def test_a_promise_that_is_broken_is_found(apps: dict[bool, Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    """The test itself."""
    app = apps[True]
    view = app.view_functions["api.every_topic"]

    def broken() -> Any:
        return {"topics": [{"slug": 1}]}

    broken.access = view.access  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "api.every_topic", broken)
    with pytest.raises(BaseExceptionGroup):
        hold(app, {}, "/api/v1/topics", 1)
