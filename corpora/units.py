"""The unit directory (承办单位目录): units with their dates, areas and duty items (权责事项), and labels read as units."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import dated
from corpora.dated import DataFileError
from corpora.issue_tree import IssueTree
from corpora.records import IssueCode, UnitCode
from corpora.unit_names import body_kind, territory_parts, unit_kind

__all__ = [
    "KINDS", "CityInfo", "DutyItem", "Unit", "UnitDirectory", "UnitDirectoryError", "body_kind", "label_key",
    "territory_parts", "unit_kind",
]  # fmt: skip

#: Kinds of units: 部门, 联勤工作站, 社区, 公用企业, 乡镇街道, 其他.
KINDS = ("department", "station", "community", "enterprise", "town", "other")


class UnitDirectoryError(DataFileError):
    """A unit directory that cannot be used; the message names the file, the units or duty items and the reasons."""


@dataclass(frozen=True, slots=True)
class DutyItem:
    """A duty item of a unit (权责事项).

    `keywords` are the words residents use; `issues` the nodes of the issue tree it belongs to, any level; `co_units`
    those who usually co-handle (协办); `basis` the title of the statute, "" if not given.
    """

    id: str
    unit: UnitCode
    text: str
    keywords: tuple[str, ...] = ()
    issues: tuple[IssueCode, ...] = ()
    co_units: tuple[UnitCode, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; the days include both ends, None is open.

    `area` are the codes of the places it is responsible for. Where none are declared, `area_names` are the territories
    in its own name, the widest first (上海市, 闵行区, 七宝镇).
    """

    code: UnitCode
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    area_names: tuple[str, ...] = ()
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    successor: tuple[UnitCode, ...] = ()
    duties: tuple[DutyItem, ...] = ()


@dataclass(frozen=True, slots=True)
class CityInfo:
    """Whose directory it is; all empty where only labels are known."""

    code: str = ""
    name: str = ""
    province: str = ""
    invented: bool = False
    note: str = ""


class UnitDirectory:
    """The units of a city: of all times as loaded, or of one day (`on`).

    Attributes:
        units: in the order of the file.
        city: whose directory it is.
    """

    def __init__(self, units: Iterable[Unit], city: CityInfo | None = None) -> None:
        self.units = tuple(units)
        self.city = city or CityInfo()
        self._by_code = {str(unit.code): unit for unit in self.units}
        self._by_label: dict[str, list[Unit]] = {}
        for unit in self.units:
            for key in dict.fromkeys(label_key(label) for label in (unit.code, unit.name, *unit.aliases)):
                self._by_label.setdefault(key, []).append(unit)

    @classmethod
    def load(cls, path: Path, tree: IssueTree | None = None) -> UnitDirectory:
        """Read a directory from YAML (`format: minqing/units/1`); issue codes are checked with `tree` (default: bundled).

        Raises:
            UnitDirectoryError: if the file cannot be used; all problems are named.
        """
        from corpora.unit_files import read_units

        city, units = read_units(path, tree or IssueTree.load())
        return cls(units, city)

    @classmethod
    def from_labels(cls, labels: Iterable[str]) -> UnitDirectory:
        """Make a directory from unit names alone, in the order in which they first appear; empty labels are passed over.

        The code is the name without white space; kind and `area_names` are what the name suggests; there are no duty
        items and no dates.

        Raises:
            UnitDirectoryError: if a label cannot be a code (longer than 80 characters, control characters).
        """
        units: dict[str, Unit] = {}
        problems: list[str] = []
        for label in dict.fromkeys(labels):
            code = "".join(label.split())
            if not code or code in units:
                continue
            try:
                units[code] = Unit(UnitCode(code), code, unit_kind(code), area_names=territory_parts(code))
            except ValueError as error:
                problems.append(f"label {label[:20]!r}…: {error}")
        if problems:
            raise UnitDirectoryError.of("unit labels", problems)
        return cls(units.values())

    @property
    def city_name(self) -> str:
        """Name of the city, "" where only labels are known."""
        return self.city.name

    @property
    def names(self) -> dict[UnitCode, str]:
        """Names by code."""
        return {unit.code: unit.name for unit in self.units}

    def __len__(self) -> int:
        return len(self.units)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __getitem__(self, code: str) -> Unit:
        return self._by_code[code]

    def has(self, code: str) -> bool:
        """Return whether there is a unit of this code."""
        return code in self._by_code

    def duties(self) -> tuple[DutyItem, ...]:
        """Return the duty items of all units."""
        return tuple(duty for unit in self.units for duty in unit.duties)

    def on(self, day: datetime.date) -> UnitDirectory:
        """Return the directory of the units that are there on `day`."""
        return UnitDirectory((unit for unit in self.units if dated.valid_on(unit, day)), self.city)

    def pick(self, codes: Sequence[str]) -> UnitDirectory:
        """Return the directory of the units of these codes, in this order.

        Raises:
            UnitDirectoryError: if there is no such unit.
        """
        missing = [f"no unit of code {code!r}" for code in codes if code not in self._by_code]
        if missing:
            raise UnitDirectoryError.of(f"unit directory of {self.city.name or 'labels'}", missing)
        return UnitDirectory((self._by_code[code] for code in codes), self.city)

    def resolve(self, label: str, on: datetime.date | None = None) -> UnitCode | None:
        """Return the unit whose code, name or alias `label` is, or None; near is not enough.

        White space and the width of brackets and digits do not matter. A unit that is gone is found too. Where units of
        different times bear the label, the one of the day `on` is meant, else the latest.
        """
        unit = self._by_code.get(label) or self._by_code.get("".join(label.split()))
        if unit is not None:
            return unit.code
        bearers = self._by_label.get(label_key(label), ())
        if on is not None and len(bearers) > 1:
            bearers = [bearer for bearer in bearers if dated.valid_on(bearer, on)] or bearers
        return max(bearers, key=_lateness).code if bearers else None

    def successor_on(self, code: str, day: datetime.date) -> tuple[UnitCode, ...]:
        """Return who stands for the unit on `day`: itself while it is there, else those its chain of successors leads to.

        Empty where it ended without successor, or had not begun.

        Raises:
            KeyError: if there is no such unit.
        """
        return tuple(self._by_code[found].code for found in dated.successors_on(code, day, self._by_code))


def label_key(label: str) -> str:
    """Return the form in which labels are compared: narrow brackets, digits and letters, no white space."""
    return "".join(unicodedata.normalize("NFKC", label).replace("\u200b", "").replace("\ufeff", "").split())


def _lateness(unit: Unit) -> tuple[datetime.date, datetime.date]:
    return unit.valid_to or datetime.date.max, unit.valid_from or datetime.date.min
