"""Commands that send: publish, what became of deliveries, and the schemas of what is sent."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from flows.options import JSON, dumped
from flows.subscribers_cli import opened

_NAME = click.argument("name")
_STATUSES = ("pending", "sending", "delivered", "dead", "skipped")


@click.command()
@click.option("--once/--follow", "once", default=True, help="Send what is due and end (the default), or go on until SIGTERM.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--wait", "patience", default=10.0, show_default=True, type=click.FloatRange(0, 86_400), help="With --once: seconds to wait for messages that are to be tried again.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only these subscribers (may be repeated).")
@JSON
@click.pass_context
def publish(ctx: click.Context, once: bool, workers: int, patience: float, names: tuple[str, ...], as_json: bool) -> None:
    """Send what the outbox has to all subscribers, at least once and in order per petition.

    --follow needs no Prefect server: run it as a service. With --once, exit code 1 says that there are dead letters.
    """
    from flows.delivering import log_to_stderr

    if names:
        from dispatch.delivery.subscribers import get

        with opened() as store, store.reading() as connection:
            for name in names:
                get(connection, name)  # says so if there is none
    log_to_stderr()
    if not once:
        from flows.delivering import publish as follow

        counts = follow(follow=True, workers=workers, only=names)
        click.echo(dumped(counts) if as_json else "\n".join(_stopped(name, one) for name, one in counts.items()) or "已停止 stopped")
        return
    from flows.delivery_tables import publish_table
    from flows.publish import publish as flow

    run = flow(list(names), patience, workers)
    click.echo(dumped(run) if as_json else publish_table(run))
    ctx.exit(1 if run["dead_letters"] else 0)


def _stopped(name: str, counts: dict[str, int]) -> str:
    return f"{name}: 已送达 delivered {counts.get('delivered', 0)}   失败 failed attempts {counts.get('failed', 0)}   死信 dead {counts.get('dead', 0)}"


@click.group()
def deliveries() -> None:
    """What became of messages; dead letters are replayed or skipped here.

    A message that failed too often is a dead letter. It holds back what follows of the same petition for that subscriber,
    so that nothing arrives out of order, until it is replayed or skipped.
    """


@deliveries.command("list")
@click.argument("name", required=False)
@click.option("--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only such (may be repeated); dead letters by default.")
@click.option("--after", default=0, type=click.IntRange(0), help="Only behind this position.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@JSON
def list_(name: str | None, statuses: tuple[str, ...], after: int, limit: int, as_json: bool) -> None:
    """List dead letters, or deliveries of any --status, of all subscribers or of NAME."""
    from dispatch.delivery.letters import listed
    from flows.delivery_tables import deliveries_table

    with opened() as store, store.reading() as connection:
        found = [dataclasses.asdict(item) for item in listed(connection, name, statuses or ("dead",), after=after, limit=limit)]
    click.echo(dumped(found) if as_json else deliveries_table(found, limit))


@deliveries.command()
@_NAME
@click.argument("positions", nargs=-1, type=click.IntRange(1))
@click.option("--from", "from_position", type=click.IntRange(1), metavar="POSITION", help="Send all again from here on, delivered or not.")
def replay(name: str, positions: tuple[int, ...], from_position: int | None) -> None:
    """Send dead letters of NAME again: those at POSITIONS, or all.

    With --from, everything from there on is sent again, for a receiver that lost what it had. Messages keep their ids.
    """
    from corpora.workspace import login
    from dispatch.delivery.letters import replay as again

    if positions and from_position is not None:
        msg = "POSITIONS or --from, not both"
        raise click.UsageError(msg)
    with opened() as store, store.writing() as connection:
        count = again(connection, login(), name, positions=positions, from_position=from_position)
    click.echo(f"将重发 to be sent again: {count}")


@deliveries.command()
@_NAME
@click.argument("positions", nargs=-1, required=True, type=click.IntRange(1))
@click.option("--why", required=True, help="Why, for the audit trail.")
def skip(name: str, positions: tuple[int, ...], why: str) -> None:
    """Give up messages of NAME, so that what follows of their petitions can go out."""
    from corpora.workspace import login
    from dispatch.delivery.letters import skip as given_up

    with opened() as store, store.writing() as connection:
        count = given_up(connection, login(), name, positions, why)
    click.echo(f"已跳过 skipped: {count}")


@click.command()
@click.option("--check", "check", is_flag=True, help="Exit 1 if the files differ from the types.")
@click.option("--write", "writing", is_flag=True, help="Bring the files up to date.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Copy the schemas to this folder.")
@click.pass_context
def schemas(ctx: click.Context, check: bool, writing: bool, out: Path | None) -> None:
    """List the JSON Schemas of all messages, or check, renew or copy them."""
    from dispatch import message_schemas

    if writing:
        changed = message_schemas.write()
        click.echo(f"已更新 renewed {len(changed)}" + "".join(f"\n  {name}" for name in changed))
    if out is not None:
        message_schemas.copy(out)
        click.echo(f"→ {out}")
    if check and (changed := message_schemas.drifted()):
        click.echo("与类型不符 not as the types say: " + "、".join(changed), err=True)
        ctx.exit(1)
    if not (writing or out):
        click.echo("\n".join(str(message_schemas.FOLDER / name) for name in message_schemas.schemas()))
