"""What every form and its answer need: the secret that signs cookies, the token against forged requests."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect

from kb.config import Settings

SECRET_BYTES = 32


def install(app: Flask, settings: Settings) -> None:
    """Refuse every change without a token of this browser's own (OWASP ASVS 5.0, 3.5.1)."""
    app.config.update(
        SECRET_KEY=secret_key(settings.data / "secret_key"),
        SESSION_COOKIE_NAME="__Host-session" if settings.tls else "session",
        SESSION_COOKIE_SECURE=settings.tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser is open: a form may stand open for a day
        WTF_CSRF_SSL_STRICT=settings.tls,
    )
    CSRFProtect(app)


def secret_key(path: Path) -> bytes:
    """The secret of this data folder, made when it is first needed. Another process may be making it too."""
    with suppress(FileExistsError):
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(secrets.token_bytes(SECRET_BYTES))
        try:
            os.link(partial, path)
        finally:
            partial.unlink()
    return path.read_bytes()
