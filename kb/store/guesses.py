"""Wrong passwords, counted by what they are tried at. A try is counted before it is checked, and taken back when it was right."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from kb.store.tables import guesses

FORGOTTEN = timedelta(days=1)  # after the last wrong try
SLACK = timedelta(minutes=1)  # that a clock may be set back without anybody minding


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one must wait after so many wrong tries."""

    free: int  # from this one on they cost time
    first: timedelta = timedelta()  # doubled with each further one
    most: timedelta = timedelta()
    every: timedelta | None = None  # instead: after each `free` of them
    forgets: timedelta | None = None  # one wrong try each

    def wait(self, failures: int) -> timedelta:
        if self.every is not None:
            return self.every if failures and failures % self.free == 0 else timedelta()
        if failures < self.free:
            return timedelta()
        return min(self.first * (1 << min(failures - self.free, 20)), self.most)


class Bucket(NamedTuple):
    """What is counted together, by which rule."""

    key: str
    rule: Rule


def of_name(name: str, rule: Rule) -> Bucket:
    """A name, whether an account's or not, tried from devices that its person never signed in on."""
    return Bucket(_key("name", name), rule)


def of_device(device_id: int, rule: Rule) -> Bucket:
    """A person's own device."""
    return Bucket(_key("device", str(device_id)), rule)


def of_confirming(user_id: int, rule: Rule) -> Bucket:
    """Somebody who is signed in and gives the password once more."""
    return Bucket(_key("confirming", str(user_id)), rule)


def of_address(address: str, rule: Rule) -> Bucket:
    """An address of the network; of IPv6 the network that one customer has."""
    with suppress(ValueError):
        found = ipaddress.ip_address(address)
        if found.version == 6 and not found.ipv4_mapped:
            address = str(ipaddress.ip_network((found, 64), strict=False))
    return Bucket(_key("address", address), rule)


def locked_until(connection: Connection, buckets: Iterable[Bucket], now: datetime) -> datetime | None:
    """When these may be tried again; None: now."""
    found = [_read(connection, bucket, now) for bucket in buckets]
    return max((one.until for one in found if one.until > now), default=None)


def count(connection: Connection, buckets: Iterable[Bucket], now: datetime) -> None:
    """Count a try as a wrong one."""
    old = guesses.c.last_at < (now - FORGOTTEN).isoformat()
    connection.execute(delete(guesses).where(old))
    for bucket in buckets:
        failures = _read(connection, bucket, now).failures + 1
        _write(connection, bucket, _Count(failures, now, now + bucket.rule.wait(failures)))


def take_back(connection: Connection, buckets: Iterable[Bucket], now: datetime, *, was_right: bool) -> None:
    """A try that was counted is not one. When it `was_right` nobody waits; else those before it still count."""
    for bucket in buckets:
        found = _read(connection, bucket, now)
        failures = max(found.failures - 1, 0)
        until = now if was_right else found.last + bucket.rule.wait(failures)
        _write(connection, bucket, _Count(failures, found.last, until))


def clear(connection: Connection, bucket: Bucket) -> None:
    """Count from the beginning."""
    connection.execute(delete(guesses).where(guesses.c.bucket == bucket.key))


def forgive(connection: Connection, name: str, device_ids: Iterable[int]) -> None:
    """Forget the wrong tries at a name and at its person's own devices."""
    keys = [_key("name", name), *(_key("device", str(one)) for one in device_ids)]
    connection.execute(delete(guesses).where(guesses.c.bucket.in_(keys)))


class _Count(NamedTuple):
    failures: int
    last: datetime
    until: datetime


def _read(connection: Connection, bucket: Bucket, now: datetime) -> _Count:
    row = connection.execute(select(guesses).where(guesses.c.bucket == bucket.key)).one_or_none()
    if row is None:
        return _Count(0, now, now)
    last = datetime.fromisoformat(row.last_at)
    until = datetime.fromisoformat(row.locked_until) if row.locked_until else last
    if last > now + SLACK:  # The clock was set back: one waits as long as was said, counted from now on.
        found = _Count(row.failures, now, now + (until - last))
        _write(connection, bucket, found)
        return found
    if now - last > FORGOTTEN:
        return _Count(0, now, now)
    forgotten = int((now - last) / bucket.rule.forgets) if bucket.rule.forgets else 0
    return _Count(max(row.failures - forgotten, 0), last, until)


def _write(connection: Connection, bucket: Bucket, found: _Count) -> None:
    clear(connection, bucket)
    values = {"bucket": bucket.key, "failures": found.failures, "last_at": found.last.isoformat()}
    connection.execute(insert(guesses).values(values | {"locked_until": found.until.isoformat()}))


def _key(kind: str, what: str) -> str:
    return hashlib.sha256(f"{kind} {what}".encode("utf-8", "replace")).hexdigest()
