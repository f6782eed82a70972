"""`minqing retrain`: from labelled rows to a model in service, on demand."""

from __future__ import annotations

from pathlib import Path

import click

from flows.options import ENCODER, JSON, dumped, mapping_of


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--target", required=True, type=click.Choice(["issue_type", "unit"]), help="What to learn.")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated).")
@click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML); the champion's by default.")
@click.option("--places", type=click.Path(path_type=Path), help="Gazetteer (CSV); places.csv beside the directory by default.")
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
@click.option("--split", type=click.Choice(["hash", "time"]), help="How test rows are set aside; retrain.split by default.")
@ENCODER
@click.option(
    "--decisions", default="none", show_default=True, type=click.Choice(["none", "all", "corrections"]),
    help="Learn from what people decided on suggestions: all, or only where they put the machine right.",
)
@click.option(
    "--approve", type=click.Choice(["auto", "ask"]),
    help="auto: in service when the gate lets it pass; ask: left for a person. retrain.approval by default.",
)  # fmt: skip
@click.option("--override", default="", metavar="NAME", help="In service whatever the gate says; NAME takes responsibility.")
@click.option("--why", default="", help="Why, for the history; required with --override.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for retrain.json and report.html; in the workspace by default.")
@JSON
@click.pass_context
def retrain(
    ctx: click.Context,
    paths: tuple[Path, ...],
    target: str,
    pairs: tuple[str, ...],
    units: Path | None,
    places: Path | None,
    config: Path | None,
    split: str | None,
    encoder: str | None,
    decisions: str,
    approve: str | None,
    override: str,
    why: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Learn TARGET anew from PATHS and the label store, compare with the champion, and replace it where that is no loss.

    The candidate learns from one part of the rows and both are asked the other. It is registered in any case; it serves
    when it is not worse beyond noise, or when somebody says so. Exit code 1: it was refused.
    """
    mapping = mapping_of(pairs)
    files = [str(path) if path else None for path in (units, places, config)]
    from flows import retraining

    request = retraining.Request(target, tuple(map(str, paths)), (), files[0], files[1], files[2], decisions=decisions)
    retraining.check(request, override, why, approve)  # says what is wrong before Prefect starts
    from flows.retrain import retrain as flow

    run = flow(
        target, [str(path) for path in paths], units=files[0], places=files[1], mapping=mapping, config=files[2], split=split,
        approval=approve, override=override, why=why, out=str(out) if out else None, wait=False,
        encoder=encoder, decisions=decisions,
    )  # fmt: skip
    from flows.retrain_tables import retrain_table

    click.echo(dumped(run) if as_json else retrain_table(run))
    ctx.exit(1 if run["decision"] == "refused" else 0)
