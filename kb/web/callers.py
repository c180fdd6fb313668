"""From where a request comes: this machine, or an address that limits are counted by."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from kb.config import Settings

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")
ONE_CALLER = 64  # leading bits of an IPv6 address that one caller has


def install(app: Flask, settings: Settings) -> None:
    """Believe as many proxies as there are, and answer to our own names alone, where they are told."""
    if settings.proxies:
        # Not x_host: a proxy that does not set the header hands on what anybody wrote there.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    names = [name.strip() for name in settings.hosts.split(",") if name.strip()]
    if names:
        app.config["TRUSTED_HOSTS"] = names


def is_local() -> bool:
    """Whether a program on this machine sent the request itself.

    What was forwarded is not, whatever the settings say: a proxy here would make the whole world local.
    """
    address = _address()
    return (
        address is not None and address.is_loopback and not any(name in request.headers for name in FORWARDED)
    )


def network() -> str:
    """The address that limits are counted by. One caller has a whole network of IPv6."""
    address = _address()
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"{int(address) >> (128 - ONE_CALLER):x}::/{ONE_CALLER}"
    return str(address)


def _address() -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(request.remote_addr or "")
    except ValueError:  # a socket in the file system has none
        return None
