"""Instruments (承接文件): decisions that give duties of towns and sub-districts to a flat city's units by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corpora.dated import DataFileError
from corpora.legal import ArticleNumber

FORMAT = "minqing/instruments/1"
_TOP_KEYS = {"format", "city", "invented", "note", "instruments"}
_KEYS = {"title", "number", "issuer", "issued", "effective", "expires", "assignments"}
_ASSIGNMENT_KEYS = {"article", "unit", "laws", "fields"}


class InstrumentError(DataFileError):
    """A file of instruments that cannot be used; the message names all problems."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an article of an instrument gives to a unit.

    Attributes:
        article: of the instrument, as written (第三条).
        unit: its code.
        laws: titles of laws with the articles whose duties are given, no articles for all of the law.
        fields: words (防汛, 动物防疫): duties whose law or sentence holds one are given; both empty: nothing is.
    """

    article: str
    unit: str
    laws: tuple[tuple[str, tuple[ArticleNumber, ...]], ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instrument:
    """A decision with its assignments; in force from `effective` to `expires`, both included, None is open."""

    title: str
    number: str
    issuer: str
    issued: dt.date
    effective: dt.date
    expires: dt.date | None
    assignments: tuple[Assignment, ...]

    def in_force(self, on: dt.date) -> bool:
        """Return whether it is in force on a day."""
        return self.effective <= on and (self.expires is None or on <= self.expires)


def read_instruments(path: Path) -> tuple[Instrument, ...]:
    """Read instruments from YAML (`format: minqing/instruments/1`).

    Raises:
        InstrumentError: if the file cannot be used; all problems are named.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InstrumentError.of(path, [f"cannot be read ({' '.join(str(error).split())})"]) from error
    problems: list[str] = []
    top = content if isinstance(content, dict) else {}
    if top.get("format") != FORMAT:
        problems.append(f"format must be {FORMAT!r}, not {top.get('format')!r}")
    problems += [f"unknown key {key!r}" for key in top if key not in _TOP_KEYS]
    found = []
    for number, item in enumerate(_list(top, "instruments", "the file", problems), 1):
        where = f"instrument {number}"
        if isinstance(item, dict):
            found.append(_instrument(item, where, problems))
        else:
            problems.append(f"{where} must be a mapping")
    if problems:
        raise InstrumentError.of(path, problems)
    return tuple(found)


def _instrument(item: Mapping[str, Any], where: str, problems: list[str]) -> Instrument:
    problems += [f"{where}: unknown key {key!r}" for key in item if key not in _KEYS]
    assignments = []
    for number, each in enumerate(_list(item, "assignments", where, problems), 1):
        at = f"{where}, assignment {number}"
        if isinstance(each, dict):
            assignments.append(_assignment(each, at, problems))
        else:
            problems.append(f"{at} must be a mapping")
    issued = _day(item, "issued", where, problems)
    if issued is None:
        problems.append(f"{where}: issued must be given")
        issued = dt.date.min
    effective = _day(item, "effective", where, problems) or issued
    return Instrument(
        _text(item, "title", where, problems), str(item.get("number") or ""), _text(item, "issuer", where, problems),
        issued, effective, _day(item, "expires", where, problems), tuple(assignments),
    )  # fmt: skip


def _assignment(item: Mapping[str, Any], where: str, problems: list[str]) -> Assignment:
    problems += [f"{where}: unknown key {key!r}" for key in item if key not in _ASSIGNMENT_KEYS]
    laws = []
    for law in _list(item, "laws", where, problems):
        if not isinstance(law, dict) or not isinstance(law.get("title"), str):
            problems.append(f"{where}: laws must have a title each")
            continue
        numbers = []
        for number in _list(law, "articles", where, problems):
            try:
                numbers.append(ArticleNumber.parse(str(number)))
            except ValueError as error:
                problems.append(f"{where}: {error}")
        laws.append((law["title"], tuple(numbers)))
    fields = tuple(str(word).strip() for word in _list(item, "fields", where, problems) if str(word).strip())
    if not laws and not fields:
        problems.append(f"{where}: gives nothing: laws or fields must be given")
    return Assignment(
        _text(item, "article", where, problems), _text(item, "unit", where, problems), tuple(laws), fields
    )


def _list(item: Mapping[str, Any], key: str, where: str, problems: list[str]) -> list[Any]:
    value = item.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        problems.append(f"{where}: {key} must be a list")
        return []
    return value


def _text(item: Mapping[str, Any], key: str, where: str, problems: list[str]) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value.strip():
        problems.append(f"{where}: {key} must be given")
        return ""
    return value.strip()


def _day(item: Mapping[str, Any], key: str, where: str, problems: list[str]) -> dt.date | None:
    value = item.get(key)
    if value is None or type(value) is dt.date:
        return value
    problems.append(f"{where}: {key} {str(value)!r} is not a date (YYYY-MM-DD)")
    return None
