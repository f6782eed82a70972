"""The store: runs, petitions, suggestions with their revisions, events, rejections, and what became of the suggestions.

SQLite in WAL mode by default, any SQLAlchemy URL otherwise. A chunk is one transaction, and writing it again writes
nothing, so a run that was killed is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, insert, select, update

from corpora.records import Rejection
from dispatch.store import events as event_groups
from dispatch.store.engine import StoreError, batches, connect
from dispatch.store.suggestions import StoredSuggestion, WriteResult, write_chunk
from dispatch.store.tables import events, petitions, rejections, runs, suggestions

_PAGE = 2_000


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
        return cls(connect(url_or_path))

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
    def reading(self) -> Iterator[Connection]:
        """Give a connection that reads; hold it briefly, on SQLite it keeps the log from being folded in."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together at the end, or not at all after an exception."""
        with self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Give a connection outside of any transaction, for what databases only do there (VACUUM)."""
        # SQLite's driver has no transactions of its own here (see `engine`), a server's must be told.
        level = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        with self._engine.execution_options(alone=True, **level).connect() as connection:
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
        with self.writing() as connection:
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
        with self.writing() as connection:
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
        with self.writing() as connection:
            known = select(rejections.c.source, rejections.c.row, rejections.c.code)
            for source in {item.source for item in rows}:
                found = connection.execute(known.where(rejections.c.run_id == run_id, rejections.c.source == source))
                for key in found:
                    new.pop(tuple(key), None)
            if new:
                connection.execute(insert(rejections), list(new.values()))
        return len(new)

    # Suggestions --------------------------------------------------------------------------------------------------

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
            with self.reading() as connection:
                rows = connection.execute(page).all()
            for key, pid, revision, run_id, payload in rows:
                yield StoredSuggestion(key, pid, revision, run_id, payload.encode())
            if not rows:
                return
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def rows(self, query: Select[Any], column: ColumnElement[str] | None = None, ids: Sequence[str] = ()) -> Iterator[Row[Any]]:
        """Yield the rows of a query; where a `column` is given, those in which it is one of `ids`."""
        queries = [query] if column is None else [query.where(column.in_(batch)) for batch in batches(ids)]
        for one in queries:
            with self.reading() as connection:
                found = connection.execute(one).all()
            yield from found

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        with self.reading() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (runs, petitions, suggestions, events, rejections)
            }

    def write_chunk(
        self,
        run_id: str,
        table: pa.Table,
        payloads: Sequence[bytes],
        sketches: Sequence[bytes] | None = None,
        *,
        events_later: bool = False,
    ) -> WriteResult:
        """Write a chunk of suggestions in one transaction (see `dispatch.store.suggestions.write_chunk`)."""
        with self.writing() as connection:
            return write_chunk(connection, run_id, table, payloads, sketches, events_later=events_later)

    def refresh_events(self, groups: Iterable[str]) -> None:
        """Bring the named event groups up to date with the petitions in them."""
        with self.writing() as connection:
            event_groups.refresh(connection, set(groups))

    def event_members(self, since: datetime) -> pa.Table:
        """Return the petitions filed at or after `since` that can join an event (see `dispatch.store.events.members`)."""
        with self.reading() as connection:
            return event_groups.members(connection, since)

    def update_event_groups(self, groups: Mapping[str, str | None]) -> int:
        """Set the event group of petitions and announce it (see `dispatch.store.events.regroup`)."""
        with self.writing() as connection:
            return event_groups.regroup(connection, groups)
