from __future__ import annotations

import pytest
from flask import Flask, Response, stream_with_context

from kb.web import create_app
from kb.web.access import Access, install, only, public
from kb.web.library import library_of
from kb.web.visitor import the_visitor
from tests.web.people import signed_in


def view() -> str:
    return ""


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    assert all(isinstance(vars(view)["access"], Access) for view in app.view_functions.values())


def test_a_route_that_does_not_say_so_keeps_the_server_from_starting() -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/open", endpoint="open", view_func=public(lambda: ""))
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=view)

    with pytest.raises(RuntimeError, match="forgotten"):
        install(app)


def test_who_asks_is_never_whoever_asked_before(app: Flask) -> None:
    """Not even while the answer to that one is still being sent."""

    @only("auditor")
    def stream() -> Response:
        return Response(stream_with_context(f"{the_visitor().user}{number}" for number in range(9)))

    made = create_app(library_of(app).settings)
    made.add_url_rule("/stream", view_func=stream)
    auditor, admin, nobody = signed_in(made, "auditor"), signed_in(made, "admin"), made.test_client()
    begun = auditor.get("/stream")
    next(begun.response)
    statuses = [one.get("/admin/users").status_code for one in (admin, nobody)]
    begun.close()

    assert statuses == [200, 303]
