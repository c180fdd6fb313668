"""One page over HTTP: guarded on every hop, bounded in time and size, nothing followed unchecked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kb.crawl import address as addresses
from kb.crawl.address import Address
from kb.crawl.wire import MIB, Answer, Budget, exchange
from kb.errors import FetchError

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
TEXT_TYPES = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/xml",
        "application/xml",
        "text/x-server-parsed-html",
    }
)
# Python's http.server and many old servers say one of these of a .shtml page: then the bytes decide.
UNTOLD_TYPES = frozenset(
    {"", "application/octet-stream", "application/x-octet-stream", "application/unknown"}
)
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
NOT_TEXT = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
    b"Rar!",
    b"\xd0\xcf\x11\xe0",
)

BeforeHop = Callable[[Address], None]


@dataclass(frozen=True, slots=True)
class Response:
    """What a site answered."""

    url: str  # of the page, after redirects
    status: int  # 200, or 304: what is known is still right
    body: bytes  # without its content encoding; empty for 304
    content_type: str  # text/html; charset=utf-8, as sent
    etag: str | None
    last_modified: str | None


def _go_on(_address: Address) -> None:
    """Before a hop: nothing to do."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches the pages of one source. Sizes in bytes, times in seconds."""

    hosts: tuple[str, ...]  # what the source covers: ("szb.example.cn", "szb.example.cn:8080")
    user_agent: str = "kb"
    mirrors: dict[str, Address] = field(default_factory=dict)
    deadline_seconds: float = 30.0  # of one fetch with all its redirects, waiting between them not counted
    wire_bytes: int = 8 * MIB
    decoded_bytes: int = 16 * MIB
    resolve: addresses.Resolve = addresses.resolve

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        before_hop: BeforeHop = _go_on,
    ) -> Response:
        """Fetch a page of the source. `before_hop` is called before every request; it may raise or wait.

        Raises FetchError; fetch.status carries `status` and `retry_after` (seconds, None when not named).
        """
        headers = {"Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1"}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": last_modified} if last_modified else {}
        address, hop = self._follow(addresses.read(url), headers, before_hop=before_hop)
        if hop.status not in (200, 304) or (hop.status == 304 and not (etag or last_modified)):
            raise FetchError(
                "fetch.status", url=url, status=hop.status, retry_after=_retry_after(hop.headers)
            )
        content_type = hop.headers.get("content-type", "")
        if hop.status == 200 and not hop.body.strip():
            raise FetchError("fetch.broken", url=url, reason="empty")  # also what a head cut short looks like
        if hop.status == 200 and not is_page(content_type, hop.body):
            raise FetchError("fetch.content_type", url=url, content_type=content_type[:80])
        return Response(
            address.url,
            hop.status,
            hop.body,
            content_type,
            hop.headers.get("etag"),
            hop.headers.get("last-modified"),
        )

    def get_robots(
        self, origin: Address, *, first_bytes: int, before_hop: BeforeHop = _go_on
    ) -> tuple[int, bytes]:
        """Status and the first bytes of a site's robots.txt. Its redirects may leave the source's hosts, but
        not the public internet. Raises FetchError as `get` does."""
        _, hop = self._follow(origin, {}, before_hop=before_hop, scoped=False, first_bytes=first_bytes)
        return hop.status, hop.body

    def is_mirrored(self, address: Address) -> bool:
        return address.origin in self.mirrors

    def _follow(
        self,
        address: Address,
        headers: dict[str, str],
        *,
        before_hop: BeforeHop,
        scoped: bool = True,
        first_bytes: int | None = None,
    ) -> tuple[Address, Answer]:
        left = self.deadline_seconds
        for _ in range(MAX_REDIRECTS + 1):
            self._check(address, scoped=scoped)
            before_hop(address)
            started = time.monotonic()
            budget = Budget(address.url, started + left, self.wire_bytes, self.decoded_bytes)
            hop = self._request(address, headers, budget, first_bytes)
            left -= time.monotonic() - started
            if hop.status not in REDIRECTS or not hop.headers.get("location"):
                return address, hop
            target = addresses.join(addresses.to_mirror(address, self.mirrors), _location(hop.headers))
            address = _checked_step(
                address, addresses.from_mirror(target, address, self.mirrors), self.mirrors
            )
        raise FetchError("fetch.redirects", url=address.url, limit=MAX_REDIRECTS)

    def _check(self, address: Address, *, scoped: bool) -> None:
        if scoped and not addresses.in_scope(address, self.hosts):
            raise FetchError("fetch.out_of_scope", url=address.url, hosts="、".join(self.hosts))
        usual = address.port in addresses.DEFAULT_PORTS.values()
        if not usual and not self.is_mirrored(address) and not addresses.in_scope(address, self.hosts):
            raise FetchError("fetch.port", url=address.url, port=address.port)

    def _request(
        self, address: Address, headers: dict[str, str], budget: Budget, first_bytes: int | None
    ) -> Answer:
        place = addresses.to_mirror(address, self.mirrors)
        ips = self.resolve(place.host, place.port, budget.seconds_left())
        if not self.is_mirrored(address):
            for ip in ips:
                if not addresses.is_public(ip):
                    raise FetchError("fetch.blocked_address", url=address.url, address=ip)
        return exchange(place, ips, {"User-Agent": self.user_agent} | headers, budget, first_bytes)


def _checked_step(here: Address, there: Address, mirrors: dict[str, Address]) -> Address:
    """A redirect's target, unless it gives up TLS."""
    if here.scheme == "https" and there.scheme == "http" and there.origin not in mirrors:
        raise FetchError("fetch.downgrade", url=here.url, target=there.url)
    return there


def _location(headers: Mapping[str, str]) -> str:
    """The Location header; servers send raw UTF-8 or GBK in it, which http.client reads as latin-1."""
    raw = headers["location"].encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to be left alone for, from a number or a date; None when it does not ask."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def is_page(content_type: str, body: bytes) -> bool:
    """Whether an answer can be a page: a text type, or no type and markup; never the bytes of a picture."""
    kind = content_type.partition(";")[0].strip().lower()
    start = body[:1024]
    if start.startswith(NOT_TEXT):
        return False
    if b"\x00" in start and not start.startswith(BOMS) and "utf-16" not in content_type.lower():
        return False
    if kind in UNTOLD_TYPES:
        return start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")
    return kind in TEXT_TYPES
