"""The unit directory (承办单位名录): who there is, since when, for what (权责事项), for which area."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corpora.issue_tree import IssueTree
from corpora.records import UnitCode
from corpora.territory import body_kind, territory_parts

FORMAT = "minqing/units/1"
KINDS = ("department", "station", "community", "enterprise", "town", "other")
_UNIT_KEYS = {"code", "name", "aliases", "kind", "area", "valid_from", "valid_to", "successor", "duties", "note"}
_DUTY_KEYS = {"id", "text", "keywords", "issues", "co_units", "basis"}
_ENDINGS = (
    ("town", ("镇人民政府", "乡人民政府", "镇政府", "乡政府", "街道办事处", "街道办", "街道")),
    ("community", ("居民委员会", "村民委员会", "居委会", "村委会", "社区", "村")),
    ("enterprise", ("公司", "集团")),
    ("department", ("局", "委员会", "委", "厅", "办公室", "管委会", "支队", "大队")),
)


class UnitDirectoryError(ValueError):
    """The directory is wrong; the message names the file and every problem with its unit or duty."""


@dataclass(frozen=True, slots=True)
class DutyItem:
    """One duty (权责事项): residents' words for it, issue types, co-handling units, legal basis."""

    id: str
    text: str
    keywords: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    co_units: tuple[str, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, valid from `valid_from` to the last day `valid_to` (None: still there).

    Attributes:
        area: place codes of the gazetteer.
        area_names: territories named in the unit's own name, widest first; used where there is no gazetteer.
        successor: codes of the units that took over.
    """

    code: UnitCode
    name: str
    aliases: tuple[str, ...] = ()
    kind: str = "other"
    area: tuple[str, ...] = ()
    area_names: tuple[str, ...] = ()
    valid_from: dt.date = dt.date.min
    valid_to: dt.date | None = None
    successor: tuple[str, ...] = ()
    duties: tuple[DutyItem, ...] = ()

    def valid_on(self, day: dt.date) -> bool:
        """Whether the unit exists on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class UnitDirectory:
    """Units in their order in the file."""

    def __init__(self, units: Sequence[Unit], city_name: str = "", known: Sequence[Unit] = ()) -> None:
        self.units = tuple(units)
        self.city_name = city_name
        self._known = {str(unit.code): unit for unit in (known or units)}
        self._names: dict[str, list[str]] = defaultdict(list)
        # A unit that still exists has a name before one that had it once.
        for unit in sorted(self._known.values(), key=lambda unit: unit.valid_to is not None):
            for name in dict.fromkeys(map(_key, (str(unit.code), unit.name, *unit.aliases))):
                self._names[name].append(str(unit.code))

    @classmethod
    def load(cls, path: Path) -> UnitDirectory:
        """Read a directory (YAML, format `minqing/units/1`).

        Raises:
            UnitDirectoryError: with all problems of the file.
            FileNotFoundError: if there is no such file.
        """
        try:
            data = yaml.load(path.read_text("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader either way
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            msg = f"{path}: not readable as YAML: {error}"
            raise UnitDirectoryError(msg) from error
        reader = _Reader()
        units = reader.units(data)
        if reader.problems:
            shown = "; ".join(reader.problems[:20]) + (" …" if len(reader.problems) > 20 else "")
            msg = f"{path}: {len(reader.problems)} problem(s): {shown}"
            raise UnitDirectoryError(msg)
        return cls(units, str((data.get("city") or {}).get("name", "")))

    @classmethod
    def from_labels(cls, labels: Iterable[str]) -> UnitDirectory:
        """Make a directory from unit names alone: the code is the name without white space; no duties, no dates."""
        names = sorted({"".join(label.split()) for label in labels if label.strip()})
        return cls([Unit(UnitCode(n[:80]), n, kind=_kind(n), area_names=territory_parts(n)) for n in names])

    def on(self, day: dt.date) -> UnitDirectory:
        """Return the directory of the units valid that day; names of others still resolve."""
        return UnitDirectory([u for u in self.units if u.valid_on(day)], self.city_name, tuple(self._known.values()))

    def pick(self, codes: Iterable[str]) -> UnitDirectory:
        """Return the directory of the named units, in that order; names of others still resolve.

        Raises:
            KeyError: if a code is unknown.
        """
        return UnitDirectory([self._known[code] for code in codes], self.city_name, tuple(self._known.values()))

    def has(self, code: str) -> bool:
        """Whether the code is known, valid today or not."""
        return code in self._known

    def __getitem__(self, code: str) -> Unit:
        return self._known[code]

    def resolve(self, label: str) -> UnitCode | None:
        """Return the unit that a code, name or alias names exactly (width and white space aside); never a near match.

        A name that two units bear at the same time names neither.
        """
        codes = self._names.get(_key(label), ())
        if not codes:
            return None
        if len(codes) > 1 and all(self._known[code].valid_to is None for code in codes[:2]):
            return None
        return UnitCode(codes[0])

    def successor_on(self, code: str, day: dt.date) -> tuple[UnitCode, ...]:
        """Return the units that stand for `code` on that day: itself, or those that took over; () for none."""
        unit = self._known[code]
        if unit.valid_on(day):
            return (unit.code,)
        found: dict[UnitCode, None] = {}
        for after in unit.successor:
            found.update(dict.fromkeys(self.successor_on(after, day)))
        return tuple(found)

    def duties(self) -> tuple[DutyItem, ...]:
        """Return the duties of all units, in order."""
        return tuple(duty for unit in self.units for duty in unit.duties)


def _key(label: str) -> str:
    return "".join(unicodedata.normalize("NFKC", label).split())


def _kind(name: str) -> str:
    body = body_kind(name) or name
    for kind, endings in _ENDINGS:
        if name.endswith(endings) or body.endswith(endings):
            return kind
    return "other"


class _Reader:
    """Reads the YAML data and collects every problem."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._tree = IssueTree.load()

    def units(self, data: Any) -> list[Unit]:  # noqa: ANN401 - whatever the file holds
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            self.problems.append(f"the file does not begin with `format: {FORMAT}`")
            return []
        entries = data.get("units")
        if not isinstance(entries, list) or not entries:
            self.problems.append("`units` is not a list of units")
            return []
        units = [unit for i, entry in enumerate(entries, 1) if (unit := self._unit(entry, i)) is not None]
        self._check(units)
        return units

    def _unit(self, entry: Any, number: int) -> Unit | None:  # noqa: ANN401
        where = f"unit {number}"
        if not isinstance(entry, dict):
            self.problems.append(f"{where}: not a mapping")
            return None
        where = f"unit {entry.get('code', number)}"
        self._unknown(where, entry, _UNIT_KEYS)
        try:
            code = UnitCode(str(entry.get("code", "")))
        except ValueError as error:
            self.problems.append(f"{where}: {error}")
            return None
        name = str(entry.get("name") or "").strip()
        if not name:
            self.problems.append(f"{where}: no name")
        kind = entry.get("kind", "other")
        if kind not in KINDS:
            self.problems.append(f"{where}: kind {kind!r} is none of {', '.join(KINDS)}")
        successor = entry.get("successor")
        duties = [self._duty(where, duty) for duty in entry.get("duties") or ()]
        return Unit(
            code,
            name,
            self._texts(where, "aliases", entry.get("aliases")),
            str(kind),
            self._texts(where, "area", entry.get("area")),
            (),
            self._date(where, "valid_from", entry.get("valid_from")) or dt.date.min,
            self._date(where, "valid_to", entry.get("valid_to")),
            self._texts(where, "successor", [successor] if isinstance(successor, str) else successor),
            tuple(duty for duty in duties if duty is not None),
        )

    def _duty(self, where: str, entry: Any) -> DutyItem | None:  # noqa: ANN401
        if not isinstance(entry, dict) or not entry.get("id") or not entry.get("text"):
            self.problems.append(f"{where}: a duty without id or text")
            return None
        where = f"duty {entry['id']}"
        self._unknown(where, entry, _DUTY_KEYS)
        issues = self._texts(where, "issues", entry.get("issues"))
        self.problems += [f"{where}: unknown issue code {c!r}" for c in issues if self._tree.resolve(c) != c]
        return DutyItem(
            str(entry["id"]),
            str(entry["text"]),
            self._texts(where, "keywords", entry.get("keywords")),
            issues,
            self._texts(where, "co_units", entry.get("co_units")),
            str(entry.get("basis") or ""),
        )

    def _check(self, units: Sequence[Unit]) -> None:
        codes: dict[str, Unit] = {}
        duties: set[str] = set()
        names: dict[str, list[Unit]] = defaultdict(list)
        for unit in units:
            if unit.code in codes:
                self.problems.append(f"unit {unit.code}: the code is used twice")
            codes[unit.code] = unit
            if unit.valid_to is not None and unit.valid_to < unit.valid_from:
                self.problems.append(f"unit {unit.code}: valid_to {unit.valid_to} is before valid_from {unit.valid_from}")
            if unit.successor and unit.valid_to is None:
                self.problems.append(f"unit {unit.code}: has a successor, but no valid_to")
            for duty in unit.duties:
                if duty.id in duties:
                    self.problems.append(f"duty {duty.id}: the id is used twice")
                duties.add(duty.id)
            for name in {_key(n) for n in (unit.name, *unit.aliases)}:
                for other in names[name]:
                    if unit.valid_from <= (other.valid_to or dt.date.max) and other.valid_from <= (
                        unit.valid_to or dt.date.max
                    ):
                        self.problems.append(f"unit {unit.code}: the name {name} is {other.code}'s at the same time")
                names[name].append(unit)
        for unit in units:
            self.problems += [f"unit {unit.code}: unknown successor {c}" for c in unit.successor if c not in codes]
            self.problems += [
                f"duty {duty.id}: unknown co_unit {c}" for duty in unit.duties for c in duty.co_units if c not in codes
            ]
            if _circular(str(unit.code), codes):
                self.problems.append(f"unit {unit.code}: its successors lead back to it")

    def _unknown(self, where: str, entry: dict[Any, Any], known: set[str]) -> None:
        self.problems += [f"{where}: unknown key {key!r}" for key in entry if key not in known]

    def _texts(self, where: str, key: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
        if value is None:
            return ()
        if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
            self.problems.append(f"{where}: {key} is not a list of texts (put numbers in quotes)")
            return ()
        return tuple(value)

    def _date(self, where: str, key: str, value: Any) -> dt.date | None:  # noqa: ANN401
        if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        self.problems.append(f"{where}: {key} {value!r} is not a date (YYYY-MM-DD)")
        return None


def _circular(code: str, codes: dict[str, Unit]) -> bool:
    seen: set[str] = set()
    ahead = list(codes[code].successor)
    while ahead:
        now = ahead.pop()
        if now == code:
            return True
        if now in codes and now not in seen:
            seen.add(now)
            ahead += codes[now].successor
    return False
