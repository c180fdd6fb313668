"""`kb audit`: the audit log from the command line."""

from __future__ import annotations

import click


@click.group()
def audit() -> None:
    """The audit log."""
