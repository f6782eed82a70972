"""The gazetteer (地名): places of a city with their dates, and a fast finder of their names in texts."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ahocorasick_rs

from corpora import dated
from corpora.dated import DataFileError

HEADER = ("code", "name", "kind", "parent", "aliases", "valid_from", "valid_to", "successor")
KINDS = (
    "city", "district", "county", "zone", "subdistrict", "town", "township", "community", "village", "road", "estate",
    "landmark", "school", "market", "industrial_park",
)  # fmt: skip

#: A name shorter than a gazetteer's shortest is found only with one of these behind it: 南港 alone stands in other words too.
_SUFFIXES = {
    "city": ("市",),
    "zone": ("片区",),
    "community": ("社区", "居委会", "居委", "村"),
    "subdistrict": ("街道",),
    "town": ("镇", "乡", "街道"),
    "township": ("乡",),
    "village": ("村", "社区"),
    "road": ("路", "街", "大道", "巷"),
    "estate": ("小区", "花园", "公寓"),
    "market": ("市场", "菜场"),
}
_SHORTEST = 3


class GazetteerError(DataFileError):
    """A gazetteer that cannot be used; the message names the file, the rows and the reasons."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place; the days include both ends, None is open. `successor` are the places it was merged into or divided among."""

    code: str
    name: str
    kind: str
    parent: str | None = None
    aliases: tuple[str, ...] = ()
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    successor: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """A place name in a text: `text[start:end]`, and the places it may mean (more than one: ambiguous)."""

    start: int
    end: int
    text: str
    codes: tuple[str, ...]


