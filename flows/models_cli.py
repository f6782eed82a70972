"""Commands over the saved versions: which there are, which serves, back to the one before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from flows.options import JSON, dumped

_WHY = click.option("--why", default="", help="Why, for the history.")
_BY = click.option("--by", default="", help="Who decides; the login name by default.")
_TARGET = click.argument("target", type=click.Choice(["issue_type", "unit"]))


@click.group()
def models() -> None:
    """Saved model versions: list, compare, put in service, take back.

    NAME is a version, the beginning of its hash, or a target, which means its champion.
    """


@models.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List all versions; * marks the ones in service."""
    from corpora.workspace import models_dir
    from flows.model_versions import listed
    from flows.tables import versions_table

    found = listed(models_dir())
    click.echo(dumped(found) if as_json else versions_table(found))


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """Print what a version is, as JSON: data, measures, labels, when it was in service."""
    from corpora.workspace import models_dir
    from flows.model_versions import shown

    click.echo(dumped(shown(models_dir(), name)))


@models.command()
@click.argument("one")
@click.argument("other")
@JSON
def compare(one: str, other: str, as_json: bool) -> None:
    """Set two versions of one target side by side."""
    from corpora.workspace import models_dir
    from flows.model_versions import compared
    from flows.tables import comparison_table

    found = compared(models_dir(), one, other)
    click.echo(dumped(found) if as_json else comparison_table(found))


@models.command()
@click.argument("name")
@_BY
@_WHY
def promote(name: str, by: str, why: str) -> None:
    """Put a version in service."""
    from corpora.workspace import models_dir
    from flows.model_versions import find
    from models import registry

    root = models_dir()
    target, version = find(root, name)
    registry.load(root, target, version, arrays=True)  # a damaged version is refused before it serves
    _told(registry.promote(root, target, version, by=by, why=why))


@models.command()
@_TARGET
@_BY
@_WHY
def rollback(target: str, by: str, why: str) -> None:
    """Put the version in service again that the champion of TARGET replaced."""
    from corpora.workspace import models_dir
    from models import registry

    _told(registry.rollback(models_dir(), target, by=by, why=why))


@models.command()
@click.option("--units", type=click.Path(path_type=Path), help="The city's unit directory as of now.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day to check for; today by default.")
@JSON
@click.pass_context
def check(ctx: click.Context, units: Path | None, on: Any, as_json: bool) -> None:  # noqa: ANN401 - a datetime or None
    """Check the champions' files and whether every unit they can name is there today; exit 1 if not."""
    from corpora.workspace import models_dir
    from flows.model_versions import checked
    from flows.tables import check_table

    found = checked(models_dir(), units, on.date() if on else dt.date.today())
    click.echo(dumped(found) if as_json else check_table(found))
    ctx.exit(0 if all(entry["ok"] for entry in found) else 1)


@models.command()
@_TARGET
@click.option("--keep", default=3, show_default=True, type=click.IntRange(0), help="Newest versions to keep besides.")
def prune(target: str, keep: int) -> None:
    """Remove old versions of TARGET; the champion and the one it replaced stay."""
    from corpora.workspace import models_dir
    from models import registry

    gone = registry.prune(models_dir(), target, keep)
    click.echo(f"已删除 removed {len(gone)}" + "".join(f"\n  {version}" for version in gone))


def _told(entry: Any) -> None:  # noqa: ANN401 - a promotion
    replaced = f"，替换 replacing {entry.replaced}" if entry.replaced else ""
    click.echo(f"现用 in service: {entry.version}{replaced}（{entry.by}，{entry.at}）")
