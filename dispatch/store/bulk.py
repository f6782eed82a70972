"""Suggestions as columns for the store, and a bulk insert that is as fast as the driver allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update

from corpora.config import LEVELS
from dispatch.columns import field, plain, whole
from dispatch.store.tables import NO_DEADLINE, OPEN, petitions

#: Urgency level → `petitions.urgency_rank`, the most urgent first.
RANKS = {level: rank for rank, level in enumerate(reversed(LEVELS))}

#: Brings a petition up to date; parameters are `b_` and the column's name.
UPDATE_PETITION = (
    update(petitions)
    .where(petitions.c.petition_id == bindparam("b_petition_id"))
    .values(
        {
            column.name: bindparam(f"b_{column.name}")
            for column in petitions.c
            if column.name not in {"petition_id", "first_run_id"}
        }
    )
)


def take(columns: Mapping[str, Sequence[Any]], rows: Sequence[int]) -> dict[str, Sequence[Any]]:
    """Return the columns at the given rows."""
    if all(len(values) == len(rows) for values in columns.values()) and list(rows) == list(range(len(rows))):
        return dict(columns)
    return {name: [values[row] for row in rows] for name, values in columns.items()}


def insert_columns(connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert columns of equal length.

    A driver with positional parameters (SQLite's) takes the rows as tuples, which halves the time SQLAlchemy needs
    for a dictionary a row; values still pass through the column types' own converters.
    """
    if not next(iter(columns.values())):
        return
    if positional := _positional(connection.dialect, table, tuple(columns)):
        text, converters = positional
        converted = [[convert(value) for value in columns[name]] if convert else columns[name] for name, convert in converters]
        connection.exec_driver_sql(text, list(zip(*converted, strict=True)))
    else:
        rows = zip(*columns.values(), strict=True)
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


@lru_cache(maxsize=32)
def _positional(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]] | None:
    """Return the statement that inserts these columns, and their converters in its order; None for named parameters."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(columns))
    if not compiled.positional or not compiled.positiontup:
        return None
    names = compiled.positiontup
    return str(compiled), [(name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]


@dataclass(frozen=True, slots=True)
class Standing:
    """A petition as it is stored before a chunk is written."""

    revision: int
    event_group: str | None
    content_hash: str
    state: str
    unit: str | None
    refused_units: str

    def settled(self, content_hash: str, refused_units: str) -> bool:
        """Return whether a person's decision stands: who took on this very text has it, whatever a newer model thinks."""
        filed = (content_hash, refused_units)
        return self.state in ("accepted", "reassigned") and filed == (self.content_hash, self.refused_units)


def petition_columns(
    table: pa.Table, revisions: Mapping[str, int], sketches: Sequence[bytes] | None, before: Mapping[str, Standing]
) -> dict[str, Sequence[Any]]:
    """Return the columns of the petitions table but `first_run_id`, at the revision each petition has reached."""
    texts = (
        "petition_id", "content_hash", "title", "body", "address", "channel", "source", "row", "event_group",
        "suggestion_id", "decision",
    )  # fmt: skip
    columns: dict[str, Sequence[Any]] = {name: plain(table[name]) for name in texts}
    ids, hashes = columns["petition_id"], columns["content_hash"]
    refused = [orjson.dumps(sorted(set(names))).decode() if names else "[]" for names in table["refused_units"].to_pylist()]
    units, states = plain(field(table["lead_unit"], "code")), [OPEN] * table.num_rows
    for row, pid in enumerate(ids):
        if (was := before.get(pid)) and was.settled(hashes[row], refused[row]):
            units[row], states[row] = was.unit, was.state
    return columns | {
        "revision": [revisions[pid] for pid in ids],
        "submitted_at": table["submitted_at"].to_pylist(),
        "sketch": [None] * table.num_rows if sketches is None else sketches,
        "unit": units,
        "issue_top": [code and code[:2] for code in plain(field(table["issue_type"], "code"))],
        "urgency_rank": [RANKS[level] for level in plain(field(table["urgency"], "level"))],
        "due": whole(field(table["deadline"], "date").fill_null(NO_DEADLINE)).to_pylist(),
        "state": states,
        "refused_units": refused,
    }


def suggestion_columns(table: pa.Table, lines: list[str]) -> dict[str, Sequence[Any]]:
    """Return the columns of the suggestions table but `revision` and `run_id`; `lines` are the payloads as text."""
    texts = (
        "suggestion_id", "petition_id", "content_hash", "decision", "event_group", "model_version", "config_version"
    )  # fmt: skip
    chances = field(table["lead_unit"], "probability").to_numpy(zero_copy_only=False).tolist()
    units = plain(field(table["lead_unit"], "code"))
    columns: dict[str, Sequence[Any]] = {name: plain(table[name]) for name in texts}
    return columns | {
        "lead_unit": units,
        "lead_probability": [None if unit is None else chance for unit, chance in zip(units, chances, strict=True)],
        "issue_code": plain(field(table["issue_type"], "code")),
        "urgency_level": plain(field(table["urgency"], "level")),
        "deadline": whole(field(table["deadline"], "date")).to_pylist(),
        "payload": lines,
    }
