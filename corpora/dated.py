"""What unit directory and gazetteer share: records with a first and a last day, their successors, and files with problems.

A reform abolishes units and places overnight and names who takes over. A chain of successors ends at the records that
are there on the day asked about.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

#: Problems that a message spells out; `DataFileError.problems` holds all of them.
_SHOWN = 40


class DataFileError(ValueError):
    """A data file that cannot be used, with every problem found in it.

    Attributes:
        problems: one sentence each, naming the record.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, source: Path | str, problems: Sequence[str]) -> Self:
        """Return the error for `source` with all its problems."""
        if len(problems) == 1:
            return cls(f"{source}: {problems[0]}", problems)
        lines = [f"{source}: {len(problems)} problems", *problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"and {len(problems) - _SHOWN} more")
        return cls("\n  ".join(lines), problems)


class Dated(Protocol):
    """A record that is there from `valid_from` to `valid_to`, both days included; None is open."""

    @property
    def valid_from(self) -> datetime.date | None:
        """First day."""

    @property
    def valid_to(self) -> datetime.date | None:
        """Last day."""

    @property
    def successor(self) -> Sequence[str]:
        """Codes of those who took over."""


def valid_on(record: Dated, day: datetime.date) -> bool:
    """Return whether the record is there on `day`."""
    begun = record.valid_from is None or record.valid_from <= day
    return begun and (record.valid_to is None or day <= record.valid_to)


def overlap(one: Dated, other: Dated) -> bool:
    """Return whether there is a day on which both are there."""
    first = max(one.valid_from or datetime.date.min, other.valid_from or datetime.date.min)
    return first <= min(one.valid_to or datetime.date.max, other.valid_to or datetime.date.max)


def successors_on(code: str, day: datetime.date, records: Mapping[str, Dated]) -> tuple[str, ...]:
    """Return who stands for `code` on `day`: itself while it is there, else its successors, theirs, and so on.

    Empty where it ended without successor, or had not begun.

    Raises:
        KeyError: if there is no such record.
    """
    found: dict[str, None] = {}
    visited: set[str] = set()
    open_codes = [code]
    first = records[code]
    while open_codes:
        current = open_codes.pop(0)
        record = first if current == code else records.get(current)
        if record is None or current in visited:
            continue
        visited.add(current)
        if valid_on(record, day):
            found[current] = None
        elif record.valid_to is not None and record.valid_to < day:
            open_codes.extend(record.successor)
    return tuple(found)


def cycles(links: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield one code of each cycle of `links` (successors, parents); links to unknown codes are passed over."""
    done: set[str] = set()
    for start in links:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            code, left = stack.pop()
            if left:
                path.pop()
                done.add(code)
            elif code in path:
                yield code
            elif code not in done and code in links:
                path.append(code)
                stack.append((code, True))
                stack.extend((target, False) for target in links[code])


def period_problems(record: Dated) -> list[str]:
    """Return what is wrong with the dates and successors of one record by themselves."""
    problems = []
    if record.valid_from and record.valid_to and record.valid_to < record.valid_from:
        problems.append(f"valid_to {record.valid_to} lies before valid_from {record.valid_from}")
    if record.successor and record.valid_to is None:
        problems.append("has a successor but no valid_to")
    return problems
