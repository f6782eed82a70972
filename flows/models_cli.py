"""Commands over the saved versions: which there are, which serves, back to the one before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from flows.options import JSON, dumped, mapping_of

_WHY = click.option("--why", default="", help="Why, for the history.")
_BY = click.option("--by", default="", help="Who decides; the login name by default.")
_MAP = click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated)."
)
_UNITS = click.option("--units", type=click.Path(path_type=Path), help="The city's unit directory as of now.")
_CONFIG = click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
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
@click.option("--card", is_flag=True, help="Print the model card (Markdown) instead.")
def show(name: str, card: bool) -> None:
    """Print what a version is, as JSON: data, measures, labels, what the gate said, when it was in service."""
    from corpora.workspace import models_dir
    from flows.model_versions import find, loaded, shown

    if not card:
        click.echo(dumped(shown(models_dir(), name)))
        return
    from models.card import card as written

    saved = loaded(models_dir(), *find(models_dir(), name))
    kept = saved.companion("card.md")
    click.echo(kept.read_text("utf-8") if kept else written(saved.manifest), nl=False)


@models.command()
@click.argument("one")
@click.argument("other")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@_MAP
@_UNITS
@_CONFIG
@JSON
def compare(
    one: str,
    other: str,
    paths: tuple[Path, ...],
    pairs: tuple[str, ...],
    units: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Set two versions side by side; with labelled PATHS, judge ONE as if it were to replace OTHER.

    Both are asked the same rows. Rows that either has learnt from are left out.
    """
    from corpora.workspace import models_dir

    if paths:
        from flows.judging import judged
        from flows.tables import gate_table

        found = judged(models_dir(), one, other, paths, mapping_of(pairs), units, config)
        click.echo(dumped(found) if as_json else gate_table(found))
        return
    from flows.model_versions import compared
    from flows.tables import comparison_table

    found = compared(models_dir(), one, other)
    click.echo(dumped(found) if as_json else comparison_table(found))


@models.command()
@click.argument("name")
@click.option(
    "--on",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Labelled file to compare on (may be repeated).",
)
@_MAP
@_UNITS
@_CONFIG
@_BY
@_WHY
@click.option(
    "--override", default="", metavar="NAME", help="Whatever the gate says: NAME takes responsibility, with --why."
)
@click.pass_context
def promote(
    ctx: click.Context,
    name: str,
    paths: tuple[Path, ...],
    pairs: tuple[str, ...],
    units: Path | None,
    config: Path | None,
    by: str,
    why: str,
    override: str,
) -> None:
    """Put a version in service: compared on --on files now, or found good enough by the gate before.

    Exit code 1: the gate refused it.
    """
    from corpora.workspace import models_dir
    from flows.judging import decide, judged
    from flows.model_versions import find
    from models import registry

    root = models_dir()
    target, version = find(root, name)
    found = None
    if paths and version != registry.champion(root, target):
        from flows.tables import gate_table

        found = judged(root, version, registry.champion(root, target), paths, mapping_of(pairs), units, config)
        click.echo(gate_table(found))
        if not found["passed"] and not override:
            registry.record_gate(root, target, version, found["champion"], found)
            click.echo("未上线 nothing was promoted: --override NAME --why TEXT", err=True)
            ctx.exit(1)
    entry = decide(root, version, found, by=by, why=why, override=override)
    if entry is None:
        click.echo(f"已在用 in service already: {version}")
    else:
        _told(entry)


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
@_UNITS
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
