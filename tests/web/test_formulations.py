"""The page of formulations, its JSON and CSV."""

from __future__ import annotations

from flask.testing import FlaskClient

from kb.export.audit_table import BOM


def test_the_page_shows_first_and_last_occurrence_with_the_sentence(client: FlaskClient):
    page = client.get("/formulations?q=业务").text

    assert "本库最早" in page
    assert "<mark>业务</mark>" in page
    assert "每千篇" in page


def test_several_stand_side_by_side_and_more_than_four_are_refused(client: FlaskClient):
    page = client.get("/formulations?q=业务&q=党建&q=业务")

    assert page.text.count('class="chart"') == 2
    assert client.get("/formulations?q=一一&q=二二&q=三三&q=四四&q=五五").status_code == 400
    assert client.get("/formulations?q=一").status_code == 400


def test_without_a_formulation_there_is_the_form_and_one_that_is_not_there_is_told(client: FlaskClient):
    assert client.get("/formulations").status_code == 200
    assert "本库中没有这个提法" in client.get("/formulations?q=没有的提法").text


def test_json_has_the_share_of_every_month_and_csv_has_a_mark_for_excel(client: FlaskClient):
    told = client.get("/formulations.json?q=业务").json
    csv = client.get("/formulations.csv?q=业务")

    assert told is not None
    of = {line["month"]: line["articles"] for line in told["coverage"]}
    for month in told["formulations"][0]["months"]:
        assert month["share"] == round(month["articles"] * 1000 / of[month["month"]], 2)
    assert csv.text.startswith(BOM + "提法,月份")
    assert client.get("/formulations.csv?q==业务").status_code == 200


def test_an_answer_that_the_asker_has_is_not_sent_again(client: FlaskClient):
    etag = client.get("/formulations.json?q=业务").headers["ETag"]

    assert client.get("/formulations.json?q=业务", headers={"If-None-Match": etag}).status_code == 304
