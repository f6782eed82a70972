"""Reads a unit directory from YAML (`format: minqing/units/1`) and names everything that is wrong with it at once."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from corpora import dated
from corpora.issue_tree import IssueTree
from corpora.records import IssueCode, UnitCode
from corpora.unit_names import territory_parts
from corpora.units import KINDS, CityInfo, DutyItem, Unit, UnitDirectoryError, label_key

FORMAT = "minqing/units/1"
_TOP_KEYS = {"format", "city", "units"}
_CITY_KEYS = {"code", "name", "province", "invented", "note"}
_UNIT_KEYS = {"code", "name", "aliases", "kind", "area", "valid_from", "valid_to", "successor", "duties"}
_DUTY_KEYS = {"id", "text", "keywords", "issues", "co_units", "basis"}

# The C loader reads a directory of 4,000 lines about eight times as fast; both are safe loaders.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML in which a key given twice is an error, and a day that does not exist is left as text for the checks."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made

    def construct_day(self, node: yaml.ScalarNode) -> object:
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_day)


def read_units(path: Path, tree: IssueTree) -> tuple[CityInfo, list[Unit]]:
    """Return the city and its units.

    Raises:
        UnitDirectoryError: if the file is not readable as YAML or breaks a rule of the format; all problems are named.
    """
    try:
        with path.open("rb") as stream:
            content = yaml.load(stream, Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise UnitDirectoryError.of(path, [f"cannot be read ({error.strerror or error})"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnitDirectoryError.of(path, [f"not YAML in UTF-8: {' '.join(str(error).split())}"]) from error
    reader = _Reader(tree)
    city, units = reader.read(content)
    if reader.problems:
        raise UnitDirectoryError.of(path, reader.problems)
    return city, units


class _Reader:
    """Turns what YAML gave into records, noting problems instead of stopping at the first."""

    def __init__(self, tree: IssueTree) -> None:
        self.problems: list[str] = []
        self._tree = tree
        self._where = ""

    def read(self, content: object) -> tuple[CityInfo, list[Unit]]:
        top = self._mapping(content, _TOP_KEYS)
        if top.get("format") != FORMAT:
            self._problem(f"format must be {FORMAT!r}, not {top.get('format')!r}")
        self._where = "city"
        city = self._mapping(top.get("city") or {}, _CITY_KEYS)
        info = CityInfo(
            code=self._text(city, "code"),
            name=self._text(city, "name"),
            province=self._text(city, "province", needed=False),
            invented=city.get("invented") is True,
            note=self._text(city, "note", needed=False),
        )
        self._where = ""
        given = top.get("units")
        if not isinstance(given, list) or not given:
            self._problem("units must be a list of at least one unit")
            given = []
        units = [unit for i, item in enumerate(given, 1) if (unit := self._unit(item, i)) is not None]
        self._check_codes(units)
        self._check_links(units)
        self._check_labels(units)
        return info, units

    def _problem(self, text: str) -> None:
        self.problems.append(f"{self._where}: {text}" if self._where else text)

    def _unit(self, item: object, number: int) -> Unit | None:
        self._where = f"unit {number}"
        data = self._mapping(item, _UNIT_KEYS)
        code = self._code(self._text(data, "code"))
        if code is None:
            return None
        self._where = f"unit {code}"
        name = self._text(data, "name")
        kind = self._text(data, "kind")
        if kind and kind not in KINDS:
            self._problem(f"kind {kind!r} is none of {', '.join(KINDS)}")
        successor = data.get("successor")
        named = self._texts({"successor": [successor] if isinstance(successor, str) else successor}, "successor")
        area = self._texts(data, "area")
        first, last = self._day(data, "valid_from"), self._day(data, "valid_to")
        duties = data.get("duties") or []
        if not isinstance(duties, list):
            self._problem("duties must be a list")
            duties = []
        unit = Unit(
            code=code,
            name=name,
            kind=kind,
            aliases=self._texts(data, "aliases"),
            area=area,
            area_names=() if area else territory_parts(name),
            valid_from=first,
            valid_to=last,
            successor=tuple(found for text in named if (found := self._code(text)) is not None),
            duties=tuple(duty for i, entry in enumerate(duties, 1) if (duty := self._duty(entry, code, i)) is not None),
        )
        self._where = f"unit {code}"
        # A date that could not be read is one problem, not two.
        if data.get("valid_to") is None or last is not None:
            for problem in dated.period_problems(unit):
                self._problem(problem)
        return unit

    def _duty(self, item: object, unit: UnitCode, number: int) -> DutyItem | None:
        self._where = f"unit {unit}, duty {number}"
        data = self._mapping(item, _DUTY_KEYS)
        identifier = self._text(data, "id")
        if not identifier:
            return None
        self._where = f"unit {unit}, duty {identifier}"
        issues = []
        for code in self._texts(data, "issues"):
            if code in self._tree:
                issues.append(IssueCode(code))
            else:
                self._problem(f"issue code {code!r} is not in the issue tree")
        return DutyItem(
            id=identifier,
            unit=unit,
            text=self._text(data, "text"),
            keywords=self._texts(data, "keywords"),
            issues=tuple(issues),
            co_units=tuple(c for text in self._texts(data, "co_units") if (c := self._code(text)) is not None),
            basis=self._text(data, "basis", needed=False),
        )

    def _check_codes(self, units: Iterable[Unit]) -> None:
        owner: dict[str, UnitCode] = {}
        codes: set[str] = set()
        for unit in units:
            self._where = f"unit {unit.code}"
            if unit.code in codes:
                self._problem("code is given twice")
            codes.add(unit.code)
            for duty in unit.duties:
                if duty.id in owner:
                    self._problem(f"duty id {duty.id!r} is given twice (first by unit {owner[duty.id]})")
                owner.setdefault(duty.id, unit.code)

    def _check_links(self, units: Iterable[Unit]) -> None:
        known = {str(unit.code): unit for unit in units}
        for unit in units:
            self._where = f"unit {unit.code}"
            for code in unit.successor:
                if code not in known:
                    self._problem(f"successor {code!r} is no unit of this file")
            for duty in unit.duties:
                self._where = f"unit {unit.code}, duty {duty.id}"
                for code in duty.co_units:
                    if code not in known:
                        self._problem(f"co_unit {code!r} is no unit of this file")
        for looped in dict.fromkeys(dated.cycles({code: unit.successor for code, unit in known.items()})):
            self._where = f"unit {looped}"
            self._problem("its successors lead back to it")

    def _check_labels(self, units: Iterable[Unit]) -> None:
        bearers: dict[str, list[tuple[str, Unit]]] = {}
        for unit in units:
            labels = {label_key(label): label for label in (*unit.aliases, unit.name, unit.code) if label}
            for key, label in labels.items():
                bearers.setdefault(key, []).append((label, unit))
        for claims in bearers.values():
            for (_, first), (label, second) in itertools.combinations(claims, 2):
                if first.code != second.code and dated.overlap(first, second):
                    self._where = f"unit {second.code}"
                    self._problem(f"{label!r} is a label of unit {first.code} too, on the same days")

    def _mapping(self, value: object, keys: set[str]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._problem(f"must be a mapping with keys such as {', '.join(sorted(keys)[:3])}")
            return {}
        for key in value:
            if key not in keys:
                self._problem(f"unknown key {key!r}; known are {', '.join(sorted(keys))}")
        return value

    def _text(self, data: Mapping[str, Any], key: str, *, needed: bool = True) -> str:
        value = data.get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or (needed and not value.strip()):
            hint = "" if value is None or isinstance(value, str) else f", not {value!r} (write numbers in quotes)"
            self._problem(f"{key} must be text{hint}" if hint else f"{key} must be given")
            return ""
        return value.strip()

    def _texts(self, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._problem(f"{key} must be a list")
            return ()
        bad = [item for item in value if not isinstance(item, str) or not item.strip()]
        for item in bad:
            self._problem(f"{key} holds {item!r}, which is not text (write numbers in quotes)")
        return tuple(dict.fromkeys(item.strip() for item in value if isinstance(item, str) and item.strip()))

    def _code(self, text: str) -> UnitCode | None:
        if not text:
            return None
        try:
            return UnitCode(text)
        except ValueError as error:
            self._problem(str(error))
            return None

    def _day(self, data: Mapping[str, Any], key: str) -> datetime.date | None:
        value = data.get(key)
        if value is None or type(value) is datetime.date:
            return value
        try:
            return datetime.date.fromisoformat(value)
        except (TypeError, ValueError):
            self._problem(f"{key} {str(value)!r} is not a date (YYYY-MM-DD)")
            return None
