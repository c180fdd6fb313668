"""One HTTP connection to one checked address, bounded in time and in bytes whatever the server does."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from kb.crawl.address import Address
from kb.errors import FetchError

MIB = 1024 * 1024
CHUNK_BYTES = 64 * 1024
BROKEN = (
    HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)  # what a server can make the libraries raise


@dataclass(slots=True)
class Budget:
    """What one exchange may still cost."""

    url: str  # of the page, for the errors
    deadline: float  # of time.monotonic()
    wire_bytes: int  # head and body as sent
    decoded_bytes: int
    received: int = 0

    def seconds_left(self) -> float:
        """Raises FetchError("fetch.timeout") when nothing is left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise FetchError("fetch.timeout", url=self.url)
        return left

    def receive(self, count: int) -> None:
        """Raises FetchError("fetch.too_large")."""
        self.received += count
        if self.received > self.wire_bytes:
            raise self.too_large(self.wire_bytes)

    def too_large(self, limit: int) -> FetchError:
        return FetchError("fetch.too_large", url=self.url, limit_mib=limit / MIB)


class _Wire(io.RawIOBase):
    """A socket's reading end that ends at a moment and at a number of bytes: the timeout of a socket holds
    for one read only, so a byte a second, endless headers or endless chunk lines would never meet it."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, budget: Budget) -> None:
        super().__init__()
        self._raw, self._sock, self._budget = raw, sock, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._budget.seconds_left())
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise FetchError("fetch.timeout", url=self._budget.url) from error
        self._budget.receive(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """http.client's response, reading from a _Wire."""

    def __init__(self, sock: socket.socket, *args: Any, budget: Budget, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Wire(self.fp.detach(), sock, budget))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server said to one request."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes  # unpacked; empty unless the status is 200


def exchange(
    place: Address, ips: list[str], headers: dict[str, str], budget: Budget, first_bytes: int | None
) -> Answer:
    """Ask for a page at one of the checked addresses `ips`, of its body only the `first_bytes` when given.

    Raises FetchError: fetch.tls, fetch.unreachable, fetch.timeout, fetch.too_large, fetch.encoding, fetch.broken.
    """
    connection = _connect(place, ips, budget)
    opened: list[_BoundedResponse] = []

    def bounded(sock: socket.socket, **options: Any) -> _BoundedResponse:
        opened.append(_BoundedResponse(sock, budget=budget, **options))
        return opened[-1]

    connection.response_class = bounded  # type: ignore[assignment]
    own = {"Host": place.authority, "Accept-Encoding": "gzip", "Connection": "close"}
    try:
        connection.request(
            "GET", place.target, headers=own | headers, preload_content=False, decode_content=False
        )
        response = connection.getresponse()
        body = _read_body(response, budget, first_bytes) if response.status == 200 else b""
        return Answer(response.status, response.headers, body)
    except BROKEN as error:
        raise FetchError("fetch.broken", url=budget.url, reason=_words(error)) from error
    finally:
        # urllib3 leaves a response open when it cannot make sense of its head.
        for response_read in opened:
            response_read.close()
        connection.close()


def _connect(place: Address, ips: list[str], budget: Budget) -> HTTPConnection:
    """A connection to the first address that answers; the name goes into TLS and Host only."""
    reason = ""
    for ip in ips:
        # Half for connecting, half for the TLS handshake, which counts the same timeout anew.
        connection = _connection(place, ip, budget.seconds_left() / 2)
        try:
            connection.connect()
        except ssl.SSLError as error:
            connection.close()
            raise FetchError("fetch.tls", url=budget.url, reason=error.reason or str(error)) from error
        except BROKEN as error:
            connection.close()
            reason = _words(error)
        else:
            return connection
    budget.seconds_left()
    raise FetchError("fetch.unreachable", url=budget.url, reason=reason)


def _connection(place: Address, ip: str, timeout: float) -> HTTPConnection:
    if place.scheme == "http":
        return HTTPConnection(ip, place.port, timeout=timeout)
    name = place.host.strip("[]")
    return HTTPSConnection(ip, place.port, timeout=timeout, server_hostname=name, cert_reqs="CERT_REQUIRED")


def _read_body(response: BaseHTTPResponse, budget: Budget, first_bytes: int | None) -> bytes:
    """The whole body unpacked, or its beginning when only `first_bytes` are wanted.

    Raises FetchError("fetch.too_large") or ("fetch.encoding"); one of BROKEN when the server breaks its word.
    """
    length = response.headers.get("content-length", "0").strip()
    if not length.isdigit():
        raise ValueError(f"Content-Length: {length[:40]}")
    if first_bytes is None and int(length) > budget.wire_bytes:
        raise budget.too_large(budget.wire_bytes)
    parts: list[bytes] = []
    size = 0
    for chunk in _unpacked(response, budget):
        parts.append(chunk)
        size += len(chunk)
        if first_bytes is not None and size >= first_bytes:
            break
        if size > budget.decoded_bytes:
            raise budget.too_large(budget.decoded_bytes)
    return b"".join(parts)[:first_bytes]


def _unpacked(response: BaseHTTPResponse, budget: Budget) -> Iterator[bytes]:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    chunks: Iterator[bytes] = response.stream(CHUNK_BYTES, decode_content=False)
    if encoding in ("gzip", "x-gzip"):
        return _inflate(chunks)
    if encoding in ("", "identity"):
        return chunks
    raise FetchError("fetch.encoding", url=budget.url, encoding=encoding[:80])


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, members one after another, at most CHUNK_BYTES at a time: a bomb is seen before it grows.

    Raises ValueError when the data are damaged or end early.
    """
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if unpacker.eof:
                    if not data.startswith(b"\x1f"):
                        return  # padding after the last member
                    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
                yield unpacker.decompress(data, CHUNK_BYTES)
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError(f"gzip: {error}") from error
    if not unpacker.eof:
        raise ValueError("gzip: ends early")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
