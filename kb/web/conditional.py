"""Answers that need not be sent again: an ETag of what they say, and 304 to whoever has it (RFC 9110 §13)."""

from __future__ import annotations

from flask import Response, request


def conditional(response: Response) -> Response:
    """The answer, or 304 without a body where the asker has the same already."""
    response.add_etag()
    response.make_conditional(request)
    return response