class Gazetteer:
    """The places of a city: of all times as loaded, or of one day (`on`).

    Attributes:
        places: in the order of the file; on a day, those that are there on it.
        day: the day, or None for all times.
        shortest: characters that a name needs to be found as it stands.
    """

    def __init__(
        self,
        places: Iterable[Place],
        *,
        day: datetime.date | None = None,
        known: Mapping[str, Place] | None = None,
        shortest: int = _SHORTEST,
    ) -> None:
        self.places = tuple(places)
        self.day = day
        self.shortest = shortest
        # On a day, the names of places that are gone are still written; `_known` holds those too.
        self._known = known if known is not None else {place.code: place for place in self.places}
        self._finder: tuple[ahocorasick_rs.AhoCorasick, list[tuple[str, ...]]] | None = None

    @classmethod
    def load(cls, path: Path) -> Gazetteer:
        """Read a gazetteer from CSV (UTF-8, columns `HEADER`; aliases and successors separated by `|`).

        Raises:
            GazetteerError: if the file cannot be used; all problems are named.
        """
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise GazetteerError.of(path, [f"cannot be read ({error.strerror or error})"]) from error
        except UnicodeDecodeError as error:
            raise GazetteerError.of(path, ["not text in UTF-8"]) from error
        return cls(_read(text, path))

    def __getstate__(self) -> dict[str, object]:
        # The automaton cannot be pickled; the process that receives the gazetteer builds its own.
        return self.__dict__ | {"_finder": None}

    def __contains__(self, code: object) -> bool:
        return code in self._known

    def __getitem__(self, code: str) -> Place:
        return self._known[code]

    def on(self, day: datetime.date) -> Gazetteer:
        """Return the places of a day. Names of places that are gone by then are found as their successors."""
        places = (p for p in self._known.values() if dated.valid_on(p, day))
        return Gazetteer(places, day=day, known=self._known, shortest=self.shortest)

    def resolve(self, code: str, day: datetime.date) -> tuple[str, ...]:
        """Return the place on `day`: itself, or those that its chain of successors leads to; empty if there is none.

        Raises:
            KeyError: if there is no such place.
        """
        return dated.successors_on(code, day, self._known)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the codes above `code`, nearest first (estate → community → zone → city).

        On a day, a place above that is gone counts as its successor; one divided among several is passed over.

        Raises:
            KeyError: if there is no such place.
        """
        above: list[str] = []
        parent = self._known[code].parent
        while parent is not None and parent not in above:
            now = (parent,) if self.day is None else self.resolve(parent, self.day)
            if len(now) == 1 and now[0] not in above and now[0] != code:
                parent = now[0]
                above.append(parent)
            parent = self._known[parent].parent
        return tuple(above)

    def find(self, texts: Sequence[str]) -> list[list[PlaceMatch]]:
        """Return the place names in each of n texts: leftmost, then longest, not overlapping; offsets in characters.

        A name that two places bear gives both codes; so does a place that was divided. Where one candidate lies within
        another, only the inner one is given (`ancestors` leads to the outer).
        """
        if self._finder is None:
            patterns = self._patterns()
            automaton = ahocorasick_rs.AhoCorasick(list(patterns), matchkind=ahocorasick_rs.MATCHKIND_LEFTMOST_LONGEST)
            self._finder = automaton, list(patterns.values())
        search, codes = self._finder[0].find_matches_as_indexes, self._finder[1]
        return [
            [PlaceMatch(start, end, text[start:end], codes[index]) for index, start, end in search(text)]
            for text in texts
        ]

    def _patterns(self) -> dict[str, tuple[str, ...]]:
        """Return what to look for, and the codes it means."""
        present: dict[str, dict[str, None]] = {}
        gone: dict[str, dict[str, None]] = {}
        for place in self._known.values():
            current = self.day is None or dated.valid_on(place, self.day)
            codes = (place.code,) if current else self.resolve(place.code, self.day or datetime.date.max)
            for name in (place.name, *place.aliases) if codes else ():
                for written in _written(name, place.kind, self.shortest):
                    (present if current else gone).setdefault(written, {}).update(dict.fromkeys(codes))
        # A name taken over by a place of today means that one: 西河村 (gone) says nothing where a 西河村 is there.
        return {name: self._innermost(tuple(codes)) for name, codes in (gone | present).items()}

    def _innermost(self, codes: tuple[str, ...]) -> tuple[str, ...]:
        if len(codes) == 1:
            return codes
        outer = {above for code in codes for above in self.ancestors(code)}
        return tuple(code for code in codes if code not in outer)


def _written(name: str, kind: str, shortest: int) -> tuple[str, ...]:
    if len(name) >= shortest:
        return (name,)
    return tuple(name + suffix for suffix in _SUFFIXES.get(kind, ())) if len(name) == shortest - 1 else ()


def _read(text: str, path: Path) -> list[Place]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(rows, [])]
    if sorted(header) != sorted(HEADER):
        raise GazetteerError.of(path, [f"the header must be {','.join(HEADER)}"])
    places: dict[str, Place] = {}
    row_of: dict[str, int] = {}
    problems: list[str] = []
    for row in rows:
        number = rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            problems.append(f"row {number}: {len(row)} cells instead of {len(header)}")
            continue
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        place, wrong = _place(cells)
        if place.code in places:
            wrong.append(f"code is given twice (first in row {row_of[place.code]})")
        problems += [f"row {number} ({place.code or 'no code'}): {problem}" for problem in wrong]
        if place.code:
            places.setdefault(place.code, place)
            row_of.setdefault(place.code, number)
    for place in places.values():
        where = f"row {row_of[place.code]} ({place.code})"
        if place.parent is not None and place.parent not in places:
            problems.append(f"{where}: parent {place.parent!r} is not a place of this file")
        problems += [
            f"{where}: successor {code!r} is not a place of this file" for code in place.successor if code not in places
        ]
    for word, links in (
        ("parents", {p.code: (p.parent,) if p.parent else () for p in places.values()}),
        ("successors", {p.code: p.successor for p in places.values()}),
    ):
        problems += [f"row {row_of[code]} ({code}): its {word} lead back to it" for code in dated.cycles(links)]
    if not places and not problems:
        problems.append("no places")
    if problems:
        raise GazetteerError.of(path, problems)
    return list(places.values())


def _place(cells: Mapping[str, str]) -> tuple[Place, list[str]]:
    """Return the place in a row as far as it can be read, and what is wrong with the row."""
    problems: list[str] = []
    code, name, kind = cells["code"], cells["name"], cells["kind"]
    if not code or len(code.split()) != 1:
        problems.append("code must be given, without white space")
    if not name:
        problems.append("name is empty")
    if kind not in KINDS:
        problems.append(f"kind {kind!r} is none of {', '.join(KINDS)}")
    days: dict[str, datetime.date] = {}
    for key in ("valid_from", "valid_to"):
        try:
            if cells[key]:
                days[key] = datetime.date.fromisoformat(cells[key])
        except ValueError:
            problems.append(f"{key} {cells[key]!r} is not a date (YYYY-MM-DD)")
    listed = {key: tuple(p.strip() for p in cells[key].split("|") if p.strip()) for key in ("aliases", "successor")}
    place = Place(
        code=code,
        name=name,
        kind=kind,
        parent=cells["parent"] or None,
        aliases=listed["aliases"],
        valid_from=days.get("valid_from"),
        valid_to=days.get("valid_to"),
        successor=listed["successor"],
    )
    if len(days) == sum(bool(cells[key]) for key in ("valid_from", "valid_to")):
        problems += dated.period_problems(place)
    return place, problems
