"""Commands of the label round trip: give petitions out, take annotations in, see where they stand, make a corpus."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from flows.options import JSON, dumped, mapping_of

_PATH = click.Path(path_type=Path)
_TARGET = click.option("--target", required=True, type=click.Choice(["issue_type", "unit"]), help="What is labelled.")
_UNITS = click.option("--units", type=_PATH, help="Unit directory (YAML) of the city; the model's or the export's own by default.")
_MAP = click.option("--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated).")


@click.group()
def labels() -> None:
    """Label round trip: petitions out to people, their labels back in, agreement, corpora."""


@labels.command("export")
@click.argument("paths", nargs=-1, type=_PATH)
@_TARGET
@click.option("--count", default=200, show_default=True, type=click.IntRange(1), help="Petitions at the most.")
@click.option("--out", required=True, type=_PATH, help="File to write, or a folder.")
@click.option("--format", "kind", default="xlsx", show_default=True, type=click.Choice(["xlsx", "label-studio", "doccano"]), help="Format.")
@_UNITS
@click.option("--places", type=_PATH, help="Gazetteer (CSV); places.csv beside the directory by default.")
@_MAP
@click.option("--blind", is_flag=True, help="Show no suggestions: for labels that shall measure the machine, or agreement.")
@click.option("--conflicts", is_flag=True, help="Instead of PATHS: what people disagree on, for a person who decides.")
@JSON
def export_(
    paths: tuple[Path, ...],
    target: str,
    count: int,
    out: Path,
    kind: str,
    units: Path | None,
    places: Path | None,
    pairs: tuple[str, ...],
    blind: bool,
    conflicts: bool,
    as_json: bool,
) -> None:
    """Pick the petitions in PATHS that are worth a person's time and write a sheet to fill in.

    Picked are rows whose label is probably wrong, on which the model is undecided or its views disagree, which resemble
    nothing learnt, or which stand for many others; each says why. Texts are masked.
    """
    from flows.label_export import export_conflicts, export_files
    from flows.label_tables import export_table

    if conflicts == bool(paths):
        raise click.UsageError("--conflicts takes no PATHS" if conflicts else "name files or folders of petitions, or --conflicts")
    if conflicts:
        found = export_conflicts(target, kind, out, units)
    else:
        found = export_files(
            target, paths, count, kind, out, mapping=mapping_of(pairs), units=units, places=places, blind=blind
        )
    click.echo(dumped(found) if as_json else export_table(found))


@labels.command("import")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--annotator", default="", help="Who filled in the rows that name nobody.")
@_UNITS
@click.option("--decide", "decides", is_flag=True, help="These labels settle what others disagree on.")
@JSON
def import_(files: tuple[Path, ...], annotator: str, units: Path | None, decides: bool, as_json: bool) -> None:
    """Take labels in from FILES: the Excel sheet, Label Studio's JSON or JSON-MIN, doccano's JSONL, JSON or zip.

    Importing a file again adds nothing. Rows that cannot be taken are told with their reasons.
    """
    from flows.label_tables import import_table
    from flows.labelling import import_files

    found = import_files(files, annotator, units, decides=decides)
    click.echo(dumped(found) if as_json else import_table(found))


@labels.command("status")
@click.option("--target", type=click.Choice(["issue_type", "unit"]), help="One target alone.")
@JSON
def status_(target: str | None, as_json: bool) -> None:
    """Show how much is labelled, by whom, what is in conflict, and how far people agree (Cohen's κ)."""
    from flows.label_tables import status_table
    from flows.labelling import status

    found = status(target)
    click.echo(dumped(found) if as_json else status_table(found))


@labels.command("decisions")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only decisions from this day on (UTC).")
@JSON
def decisions_(since: datetime | None, as_json: bool) -> None:
    """Show what people decided on suggestions: what may be learnt from it, and how each suggested unit fared.

    Accepted and reassigned petitions are label candidates: `minqing retrain --target unit --decisions all`. What nobody
    looked at never is.
    """
    from flows.decided import summary
    from flows.label_tables import decisions_table

    found = summary(since)
    click.echo(dumped(found) if as_json else decisions_table(found))


@labels.command()
@click.argument("paths", nargs=-1, type=_PATH)
@_TARGET
@click.option("--out", required=True, type=_PATH, help="Folder to write; must be new or empty.")
@_UNITS
@_MAP
@click.option("--by", default="hash", show_default=True, type=click.Choice(["hash", "time"]), help="How to split.")
@click.option("--test", default=0.15, show_default=True, type=click.FloatRange(0, 1, max_open=True), help="Share of test rows.")
@click.option("--validation", default=0.0, show_default=True, type=click.FloatRange(0, 1, max_open=True), help="Share of validation rows.")
@JSON
def dataset(
    paths: tuple[Path, ...],
    target: str,
    out: Path,
    units: Path | None,
    pairs: tuple[str, ...],
    by: str,
    test: float,
    validation: float,
    as_json: bool,
) -> None:
    """Write the agreed labels as a Hugging Face dataset (train, validation, test); labelled rows of PATHS are added."""
    from flows.label_tables import dataset_table
    from flows.labelling import make_dataset

    found = make_dataset(target, out, paths, mapping=mapping_of(pairs), units=units, by=by, test=test, validation=validation)
    click.echo(dumped(found) if as_json else dataset_table(found))

