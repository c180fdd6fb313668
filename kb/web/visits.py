"""What came since somebody was last on a page: kept in a cookie of that page, nowhere on the server."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from flask import Response, request

from kb.web.library import the_library

YEAR_SECONDS = 365 * 24 * 3600
PAUSE_SECONDS = 30 * 60  # after so long without a look at the page the next one is another visit
_KEPT = re.compile(r"([0-9]{0,18})\.([0-9]{1,18})\.([0-9]{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visit:
    """Articles are named by their ids, which grow as they come into the library."""

    before: int | None  # the last that was there at the visit before this one; None: there was none
    seen: int  # the last that was there at this visit
    at: int  # s since 1970, the last look

    def now(self, last: int, at: int) -> Visit:
        """This look at a page whose last article is `last`: of the same visit, or of a new one."""
        if at - self.at > PAUSE_SECONDS:
            return Visit(self.seen, max(last, self.seen), at)
        return Visit(self.before, max(last, self.seen), at)


def of_page(last: int) -> Visit:
    """The present visit to a page whose last article has this id."""
    kept, at = _KEPT.fullmatch(request.cookies.get(_cookie(), "")), int(time.time())
    if kept is None:
        return Visit(None, last, at)
    before, seen, looked = kept.groups()
    return Visit(int(before) if before else None, int(seen), int(looked)).now(last, at)


def remember(response: Response, visit: Visit, path: str) -> None:
    """Keep the visit in the browser, for this page alone."""
    before = "" if visit.before is None else visit.before
    response.set_cookie(
        _cookie(),
        f"{before}.{visit.seen}.{visit.at}",
        max_age=YEAR_SECONDS,
        path=path,
        secure=the_library().settings.tls,
        httponly=True,
        samesite="Lax",
    )


def _cookie() -> str:
    """With TLS under a name that a browser takes only so; __Host- would be for every page."""
    return "__Secure-visit" if the_library().settings.tls else "visit"
