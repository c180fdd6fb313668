"""What every form and its answer need: the secret that signs cookies, the token against forged requests."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from kb.config import Settings
from kb.store.secret import secret


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
