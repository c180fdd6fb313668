"""`kb user`: accounts from the command line."""

from __future__ import annotations

import click


@click.group()
def user() -> None:
    """Accounts: who may sign in, and as what."""
