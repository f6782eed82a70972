"""A PostgreSQL server for tests: started from the machine's binaries on a free loopback port, as a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

#: Where Debian puts the binaries that are not on the path.
_DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Return the folder with `initdb` and `postgres`, the newest version first; None where there is no server."""
    found = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    places = [*found, *([Path(on_path).parent] if on_path else [])]
    return next((place for place in places if (place / "postgres").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """Run a server; give the URL of its database `postgres`, to which `/postgres` can be replaced by another name."""
    place = binaries()
    if place is None:
        msg = "no PostgreSQL server on this machine"
        raise RuntimeError(msg)
    # Not below pytest's folders, which the other user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="minqing-pg-"))
    who = _unprivileged(folder)
    data, port = folder / "data", _free_port()
    try:
        _run([place / "initdb", "-D", data, "-U", "minqing", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], who)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=60 -c shared_buffers=64MB"
        _run([place / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log", "-o", options, "start"], who)
        try:
            yield f"postgresql+psycopg://minqing@127.0.0.1:{port}/postgres"
        finally:
            _run([place / "pg_ctl", "-D", data, "-m", "immediate", "stop"], who)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str) -> str:
    """Make an empty database on the server; return its URL."""
    import psycopg

    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.removesuffix("/postgres") + f"/{name}"


def drop_database(url: str) -> None:
    """Remove a database that `new_database` made, whoever is still connected."""
    import psycopg

    server_url, _, name = url.replace("+psycopg", "").rpartition("/")
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _unprivileged(folder: Path) -> dict[str, int]:
    """PostgreSQL refuses to run as root: return whom to run as instead, to whom the folder now belongs."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in known else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid}


def _run(command: list[Path | str], who: dict[str, int]) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
        extra_groups=[] if who else None, **who,
    )  # fmt: skip
    if done.returncode:
        msg = f"{command[0]}: {done.stderr or done.stdout}"
        raise RuntimeError(msg)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
