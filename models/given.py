"""Views that need no labels: duty items, places and names, from the unit directory and the gazetteer alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from corpora.places import Gazetteer, PlaceMatch
from corpora.units import UnitDirectory
from models.duty_index import DutyIndex, DutyText, relative
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.prepare import PART_ROWS
from pipeline.petitions.segment import Segmenter

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: Worth of a territory named in the text, by how it is named.
_FULL, _SHORT, _WIDER = 1.0, 0.6, 0.3
#: What unit names end in; the short form of a territory is its name without it.
_TERRITORY_ENDINGS = ("街道", "新区", "镇", "乡", "区", "县", "市", "旗")


@dataclass(frozen=True)
class GivenScores:
    """Views of a batch and what stands behind them.

    Attributes:
        features: the batch, with the places named in it where there is a gazetteer.
        views: name → float32 scores, shape (rows, units).
        duty: index into the duty list of the best duty of each unit, -1 for none; shape (rows, units).
        place_of: per row, unit index → the place name that speaks for it.
        names: per row, unit index → the unit's name as it stands in the text.
    """

    features: TextFeatures
    views: dict[str, F32]
    duty: I64
    place_of: list[dict[int, str]]
    names: list[dict[int, str]]


class GivenViews:
    """Scores units by their duty items, their territory and their name."""

    def __init__(self, directory: UnitDirectory, gazetteer: Gazetteer | None, segmenter: Segmenter) -> None:
        self.units = [unit.code for unit in directory.units]
        index = {code: i for i, code in enumerate(self.units)}
        self.duties = [(unit.code, duty) for unit in directory.units for duty in unit.duties]
        texts = [DutyText(duty.id, index[code], duty.text, duty.keywords) for code, duty in self.duties]
        self._index = DutyIndex(texts, segmenter) if texts else None
        self._gazetteer = gazetteer
        self._territory: dict[str, list[int]] = {}
        self._wide: set[str] = set()
        if gazetteer is not None:
            self._wide = {place.code for place in gazetteer.places if place.kind == "city"}
        for i, unit in enumerate(directory.units):
            for code in unit.area:
                if code not in self._wide:
                    self._territory.setdefault(code, []).append(i)
        self._patterns = _NamePatterns(directory)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the views that this directory can give."""
        given = ["duty"] if self._index else []
        if self._territory or self._patterns.has_territories:
            given.append("place")
        return (*given, "name")

    def scores(self, features: TextFeatures, texts: Sequence[str]) -> GivenScores:
        """Score a batch of masked texts (title, body and address together)."""
        n, units = len(texts), len(self.units)
        views: dict[str, F32] = {}
        duty = np.full((n, units), -1, np.int64)
        if self._index is not None:
            best, duty = self._index.by_owner(self._index.scores(features), units)
            views["duty"] = relative(best)
        place = np.zeros((n, units), np.float32)
        place_of: list[dict[int, str]] = [{} for _ in range(n)]
        matches = self._gazetteer.find(texts) if self._gazetteer is not None else [[] for _ in range(n)]
        for row, found in enumerate(matches):
            for match in found:
                for unit in self._units_of(match):
                    place[row, unit] = 1.0
                    place_of[row].setdefault(unit, match.text)
        name = np.zeros((n, units), np.float32)
        named: list[dict[int, str]] = [{} for _ in range(n)]
        for row, (territories, mentions) in enumerate(self._patterns.find(texts)):
            for unit, (worth, word) in territories.items():
                if worth > place[row, unit]:
                    place[row, unit] = worth
                    if worth > _WIDER:
                        place_of[row].setdefault(unit, word)
            for unit, word in mentions.items():
                name[row, unit] = 1.0
                named[row][unit] = word
        if "place" in self.names:
            views["place"] = place
        views["name"] = name
        if self._gazetteer is not None:
            features = features.with_places(matches, self._gazetteer)
        return GivenScores(features, views, duty, place_of, named)

    def scores_of(self, features: TextFeatures, texts: Sequence[str], rows: I64) -> GivenScores:
        """Return the features of all n texts and the views of some of them, without the reasons, in bounded memory.

        Args:
            features: the n texts.
            texts: masked, n.
            rows: the rows, ascending, whose views are wanted.
        """
        if len(rows) == len(texts):
            return self.scores(features, texts)
        parts, views = [], dict[str, list[F32]]()
        for start in range(0, len(texts), PART_ROWS):
            stop = min(start + PART_ROWS, len(texts))
            scored = self.scores(features.part(start, stop), texts[start:stop])
            parts.append(scored.features)
            wanted = rows[(rows >= start) & (rows < stop)] - start
            for name, found in scored.views.items():
                views.setdefault(name, []).append(found[wanted])
        nothing = np.zeros((0, len(self.units)), np.int64)
        return GivenScores(
            TextFeatures.joined(parts), {name: np.concatenate(found) for name, found in views.items()}, nothing, [], []
        )

    def _units_of(self, match: PlaceMatch) -> set[int]:
        if self._gazetteer is None or len(match.codes) != 1:
            return set()
        code = match.codes[0]
        chain = [code, *self._gazetteer.ancestors(code)]
        return {unit for place in chain for unit in self._territory.get(place, ())}


class _NamePatterns:
    """Finds unit names, aliases and the territories that are part of unit names, all in one pass over a text."""

    def __init__(self, directory: UnitDirectory) -> None:
        meaning: dict[str, list[tuple[str, int, float]]] = {}
        for i, unit in enumerate(directory.units):
            for name in dict.fromkeys((unit.name, *unit.aliases)):  # in order: a set of texts has another in each process
                if len(name) >= 3:
                    meaning.setdefault(name, []).append(("name", i, 1.0))
            parts = unit.area_names
            for place, part in enumerate(parts):
                last = place == len(parts) - 1
                meaning.setdefault(part, []).append(("place", i, _FULL if last else _WIDER))
                short = _short(part)
                if short:
                    meaning.setdefault(short, []).append(("place", i, _SHORT if last else _WIDER))
        # What every unit of the directory shares (the city's own name) tells nothing apart.
        everywhere = 0.8 * len(directory.units)
        self._meaning = [
            (word, means)
            for word, means in meaning.items()
            if len(means) < max(everywhere, 2) or any(kind == "name" for kind, _, _ in means)
        ]
        self.has_territories = any(kind == "place" for _, means in self._meaning for kind, _, _ in means)
        self._automaton = ahocorasick_rs.AhoCorasick([word for word, _ in self._meaning] or ["\0"])

    def find(self, texts: Sequence[str]) -> list[tuple[dict[int, tuple[float, str]], dict[int, str]]]:
        """Return for each text: unit → (worth, territory as named), and unit → name as it stands."""
        out: list[tuple[dict[int, tuple[float, str]], dict[int, str]]] = []
        for text in texts:
            places: dict[int, tuple[float, str]] = {}
            names: dict[int, str] = {}
            hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
            for pattern in sorted({hit[0] for hit in hits}):
                word, means = self._meaning[pattern] if self._meaning else ("", [])
                for kind, unit, worth in means:
                    if kind == "name":
                        names[unit] = word
                    elif worth > places.get(unit, (0.0, ""))[0]:
                        places[unit] = (worth, word)
            out.append((places, names))
        return out


def _short(territory: str) -> str:
    """Return 七宝 for 七宝镇, or "" where less than two characters would remain."""
    for ending in _TERRITORY_ENDINGS:
        if territory.endswith(ending) and len(territory) - len(ending) >= 2:
            return territory[: -len(ending)]
    return ""
