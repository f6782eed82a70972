"""The work of the route flow's tasks, on spooled chunks."""

from __future__ import annotations

import datetime as dt
import gc
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.config import load_config
from corpora.readers import read_petitions
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.workspace import store_address
from dispatch.files import csv_text, payloads
from dispatch.store import Store, WriteResult
from dispatch.store.refusals import with_refusals
from dispatch.store.suggestions import write_chunk
from flows.chunks import SKETCH, load, replace, rows, save
from flows.plan import Plan
from flows.spool import discard
from models.router import Router
from models.serving import load_router

_READ = "read.json"
_REJECTED = "rejected.jsonl"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: rows in all, rejected ones, and chunks in the spool."""

    read: int
    rejected: int
    chunks: int


def read(plan: Plan) -> Iterator[int]:
    """Read the sources into chunks of the spool; yield the number of each chunk as soon as it is there.

    A run that was killed after this finds the chunks there; one that was killed on the way reads again, which gives the
    same chunks, and keeps what was made of them.
    """
    spool = Path(plan.spool)
    if (spool / _READ).exists():
        yield from range(what_was_read(plan).chunks)
        return
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    read_rows = rejected = chunks = 0
    chunk_rows = load_config(Path(plan.config) if plan.config else None).chunk_rows
    with (spool / _REJECTED).open("w", encoding="utf-8", errors="surrogatepass") as quarantine:
        for chunk in read_petitions([Path(p) for p in plan.paths], mapping=dict(plan.mapping), chunk_rows=chunk_rows):
            for item in chunk.rejections:
                quarantine.write(json.dumps(asdict(item)) + "\n")
            rejected += len(chunk.rejections)
            read_rows += chunk.table.num_rows + len(chunk.rejections)
            if chunk.table.num_rows:
                save(chunk.table, plan.chunk("read", chunks))
                yield chunks
                chunks += 1
    replace(spool / _READ, json.dumps(asdict(Read(read_rows, rejected, chunks))))


def what_was_read(plan: Plan) -> Read:
    """Return the counts of a finished `read`."""
    return Read(**json.loads((Path(plan.spool) / _READ).read_text()))


def forget(plan: Plan) -> None:
    """Remove the spool of a run that is over."""
    discard(Path(plan.spool))


def rejections(plan: Plan) -> list[Rejection]:
    """Return the rejected rows that `read` set aside."""
    with (Path(plan.spool) / _REJECTED).open(encoding="utf-8") as lines:
        return [Rejection(**json.loads(line)) for line in lines]


def score(plan: Plan, number: int) -> Counter[str]:
    """Route a chunk; it is kept with its event sketches. A chunk that is there already is not routed again."""
    target = plan.chunk("scored", number)
    mark = target.with_suffix(".json")
    if mark.exists():
        return Counter(json.loads(mark.read_text()))
    with Store.open(store_address()) as store, store.reading() as connection:
        petitions = with_refusals(connection, load(plan.chunk("read", number)))
    table, masked = _routed(plan, petitions)
    save(table, target)
    replace(mark, json.dumps(masked))
    return masked


def _routed(plan: Plan, petitions: pa.Table) -> tuple[pa.Table, Counter[str]]:
    """Return suggestions with their sketches, and what was masked."""
    with no_collection():
        routed = _router(plan).route(petitions)
    return routed.suggestions.append_column(SKETCH, pa.array(routed.sketches.to_bytes(), pa.binary())), routed.masked


def warm(plan: Plan) -> None:
    """Load the run's router and all that routing needs, so that processes forked from this one have it."""
    _router(plan).route(any_petition())


def any_petition() -> pa.Table:
    """Return a batch of one petition, to warm a router with."""
    texts = {field.name: "无" for field in PETITION_SCHEMA if field.type == pa.string()}
    one = texts | {"submitted_at": dt.datetime(2000, 1, 1), "refused_units": [], "row": 1}
    return pa.Table.from_pylist([one], PETITION_SCHEMA)


def _router(plan: Plan) -> Router:
    return load_router(
        Path(plan.models),
        plan.issue_version,
        plan.unit_version,
        Path(plan.units) if plan.units else None,
        Path(plan.places) if plan.places else None,
        Path(plan.config) if plan.config else None,
        plan.on,
        plan.run_id,
    )


@contextmanager
def no_collection() -> Iterator[None]:
    """Put off garbage collection: a chunk makes millions of small objects and no cycles, and looking at them costs time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


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
        save(_patched(scored, rows, _routed(plan, petitions.take(rows))[0]), plan.chunk("scored", number))
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
    """Write a rendered chunk to the store, but for the table of events; the run must have begun there."""
    chunk = rendered(plan, number)
    with no_collection(), Store.open(store_address()) as store, store.writing() as connection:
        result = write_chunk(connection, plan.run_id, chunk.suggestions, chunk.lines, chunk.sketches, events_later=True)
        if not result.stale:
            return result
        # Refused within these seconds: nobody else writes until this transaction ends.
        rows = list(result.stale)
        petitions = with_refusals(connection, load(plan.chunk("read", number)).take(rows))
        table = _routed(plan, petitions)[0]
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
