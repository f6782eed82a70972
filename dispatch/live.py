"""Petitions that come one by one: scored with what the store knows of them, and stored as the nightly run would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, select

from corpora.records import PETITION_SCHEMA
from dispatch.files import payloads
from dispatch.scoring import ScoredBatch, Scorer
from dispatch.store.engine import StoreError
from dispatch.store.outbox import take_numbers
from dispatch.store.refusals import with_refusals
from dispatch.store.runs import service_run
from dispatch.store.suggestions import write_chunk
from dispatch.store.tables import petitions, suggestions

#: Where petitions come from that no file brought.
SOURCE = "service"
_DEFAULTS: dict[str, Any] = {
    "title": "", "submitted_at": None, "address": "", "channel": "", "issue_type": "", "unit": "", "refused_units": [],
    "source": SOURCE, "row": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """A suggestion and how it is stored.

    Attributes:
        payload: its JSON object (`dispatch.files.payloads`); as stored where it was there before.
        revision: of the petition; None where nothing was stored.
        new: whether it was written now.
    """

    payload: bytes
    suggestion_id: str
    revision: int | None
    new: bool


def batch_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return petitions as a batch (`PETITION_SCHEMA`); what a row does not give is empty.

    Raises:
        KeyError, TypeError, pyarrow.ArrowInvalid: if id or body are missing, or a field is of the wrong type.
    """
    columns = []
    if any(isinstance(row.get("refused_units"), str) for row in rows):  # to Arrow a text is a list of its characters
        msg = "refused_units must be a list"
        raise TypeError(msg)
    for field in PETITION_SCHEMA:
        if field.name in _DEFAULTS:
            default = _DEFAULTS[field.name]
            columns.append(pa.array([row.get(field.name, default) for row in rows], field.type))
        else:
            columns.append(pa.array([row[field.name] for row in rows], field.type))
    table = pa.Table.from_arrays(columns, schema=PETITION_SCHEMA)
    for field in PETITION_SCHEMA:
        if not field.nullable and table[field.name].null_count:
            msg = f"{field.name} must not be null"
            raise TypeError(msg)
    return table


def only_scored(batch: ScoredBatch) -> list[Scored]:
    """Return suggestions that are not stored."""
    keys = batch.suggestions["suggestion_id"].to_pylist()
    return [Scored(line, key, None, new=False) for line, key in zip(payloads(batch.suggestions), keys, strict=True)]


def store_scored(
    connection: Connection,
    scorer: Scorer,
    batch: pa.Table,
    scored: ScoredBatch,
    hashes: Sequence[str] | None = None,
) -> list[Scored]:
    """Store suggestions in this transaction; return how each of them stands then.

    Args:
        connection: of a transaction that writes.
        scorer: scores again what a unit refused meanwhile.
        batch: the petitions, each once.
        scored: what the scorer made of them.
        hashes: of the petitions as filed, where the batch holds masked texts.

    Raises:
        StoreError: if a petition comes twice.
    """
    ids = batch["petition_id"].to_pylist()
    if len(set(ids)) < len(ids):
        msg = "a petition comes twice in a batch"
        raise StoreError(msg)
    take_numbers(connection, "outbox", 0)  # from here on nobody else refuses or writes
    table = scored.suggestions
    if connection.execute(select(petitions.c.petition_id).where(petitions.c.petition_id.in_(ids)).limit(1)).first():
        informed = with_refusals(connection, batch)
        if not informed["refused_units"].equals(batch["refused_units"]):
            scored = scorer.score(informed, hashes)
        table = _with_groups(connection, scored)
    lines = payloads(table)
    run = service_run(connection, table["model_version"][0].as_py(), table["config_version"][0].as_py())
    written = write_chunk(connection, run, table, lines, scored.sketches).written
    keys = table["suggestion_id"].to_pylist()
    before = _stored(connection, [key for key in keys if key not in written])
    return [
        Scored(line, key, written[key], new=True) if key in written else before[key] for line, key in zip(lines, keys, strict=True)
    ]


def _with_groups(connection: Connection, scored: ScoredBatch) -> pa.Table:
    """Return the suggestions with the event groups of petitions whose text is the one that was grouped."""
    table = scored.suggestions
    query = select(petitions.c.petition_id, petitions.c.event_group, petitions.c.sketch)
    ids = table["petition_id"].to_pylist()
    rows = connection.execute(query.where(petitions.c.petition_id.in_(ids), petitions.c.event_group.is_not(None))).all()
    if not rows:
        return table
    known = {row.petition_id: (row.event_group, row.sketch) for row in rows}
    groups = [
        known[pid][0] if pid in known and known[pid][1] == sketch else None for pid, sketch in zip(ids, scored.sketches, strict=True)
    ]
    at = table.schema.get_field_index("event_group")
    return table.set_column(at, table.schema.field(at), pa.array(groups, pa.string()))


def _stored(connection: Connection, keys: Sequence[str]) -> dict[str, Scored]:
    if not keys:
        return {}
    columns = (suggestions.c.suggestion_id, suggestions.c.revision, suggestions.c.payload)
    found = connection.execute(select(*columns).where(suggestions.c.suggestion_id.in_(keys)))
    return {key: Scored(payload.encode(), key, revision, new=False) for key, revision, payload in found}
