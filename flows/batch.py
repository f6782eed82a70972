"""The work of the route flow's tasks, on spooled chunks."""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.config import load_config
from corpora.readers import read_petitions
from corpora.records import Rejection
from dispatch.files import csv_text, payloads
from dispatch.store import Store
from flows.plan import Plan
from models.serving import load_router
from pipeline.petitions.events import Sketches
from pipeline.petitions.events import group as group_events

_SKETCH = "sketch"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: rows in all, rejected ones, and chunks in the spool."""

    read: int
    rejected: int
    chunks: int


def read(plan: Plan) -> Read:
    """Read the sources into chunks of the spool; a run that was killed after this finds them there."""
    spool = Path(plan.spool)
    mark = spool / "read.json"
    if mark.exists():
        return Read(**json.loads(mark.read_text()))
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir(parents=True, mode=0o700)
    rows = rejected = chunks = 0
    chunk_rows = load_config(Path(plan.config) if plan.config else None).chunk_rows
    with (spool / "rejected.jsonl").open("w", encoding="utf-8", errors="surrogatepass") as quarantine:
        for chunk in read_petitions([Path(p) for p in plan.paths], mapping=dict(plan.mapping), chunk_rows=chunk_rows):
            for item in chunk.rejections:
                quarantine.write(json.dumps(asdict(item)) + "\n")
            rejected += len(chunk.rejections)
            rows += chunk.table.num_rows + len(chunk.rejections)
            if chunk.table.num_rows:
                _save(chunk.table, plan.chunk("read", chunks))
                chunks += 1
    done = Read(rows, rejected, chunks)
    _replace(mark, json.dumps(asdict(done)))
    return done


def rejections(plan: Plan) -> list[Rejection]:
    """Return the rejected rows that `read` set aside."""
    with (Path(plan.spool) / "rejected.jsonl").open(encoding="utf-8") as lines:
        return [Rejection(**json.loads(line)) for line in lines]


def score(plan: Plan, number: int) -> Counter[str]:
    """Route a chunk; it is kept with its event sketches. A chunk that is there already is not routed again."""
    target = plan.chunk("scored", number)
    mark = target.with_suffix(".json")
    if mark.exists():
        return Counter(json.loads(mark.read_text()))
    router = load_router(
        Path(plan.models),
        plan.issue_version,
        plan.unit_version,
        Path(plan.units) if plan.units else None,
        Path(plan.places) if plan.places else None,
        Path(plan.config) if plan.config else None,
        plan.on,
        plan.run_id,
    )
    with no_collection():
        routed = router.route(_load(plan.chunk("read", number)))
    table = routed.suggestions.append_column(_SKETCH, pa.array(routed.sketches.to_bytes(), pa.binary()))
    _save(table, target)
    _replace(mark, json.dumps(routed.masked))
    return routed.masked


@contextmanager
def no_collection() -> Iterator[None]:
    """Put off garbage collection: a chunk makes millions of small objects and no cycles, and looking at them costs time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def group(plan: Plan, chunks: int) -> dict[str, str]:
    """Find the events among this run's petitions and those of the window before it.

    Writes `groups.arrow` (petition_id, event_group) to the spool.

    Returns:
        Petitions stored by earlier runs that now belong to a group: petition id → group.
    """
    settings = load_config(Path(plan.config) if plan.config else None).events
    parts, ids, days = [], [], []
    for number in range(chunks):
        table = _load(plan.chunk("scored", number), ["petition_id", "submitted_at", _SKETCH])
        ids += table["petition_id"].to_pylist()
        days.append(_days(table))
        parts.append(Sketches.from_bytes(table[_SKETCH].to_pylist()))
    mine = set(ids)
    times = np.concatenate(days) if days else np.zeros(0)
    known = times[~np.isnan(times)]
    earlier, old_groups = [], {}
    if len(known):
        since = dt.datetime(1970, 1, 1) + dt.timedelta(days=float(known.min()) - settings.window_days)
        with Store.open(plan.store) as store:
            members = store.event_members(since)
        keep = [
            pid not in mine and sketch is not None
            for pid, sketch in zip(members["petition_id"].to_pylist(), members[_SKETCH].to_pylist(), strict=True)
        ]
        members = members.filter(pa.array(keep, pa.bool_()))
        earlier = members["petition_id"].to_pylist()
        old_groups = dict(zip(earlier, members["event_group"].to_pylist(), strict=True))
        if earlier:
            parts.insert(0, Sketches.from_bytes(members[_SKETCH].to_pylist()))
            times = np.concatenate([_days(members), times])
    everyone = earlier + ids
    # Oldest first, so that an event is named after its first letter whatever the order of the files.
    order = np.lexsort((np.array(everyone, dtype=str) if len(everyone) < 2_000_000 else np.arange(len(everyone)), times))
    together = Sketches.join(parts)
    first = group_events(
        Sketches(together.words[order], together.weights[order]),
        times[order],
        min_similarity=settings.min_similarity,
        window_days=settings.window_days,
        max_block=settings.max_block,
        min_size=settings.min_size,
    )
    names: dict[str, str | None] = {}
    # An event keeps the name it has in the store, even where an older letter joins late.
    known: dict[int, str] = {}
    for position, leader in enumerate(first.tolist()):
        group = old_groups.get(everyone[order[position]])
        if leader >= 0 and group is not None:
            known.setdefault(leader, group)
    for position, leader in enumerate(first.tolist()):
        pid = everyone[order[position]]
        names[pid] = None if leader < 0 else known.get(leader) or _event_id(everyone[order[leader]])
    _save(
        pa.table({"petition_id": pa.array(ids, pa.string()), "event_group": pa.array([names[p] for p in ids], pa.string())}),
        Path(plan.spool) / "groups.arrow",
    )
    return {pid: group for pid in earlier if (group := names[pid]) is not None and old_groups[pid] is None}


