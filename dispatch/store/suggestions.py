"""Suggestions as they are written: in chunks, each in one transaction with what announces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import pyarrow as pa
from sqlalchemy import Connection, select

from dispatch.columns import plain
from dispatch.store import events
from dispatch.store.bulk import UPDATE_PETITION, Standing, insert_columns, petition_columns, suggestion_columns, take
from dispatch.store.engine import StoreError, batches
from dispatch.store.outbox import MADE, Message, announce, take_numbers
from dispatch.store.refusals import known_refusals
from dispatch.store.tables import petitions, suggestions


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a chunk changed. `new_suggestions + unchanged + len(stale)` is the number of rows of the chunk.

    Attributes:
        groups: event groups that won or lost a petition.
        written: revision of each new suggestion.
        stale: rows that were not written, because a unit refused the petition after it was scored: score them again.
    """

    new_petitions: int
    new_suggestions: int
    unchanged: int
    groups: frozenset[str] = dataclass_field(default=frozenset(), compare=False)
    written: Mapping[str, int] = dataclass_field(default_factory=dict, compare=False)
    stale: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    """A suggestion as stored; `payload` is its line of `suggestions.jsonl` without the line end."""

    suggestion_id: str
    petition_id: str
    revision: int
    run_id: str
    payload: bytes


def write_chunk(
    connection: Connection,
    run_id: str,
    table: pa.Table,
    payloads: Sequence[bytes],
    sketches: Sequence[bytes] | None = None,
    *,
    events_later: bool = False,
) -> WriteResult:
    """Write a chunk of suggestions in one transaction; what is there already is left alone.

    A suggestion id that is known writes nothing. Another suggestion for a known petition (its text, the model or
    the configuration changed, a unit refused) becomes the petition's next revision and the petition row is brought up to
    date. It waits for a decision then, unless a person has taken on the very same text before: a new model does not undo
    that, a refusal that was filed does. A unit that refused a petition is never suggested for it again: a suggestion that does not know of a refusal is
    not written.

    Args:
        connection: of a transaction that writes.
        run_id: a run that has begun.
        table: rows with `SUGGESTION_SCHEMA`.
        payloads: the JSON line of each row (`dispatch.files.payloads`).
        sketches: per row the sketch that the grouping into events compares, if there is one.
        events_later: leave the events table to a call of `refresh_events` after the last chunk: an event with
            letters in every chunk is then counted once.

    Raises:
        StoreError: if the lengths differ.
    """
    if len(payloads) != table.num_rows or (sketches is not None and len(sketches) != table.num_rows):
        msg = f"{table.num_rows} suggestions with {len(payloads)} payloads"
        raise StoreError(msg)
    ids, keys = plain(table["petition_id"]), plain(table["suggestion_id"])
    take_numbers(connection, "outbox", 0)  # two writers of one petition would give the same revision
    known = known_petitions(connection, ids)
    revisions = {pid: was.revision for pid, was in known.items()}
    written = _written(connection, [key for key, pid in zip(keys, ids, strict=True) if pid in revisions])
    stale = _stale(connection, ids, table["refused_units"].to_pylist(), revisions) if revisions else set()
    fresh: list[int] = []
    number: list[int] = []
    for index, (pid, key) in enumerate(zip(ids, keys, strict=True)):
        if key not in written and index not in stale:
            written.add(key)
            revisions[pid] = revisions.get(pid, 0) + 1
            fresh.append(index)
            number.append(revisions[pid])
    passed = tuple(sorted(stale))
    if not fresh:
        return WriteResult(0, 0, len(ids) - len(passed), stale=passed)
    rows = petition_columns(table, revisions, sketches, known)
    # One petition may come twice in a chunk: the last one is how it stands.
    last = {ids[index]: index for index in fresh}
    new = take({**rows, "first_run_id": [run_id] * len(ids)}, [i for p, i in last.items() if p not in known])
    changed = take(rows, [index for pid, index in last.items() if pid in known])
    insert_columns(connection, petitions, new)
    if changed["petition_id"]:
        names = [f"b_{name}" for name in changed]
        values = zip(*changed.values(), strict=True)
        connection.execute(UPDATE_PETITION, [dict(zip(names, row, strict=True)) for row in values])
    stored = take(suggestion_columns(table, [line.decode() for line in payloads]), fresh)
    insert_columns(connection, suggestions, {**stored, "revision": number, "run_id": [run_id] * len(fresh)})
    announce(
        connection,
        [Message(keys[i], MADE, ids[i], keys[i], revision) for i, revision in zip(fresh, number, strict=True)],
    )
    touched = {*new["event_group"], *changed["event_group"], *(known[pid].event_group for pid in changed["petition_id"])}
    touched.discard(None)
    if not events_later:
        events.refresh(connection, touched)
    return WriteResult(
        len(new["petition_id"]),
        len(fresh),
        len(ids) - len(fresh) - len(passed),
        frozenset(touched),
        dict(zip(stored["suggestion_id"], number, strict=True)),
        passed,
    )


def _stale(connection: Connection, ids: Sequence[str], used: Sequence[Sequence[str] | None], stored: Mapping[str, int]) -> set[int]:
    """Return the rows whose petition was refused by a unit that the suggestion does not know of."""
    known = known_refusals(connection, [pid for pid in dict.fromkeys(ids) if pid in stored])
    return {row for row, pid in enumerate(ids) if pid in known and not known[pid] <= set(used[row] or ())}


def known_petitions(connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """Return how each petition that is stored stands."""
    names = ("revision", "event_group", "content_hash", "state", "unit", "refused_units")
    query = select(petitions.c.petition_id, *(petitions.c[name] for name in names))
    found: dict[str, Standing] = {}
    for batch in batches(dict.fromkeys(ids)):
        for pid, *values in connection.execute(query.where(petitions.c.petition_id.in_(batch))):
            found[pid] = Standing(*values)
    return found


def _written(connection: Connection, keys: Sequence[str]) -> set[str]:
    query = select(suggestions.c.suggestion_id)
    found: set[str] = set()
    for batch in batches(keys):
        found.update(connection.scalars(query.where(suggestions.c.suggestion_id.in_(batch))))
    return found
