"""The network guard: how an address is read, and which of them may be connected to.

One parser serves the check and the connection, because two can disagree about the host (reliability.md §5).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from w3lib.url import safe_url_string

from kb.errors import ConfigError, FetchError

URL_CHARS = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}
SAME_SEGMENT_TIMES = 3  # /a/b/a/b/a/b: a page that links to itself by a wrong relative address

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_SCHEME = re.compile(r"(https?)://", re.I)
# Visit ids and campaign marks: the same page under ever new addresses.
_VISIT = re.compile(r"(?:utm_\w{1,20}|spm|phpsessid|jsessionid|aspsessionid\w{0,20})", re.I)
_PATH_VISIT = re.compile(r";jsessionid=[^/?;]{0,200}", re.I)
_UNICAST = ipaddress.ip_network(
    "2000::/3"
)  # all of IPv6 that is given out; leaves v4-mapped and NAT64 outside
# Not for the public although ipaddress calls them global: IETF's own, 6to4 and its relays, Teredo.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "2001::/32")
)

Resolve = Callable[[str, int, float], list[str]]


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts, as it is connected to."""

    scheme: str  # https
    host: str  # tv.cctv.com, [2001:db8::1]
    port: int  # 443
    target: str  # /lm/xwlb/day/20240301.shtml

    @property
    def authority(self) -> str:
        """Host, with its port when that is not the scheme's own."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.target


def read(url: str) -> Address:
    """Read a URL strictly. Raises FetchError("fetch.bad_url") or ("fetch.scheme")."""
    if len(url) > URL_CHARS:
        raise FetchError("fetch.bad_url", url=url[:200], reason=f"longer than {URL_CHARS} characters")
    if _FORBIDDEN.search(url):
        raise FetchError("fetch.bad_url", url=url, reason="backslash, space or control character")
    if not _SCHEME.match(url):
        raise FetchError("fetch.scheme", url=url)
    try:
        parts = parse_url(safe_url_string(url))
    except (LocationParseError, ValueError) as error:
        raise FetchError("fetch.bad_url", url=url, reason="not readable as an address") from error
    if "@" in re.split(r"[/?#]", url[url.index("//") + 2 :], maxsplit=1)[0]:
        raise FetchError("fetch.bad_url", url=url, reason="user name in the address")
    if (
        parts.scheme not in DEFAULT_PORTS
        or not parts.host
        or not _HOST.fullmatch(parts.host)
        or parts.port == 0
    ):
        raise FetchError("fetch.bad_url", url=url, reason="host or port")
    return Address(parts.scheme, parts.host, parts.port or DEFAULT_PORTS[parts.scheme], parts.request_uri)


def canonical(url: str) -> str:
    """The one form under which a page is known: no fragment, default port, visit id; the query in its order.

    Raises FetchError as `read` does, and ("fetch.trap") for a path that repeats itself.
    """
    address = read(url.strip().partition("#")[0].replace(" ", "%20"))
    path, mark, query = address.target.partition("?")
    path = _PATH_VISIT.sub("", path)
    segments = [segment for segment in path.split("/") if segment]
    if any(
        segments.count(segment) >= SAME_SEGMENT_TIMES for segment in set(segments) if not segment.isdigit()
    ):
        raise FetchError("fetch.trap", url=url)
    kept = "&".join(part for part in query.split("&") if not _VISIT.fullmatch(part.partition("=")[0]))
    return replace(address, target=path + (mark + kept if kept else "")).url


def join(base: Address, location: str) -> Address:
    """Where a redirect from `base` leads. Raises FetchError as `read` does."""
    try:
        return read(urljoin(base.url, location.strip().partition("#")[0].replace(" ", "%20")))
    except ValueError as error:
        raise FetchError("fetch.bad_url", url=location[:200], reason="not readable as an address") from error


def in_scope(address: Address, hosts: tuple[str, ...]) -> bool:
    """Whether a source that names `hosts` covers the address. A host stands for its ports 80 and 443, any
    other port is named with it (szb.example.cn:8080)."""
    if f"{address.host}:{address.port}" in hosts:
        return True
    return address.host in hosts and address.port in DEFAULT_PORTS.values()


def is_public(ip: str) -> bool:
    """Whether an address taken from the resolver belongs to the public internet: unicast, global, not a way
    to carry another address (v4-mapped, 6to4, Teredo, NAT64). An address with a zone is not."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in _UNICAST):
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host, each once, in the resolver's order; waits `seconds` at most.

    Raises FetchError("fetch.no_host"). The resolver has no time limit of its own, so it runs in a thread
    that is left behind when it takes too long.
    """
    answers: list[str] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        answers.extend(dict.fromkeys(str(entry[4][0]) for entry in found))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if not answers:
        raise FetchError("fetch.no_host", host=host)
    return list(answers)


def read_mirrors(text: str) -> dict[str, Address]:
    """KB_CRAWL_MIRRORS, "https://tv.cctv.com=http://127.0.0.1:8099,…", as origin -> where it is fetched from.

    A path after the mirror's host goes before the path of every page. Raises ConfigError("config.bad_value").
    """
    mirrors: dict[str, Address] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, base = entry.partition("=")
        try:
            origin, mirror = read(name.strip()), read(base.strip())
        except FetchError as error:
            raise _bad_mirror(entry, str(error.facts.get("reason", error.facts.get("url", "")))) from error
        if origin.target != "/" or "?" in mirror.target:
            raise _bad_mirror(entry, "write it as https://host=http://host:port[/path]")
        mirrors[origin.origin] = replace(mirror, target=mirror.target.rstrip("/"))
    return mirrors


def _bad_mirror(entry: str, reason: str) -> ConfigError:
    return ConfigError("config.bad_value", name="KB_CRAWL_MIRRORS", reason=f"{entry}: {reason}")


def to_mirror(address: Address, mirrors: dict[str, Address]) -> Address:
    """Where a page is fetched from: itself, or its place on the mirror of its origin."""
    mirror = mirrors.get(address.origin)
    return address if mirror is None else replace(mirror, target=mirror.target + address.target)


def from_mirror(address: Address, asked: Address, mirrors: dict[str, Address]) -> Address:
    """The original of an address that a mirror's redirect names: a page of the origin that was `asked`."""
    mirror = mirrors.get(asked.origin)
    if (
        mirror is None
        or address.origin != mirror.origin
        or not address.target.startswith(mirror.target + "/")
    ):
        return address
    return replace(asked, target=address.target[len(mirror.target) :])
