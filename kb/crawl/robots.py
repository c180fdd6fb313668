"""robots.txt by RFC 9309: what a site lets kb fetch, and how fast. Obeyed always; nothing overrides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from protego import Protego

from kb.crawl.address import Address
from kb.errors import FetchError

TOKEN = "kb"  # noqa: S105 - the product token that robots.txt groups name, not a secret
READ_BYTES = 1024 * 1024  # RFC 9309 §2.5 asks for 500 KiB at least
KEPT = timedelta(hours=24)  # RFC 9309 §2.4

GetRobots = Callable[[Address], tuple[int, bytes]]  # status and first bytes; raises FetchError


@dataclass(slots=True)
class Robots:
    """The rules of the sites of one run, each fetched when first needed and again after 24 hours."""

    get: GetRobots
    now: Callable[[], datetime]
    _kept: dict[str, tuple[Protego, datetime]] = field(default_factory=dict)

    def check(self, address: Address) -> None:
        """Raises FetchError("fetch.robots") when the site forbids the page, ("fetch.robots_unreachable") when
        it cannot be asked."""
        if not self._rules(address).can_fetch(address.url, TOKEN):
            raise FetchError("fetch.robots", url=address.url)

    def delay_seconds(self, address: Address) -> float:
        """The Crawl-delay that the site asks for, 0.0 when none."""
        return max(0.0, self._rules(address).crawl_delay(TOKEN) or 0.0)

    def _rules(self, address: Address) -> Protego:
        rules, read_at = self._kept.get(address.origin, (None, None))
        if rules is None or read_at is None or self.now() - read_at > KEPT:
            rules = read_rules(*self._ask(address))
            self._kept[address.origin] = (rules, self.now())
        return rules

    def _ask(self, address: Address) -> tuple[int, bytes]:
        try:
            status, body = self.get(replace(address, target="/robots.txt"))
        except FetchError as error:
            if error.key == "fetch.redirects":
                return 404, b""  # RFC 9309 §2.3.1.2: more than five redirects count as no robots.txt
            raise FetchError(
                "fetch.robots_unreachable", origin=address.origin, reason=error.words("zh")
            ) from error
        # 429 says "too many requests", not "no rules here", so it is no permission.
        if status >= 500 or status == 429:
            raise FetchError("fetch.robots_unreachable", origin=address.origin, reason=f"HTTP {status}")
        return status, body


def read_rules(status: int, body: bytes) -> Protego:
    """The rules in an answer: none at all unless it is 200. Never raises; what is no rule is passed over."""
    text = body.decode("utf-8-sig", "replace") if status == 200 else ""
    try:
        return Protego.parse(text.replace("\x00", ""))
    except ValueError:
        return Protego.parse("")
