"""Backup and restore: one file that is whole or not there, taken while others write.

SQLite is copied through its own backup interface; for PostgreSQL its own programs `pg_dump` and `pg_restore` do the work.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL

from dispatch.store import schema
from dispatch.store.engine import StoreError, address, connect, shown
from dispatch.store.outbox import note, take_numbers
from dispatch.store.store import Store
from dispatch.store.tables import metadata

#: Numbers of messages that are left out after a restore.
_GAP = 1_000_000

#: How files begin that `pg_dump --format=custom` and SQLite write.
_DUMP, _SQLITE = b"PGDMP", b"SQLite format 3\x00"


def backup(store: str, target: Path) -> int:
    """Write the whole store to a file for its owner alone; return its size in bytes. What was under that name is replaced at the end.

    Raises:
        StoreError: if the store is not there or cannot be read; nothing is left under the name then.
    """
    url = address(store)
    part = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        if url.get_backend_name() == "sqlite":
            _copy(_existing(url), part)
        else:
            _run(*_program("pg_dump", url, "--format=custom", *(f"--table={name}" for name in _tables()), f"--file={part}"))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(store: str, source: Path, actor: str) -> Path | None:
    """Put a backup where the store is, and bring it to this program's shape; return where an SQLite store has been moved to.

    Messages from now on get numbers far above those of the backup: a receiver that has read further before would else take new
    messages for known ones.

    Raises:
        StoreError: if the file is no whole backup, or for another database, or of a newer program, or if another process has the
            store open; the store is as it was then.
    """
    url = address(store)
    start = _start(source)
    on_server = url.get_backend_name() != "sqlite"
    if start[: len(_DUMP)] != _DUMP if on_server else start != _SQLITE:
        msg = f"{source}: is no backup of {'a PostgreSQL' if on_server else 'an SQLite'} store"
        raise StoreError(msg)
    moved = None
    if on_server:
        _load(url, source)
    else:
        moved = _put(Path(url.database or ""), source)
    with Store.open(store) as opened, opened.writing() as connection:
        first = take_numbers(connection, "outbox", _GAP)
        note(connection, actor, "restore", source.name[:120], message=first - 1)
    return moved


def _existing(url: URL) -> Path:
    path = Path(url.database or "")
    if not path.is_file():
        msg = f"{shown(url)}: there is no store"
        raise StoreError(msg)
    return path


def _start(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(len(_SQLITE))


def _copy(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at this moment, whoever writes meanwhile, and check the copy."""
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.execute("PRAGMA busy_timeout = 30000")
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            found = new.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        msg = f"{source}: cannot be copied: {error}"
        raise StoreError(msg) from error
    if found != "ok":
        msg = f"{source}: is damaged: {found}"
        raise StoreError(msg)


def _put(target: Path, source: Path) -> Path | None:
    """Put a checked copy of an SQLite store in place of another one."""
    part = target.with_name(f".{target.name}.part")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        _copy(source, part)
        engine = connect(part, prepare=False)
        with engine.connect() as connection:
            step = schema.version(connection)
        engine.dispose()
        _check_step(step, source)
        moved = _aside(target)
        part.replace(target)
    finally:
        for ending in ("", "-wal", "-shm"):
            part.with_name(part.name + ending).unlink(missing_ok=True)
    return moved


def _check_step(step: str | None, source: Path) -> None:
    if step not in schema.steps():
        msg = f"{source}: is no backup of a store that this program knows (step {step}; known up to {schema.HEAD})"
        raise StoreError(msg)


def _aside(target: Path) -> Path | None:
    """Move a store out of the way; return where to."""
    if not target.exists():
        return None
    moved = target.with_name(f"{target.name}.before-{dt.datetime.now():%Y%m%d-%H%M%S}")
    try:
        with closing(sqlite3.connect(target, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # folds the log in; fails if anybody else is there
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            msg = f"{target}: another process has the store open; stop the service, workers and `minqing publish` first"
            raise StoreError(msg) from error
        for ending in ("-wal", "-shm"):  # a damaged store is kept as it is
            if (log := target.with_name(target.name + ending)).exists():
                log.replace(moved.with_name(moved.name + ending))
    target.replace(moved)
    return moved


def _load(url: URL, source: Path) -> None:
    """Replace the tables of a PostgreSQL store in one transaction."""
    numbers = _run([_found("pg_restore"), "--data-only", "--table=alembic_version", "--file=-", str(source)], {}).decode()
    _check_step(next((line for line in numbers.splitlines() if line.isdecimal()), None), source)
    command, environment = _program("psql", url, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
    # All that belongs to a store goes first, whole: a table that the backup does not know would hold on to those it replaces.
    drops = "".join(f'DROP TABLE IF EXISTS "{name}" CASCADE;\n' for name in _tables())
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 - the command is made here
            [_found("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(source)], stdout=subprocess.PIPE, stderr=errors
        ) as reader,
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors) as writer,  # noqa: S603
    ):
        assert reader.stdout is not None and writer.stdin is not None  # noqa: S101 - narrows the types
        with suppress(BrokenPipeError), writer.stdin:
            writer.stdin.write(f"BEGIN;\n{drops}".encode())
            shutil.copyfileobj(reader.stdout, writer.stdin, 1 << 20)
            if reader.wait() == 0:  # without this line the end of the input takes everything back
                writer.stdin.write(b"\nCOMMIT;\n")
        reader.stdout.close()
        failed = reader.wait() or writer.wait()
        errors.seek(0)
        said = " ".join(errors.read(4096).decode(errors="replace").split())[:500]
    if failed:
        msg = f"{source}: cannot be restored: {said}"
        raise StoreError(msg)


def _tables() -> list[str]:
    return ["alembic_version", *sorted(str(name) for name in metadata.tables)]


def _program(name: str, url: URL, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command of one of PostgreSQL's programs and its environment: a password goes there, where `ps` does not show it."""
    query = dict(url.query)
    password = url.password or query.pop("password", None)
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    command = [_found(name), "--no-password", f"--dbname={plain.render_as_string()}", *arguments]
    return command, {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        msg = f"{name} is not on this machine; install the client programs of PostgreSQL (Debian: postgresql-client)"
        raise StoreError(msg)
    return path


def _run(command: list[str], environment: dict[str, str]) -> bytes:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)  # noqa: S603 - made here
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:500]
        msg = f"{Path(command[0]).name}: {said}"
        raise StoreError(msg)
    return done.stdout
