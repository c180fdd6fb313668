"""What every form and its answer need: the secret that signs cookies, the token against forged requests, the way back."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from urllib.parse import quote, unquote

from flask import Flask, current_app, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException

from kb.config import Settings
from kb.store.secret import secret

HOME = "/"
NEXT_CHARS = 2000  # of an address that is gone back to
_PLAIN = re.compile(r"/[!-~]*")  # ASCII without space and control characters
_NO_WAY_BACK = ("sign_in.page", "sign_in.first", "static")  # endpoints that nobody wants to come back to


def install(app: Flask, settings: Settings) -> None:
    """Refuse every change without a token of this browser's own (OWASP ASVS 5.0, 3.5.1)."""
    app.config.update(
        SECRET_KEY=secret(settings.data / "secret_key"),
        SESSION_COOKIE_NAME="__Host-session" if settings.tls else "session",
        SESSION_COOKIE_SECURE=settings.tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser is open: a form may stand open for a day
        WTF_CSRF_SSL_STRICT=settings.tls,
    )
    CSRFProtect(app)


def this_page() -> str:
    """The address of the present request as `next` carries it: path and query, all ASCII."""
    path = quote(request.path, safe="/-._~!$&'()*+,;=:@")
    query = quote(request.query_string, safe="%-._~!$&'()*+,;=:@/?")
    return f"{path}?{query}" if query else path


def safe_next(target: str | None) -> str:
    """Where to go after a form: a page of this server, else the front page.

    Browsers read //host, /\\host, /<tab>/host and more as other hosts; none of that gets through (OWASP ASVS 5.0, 3.7.2).
    """
    if not target or len(target) > NEXT_CHARS or not _PLAIN.fullmatch(target) or "\\" in target:
        return HOME
    path = target.partition("#")[0].partition("?")[0]
    plain = unicodedata.normalize("NFKC", unquote(target))
    if any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs") for one in plain):
        return HOME
    folders = unicodedata.normalize("NFKC", unquote(path))
    if "\\" in folders or "//" in folders or {".", ".."} & set(folders.split("/")):
        return HOME
    return target if _is_page(unquote(path)) else HOME


def _is_page(path: str) -> bool:
    """Whether there is a page at a path of this server."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    with suppress(HTTPException):
        endpoint, _ = adapter.match(path, method="GET")
        return endpoint not in _NO_WAY_BACK
    return False
