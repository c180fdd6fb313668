"""What is asked of passwords and sign-ins under each policy (reliability.md §8, docs/operations.md “账号”)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb.config import Settings
from kb.store import moments
from kb.store.guesses import Rule
from kb.store.sign_ins import Limits
from kb.store.users import User

MOST = 256  # characters of a password


@dataclass(frozen=True, slots=True)
class Policy:
    """One of the two."""

    least: int  # characters of a password
    classes: int  # of capitals, small letters, digits, others; 0: no rule
    days: int | None  # after which a password must be changed
    again: int  # the last so many, the present one among them, may not be taken again
    idle: timedelta | None  # longest time without a request that a setting may ask for
    guesses: Rule  # at one name from unknown devices, or from one known device


# Numbers of docs/operations.md: 5 wrong tries cost nothing, then 30 s, 1, 2, 4 … 60 minutes; or 30 minutes each fifth time.
POLICIES = {
    "asvs": Policy(8, 0, None, 1, None, Rule(5, timedelta(seconds=30), timedelta(hours=1))),
    "dengbao2": Policy(10, 3, 90, 5, timedelta(minutes=30), Rule(5, every=timedelta(minutes=30))),
}

# A whole office may share an address: many tries are free, and are forgotten one after another.
ADDRESS = Rule(50, timedelta(seconds=30), timedelta(minutes=15), forgets=timedelta(minutes=6))


def policy(settings: Settings) -> Policy:
    """What is asked here."""
    return POLICIES[settings.password_policy]


def limits(settings: Settings) -> Limits:
    """How long a sign-in holds here."""
    idle, most = timedelta(minutes=settings.sign_in_idle_minutes), policy(settings).idle
    return Limits(min(idle, most) if most else idle, timedelta(hours=settings.sign_in_hours))


def password_due(settings: Settings, user: User) -> bool:
    """Whether somebody must change the password before anything else."""
    days = policy(settings).days
    if user.must_change or days is None:
        return user.must_change
    set_at = datetime.strptime(user.password_set_at, moments.SECOND).replace(tzinfo=UTC)
    return datetime.now(UTC) - timedelta(days=days) >= set_at
