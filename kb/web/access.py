"""Who may use a route. Every view says so, or the server does not start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Declare a view that anybody may use, signed in or not."""
    view.access = "public"  # type: ignore[attr-defined]  # functions take attributes; Callable does not say so
    return view


def undeclared(app: Flask) -> list[str]:
    """Endpoints whose view does not say who may use it."""
    return sorted(name for name, view in app.view_functions.items() if not hasattr(view, "access"))


def refuse_undeclared(app: Flask) -> None:
    """Deny by default (reliability.md §7.11): raises RuntimeError when a view does not say who may use it."""
    names = undeclared(app)
    if names:
        raise RuntimeError(f"these views do not declare who may use them: {', '.join(names)}")
