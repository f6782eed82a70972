"""The work of the route flow's tasks, on spooled chunks."""

from __future__ import annotations

import datetime as dt
import gc
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from corpora.config import load_config
from corpora.readers import read_petitions
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.workspace import store_address
from dispatch.store import Store
from dispatch.store.refusals import with_refusals
from flows.chunks import SKETCH, load, replace, save
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
    table, masked = routed(plan, petitions)
    save(table, target)
    replace(mark, json.dumps(masked))
    return masked


def routed(plan: Plan, petitions: pa.Table) -> tuple[pa.Table, Counter[str]]:
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
