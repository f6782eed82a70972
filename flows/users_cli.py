"""Commands over the users of the console: add, list, another password, shut out and let in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from corpora.workspace import login
from flows.options import JSON, dumped

if TYPE_CHECKING:
    from dispatch.store import Store

_NAME = click.argument("name")


@click.group()
def users() -> None:
    """复核台用户 people who may use the console: add, list, password, disable, enable."""


@users.command()
@_NAME
@click.option("--role", type=click.Choice(["reviewer", "supervisor"]), default="reviewer", show_default=True, help="What they may do.")
def add(name: str, role: str) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    from dispatch.console import accounts

    accounts.clean_name(name)
    password = _password()
    with _store() as store, store.writing() as connection:
        accounts.add(connection, name, password, role, login())
    click.echo(f"已添加 added: {name}（{role}）")


@users.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List all users."""
    from dispatch.console import accounts

    with _store() as store, store.reading() as connection:
        found = accounts.listed(connection)
    if as_json:
        names = accounts.Listed.__slots__
        click.echo(dumped([{name: getattr(user, name) for name in names} for user in found]))
        return
    click.echo("\n".join(f"{user.name:<20} {user.role:<11} {'在用 active' if user.active else '停用 disabled'}" for user in found)
               or "还没有用户 no users yet: minqing users add NAME --role supervisor")  # fmt: skip


@users.command()
@_NAME
def password(name: str) -> None:
    """Give a user another password; their sessions end, and a locked account is open again."""
    from dispatch.console import accounts

    accounts.clean_name(name)
    new = _password()
    with _store() as store, store.writing() as connection:
        accounts.set_password(connection, name, new, login())
    click.echo(f"已改密 password changed: {name}")


@users.command()
@_NAME
def disable(name: str) -> None:
    """Shut a user out at once; what they decided stays."""
    _set_active(name, active=False)
    click.echo(f"已停用 disabled: {name}")


@users.command()
@_NAME
def enable(name: str) -> None:
    """Let a user in again."""
    _set_active(name, active=True)
    click.echo(f"已启用 enabled: {name}")


def _set_active(name: str, *, active: bool) -> None:
    from dispatch.console import accounts

    with _store() as store, store.writing() as connection:
        accounts.set_active(connection, name, active=active, by=login())


def _password() -> str:
    """Ask twice at a terminal; else take the first line of standard input. Never an argument: those are seen by all."""
    if sys.stdin.isatty():
        return str(click.prompt("密码 password", hide_input=True, confirmation_prompt="再输一次 again"))
    return sys.stdin.readline().rstrip("\r\n")


def _store() -> Store:
    from corpora.workspace import store_address
    from dispatch.store import Store

    return Store.open(store_address())
