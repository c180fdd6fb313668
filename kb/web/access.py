"""Who may use a route. Every view says so, or the server does not start; what it says holds for every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Flask, current_app, g, request

from kb.errors import AccessError
from kb.model import Role
from kb.web.library import the_library
from kb.web.visitor import Visitor, the_visitor

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a view. `readers`: everybody where anonymous reading is on, else everybody who signed in."""

    who: Literal["public", "readers", "signed_in", "roles"]
    roles: tuple[Role, ...] = ()

    def admits(self, visitor: Visitor, *, anonymous_reading: bool) -> bool:
        if self.who == "public" or (self.who == "readers" and anonymous_reading):
            return True
        if visitor.user is None:
            return False
        return self.who != "roles" or visitor.user.role in self.roles


def public(view: View) -> View:
    """Declare a view that anybody may use, whatever the settings."""
    return _declared(view, Access("public"))


def readers(view: View) -> View:
    """Declare a view of the library: for anybody where anonymous reading is on, else for whoever signed in."""
    return _declared(view, Access("readers"))


def signed_in(view: View) -> View:
    """Declare a view for whoever signed in, in any role."""
    return _declared(view, Access("signed_in"))


def only(*roles: Role) -> Callable[[View], View]:
    """Declare a view for people in one of these roles."""
    return lambda view: _declared(view, Access("roles", roles))


def _declared(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # functions take attributes; Callable does not say so
    return view


def may(endpoint: str) -> bool:
    """Whether the present visitor may use a view: for links that lead nowhere else."""
    return _admits(current_app.view_functions[endpoint])


def install(app: Flask) -> None:
    """Hold every request to what its view declares. Call it when all views are there.

    Deny by default (reliability.md §7.11): raises RuntimeError when a view does not say who may use it.
    """
    names = undeclared(app)
    if names:
        raise RuntimeError(f"these views do not declare who may use them: {', '.join(names)}")

    @app.before_request
    def guard() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if view is None:  # there is no such page, which is said elsewhere
            return
        is_admitted = _admits(view)
        if (
            "visitor" in g and the_visitor().bearer == "refused"
        ):  # also where nobody need sign in: the script believes it did
            raise AccessError("access.token_refused")
        if is_admitted:
            return
        if the_visitor().bearer == "unused":
            raise AccessError("access.token_reads_only")
        if the_visitor().user is None:
            raise AccessError("access.sign_in_needed")
        raise AccessError("access.role_needed", roles=_said(view))


def undeclared(app: Flask) -> list[str]:
    """Endpoints whose view does not say who may use it."""
    return sorted(name for name, view in app.view_functions.items() if not hasattr(view, "access"))


def _admits(view: Callable[..., Any]) -> bool:
    """A view that was added later and declares nothing admits nobody."""
    access: Access = getattr(view, "access", Access("roles"))
    if access.who == "public":
        return True
    return access.admits(the_visitor(), anonymous_reading=the_library().settings.anonymous_reading)


ROLE_NAMES: dict[Role, str] = {
    "reader": "读者",
    "trainer": "培训员",
    "editor": "资料员",
    "operator": "运维",
    "admin": "管理员",
    "auditor": "审计员",
}


def _said(view: Callable[..., Any]) -> str:
    access: Access = getattr(view, "access", Access("roles"))
    return "、".join(ROLE_NAMES[role] for role in access.roles)
