"""Addresses for those outside: whole, with the name that this server is known by."""

from __future__ import annotations

from flask import request

from kb.web.library import the_library


def absolute(path: str) -> str:
    """The whole address of a page of this server, of what url_for gives."""
    base = the_library().settings.public_url or request.host_url
    return base.rstrip("/") + path
