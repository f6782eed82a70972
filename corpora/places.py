"""The dated place gazetteer (地名录): places, what they lie in, what became of them; found in texts in one pass."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ahocorasick_rs

HEADER = ("code", "name", "kind", "parent", "aliases", "valid_from", "valid_to", "successor")
KINDS = (
    "city", "zone", "community", "town", "village", "road", "estate", "landmark", "school", "market", "industrial_park",
)  # fmt: skip
#: A name of two characters counts only where one of these follows: 塘河 is a river, a word and a surname's luck.
_AFTER_SHORT = re.compile(r"社区|村|镇|路|街|小区|花园|片区|桥|河|站")


class GazetteerError(ValueError):
    """The gazetteer is wrong; the message names the file, the lines and the reasons."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place, valid from `valid_from` to the last day `valid_to` (None: still there)."""

    code: str
    name: str
    kind: str
    parent: str = ""
    aliases: tuple[str, ...] = ()
    valid_from: dt.date = dt.date.min
    valid_to: dt.date | None = None
    successor: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """A place name in a text: offsets, the name as it stands, and the places that bear it (several: ambiguous)."""

    start: int
    end: int
    text: str
    codes: tuple[str, ...]


class Gazetteer:
    """Places by code, and a finder of their names."""

    def __init__(self, places: Sequence[Place], day: dt.date | None = None) -> None:
        self.places = tuple(places)
        self._by_code = {place.code: place for place in places}
        self._day = day
        bearers: dict[str, set[str]] = defaultdict(set)
        for place in places:
            for name in (place.name, *place.aliases):
                if len(name) >= 2:
                    bearers[name].update(self.resolve(place.code, day) if day else (place.code,))
        self._names = [(name, tuple(sorted(codes))) for name, codes in bearers.items()]
        self._automaton = ahocorasick_rs.AhoCorasick(
            [name for name, _ in self._names] or ["\0"], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
        )

    @classmethod
    def load(cls, path: Path) -> Gazetteer:
        """Read a gazetteer (CSV with HEADER; aliases and successors separated by `|`).

        Raises:
            GazetteerError: with all problems of the file.
            FileNotFoundError: if there is no such file.
        """
        problems: list[str] = []
        places: dict[str, Place] = {}
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
        if tuple(rows.fieldnames or ()) != HEADER:
            msg = f"{path}: the header is not {','.join(HEADER)}"
            raise GazetteerError(msg)
        for line, row in enumerate(rows, 2):
            where = f"line {line}"
            if None in row or None in row.values():
                problems.append(f"{where}: not {len(HEADER)} cells")
                continue
            dates = []
            for key in ("valid_from", "valid_to"):
                try:
                    dates.append(dt.date.fromisoformat(row[key]) if row[key] else None)
                except ValueError:
                    problems.append(f"{where}: {key} {row[key]!r} is not a date")
                    dates.append(None)
            place = Place(
                row["code"], row["name"], row["kind"], row["parent"], _split(row["aliases"]),
                dates[0] or dt.date.min, dates[1], _split(row["successor"]),
            )  # fmt: skip
            if not place.code or not place.name:
                problems.append(f"{where}: no code or no name")
            if place.code in places:
                problems.append(f"{where}: the code {place.code} is used twice")
            if place.kind not in KINDS:
                problems.append(f"{where}: kind {place.kind!r} is none of {', '.join(KINDS)}")
            if place.valid_to is not None and place.valid_to < place.valid_from:
                problems.append(f"{where}: valid_to is before valid_from")
            places[place.code] = place
        for place in places.values():
            for code in (place.parent, *place.successor):
                if code and code not in places:
                    problems.append(f"place {place.code}: unknown place {code}")
        if not problems:
            problems += [f"place {code}: it lies in itself" for code in places if _in_itself(code, places)]
        if problems:
            msg = f"{path}: {len(problems)} problem(s): " + "; ".join(problems[:20])
            raise GazetteerError(msg)
        return cls(list(places.values()))

    def on(self, day: dt.date) -> Gazetteer:
        """Return the gazetteer as of a day: names of places that are gone lead to their successors."""
        return Gazetteer(self.places, day)

    def __getitem__(self, code: str) -> Place:
        return self._by_code[code]

    def resolve(self, code: str, day: dt.date) -> tuple[str, ...]:
        """Return what the place is on that day: itself, or its successors; () if it had none or is not there yet."""
        place = self._by_code[code]
        if place.valid_to is not None and place.valid_to < day:
            found: dict[str, None] = {}
            for after in place.successor:
                found.update(dict.fromkeys(self.resolve(after, day)))
            return tuple(found)
        return (code,) if place.valid_from <= day else ()

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the places that `code` lies in, nearest first."""
        out = []
        parent = self._by_code[code].parent
        while parent:
            out.append(parent)
            parent = self._by_code[parent].parent
        return tuple(out)

    def find(self, texts: Sequence[str]) -> list[list[PlaceMatch]]:
        """Return the place names in each text: leftmost, longest, not overlapping."""
        find, names = self._automaton.find_matches_as_indexes, self._names
        out = []
        for text in texts:
            matches = []
            for pattern, start, end in find(text):
                name, codes = names[pattern]
                if codes and (end - start > 2 or _AFTER_SHORT.match(text, end)):
                    matches.append(PlaceMatch(start, end, name, codes))
            out.append(matches)
        return out


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _in_itself(code: str, places: dict[str, Place]) -> bool:
    seen = {code}
    parent = places[code].parent
    while parent:
        if parent in seen:
            return True
        seen.add(parent)
        parent = places[parent].parent
    return False
