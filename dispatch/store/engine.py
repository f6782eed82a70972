"""The engine under the store: SQLite in WAL mode, or any database that SQLAlchemy speaks to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from dispatch.store.tables import counters, metadata

#: Ids in one `IN (…)`; SQLite allows 32,766 parameters and PostgreSQL 65,535.
_IDS_A_QUERY = 8_000
_BUSY_SECONDS = 30
#: Kibibytes of page cache, so that a chunk of 5,000 petitions (15 MB) is not spilled while it is written.
_CACHE_KIB = 65_536
#: A petition with its suggestion takes about 4 KB: on pages of that size each would spill over.
_PAGE_BYTES = 16_384
#: Pages in the write-ahead log before they are copied into the file: 32 MB, several chunks.
_CHECKPOINT_PAGES = 2_000


class StoreError(Exception):
    """The store cannot be opened or was used against its rules."""


def connect(url_or_path: str | Path) -> Engine:
    """Return an engine whose tables exist.

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
            if "outbox" not in connection.scalars(select(counters.c.name)).all():
                connection.execute(insert(counters), [{"name": name, "value": 0} for name in ("outbox", "audit")])
    except (SQLAlchemyError, OSError, ImportError) as error:
        cause = getattr(error, "orig", None) or error
        msg = f"cannot open the store {name}: {cause}"
        raise StoreError(msg) from error
    return engine


def batches(ids: Iterable[str]) -> Iterator[list[str]]:
    """Cut ids into lists that one `IN (…)` takes."""
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
