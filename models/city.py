"""What is known of a city besides its petitions: units and places, and the words they bring."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from corpora.divisions import Divisions
from corpora.lexicon import petition_terms
from corpora.places import Gazetteer
from corpora.units import UnitDirectory


@dataclass(frozen=True)
class City:
    """What is known of a city besides its petitions.

    Attributes:
        directory: its units, or None where only labelled rows are known.
        gazetteer: its places, or None.
        files: the files these came from, kept beside a model: name → content.
        division: code of the city in the list of administrative divisions, where its places come from there.
    """

    directory: UnitDirectory | None = None
    gazetteer: Gazetteer | None = None
    files: tuple[tuple[str, bytes], ...] = ()
    division: str | None = None

    @classmethod
    def load(cls, units: Path | None, places: Path | None = None) -> City:
        """Read a unit directory, and the gazetteer given or standing beside it as `places.csv`."""
        if units is None:
            return cls()
        if places is None and (units.parent / "places.csv").exists():
            places = units.parent / "places.csv"
        files = [("units.yaml", units.read_bytes())]
        if places is not None:
            files.append(("places.csv", places.read_bytes()))
        return cls(UnitDirectory.load(units), Gazetteer.load(places) if places else None, tuple(files))

    def in_division(self, code: str | None) -> City:
        """Return the city with the places of the administrative division where it has no gazetteer of its own."""
        if code is None or self.gazetteer is not None:
            return self
        return dataclasses.replace(self, gazetteer=Divisions.load().gazetteer(code), division=code)

    def lexicon(self) -> tuple[str, ...]:
        """Return the words that the segmenter must know: petition terms, unit names, communities and places."""
        words = set(petition_terms())
        if self.directory is not None:
            words |= {name for unit in self.directory.units for name in (unit.name, *unit.aliases)}
            words |= {word for duty in self.directory.duties() for word in duty.keywords}
        if self.gazetteer is not None and self.division is None:
            words |= {place.name for place in self.gazetteer.places}
        return tuple(sorted(word for word in words if 2 <= len(word) <= 12 and not word.isascii()))
