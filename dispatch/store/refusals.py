"""Units that sent petitions back (退单): by a decision, or by what was filed; never suggested for them again."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pyarrow as pa
from sqlalchemy import Connection, select

from dispatch.store.engine import batches
from dispatch.store.tables import petitions, refusals


def known_refusals(connection: Connection, petition_ids: Sequence[str]) -> dict[str, set[str]]:
    """Return names or codes of the units that sent petitions back; petitions without any are left out."""
    found: dict[str, set[str]] = {}
    filed = select(petitions.c.petition_id, petitions.c.refused_units).where(petitions.c.refused_units != "[]")
    decided = select(refusals.c.petition_id, refusals.c.unit)
    for batch in batches(petition_ids):
        for pid, units in connection.execute(filed.where(petitions.c.petition_id.in_(batch))):
            found.setdefault(pid, set()).update(orjson.loads(units))
        for pid, unit in connection.execute(decided.where(refusals.c.petition_id.in_(batch))):
            found.setdefault(pid, set()).add(unit)
    return found


def with_refusals(connection: Connection, table: pa.Table) -> pa.Table:
    """Return a petition batch (`PETITION_SCHEMA`) that names all units known to have sent each petition back."""
    ids = table["petition_id"].to_pylist()
    known = known_refusals(connection, list(dict.fromkeys(ids)))
    if not known:
        return table
    filed = table["refused_units"].to_pylist()
    merged = [
        sorted(known[pid].union(units)) if pid in known else units for pid, units in zip(ids, filed, strict=True)
    ]
    at = table.schema.get_field_index("refused_units")
    return table.set_column(at, table.schema.field(at), pa.array(merged, pa.list_(pa.string())))
