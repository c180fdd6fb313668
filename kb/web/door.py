"""What the server refuses before the application sees it: the same headers, and a sentence instead of the server's own words."""

from __future__ import annotations

import logging
from typing import ClassVar

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from kb.errors import KbError
from kb.web.headers import ALWAYS, ASKED_ANEW, WITH_TLS, new_id

log = logging.getLogger("kb.web")

TOO_LARGE = (413, 431)


class Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers a request that is too large or cannot be read."""

    headers: ClassVar[dict[str, str]] = {
        **ALWAYS,
        "Cache-Control": ASKED_ANEW,
        "Content-Type": "text/plain; charset=utf-8",
    }

    def execute(self) -> None:
        code = int(self.request.error.code)
        if code >= 500:
            error = KbError("web.failed")
        else:
            error = KbError("web.too_large" if code in TOO_LARGE else "web.bad_request")
        body = f"{error.words('zh')}\n{error.words('en')}\n".encode()
        # Only a query makes a head long, and one that is too long for the language is a bad request at any length.
        self.status = "400 Bad Request" if code == 431 else f"{code} {self.request.error.reason}"
        request_id = new_id()
        self.response_headers.extend([*self.headers.items(), ("X-Request-Id", request_id)])
        log.info("request.refused", extra={"request_id": request_id, "status": int(self.status[:3])})
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class RefusalWithTls(Refusal):
    headers: ClassVar[dict[str, str]] = {**Refusal.headers, **WITH_TLS}


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection of plain HTTP."""

    error_task_class = Refusal


class ChannelWithTls(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection behind a server that speaks TLS."""

    error_task_class = RefusalWithTls
