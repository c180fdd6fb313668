"""`kb user`: accounts from the command line, also while the server runs. A password is never an argument."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kb import opening, terminal
from kb.errors import AccountError
from kb.model import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from kb.config import Settings

role_type = click.Choice(ROLES)


@click.group()
def user() -> None:
    """Accounts: who may sign in, and as what."""


@user.command()
@click.argument("name")
@click.option("--role", type=role_type, default="reader", show_default=True, help="角色 · role")
@click.option("--full-name", help="姓名,不填同账号名 · the person's name")
@click.option(
    "--keep-password",
    is_flag=True,
    help="首次登录不必改密码 · no change of the password at the first sign-in",
)
def add(name: str, role: str, full_name: str | None, keep_password: bool) -> None:
    """Add an account. The password is asked for, or is the first line of standard input."""
    from kb import accounts
    from kb.store.db import writing

    password, full_name = _password(), full_name or name
    settings, database = opening.store()
    stored = accounts.hashed(settings, password, name=name, full_name=full_name)
    with writing(database) as connection:
        accounts.add_user(
            connection,
            opening.actor(),
            settings,
            name=name,
            full_name=full_name,
            role=role,  # type: ignore[arg-type]  # click has looked
            password=password,
            must_change=not keep_password,
            stored=stored,
        )
    click.echo(f"已添加 · added: {name} ({role})")


@user.command()
@click.argument("name")
@click.option(
    "--keep-password", is_flag=True, help="下次登录不必再改 · no change of the password at the next sign-in"
)
def passwd(name: str, keep_password: bool) -> None:
    """Give an account another password, and end its sign-ins. It is asked for, or the first line of standard input."""
    from kb import accounts
    from kb.store.db import reading, writing

    password = _password()
    settings, database = opening.store()
    with reading(database) as connection:
        found = accounts.named(connection, name)
    ready = accounts.new_password(database, settings, found.id, password)
    with writing(database) as connection:
        accounts.set_password(
            connection,
            opening.actor(),
            settings,
            found.id,
            password,
            must_change=not keep_password,
            ready=ready,
        )
    click.echo(f"已修改密码 · password changed: {found.name}")


@user.command()
@click.argument("name")
def lock(name: str) -> None:
    """Let nobody sign in with an account, and end its sign-ins at once."""
    from kb import accounts

    with _opened() as (connection, _settings):
        found = accounts.named(connection, name)
        accounts.lock(connection, opening.actor(), found.id)
    click.echo(f"已锁定 · locked: {found.name}")


@user.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Let the person sign in again, at once also after too many wrong tries."""
    from kb import accounts

    with _opened() as (connection, _settings):
        found = accounts.named(connection, name)
        accounts.unlock(connection, opening.actor(), found.id)
    click.echo(f"已解锁 · unlocked: {found.name}")


@user.command()
@click.argument("name")
@click.argument("role", type=role_type)
def role(name: str, role: str) -> None:
    """Give an account another role, and end its sign-ins."""
    from kb import accounts

    with _opened() as (connection, _settings):
        found = accounts.named(connection, name)
        given = {"full_name": found.full_name, "units": found.units}
        accounts.change_user(connection, opening.actor(), found.id, role=role, **given)  # type: ignore[arg-type]  # click has looked
    click.echo(f"角色已改 · role changed: {found.name} ({role})")


@user.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="不再询问 · do not ask")
def delete(name: str, yes: bool) -> None:
    """Delete an account with its sign-ins and search history. The audit log keeps what was done."""
    from kb import accounts

    if not yes:
        click.confirm(f"删除账号 {name}? · Delete the account?", abort=True, err=True)
    with _opened() as (connection, _settings):
        found = accounts.named(connection, name)
        accounts.delete_user(connection, opening.actor(), found.id)
    click.echo(f"已删除 · deleted: {found.name}")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON · print JSON")
def show(as_json: bool) -> None:
    """List the accounts."""
    from kb.store import users
    from kb.store.db import reading

    _settings, database = opening.store()
    with reading(database) as connection:
        found = users.every(connection)
    if as_json:
        names = (
            "id",
            "name",
            "full_name",
            "role",
            "locked_at",
            "must_change",
            "created_at",
            "password_set_at",
        )
        terminal.print_json([{name: getattr(one, name) for name in names} for one in found])
        return
    for one in found:
        state = "  已锁定 · locked" if one.locked_at else ""
        click.echo(f"{one.name}  {one.role}  {one.full_name}{state}")


@contextmanager
def _opened() -> Iterator[tuple[Connection, Settings]]:
    """A transaction over the store, and the settings."""
    from kb.store.db import writing

    settings, database = opening.store()
    with writing(database) as connection:
        yield connection, settings


def _password() -> str:
    """Typed twice at a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt("密码 · password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise AccountError("account.no_password")
    return line
