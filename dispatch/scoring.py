"""What the service and the console need of the router; `flows` gives them one (this floor does not know the models)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class UnitChoice:
    """A unit valid today, as a person picks it."""

    code: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """Suggestions (`SUGGESTION_SCHEMA`, masked, without event groups), and row for row the sketches that events are found by."""

    suggestions: pa.Table
    sketches: Sequence[bytes]


class Scorer(Protocol):
    """Routes batches with the models in service; safe to call from several threads."""

    @property
    def model_version(self) -> str:
        """Names of the models in service now."""

    @property
    def config_version(self) -> str:
        """Version of the configuration."""

    def score(self, petitions: pa.Table, hashes: Sequence[str] | None = None) -> ScoredBatch:
        """Route a batch (`PETITION_SCHEMA`) with one and the same pair of models.

        `hashes` are those of the petitions as filed, where the batch holds masked texts of the store instead.
        """

    def units(self) -> Sequence[UnitChoice]:
        """Return the units valid today."""

    def resolve(self, name: str) -> str | None:
        """Return the code of the unit that is valid today and is meant by a code, name or alias; None if there is none."""

    def issue_name(self, code: str) -> str:
        """Return the name of an issue type."""

    def basis(self, duty: str) -> str:
        """Return the statute that a duty item names, "" where it names none or is not of today."""
