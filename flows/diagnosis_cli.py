"""Commands that say why: `minqing explain` for one petition, `minqing diagnose` for a labelled set."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flows.options import JSON, check_places, dumped, mapping_of

_TARGET = click.Choice(["issue_type", "unit"])
_UNITS = click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the city.")
_PLACES = click.option(
    "--places", type=click.Path(path_type=Path), help="Gazetteer (CSV); places.csv beside the directory by default."
)
_MAP = click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated)."
)


@click.command()
@click.argument("given", nargs=-1, metavar="[TEXT | PATHS…]")
@click.option("--target", type=_TARGET, default="unit", show_default=True, help="What to explain.")
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read the text from a UTF-8 file.")
@click.option("--id", "petition", help="Explain the petition with this id in PATHS.")
@click.option("--title", default="", help="Title of TEXT.")
@click.option("--address", default="", help="Address of TEXT.")
@click.option("--refused", multiple=True, metavar="UNIT", help="A unit that sent TEXT back (may be repeated).")
@_UNITS
@_PLACES
@_MAP
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 20), help="How many candidates.")
@JSON
def explain(
    given: tuple[str, ...],
    target: str,
    file: Path | None,
    petition: str | None,
    title: str,
    address: str,
    refused: tuple[str, ...],
    units: Path | None,
    places: Path | None,
    pairs: tuple[str, ...],
    top: int,
    as_json: bool,
) -> None:
    """Say why a petition goes to a unit, or is of an issue type, by the models in service.

    TEXT is the petition itself (`-` reads standard input; or --file FILE); with --id, PATHS are the files it is in.
    Words carry their offsets in the masked text with --json.
    """
    from flows.explain_tables import explanation_table
    from flows.explaining import explain_petition, one_petition, one_text

    check_places(units, places)
    if petition is not None:
        if not given or file is not None:
            msg = "--id needs PATHS, and goes without --file"
            raise click.UsageError(msg)
        table = one_petition(petition, [Path(path) for path in given], mapping_of(pairs))
    else:
        if len(given) != (1 if file is None else 0):
            msg = "give one TEXT (in quotes), or --file FILE, or --id ID PATHS"
            raise click.UsageError(msg)
        table = one_text(_text(given, file), title, address, refused)
    found = explain_petition(target, table, units, places, top)
    click.echo(dumped(found) if as_json else explanation_table(found))


def _text(given: tuple[str, ...], file: Path | None) -> str:
    if file is None:
        return sys.stdin.read() if given[0] == "-" else given[0]
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file}: not UTF-8 text (byte {error.start})"
        raise click.UsageError(msg) from error


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--target", required=True, type=_TARGET, help="Which label to examine.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/diagnosis"), show_default=True, help="Folder for the results.")
@_UNITS
@_PLACES
@_MAP
@click.option("--curves", is_flag=True, help="Measure learning curves too: how much more labels would help, and where.")
@JSON
def diagnose(
    paths: tuple[Path, ...],
    target: str,
    out: Path,
    units: Path | None,
    places: Path | None,
    pairs: tuple[str, ...],
    curves: bool,
    as_json: bool,
) -> None:
    """Examine the labelled petitions in PATHS: what is confused, which labels look wrong, what more labels would bring.

    Predictions come from models that had not seen the row. Writes report.html, label_errors.xlsx, label_errors.jsonl and
    diagnosis.json; puts nothing in service and changes no label.
    """
    from flows.bar import progress
    from flows.diagnosing import diagnose_files
    from flows.explain_tables import diagnosis_table

    check_places(units, places)
    found = diagnose_files(target, paths, mapping_of(pairs), out, units, places, curves=curves, progress=progress("curves"))
    click.echo(dumped(found) if as_json else diagnosis_table(found))
