"""Backup and restore on both databases: whole, while others write, and never half."""

from __future__ import annotations

import shutil
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import synthetic
from sqlalchemy import func, select, text

from dispatch.files import payloads
from dispatch.store import Store, StoreError
from dispatch.store.backup import backup, restore
from dispatch.store.decisions import decide
from dispatch.store.tables import audit, metadata, outbox, petitions

WHEN = datetime(2024, 5, 7, 2)


@pytest.fixture(autouse=True)
def programs(request: pytest.FixtureRequest) -> None:
    """Skip where PostgreSQL's programs are missing."""
    if "postgres" in request.node.name and not all(map(shutil.which, ("pg_dump", "pg_restore", "psql"))):
        pytest.skip("no client programs of PostgreSQL on this machine")


def write(url: str, run: str, rows: int, model: str = "m") -> None:
    table = synthetic.table(rows, model=model)
    with Store.open(url) as store:
        store.begin_run(run, inputs_digest="d", model_version=model, config_version="c", started_at=WHEN)
        store.write_chunk(run, table, payloads(table), [b"\x00\xff\\."] * rows)


def contents(url: str) -> dict[str, Any]:
    with Store.open(url) as store, store.reading() as connection:
        rows = {name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))] for name, table in metadata.tables.items()}
    for name in ("counters", "audit"):  # a restore leaves its traces there
        rows.pop(name)
    return rows


def test_restored_as_it_was(store_url: str, tmp_path: Path) -> None:
    """Every row of every table; what was written since is gone, and new messages are numbered above what receivers have seen."""
    write(store_url, "r1", 40)
    with Store.open(store_url) as store, store.writing() as connection:
        key = connection.scalars(select(petitions.c.suggestion_id).where(petitions.c.unit.is_not(None))).first()
        decide(connection, key, verdict="refused", unit=None, reason="不属职责\\.\t'\"", actor="甲", source="console")
    saved, file = contents(store_url), tmp_path / "backups" / "one.backup"
    assert backup(store_url, file) == file.stat().st_size > 10_000
    assert file.stat().st_mode & 0o777 == 0o600
    write(store_url, "r2", 60, model="m-2")
    moved = restore(store_url, file, "甲")
    assert contents(store_url) == saved
    if moved is not None:
        assert len(contents(str(moved))["petitions"]) == 60
    write(store_url, "r3", 41)
    with Store.open(store_url) as store, store.reading() as connection:
        assert connection.execute(select(func.max(outbox.c.position))).scalar_one() == 1_000_042
        line = connection.execute(select(audit).where(audit.c.action == "restore")).one()
        assert (line.actor, line.object, orjson.loads(line.detail)) == ("甲", "one.backup", {"message": 41})
    assert sorted(path.name for path in file.parent.iterdir()) == ["one.backup"]


def test_a_backup_taken_while_others_write_is_one_moment(store_url: str, tmp_path: Path) -> None:
    """Each suggestion in it has its message and its petition."""
    write(store_url, "r0", 5)
    stop = threading.Event()

    def writes() -> None:
        for turn in range(200):
            if stop.is_set():
                return
            write(store_url, f"w{turn}", 30, model=f"m-{turn}")

    writer = threading.Thread(target=writes)
    writer.start()
    files = [tmp_path / f"{number}.backup" for number in range(3)]
    for file in files:
        backup(store_url, file)
    stop.set()
    writer.join()
    for file in files:
        restore(store_url, file, "甲")
        counts = {name: len(rows) for name, rows in contents(store_url).items()}
        assert counts["suggestions"] == counts["outbox"] >= 5


def test_what_is_no_backup_changes_nothing(store_url: str, tmp_path: Path) -> None:
    """Neither a text, nor half a backup, nor one for the other database, nor one of a newer program."""
    write(store_url, "r1", 300)
    whole = tmp_path / "whole"
    backup(store_url, whole)
    data = whole.read_bytes()
    saved = contents(store_url)
    (tmp_path / "text").write_text("no backup")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "half").write_bytes(data[: len(data) // 2])
    (tmp_path / "other").write_bytes(b"SQLite format 3\x00" if data.startswith(b"PGDMP") else b"PGDMP" + bytes(20))
    with Store.open(store_url) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    backup(store_url, tmp_path / "newer")
    with pytest.raises(StoreError, match="9999"):
        Store.open(store_url)
    restore(store_url, whole, "甲")
    for name, message in (
        ("text", "is no backup"), ("empty", "is no backup"), ("half", "half: "), ("other", "is no backup"), ("newer", "step 9999"),
    ):  # fmt: skip
        with pytest.raises(StoreError, match=message):
            restore(store_url, tmp_path / name, "甲")
        assert contents(store_url) == saved
    with pytest.raises(FileNotFoundError):
        restore(store_url, tmp_path / "nowhere", "甲")


def test_restored_over_a_newer_shape_and_into_an_empty_place(store_url: str, tmp_path: Path) -> None:
    """Tables of a later step do not stand in the way; a new store takes a backup too."""
    write(store_url, "r1", 20)
    file, saved = tmp_path / "b", contents(store_url)
    backup(store_url, file)
    with Store.open(store_url) as store, store.writing() as connection:
        connection.execute(text("CREATE TABLE later (id VARCHAR(80) REFERENCES petitions (petition_id))"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    restore(store_url, file, "甲")
    assert contents(store_url) == saved
    with Store.open(store_url) as store, store.writing() as connection:
        for name in ("alembic_version", *(str(table.name) for table in reversed(metadata.sorted_tables))):
            connection.execute(text(f"DROP TABLE {name}" + (" CASCADE" if "postgresql" in store_url else "")))
    restore(store_url, file, "甲")
    assert contents(store_url) == saved


def test_an_open_sqlite_store_is_not_replaced(tmp_path: Path) -> None:
    """Who has it open would write into the file that was moved away."""
    url = str(tmp_path / "s.db")
    write(url, "r1", 5)
    backup(url, tmp_path / "b")
    with Store.open(url) as store, store.reading() as connection:
        connection.execute(select(petitions.c.petition_id)).all()
        with pytest.raises(StoreError, match="another process has the store open"):
            restore(url, tmp_path / "b", "甲")
    assert restore(url, tmp_path / "b", "甲") is not None
    with pytest.raises(StoreError, match="there is no store"):
        backup(str(tmp_path / "nowhere.db"), tmp_path / "c")
    assert not (tmp_path / "c").exists()
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"not a database " * 100)
    assert restore(str(damaged), tmp_path / "b", "甲") is not None
    assert contents(str(damaged)) == contents(url)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The message of PostgreSQL's program, without the password."""
    if not shutil.which("pg_dump"):
        pytest.skip("no client programs of PostgreSQL on this machine")
    with pytest.raises(StoreError, match="pg_dump: ") as caught:
        backup("postgresql://u:geheim@127.0.0.1:1/db", tmp_path / "b")
    assert "geheim" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
