"""The bundled city, trained once for all tests of the models."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from corpora.readers import read_petitions
from models import registry
from models.city import City
from models.router import Routed, Router
from models.saved import issue_model
from models.serving import load_router
from models.training import Training, train

#: The last day of the bundled petitions.
DAY = dt.date(2026, 11, 20)


@dataclass(frozen=True)
class Bundled:
    """The bundled city with trained models in `root`; `truth` is petition id → its row of incoming_truth.csv."""

    folder: Path
    root: Path
    city: City
    history: pa.Table
    incoming: pa.Table
    truth: dict[str, dict[str, str]]
    issue: Training
    unit: Training

    def router(self, day: dt.date = DAY) -> Router:
        """Return the trained router of a day."""
        versions = self.issue.saved.version, self.unit.saved.version
        return load_router(self.root, *versions, self.folder / "units.yaml", None, None, day)

    def newcomer(self, day: dt.date = DAY) -> Router:
        """Return the router of a city without history."""
        return load_router(self.root, None, None, self.folder / "units.yaml", None, None, day)


def read(*paths: Path) -> pa.Table:
    """Return all petitions of files."""
    return pa.concat_tables([chunk.table for chunk in read_petitions(paths)]).combine_chunks()


@pytest.fixture(scope="session")
def bundled(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundled:
    """Train both targets on the bundled history."""
    root = tmp_path_factory.mktemp("models")
    known, history = City.load(city / "units.yaml"), read(city / "history.csv")
    issue = train("issue_type", history, known, root)
    unit = train("unit", history, known, root, issue=issue_model(issue.saved))
    registry.promote(root, "issue_type", issue.saved.version)
    registry.promote(root, "unit", unit.saved.version)
    with (city / "incoming_truth.csv").open(encoding="utf-8-sig") as file:
        truth = {row["petition_id"]: row for row in csv.DictReader(file)}
    return Bundled(city, root, known, history, read(city / "incoming"), truth, issue, unit)


@pytest.fixture(scope="session")
def routed(bundled: Bundled) -> Routed:
    """Route the bundled petitions with the trained models."""
    return bundled.router().route(bundled.incoming)


@pytest.fixture(scope="session")
def zero_history(bundled: Bundled) -> Routed:
    """Route the bundled petitions by duties and places alone."""
    return bundled.newcomer().route(bundled.incoming)
