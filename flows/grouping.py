"""The events task: this run's petitions and those of the window before it, grouped into events."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.config import load_config
from corpora.workspace import store_address
from dispatch.store import Store
from flows.chunks import SKETCH, load, save
from flows.plan import Plan
from pipeline.petitions.events import Sketches, group

_DAY = 86_400.0


def find_events(plan: Plan, chunks: int) -> dict[str, str]:
    """Find the events among this run's petitions and those of the window before it.

    Writes `groups.arrow` (petition_id, event_group; a row for each of the run's petitions in order) to the spool.

    Returns:
        Petitions in the store that now belong to a group and did not before: petition id → group.
    """
    settings = load_config(Path(plan.config) if plan.config else None).events
    tables = [load(plan.chunk("scored", n), ["petition_id", "submitted_at", SKETCH]) for n in range(chunks)]
    if not tables:
        _keep(plan, [], [])
        return {}
    mine = pa.concat_tables(tables)
    ids = mine["petition_id"].to_pylist()
    sketches = dict(zip(ids, mine[SKETCH].to_pylist(), strict=True))
    stored = _stored(plan, mine, settings.window_days)
    settled: dict[str, str | None] = {}  # group of the petitions that are in the store as they are now
    others = []
    for row, (pid, name, sketch) in enumerate(
        zip(*(stored[column].to_pylist() for column in ("petition_id", "event_group", SKETCH)), strict=True)
    ):
        if sketch is not None and sketches.get(pid, sketch) == sketch:
            settled[pid] = name
            if pid not in sketches:
                others.append(row)
    earlier = stored.take(pa.array(others, pa.int64()))
    everyone = earlier["petition_id"].to_pylist() + ids
    times = np.concatenate([_days(earlier), _days(mine)])
    together = Sketches.from_bytes(earlier[SKETCH].to_pylist() + mine[SKETCH].to_pylist())
    # Oldest first, so that an event is named after its first letter whatever the order of the files.
    order = np.array(sorted(range(len(everyone)), key=everyone.__getitem__), np.int64)
    order = order[np.argsort(times[order], kind="stable")]
    first = group(
        Sketches(together.words[order], together.weights[order]),
        times[order],
        min_similarity=settings.min_similarity,
        window_days=settings.window_days,
        max_block=settings.max_block,
        min_size=settings.min_size,
    ).tolist()
    members = [everyone[position] for position in order.tolist()]
    # An event keeps the name that it has in the store, even where an older letter joins late.
    known: dict[int, str] = {}
    for pid, leader in zip(members, first, strict=True):
        name = settled.get(pid)
        if leader >= 0 and name is not None:
            known.setdefault(leader, name)
    names: dict[str, str | None] = {}
    for pid, leader in zip(members, first, strict=True):
        name = settled.get(pid)
        if name is None and leader >= 0:
            name = known.get(leader) or _event_id(members[leader])
        names[pid] = name
    _keep(plan, ids, [names[pid] for pid in ids])
    return {pid: name for pid, old in settled.items() if old is None and (name := names[pid]) is not None}


def _stored(plan: Plan, mine: pa.Table, window_days: float) -> pa.Table:
    """Return what the store holds from the window before the first petition on."""
    times = _days(mine)
    timed = times[~np.isnan(times)]
    since = dt.datetime.max
    if len(timed):
        since = dt.datetime(1970, 1, 1) + dt.timedelta(days=float(timed.min()) - window_days)
    with Store.open(store_address()) as store:
        return store.event_members(since)


def _keep(plan: Plan, ids: list[str], groups: list[str | None]) -> None:
    columns = {"petition_id": pa.array(ids, pa.string()), "event_group": pa.array(groups, pa.string())}
    save(pa.table(columns), Path(plan.spool) / "groups.arrow")


def _event_id(petition_id: str) -> str:
    return "ev_" + hashlib.blake2b(petition_id.encode(), digest_size=8).hexdigest()


def _days(table: pa.Table) -> npt.NDArray[np.float64]:
    seconds = table["submitted_at"].cast(pa.int64())
    values = seconds.fill_null(0).to_numpy().astype(np.float64) / _DAY
    values[seconds.is_null().to_numpy()] = np.nan
    return values
