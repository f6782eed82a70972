"""What was scored goes to the store: rendered once for store and files, written chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.exc import DBAPIError

from corpora.workspace import store_address
from dispatch.files import csv_text, payloads
from dispatch.store import Store, StoreError, WriteResult
from dispatch.store.refusals import with_refusals
from dispatch.store.suggestions import write_chunk
from flows.batch import no_collection, routed
from flows.chunks import SKETCH, load, replace, rows, save
from flows.plan import Plan


def render(plan: Plan, number: int) -> None:
    """Write a chunk with its event groups, JSON lines and CSV cells, as the store and the files take them.

    What a unit refused since the chunk was scored, hours ago or before the run was killed, is scored again first.
    """
    target = plan.chunk("lines", number)
    if target.exists():
        return
    with Store.open(store_address()) as store, store.reading() as connection:
        petitions = with_refusals(connection, load(plan.chunk("read", number)))
    scored = load(plan.chunk("scored", number))
    changed = pc.not_equal(*(pc.list_value_length(table["refused_units"].combine_chunks()) for table in (petitions, scored)))
    if rows := np.flatnonzero(changed.to_numpy(zero_copy_only=False)).tolist():
        save(_patched(scored, rows, routed(plan, petitions.take(rows))[0]), plan.chunk("scored", number))
    table = _grouped(plan, number).drop_columns([SKETCH])
    replace(target.with_suffix(".csv"), csv_text(table))
    save(pa.table({"payload": pa.array(payloads(table), pa.binary())}), target)


def _patched(table: pa.Table, rows: Sequence[int], others: pa.Table) -> pa.Table:
    """Return the table with other rows in the places `rows`."""
    order = np.arange(table.num_rows)
    order[rows] = table.num_rows + np.arange(len(rows))
    return pa.concat_tables([table, others]).take(pa.array(order))


def _grouped(plan: Plan, number: int) -> pa.Table:
    """Return a scored chunk with the event groups that were found since."""
    table = load(plan.chunk("scored", number))
    start = sum(rows(plan.chunk("scored", before)) for before in range(number))
    groups = load(Path(plan.spool) / "groups.arrow").slice(start, table.num_rows)
    at = table.schema.get_field_index("event_group")
    return table.set_column(at, table.schema.field(at), groups["event_group"])


def write(plan: Plan, number: int) -> WriteResult:
    """Write a rendered chunk to the store, but for the table of events; the run must have begun there.

    Raises:
        StoreError: if the database refuses; the driver's own error cannot leave a worker process, and may show what was written.
    """
    try:
        return _written(plan, number)
    except DBAPIError as error:
        cause = str(error.orig).partition("\n")[0]
        msg = f"chunk {number} could not be written to the store: {type(error.orig).__name__}: {cause}"
        raise StoreError(msg) from None


def _written(plan: Plan, number: int) -> WriteResult:
    chunk = rendered(plan, number)
    with no_collection(), Store.open(store_address()) as store, store.writing() as connection:
        result = write_chunk(connection, plan.run_id, chunk.suggestions, chunk.lines, chunk.sketches, events_later=True)
        if not result.stale:
            return result
        # Refused within these seconds: nobody else writes until this transaction ends.
        rows = list(result.stale)
        petitions = with_refusals(connection, load(plan.chunk("read", number)).take(rows))
        table = routed(plan, petitions)[0]
        at, sketches = table.schema.get_field_index("event_group"), table[SKETCH].to_pylist()
        groups = chunk.suggestions["event_group"].take(rows)
        table = table.set_column(at, table.schema.field(at), groups).drop_columns([SKETCH])
        again = write_chunk(connection, plan.run_id, table, payloads(table), sketches, events_later=True)
        return WriteResult(
            result.new_petitions + again.new_petitions,
            result.new_suggestions + again.new_suggestions,
            result.unchanged + again.unchanged,
            result.groups | again.groups,
            {**result.written, **again.written},
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chunk ready to be written: suggestions, and row for row its JSON lines and sketches; its rows as CSV text."""

    suggestions: pa.Table
    lines: list[bytes]
    sketches: list[bytes]
    sheet: str


def rendered(plan: Plan, number: int) -> Rendered:
    """Return a chunk that `render` made."""
    path = plan.chunk("lines", number)
    table = _grouped(plan, number)
    with path.with_suffix(".csv").open(encoding="utf-8", errors="surrogatepass", newline="") as file:
        sheet = file.read()
    lines, sketches = load(path)["payload"].to_pylist(), table[SKETCH].to_pylist()
    return Rendered(table.drop_columns([SKETCH]), lines, sketches, sheet)
