"""The engine under the store: SQLite in WAL mode, or any database that SQLAlchemy speaks to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from dispatch.store import schema

#: Ids in one `IN (…)`; SQLite allows 32,766 parameters and PostgreSQL 65,535.
_IDS_A_QUERY = 8_000
_BUSY_SECONDS = 30
#: Kibibytes of page cache, so that a chunk of 5,000 petitions (15 MB) is not spilled while it is written.
_CACHE_KIB = 65_536
#: A petition with its suggestion takes about 4 KB: on pages of that size each would spill over.
_PAGE_BYTES = 16_384
#: Pages in the write-ahead log before they are copied into the file: 32 MB, several chunks.
_CHECKPOINT_PAGES = 2_000
#: Of engines for a database server: connections that broke while nobody used them are replaced unnoticed; writers wait for each
#: other in `take_numbers` and then must see what the other wrote, whatever level the server has as its default.
_SERVER: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20, "isolation_level": "READ COMMITTED"}


class StoreError(Exception):
    """The store cannot be opened or was used against its rules."""


def connect(url_or_path: str | Path, *, prepare: bool = True) -> Engine:
    """Return an engine whose tables have the shape that this program needs; an older store is brought there first.

    Args:
        url_or_path: a SQLAlchemy URL (`postgresql+psycopg://…`) or the path of a SQLite file.
        prepare: False leaves the tables as they are.

    Raises:
        StoreError: if the address cannot be understood or opened, or the store is newer than this program; the message names
            the store without its password.
    """
    url = address(url_or_path)
    with _told(url):
        if url.get_backend_name() == "sqlite":
            _own_file(url.database)
        options = {} if url.get_backend_name() == "sqlite" else _SERVER
        if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
            options = options | {"connect_args": {"connect_timeout": 10}}  # else a host that says nothing holds us for minutes
        # Parameters hold petitions: they must not reach an error message.
        engine = create_engine(url, hide_parameters=True, **options)
        if engine.dialect.name == "sqlite":
            _sqlite(engine)
    if prepare:
        try:
            with _told(url):
                schema.upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def upgrade(url_or_path: str | Path) -> str | None:
    """Bring a store to the shape this program needs; return what `schema.upgrade` says.

    Raises:
        StoreError: as `connect` does.
    """
    engine = connect(url_or_path, prepare=False)
    try:
        with _told(engine.url):
            return schema.upgrade(engine)
    finally:
        engine.dispose()


def step(url_or_path: str | Path) -> str | None:
    """Return the step a store has reached (see `schema.version`), and make nothing: None if there is no store.

    Raises:
        StoreError: if it cannot be opened.
    """
    url = address(url_or_path)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    engine = connect(url_or_path, prepare=False)
    try:
        with _told(url), engine.connect() as connection:
            return schema.version(connection)
    finally:
        engine.dispose()


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """Say what went wrong with a store, on one line and without its password."""
    try:
        yield
    except (SQLAlchemyError, OSError, ImportError, schema.SchemaError) as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        msg = f"cannot open the store {shown(url)}: {cause}"
        raise StoreError(msg) from error


def address(url_or_path: str | Path) -> URL:
    """Return the address of a store; `postgresql://` means the driver that is installed.

    Raises:
        StoreError: if it is no address; the message does not repeat it, for it may hold a password.
    """
    text = str(url_or_path)
    if "://" not in text:
        return make_url("sqlite://").set(database=text)
    try:
        url = make_url(text)
    except (SQLAlchemyError, ValueError) as error:
        msg = f"not the address of a store: {text.partition('://')[0]}://…; it reads postgresql://USER@HOST:PORT/DATABASE, or is a path"
        raise StoreError(msg) from error
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def shown(url_or_path: URL | str | Path) -> str:
    """Return an address as people may see it: a path, or a URL without its password."""
    url = url_or_path if isinstance(url_or_path, URL) else address(url_or_path)
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    # Drivers take a password as a parameter too.
    hidden = {name: "***" for name in url.query if "pass" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _own_file(path: str | None) -> None:
    """Make the folder and the file of a new store, for its owner alone."""
    if path and path != ":memory:" and not path.startswith("file:") and not Path(path).exists():
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(path).touch(mode=0o600)


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
            "secure_delete = ON",  # what is removed is overwritten
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("alone", False):
            return
        # A deferred transaction that reads first and then writes fails at once when another process wrote in between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
