"""The shape of the tables: which one a store has, which one this program needs, and the way from one to the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest step of `migrations/versions`: the shape that this program works with.
HEAD = "0002"
#: What stores have that were made before there were version numbers.
_UNNUMBERED = "0001"
#: Key of the lock that upgrades of one PostgreSQL database take; any number nobody else uses.
_LOCK = 7_046_051_911


class SchemaError(Exception):
    """The store has a shape that this program does not know."""


def version(connection: Connection) -> str | None:
    """Return the step that the store has reached; None for one without tables; `0001` for one made before there were numbers."""
    found = inspect(connection)
    if found.has_table("alembic_version"):
        number = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if number is not None:
            return str(number)
    return _UNNUMBERED if found.has_table("suggestions") else None


def upgrade(engine: Engine) -> str | None:
    """Bring the store to `HEAD` where it is not there yet; return the step it had if anything was done, `""` for a new store.

    All steps go in one transaction, so a process that is killed on the way leaves the store as it was. Two processes that
    open a store at once do it one after the other, and the second finds nothing to do.

    Raises:
        SchemaError: if the store is newer than this program.
    """
    with engine.connect() as connection:
        if version(connection) == HEAD:
            return None
    with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = version(connection)
        if before == HEAD:
            return None
        if before is not None and before not in steps():
            msg = f"it has step {before}, this program knows steps up to {HEAD}: install the newer version of minqing, or restore a backup"
            raise SchemaError(msg)
        _run(connection, before)
        return before or ""


def steps() -> list[str]:
    """Return the steps this program knows, oldest first."""
    from alembic.script import ScriptDirectory

    return [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def _run(connection: Connection, before: str | None) -> None:
    # Only now: Alembic takes a third of a second to import, and most stores that are opened need nothing.
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    if before == _UNNUMBERED and not inspect(connection).has_table("alembic_version"):
        command.stamp(config, _UNNUMBERED)
    command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
