from __future__ import annotations

import pytest
from flask import Flask

from kb.web.access import Access, install, public


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
