"""Commands over subscribers: who hears of suggestions, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flows.options import JSON, dumped

if TYPE_CHECKING:
    from dispatch.store import Store

_NAME = click.argument("name")


def opened() -> Store:
    """Return the store, to be used with `with`."""
    from corpora.workspace import store_address
    from dispatch.store import Store

    return Store.open(store_address())


@click.group()
def subscribers() -> None:
    """Dispatch systems that suggestions and decisions are sent to: add, list, pause, replace secrets, try out."""


@subscribers.command()
@_NAME
@click.argument("address")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), help="Of a folder's files; jsonl by default.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["suggestion.made", "suggestion.regrouped", "decision.made"]), help="Only these messages (may be repeated).")
@click.option("--unit", "units", multiple=True, metavar="CODE", help="Only petitions for these units (may be repeated).")
@click.option("--issue", "issues", multiple=True, metavar="CODE", help="Only issue types whose code begins so (may be repeated).")
@click.option("--decision", "decisions", multiple=True, type=click.Choice(["auto", "review"]), help="Only such suggestions.")
@click.option("--urgency", type=click.Choice(["normal", "elevated", "urgent", "critical"]), help="Only from this level on.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting, as `show` lists them (may be repeated).")
@click.option("--from-start", is_flag=True, help="Send everything the store has; otherwise what comes from now on.")
@JSON
def add(
    name: str,
    address: str,
    form: str | None,
    kinds: tuple[str, ...],
    units: tuple[str, ...],
    issues: tuple[str, ...],
    decisions: tuple[str, ...],
    urgency: str | None,
    settings: tuple[str, ...],
    from_start: bool,
    as_json: bool,
) -> None:
    """Add a receiver: ADDRESS is http(s)://… or a folder. Its signing secret is shown once.

    Whoever has heard of a petition hears all that follows of it, whatever --unit, --issue, --decision and --urgency say: so
    a receiver learns that a petition is not its own any more.
    """
    from corpora.workspace import login
    from dispatch.delivery import subscribers as known
    from dispatch.delivery.addresses import is_plain

    given = {"kinds": kinds, "units": units, "issues": issues, "decisions": decisions, "urgency": urgency}
    how = known.pairs(settings, "--set") | ({"format": form} if form else {})
    with opened() as store, store.writing() as connection:
        made, secret = known.add(
            connection, login(), name, address, filters={key: value for key, value in given.items() if value}, settings=how, from_start=from_start
        )
    if as_json:
        click.echo(dumped({"name": name, "kind": made.kind, "address": made.shown, "secret": secret, "position": made.position}))
        return
    click.echo(f"已添加 added {name}：{made.shown}")
    if secret:
        click.echo(f"签名密钥 signing secret（只显示这一次 shown once）:\n  {secret}")
    if secret and is_plain(address):
        click.echo("提醒 note: http 未加密，途中可被读到 messages can be read on their way; use https", err=True)


@subscribers.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List all, with how far each is."""
    from flows.delivering import progress
    from flows.delivery_tables import subscribers_table

    found = progress()
    click.echo(dumped(found) if as_json else subscribers_table(found))


@subscribers.command()
@_NAME
def show(name: str) -> None:
    """Print filters, settings and progress of one, as JSON; secrets are not shown."""
    from flows.delivering import described

    click.echo(dumped(described(name)))


@subscribers.command("set")
@_NAME
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE…")
def set_(name: str, settings: tuple[str, ...]) -> None:
    """Change settings, as `show` lists them; running workers follow within seconds."""
    from corpora.workspace import login
    from dispatch.delivery import subscribers as known

    with opened() as store, store.writing() as connection:
        known.change(connection, login(), name, known.pairs(settings, "set"))
    click.echo(f"已更改 changed {name}: {', '.join(settings)}")


@subscribers.command()
@_NAME
@click.option("--why", default="", help="Why, for the audit trail.")
def pause(name: str, why: str) -> None:
    """Send nothing for now; what comes meanwhile waits."""
    _switch(name, False, why)


@subscribers.command()
@_NAME
@click.option("--why", default="", help="Why, for the audit trail.")
def resume(name: str, why: str) -> None:
    """Send again, beginning with what waited."""
    _switch(name, True, why)


def _switch(name: str, active: bool, why: str) -> None:
    from corpora.workspace import login
    from dispatch.delivery.subscribers import set_active

    with opened() as store, store.writing() as connection:
        changed = set_active(connection, login(), name, active, why)
    told = ("已启用 active" if active else "已暂停 paused") if changed else "原已如此 was so already"
    click.echo(f"{told}: {name}")


@subscribers.command()
@_NAME
@click.option("--force", is_flag=True, help="Even if there are messages it did not get.")
def remove(name: str, force: bool) -> None:
    """Remove one with its deliveries."""
    from corpora.workspace import login
    from dispatch.delivery.subscribers import remove as removed

    with opened() as store, store.writing() as connection:
        left = removed(connection, login(), name, force=force)
    click.echo(f"已删除 removed {name}" + (f"，{left} 条未送达 messages undelivered" if left else ""))


@subscribers.command("rotate-secret")
@_NAME
@click.option("--hours", default=48.0, show_default=True, type=click.FloatRange(0, 8_760), help="How long the old one signs as well.")
def rotate_secret(name: str, hours: float) -> None:
    """Replace the signing secret; the old one signs beside it for --hours, so that the receiver can change over."""
    from corpora.workspace import login
    from dispatch.delivery.subscribers import rotate

    with opened() as store, store.writing() as connection:
        secret = rotate(connection, login(), name, hours)
    click.echo(f"新的签名密钥 new signing secret（只显示这一次 shown once）:\n  {secret}")
    if hours:
        click.echo(f"旧密钥再用 {hours:g} 小时 the old one signs beside it for {hours:g} h")


@subscribers.command()
@_NAME
@JSON
@click.pass_context
def test(ctx: click.Context, name: str, as_json: bool) -> None:
    """Send a signed message that says nothing (`cn.minqing.ping.v1`), or try to write to the folder; exit 1 if that fails."""
    from flows.trying import tried

    with opened() as store:
        found = tried(store, name)
    told = f"{'✓ 可以送达 works' if found['ok'] else '✗ 不行 fails'}: {name}" + (f"：{found['error']}" if found["error"] else "")
    click.echo(dumped(found) if as_json else f"{told}（{found['milliseconds']} ms）")
    ctx.exit(0 if found["ok"] else 1)
