"""The store: runs, petitions, suggestions with their revisions, events and rejections.

SQLite in WAL mode by default, any SQLAlchemy URL otherwise. A chunk is one transaction, and writing it again writes
nothing, so a run that was killed is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import pyarrow as pa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    bindparam,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from corpora.records import Rejection
from dispatch.bulk import UPDATE_PETITION, insert_columns, petition_columns, suggestion_columns, take
from dispatch.columns import plain
from dispatch.labels import headings
from dispatch.tables import events, metadata, petitions, rejections, runs, suggestions

#: Ids in one `IN (…)`; SQLite allows 32,766 parameters and PostgreSQL 65,535.
_IDS_A_QUERY = 8_000
_PAGE = 2_000
_BUSY_SECONDS = 30
#: Kibibytes of page cache, so that a chunk of 5,000 petitions (15 MB) is not spilled while it is written.
_CACHE_KIB = 65_536
#: A petition with its suggestion takes about 4 KB: on pages of that size each would spill over.
_PAGE_BYTES = 16_384
#: Pages in the write-ahead log before they are copied into the file: 32 MB, several chunks.
_CHECKPOINT_PAGES = 2_000


class StoreError(Exception):
    """The store cannot be opened or was used against its rules."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a chunk changed. `new_suggestions + unchanged` is the number of rows of the chunk.

    Attributes:
        groups: event groups that won or lost a petition.
    """

    new_petitions: int
    new_suggestions: int
    unchanged: int
    groups: frozenset[str] = dataclass_field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    """A suggestion as stored; `payload` is its line of `suggestions.jsonl` without the line end."""

    suggestion_id: str
    petition_id: str
    revision: int
    run_id: str
    payload: bytes


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, _IDS_A_QUERY)):
        yield batch


def _sqlite(engine: Engine) -> None:
    """Set what SQLite needs and no other database has."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        connection.isolation_level = None  # the driver's own late BEGIN would leave our reads outside the transaction
        for pragma in (
            f"page_size = {_PAGE_BYTES}",  # of a new file
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"busy_timeout = {_BUSY_SECONDS * 1000}",
            "foreign_keys = ON",
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that reads first and then writes fails at once when another process wrote in between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Store:
    """Everything that was suggested, by run and by petition. Open it with `Store.open`; close it or use `with`."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine whose tables exist."""
        self._engine = engine

    @classmethod
    def open(cls, url_or_path: str | Path) -> Store:
        """Open the store and create its tables where they are missing.

        Args:
            url_or_path: a SQLAlchemy URL (`postgresql+psycopg://…`) or the path of a SQLite file.

        Raises:
            StoreError: if the address cannot be understood or opened; the message names it without its password.
        """
        text = str(url_or_path)
        name = text
        try:
            if "://" in text:
                url = make_url(text)
                name = url.render_as_string(hide_password=True)
            else:
                Path(text).parent.mkdir(parents=True, exist_ok=True)
                url = make_url("sqlite://").set(database=text)
            # Parameters hold petitions: they must not reach an error message.
            engine = create_engine(url, hide_parameters=True)
            if engine.dialect.name == "sqlite":
                _sqlite(engine)
            with engine.execution_options(writes=True).begin() as connection:
                metadata.create_all(connection)
        except (SQLAlchemyError, OSError, ImportError) as error:
            cause = getattr(error, "orig", None) or error
            msg = f"cannot open the store {name}: {cause}"
            raise StoreError(msg) from error
        return cls(engine)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    # Runs ---------------------------------------------------------------------------------------------------------

    def begin_run(
        self, run_id: str, *, inputs_digest: str, model_version: str, config_version: str, started_at: datetime
    ) -> None:
        """Record that a run begins; a run that was killed begins again under the same id."""
        row = {
            "started_at": started_at,
            "finished_at": None,
            "inputs_digest": inputs_digest,
            "model_version": model_version,
            "config_version": config_version,
            "status": "running",
        }
        with self._writing() as connection:
            if not connection.execute(update(runs).where(runs.c.run_id == run_id).values(row)).rowcount:
                connection.execute(insert(runs).values(run_id=run_id, **row))

    def finish_run(
        self, run_id: str, *, read: int, routed: int, rejected: int, finished_at: datetime, status: str = "finished"
    ) -> None:
        """Record a run's end and its counts.

        Raises:
            StoreError: if the run did not begin, or is `finished` with `routed + rejected != read`.
        """
        if status == "finished" and routed + rejected != read:
            msg = f"run {run_id}: {read} rows read, but {routed} routed and {rejected} rejected"
            raise StoreError(msg)
        row = {"read": read, "routed": routed, "rejected": rejected, "finished_at": finished_at, "status": status}
        with self._writing() as connection:
            if not connection.execute(update(runs).where(runs.c.run_id == run_id).values(row)).rowcount:
                msg = f"run {run_id} has not begun"
                raise StoreError(msg)

    def write_rejections(self, run_id: str, rows: Sequence[Rejection]) -> int:
        """Write the rejections of a run that are not there yet; return how many were new. `raw` is not stored."""
        new = {
            (item.source, item.row, item.code): {
                "run_id": run_id,
                "source": item.source,
                "row": item.row,
                "code": item.code,
                "reason": item.reason,
            }
            for item in rows
        }
        with self._writing() as connection:
            known = select(rejections.c.source, rejections.c.row, rejections.c.code)
            for source in {item.source for item in rows}:
                found = connection.execute(known.where(rejections.c.run_id == run_id, rejections.c.source == source))
                for key in found:
                    new.pop(tuple(key), None)
            if new:
                connection.execute(insert(rejections), list(new.values()))
        return len(new)

    # Suggestions --------------------------------------------------------------------------------------------------

    def write_chunk(
        self,
        run_id: str,
        table: pa.Table,
        payloads: Sequence[bytes],
        sketches: Sequence[bytes] | None = None,
        *,
        events_later: bool = False,
    ) -> WriteResult:
        """Write a chunk of suggestions in one transaction; what is there already is left alone.

        A suggestion id that is known writes nothing. Another suggestion for a known petition (its text, the model or
        the configuration changed) becomes the petition's next revision and the petition row is brought up to date.

        Args:
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
        with self._writing() as connection:
            revisions, groups = self._known(connection, ids)
            written = self._written(connection, [key for key, pid in zip(keys, ids, strict=True) if pid in revisions])
            known = set(revisions)
            fresh: list[int] = []
            number: list[int] = []
            for index, (pid, key) in enumerate(zip(ids, keys, strict=True)):
                if key not in written:
                    written.add(key)
                    revisions[pid] = revisions.get(pid, 0) + 1
                    fresh.append(index)
                    number.append(revisions[pid])
            if not fresh:
                return WriteResult(0, 0, len(ids))
            rows = petition_columns(table, revisions, sketches)
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
            touched = {*new["event_group"], *changed["event_group"], *(groups[pid] for pid in changed["petition_id"])}
            touched.discard(None)
            if not events_later:
                _refresh_events(connection, touched)
        return WriteResult(len(new["petition_id"]), len(fresh), len(ids) - len(fresh), frozenset(touched))

    @staticmethod
    def _known(connection: Connection, ids: Sequence[str]) -> tuple[dict[str, int], dict[str, str | None]]:
        revisions: dict[str, int] = {}
        groups: dict[str, str | None] = {}
        query = select(petitions.c.petition_id, petitions.c.revision, petitions.c.event_group)
        for batch in _batches(dict.fromkeys(ids)):
            for pid, revision, group in connection.execute(query.where(petitions.c.petition_id.in_(batch))):
                revisions[pid], groups[pid] = revision, group
        return revisions, groups

    @staticmethod
    def _written(connection: Connection, keys: Sequence[str]) -> set[str]:
        query = select(suggestions.c.suggestion_id)
        found: set[str] = set()
        for batch in _batches(keys):
            found.update(connection.scalars(query.where(suggestions.c.suggestion_id.in_(batch))))
        return found

    def suggestions(self, *, after: str = "", limit: int | None = None) -> Iterator[StoredSuggestion]:
        """Yield suggestions in the order of their ids, read page by page so that no writer waits.

        Args:
            after: the last suggestion id seen; "" from the beginning.
            limit: at most so many; None for all.
        """
        columns = (suggestions.c[name] for name in ("suggestion_id", "petition_id", "revision", "run_id", "payload"))
        query = select(*columns).order_by(suggestions.c.suggestion_id)
        left = limit
        while left is None or left > 0:
            page = query.where(suggestions.c.suggestion_id > after).limit(_PAGE if left is None else min(left, _PAGE))
            with self._engine.connect() as connection:
                rows = connection.execute(page).all()
            for key, pid, revision, run_id, payload in rows:
                yield StoredSuggestion(key, pid, revision, run_id, payload.encode())
            if not rows:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def rows(self, query: Select[Any], column: ColumnElement[str] | None = None, ids: Sequence[str] = ()) -> Iterator[Row[Any]]:
        """Yield the rows of a query; where a `column` is given, those in which it is one of `ids`."""
        queries = [query] if column is None else [query.where(column.in_(batch)) for batch in _batches(ids)]
        for one in queries:
            with self._engine.connect() as connection:
                found = connection.execute(one).all()
            yield from found

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        with self._engine.connect() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (runs, petitions, suggestions, events, rejections)
            }

    # Events -------------------------------------------------------------------------------------------------------

    def refresh_events(self, groups: Iterable[str]) -> None:
        """Bring the named event groups up to date with the petitions in them."""
        with self._writing() as connection:
            _refresh_events(connection, set(groups))

    def event_members(self, since: datetime) -> pa.Table:
        """Return the petitions filed at or after `since` that can join an event.

        Returns:
            A table with petition_id, event_group (null: alone so far), submitted_at and sketch (null if none was
            given), ordered by time and id. Petitions with neither sketch nor event group are left out.
        """
        shape = pa.schema(
            [
                pa.field("petition_id", pa.string(), nullable=False),
                pa.field("event_group", pa.string()),
                pa.field("submitted_at", pa.timestamp("s")),
                pa.field("sketch", pa.binary()),
            ]
        )
        query = (
            select(*(petitions.c[name] for name in shape.names))
            .where(petitions.c.submitted_at >= since)
            .where(or_(petitions.c.sketch.is_not(None), petitions.c.event_group.is_not(None)))
            .order_by(petitions.c.submitted_at, petitions.c.petition_id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        columns = list(zip(*rows, strict=True)) or [()] * len(shape)
        return pa.table([pa.array(list(values), item.type) for values, item in zip(columns, shape, strict=True)], shape)

    def update_event_groups(self, groups: Mapping[str, str | None]) -> int:
        """Set the event group of petitions (None: stands alone), in their newest suggestion and its payload too.

        Petitions that are not stored are passed over. Returns the number of petitions whose group changed.
        """
        with self._writing() as connection:
            _, before = self._known(connection, list(groups))
            changed = [pid for pid, group in before.items() if groups[pid] != group]
            lines: list[dict[str, Any]] = []
            newest = and_(
                suggestions.c.petition_id == petitions.c.petition_id, suggestions.c.revision == petitions.c.revision
            )
            query = select(suggestions.c.suggestion_id, suggestions.c.petition_id, suggestions.c.payload)
            for batch in _batches(changed):
                found = connection.execute(query.join(petitions, newest).where(petitions.c.petition_id.in_(batch)))
                for key, pid, payload in found:
                    line = orjson.loads(payload) | {"event_group": groups[pid]}
                    text = orjson.dumps(line).decode()
                    lines.append({"b_id": key, "b_event_group": groups[pid], "b_payload": text})
            if changed:
                connection.execute(
                    update(petitions)
                    .where(petitions.c.petition_id == bindparam("b_id"))
                    .values(event_group=bindparam("b_event_group")),
                    [{"b_id": pid, "b_event_group": groups[pid]} for pid in changed],
                )
                connection.execute(
                    update(suggestions)
                    .where(suggestions.c.suggestion_id == bindparam("b_id"))
                    .values(event_group=bindparam("b_event_group"), payload=bindparam("b_payload")),
                    lines,
                )
                _refresh_events(connection, {groups[pid] for pid in changed} | {before[pid] for pid in changed})
        return len(changed)


def _refresh_events(connection: Connection, groups: set[str | None]) -> None:
    """Recompute the rows of the named event groups from the petitions in them."""
    names = sorted(group for group in groups if group is not None)
    p = petitions.c
    # SQLite sorts nulls first and PostgreSQL last, hence the explicit key: a petition without time is never the first.
    order = (case((p.submitted_at.is_(None), 1), else_=0), p.submitted_at, p.petition_id)
    ranked = select(
        p.event_group, p.petition_id,
        func.count().over(partition_by=p.event_group).label("size"),
        func.min(p.submitted_at).over(partition_by=p.event_group).label("first_at"),
        func.max(p.submitted_at).over(partition_by=p.event_group).label("last_at"),
        func.row_number().over(partition_by=p.event_group, order_by=order).label("place"),
    )  # fmt: skip
    for batch in _batches(names):
        connection.execute(delete(events).where(events.c.event_group.in_(batch)))
        inner = ranked.where(p.event_group.in_(batch)).subquery()
        first = inner.join(petitions, p.petition_id == inner.c.petition_id)
        texts = (p.title, func.substr(p.body, 1, 120).label("body"))
        query = select(inner, *texts).select_from(first).where(inner.c.place == 1).order_by(inner.c.event_group)
        rows = connection.execute(query).all()
        if rows:
            titles = headings([row.title for row in rows], [row.body for row in rows])
            connection.execute(
                insert(events),
                [
                    {
                        "event_group": row.event_group,
                        "first_petition_id": row.petition_id,
                        "size": row.size,
                        "first_at": row.first_at,
                        "last_at": row.last_at,
                        "title": title,
                    }
                    for row, title in zip(rows, titles, strict=True)
                ],
            )
