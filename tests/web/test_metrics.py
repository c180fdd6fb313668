from __future__ import annotations

import multiprocessing
import os
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb import accounts
from kb.config import Settings
from kb.errors import ConfigError
from kb.model import Actor
from kb.store.db import writing
from kb.web import create_app, metrics
from kb.web.counters import Counters
from kb.web.library import library_of
from tests.web.people import post, signed_in

PASSWORD = "correct-horse-battery-staple"
AWAY = {"REMOTE_ADDR": "192.0.2.7"}


def figures(client: FlaskClient) -> dict[str, float]:
    """Every line of /metrics that has a value."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line.rsplit(" ", 1) for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


@pytest.fixture
def fresh(library_settings: Settings) -> FlaskClient:
    return create_app(library_settings).test_client()


def test_requests_are_counted_by_view_method_and_kind_of_status(fresh: FlaskClient) -> None:
    for url in ("/search?q=三会", "/search?q=三会&page=x", "/nope", "/healthz"):
        fresh.get(url)
    fresh.open("/search", method="BREW")
    found = figures(fresh)

    assert found['kb_requests_total{endpoint="search.page",method="GET",status="2xx"}'] == 1
    assert found['kb_requests_total{endpoint="search.page",method="GET",status="4xx"}'] == 1
    assert found['kb_requests_total{endpoint="none",method="GET",status="4xx"}'] == 1
    assert found['kb_requests_total{endpoint="none",method="other",status="4xx"}'] == 1
    assert found['kb_request_seconds_count{endpoint="search.page"}'] == 2
    assert found['kb_request_seconds_bucket{endpoint="health.alive",le="+Inf"}'] == 1
    assert found['kb_events_total{event="search.answered"}'] == 1
    assert found['kb_events_total{event="search.refused"}'] == 1


def test_sign_ins_are_counted_by_whether_they_were_right(settings: Settings) -> None:
    app = create_app(settings)
    client = app.test_client()
    with writing(library_of(app).database) as connection:
        accounts.add_user(
            connection, Actor("test"), settings, name="zhangsan", full_name="张三", role="reader",
            password=PASSWORD, must_change=False,
        )  # fmt: skip
    statuses = [
        post(client, "/login", {"name": "zhangsan", "password": typed}).status_code
        for typed in ("wrong", PASSWORD)
    ]
    found = figures(client)

    assert statuses[0] != 303 and statuses[1] == 303
    assert found['kb_events_total{event="sign_in.ok"}'] == 1
    assert found['kb_events_total{event="sign_in.failed"}'] == 1


def test_the_figures_tell_of_the_library(fresh: FlaskClient) -> None:
    found = figures(fresh)

    assert found['kb_articles{state="indexed"}'] == 28 and found['kb_articles{state="unindexed"}'] == 0
    assert found["kb_index_generation"] == 1
    assert found["kb_pages_unfetched"] == found["kb_readings_unreviewed"] == 0
    assert found["kb_disk_free_bytes"] > 0 and found['kb_process_resident_bytes{process="0"}'] > 1 << 20
    assert found['kb_info{version="0.1.0"}'] == 1


def test_without_an_index_there_are_figures_too(empty_client: FlaskClient) -> None:
    found = figures(empty_client)

    assert found["kb_index_generation"] == 0 and found['kb_articles{state="indexed"}'] == 0


def test_no_figure_names_a_person_a_query_or_a_path(fresh: FlaskClient) -> None:
    reader = signed_in(fresh.application, name="chen-xiaoming")
    reader.get("/search?q=谁也不该看见")
    reader.get("/谁也不该看见/a")
    reader.get("/papers/谁也不该看见")
    text = fresh.get("/metrics").text

    assert "谁也不该看见" not in text and "chen" not in text and "127.0.0.1" not in text
    assert set(re.findall(r"(\w+)=\"", text)) == {
        "endpoint", "method", "status", "le", "event", "state", "process", "version",
    }  # fmt: skip


def test_refusals_by_a_limit_are_counted(library_settings: Settings) -> None:
    client = create_app(library_settings.model_copy(update={"searches_per_minute": 1})).test_client()
    for _ in range(3):
        client.get("/search?q=三会", environ_base=AWAY)

    assert figures(client)['kb_limited_total{kind="search"}'] == 2


def test_figures_are_for_this_machine_alone(fresh: FlaskClient) -> None:
    away = fresh.get("/metrics", environ_base=AWAY)
    forwarded = fresh.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
    admin = signed_in(fresh.application, "admin").get("/metrics", environ_base=AWAY)

    assert (away.status_code, forwarded.status_code, admin.status_code) == (403, 403, 403)
    assert "kb_" not in away.text


def test_from_elsewhere_figures_are_had_with_the_token(library_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("correct-horse-battery\n")
    client = create_app(library_settings.model_copy(update={"metrics_token_file": path})).test_client()

    def ask(sent: str) -> int:
        return client.get("/metrics", environ_base=AWAY, headers={"Authorization": sent}).status_code

    assert ask("Bearer correct-horse-battery") == 200
    for wrong in (
        "",
        "Bearer ",
        "Bearer x",
        "correct-horse-battery",
        "Basic correct-horse-battery",
        "Bearer é",
    ):
        assert ask(wrong) == 403
    path.write_text("another-token-of-today")
    assert ask("Bearer correct-horse-battery") == 403 and ask("Bearer another-token-of-today") == 200


@pytest.mark.parametrize("text", ["", "short", "口令口令口令口令口令口令口令口令", None])
def test_a_token_that_cannot_be_used_keeps_the_server_from_starting(
    settings: Settings, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigError) as refused:
        create_app(settings.model_copy(update={"metrics_token_file": path}))
    assert refused.value.key == "metrics.no_token"


# --- several processes ------------------------------------------------------------------------------------------


def count_in(counters: Counters, row: int) -> None:
    counters.take_row(row)
    for _ in range(1000):
        counters.request("a.b", "GET", 200, 0.02)
    counters.event("sign_in.ok")


def test_processes_count_together_and_one_that_ended_leaves_its_counts() -> None:
    counters = Counters(["a.b"], ["search"], 2)
    context = multiprocessing.get_context("fork")
    for rows in ((0, 1), (1,)):
        running = [context.Process(target=count_in, args=(counters, row)) for row in rows]
        for process in running:
            process.start()
        for process in running:
            process.join()

    assert dict(counters.read("request")) == {("a.b", "GET", "2xx"): 3000}
    assert dict(counters.read("bucket")) == {("a.b", "2"): 3000}
    assert dict(counters.read("event")) == {("sign_in.ok",): 3}
    assert len(counters.processes()) == 2 and os.getpid() not in {one["pid"] for one in counters.processes()}


def test_the_views_that_count_as_searches_are_there(app: Flask) -> None:
    assert set(metrics.SEARCHES) <= set(app.view_functions)