def render(plan: Plan, number: int) -> None:
    """Write a chunk with its event groups, JSON lines and CSV cells, as the store and the files take them."""
    target = plan.chunk("lines", number)
    if target.exists():
        return
    table = _load(plan.chunk("scored", number))
    start = sum(_rows(plan.chunk("scored", before)) for before in range(number))
    groups = _load(Path(plan.spool) / "groups.arrow").slice(start, table.num_rows)
    at = table.schema.get_field_index("event_group")
    table = table.set_column(at, table.schema.field(at), groups["event_group"])
    plain = table.drop_columns([_SKETCH])
    table = table.append_column("payload", pa.array(payloads(plain), pa.binary()))
    _replace(target.with_suffix(".csv"), csv_text(plain))
    _save(table, target)


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
    table = _load(path)
    with path.with_suffix(".csv").open(encoding="utf-8", errors="surrogatepass", newline="") as file:
        sheet = file.read()
    lines, sketches = (table[name].to_pylist() for name in ("payload", _SKETCH))
    return Rendered(table.drop_columns([_SKETCH, "payload"]), lines, sketches, sheet)


def _event_id(petition_id: str) -> str:
    return "ev_" + hashlib.blake2b(petition_id.encode(), digest_size=8).hexdigest()


def _days(table: pa.Table) -> npt.NDArray[np.float64]:
    seconds = table["submitted_at"].cast(pa.int64())
    values = seconds.fill_null(0).to_numpy().astype(np.float64) / _DAY
    values[seconds.is_null().to_numpy()] = np.nan
    return values


def _save(table: pa.Table, path: Path) -> None:
    draft = path.with_suffix(".part")
    with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    draft.replace(path)


def _load(path: Path, columns: list[str] | None = None) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    return table.select(columns) if columns else table


def _rows(path: Path) -> int:
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))


def _replace(path: Path, text: str) -> None:
    draft = path.with_suffix(path.suffix + ".part")
    with draft.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(text)
    draft.replace(path)
