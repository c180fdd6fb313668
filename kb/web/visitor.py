"""Who asks: somebody who signed in, or nobody known; and what that person may not see."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, cast

from flask import current_app, g, request

from kb.errors import StoreError
from kb.model import Actor, Hidden
from kb.store import api_tokens, limits, policy, sign_ins
from kb.store.db import reading, writing
from kb.store.sign_ins import SignIn
from kb.store.users import User
from kb.web.library import the_library

log = logging.getLogger("kb.web")

PATIENCE_SECONDS = 0.05  # that a reader waits until it is noted that the sign-in is in use
API = "/api/v1/"  # what is below it answers in JSON, and takes a wrong token of any form for one

Bearer = Literal["none", "good", "refused", "unused"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent the present request."""

    user: User | None = None  # None: nobody signed in
    sign_in: int | None = None
    address: str = ""  # 10.1.2.3
    is_expired: bool = False  # signed in once, with a cookie that is worth nothing any more
    is_due: bool = False  # must change the password before anything else
    # A token came with the request: it holds; it does not; this is no reading of the library, and it was not looked at.
    bearer: Bearer = "none"

    @property
    def actor(self) -> Actor:
        """As the audit log names the person."""
        return Actor(self.user.name if self.user else "", self.address, self.sign_in)


def the_visitor() -> Visitor:
    """Who sent the present request; looked up once."""
    if "visitor" not in g:
        g.visitor = _visitor()
    return cast(Visitor, g.visitor)


def the_hidden() -> Hidden:
    """What the sender of the present request may not see; looked up once, when something of the library is shown."""
    if "hidden" not in g:
        user = the_visitor().user
        with reading(the_library().database) as connection:
            g.hidden = limits.hidden(connection, user.units if user else ())
    return cast(Hidden, g.hidden)


def sign_in_cookie() -> str:
    """The cookie that holds a sign-in. With TLS under a name that a browser takes from this host alone."""
    return "__Host-sign_in" if the_library().settings.tls else "sign_in"


def device_cookie() -> str:
    """The cookie by which a browser is known in which somebody signed in before."""
    return "__Host-device" if the_library().settings.tls else "device"


def _visitor() -> Visitor:
    address = request.remote_addr or ""
    bearer = _bearer()
    if bearer is not None:  # whoever sends a token is nobody but its owner, whatever cookies there are
        return _by_token(bearer, address)
    token = request.cookies.get(sign_in_cookie(), "")
    if not token:
        return Visitor(address=address)
    library = the_library()
    holds = policy.limits(library.settings)
    with reading(library.database) as connection:
        found = sign_ins.present(connection, token, holds)
    if found is None:
        return Visitor(address=address, is_expired=True)
    if found.is_due:
        _note(found)
    due = policy.password_due(library.settings, found.user)
    return Visitor(found.user, found.id, address, is_due=due)


def _note(found: SignIn) -> None:
    """The sign-in is in use. Neither a full disk nor another writer keeps anybody from reading."""
    library = the_library()
    try:
        with writing(library.database, patience=PATIENCE_SECONDS) as connection:
            sign_ins.seen(connection, found.id, policy.limits(library.settings))
    except StoreError as error:
        log.warning("sign_in.not_noted", extra={"key": error.key})


# --- tokens of scripts ----------------------------------------------------------------------------------------------


def _bearer() -> str | None:
    """The token that came with the request (RFC 6750 §2.1); None when there is none of ours.

    Anything else that proxies and /metrics have people send in that header is theirs.
    """
    sent = request.authorization
    if sent is None or sent.type != "bearer":
        return None
    token = sent.token or ""
    return token if token.startswith(api_tokens.PREFIX) or request.path.startswith(API) else None


def _by_token(token: str, address: str) -> Visitor:
    """The owner of a token, as far as the library is read; a token never changes anything."""
    view = current_app.view_functions.get(request.endpoint or "")
    access = getattr(view, "access", None)
    if request.method not in ("GET", "HEAD") or access is None or access.who != "readers":
        return Visitor(address=address, bearer="unused")
    library = the_library()
    with reading(library.database) as connection:
        found = api_tokens.present(connection, token)
    if found is None:
        return Visitor(address=address, bearer="refused")
    if found.is_due:
        _note_token(found.id)
    due = policy.password_due(library.settings, found.user)
    return Visitor(found.user, None, address, is_due=due, bearer="good")


def _note_token(token_id: int) -> None:
    """The token is in use. Nothing keeps a script from reading."""
    try:
        with writing(the_library().database, patience=PATIENCE_SECONDS) as connection:
            api_tokens.seen(connection, token_id)
    except StoreError as error:
        log.warning("token.not_noted", extra={"key": error.key})
