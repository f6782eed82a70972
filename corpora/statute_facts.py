"""The facts of the knowledge base as they are shipped and stored: one JSON object a line, facts only and no text.

A line: `id, title, aliases, rank, issuer, territory, versions, repealed, by, moved`; what is empty is left out. A version is
`[adopted, effective, approximate, event, numbers, complete]` with numbers as in `NumberSet` (null where no source has the
text). `moved` has one entry a pair of held versions: `[old day, new day, runs, source]`, runs as in `statute_renumbering`.
The first line is the head: `as_of` by rank, sources, conflicts between them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import orjson

from corpora.legal import Law, Rank, Version
from corpora.statute_records import NumberSet

FACTS = "data/statutes/laws.jsonl"


class FactsError(ValueError):
    """A file of facts is damaged; the message names the line."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Laws with what `Law` has no field for.

    Attributes:
        laws: in the order of the file.
        numbers: version id → article numbers of its text, where a source has it.
        moved: (old version id, new version id) → runs of renumbered articles.
        head: as_of by rank, sources, conflicts.
    """

    laws: tuple[Law, ...]
    numbers: Mapping[str, NumberSet]
    moved: Mapping[tuple[str, str], str]
    head: Mapping[str, Any]


@cache
def shipped_facts() -> Facts:
    """Return the facts that come with the project."""
    return load_facts(resources.files("corpora").joinpath(FACTS).read_bytes().splitlines())


def load_facts(lines: Iterable[bytes]) -> Facts:
    """Return the facts of a file's lines, the head first.

    Raises:
        FactsError: if a line cannot be read.
    """
    laws: list[Law] = []
    numbers: dict[str, NumberSet] = {}
    moved: dict[tuple[str, str], str] = {}
    head: Mapping[str, Any] = {}
    for count, line in enumerate(lines, 1):
        try:
            row = orjson.loads(line)
            if "title" not in row:
                head = row
                continue
            laws.append(_law(row, numbers, moved))
        except (orjson.JSONDecodeError, KeyError, ValueError, TypeError) as error:
            msg = f"statute facts, line {count}: {error}"
            raise FactsError(msg) from error
    return Facts(tuple(laws), numbers, moved, head)


def _law(row: dict[str, Any], numbers: dict[str, NumberSet], moved: dict[tuple[str, str], str]) -> Law:
    law_id = row["id"]
    versions = []
    day = dt.date.fromisoformat
    for adopted, effective, approximate, event, spec, complete in row.get("versions", ()):
        version_id = f"{law_id}@{adopted}"
        count = None
        if spec is not None:
            numbers[version_id] = found = NumberSet(spec)
            count = len(found)
        versions.append(
            Version(
                version_id,
                day(adopted),
                day(effective) if effective else None,
                bool(approximate),
                event,
                count,
                complete,
            )
        )
    for old, new, runs, *_ in row.get("moved", ()):
        moved[f"{law_id}@{old}", f"{law_id}@{new}"] = runs
    repealed = row.get("repealed")
    return Law(
        law_id,
        row["title"],
        tuple(row.get("aliases", ())),
        Rank(row["rank"]),
        row.get("issuer", ""),
        row.get("territory", ""),
        tuple(versions),
        day(repealed) if repealed else None,
        row.get("by", ""),
    )


def dump_law(law: Law, numbers: Mapping[str, NumberSet], moved: Sequence[tuple[str, str, str, str]] = ()) -> bytes:
    """Return the line of a law; `moved` are (old day, new day, runs, source)."""
    row: dict[str, Any] = {"id": law.law_id, "title": law.title, "rank": law.rank.value}
    if law.aliases:
        row["aliases"] = law.aliases
    if law.issuer:
        row["issuer"] = law.issuer
    if law.territory:
        row["territory"] = law.territory
    if law.versions:
        row["versions"] = [
            [
                version.adopted.isoformat(),
                version.effective.isoformat() if version.effective else None,
                int(version.approximate),
                version.event,
                numbers[version.version_id].spec if version.version_id in numbers else None,
                version.complete,
            ]
            for version in law.versions
        ]
    if law.repealed:
        row |= {"repealed": law.repealed.isoformat(), "by": law.repealed_by}
    if moved:
        row["moved"] = moved
    return orjson.dumps(row)
