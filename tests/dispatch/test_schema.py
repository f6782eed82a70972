"""The shape of the tables: new stores, older ones, newer ones, and two processes at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import orjson
import pytest
import synthetic
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from dispatch.files import payloads
from dispatch.store import Store, StoreError, WriteResult, schema
from dispatch.store.decisions import decide
from dispatch.store.engine import connect
from dispatch.store.tables import counters, metadata, outbox, petitions, runs, suggestions

WHEN = dt.datetime(2024, 5, 7, 2)
#: Columns that came with step 0002.
ADDED = {"refused_units", "suggestion_id", "unit", "issue_top", "urgency_rank", "due", "decision", "state"}


def older_store(url: str, rows: int = 12) -> list[dict[str, Any]]:
    """Make a store as it was before there were numbers, with a run of petitions in it; return the suggestions."""
    engine = connect(url, prepare=False)
    made = synthetic.rows(rows)
    for row in made:
        row["refused_units"] = []
    with engine.execution_options(writes=True).begin() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("DROP TABLE alembic_version"))
        run = {"run_id": "r", "started_at": WHEN, "inputs_digest": "d", "model_version": "m", "config_version": "c", "status": "finished"}
        connection.execute(insert(runs), [run])
        names = ("petition_id", "content_hash", "title", "body", "address", "channel", "submitted_at", "source", "row", "event_group")
        for row in made:
            plain = {name: row[name] for name in names} | {"revision": 1, "first_run_id": "r"}
            places = ", ".join(f":{name}" for name in plain)
            quoted = ", ".join(f'"{name}"' for name in plain)
            connection.execute(text(f"INSERT INTO petitions ({quoted}) VALUES ({places})"), plain)
            lead = row["lead_unit"] or {"code": None, "probability": None}
            values = {name: row[name] for name in ("suggestion_id", "petition_id", "content_hash", "decision", "event_group")}
            values |= {
                "revision": 1, "lead_unit": lead["code"], "lead_probability": lead["probability"],
                "issue_code": row["issue_type"]["code"], "urgency_level": row["urgency"]["level"], "deadline": row["deadline"]["date"],
                "model_version": "m", "config_version": "c", "run_id": "r", "payload": orjson.dumps({"n": 1}).decode(),
            }  # fmt: skip
            connection.execute(insert(suggestions), [values])
    engine.dispose()
    return made


def test_a_new_store_has_the_tables_of_the_program(store_url: str) -> None:
    """The steps end where `tables.py` is, to the column and the index; opening again does nothing."""
    with Store.open(store_url) as store, store.reading() as connection:
        # Alembic takes the empty text as a default of SQLite for none.
        options = {"compare_server_default": connection.dialect.name == "postgresql", "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        assert schema.version(connection) == schema.HEAD == schema.steps()[-1]
    engine = connect(store_url)
    assert schema.upgrade(engine) is None
    engine.dispose()


def test_an_older_store_is_taken_over(store_url: str) -> None:
    """Its petitions stand in the queue, its suggestions are announced in order, and it can be written and decided on."""
    made = older_store(store_url)
    with Store.open(store_url) as store, store.reading() as connection:
        assert schema.version(connection) == schema.HEAD
        assert store.counts()["petitions"] == len(made)
        by_id = {row["petition_id"]: row for row in made}
        for row in connection.execute(select(petitions)).all():
            was = by_id[row.petition_id]
            assert (row.suggestion_id, row.decision, row.state) == (was["suggestion_id"], was["decision"], "open")
            assert row.unit == (was["lead_unit"] and was["lead_unit"]["code"])
            assert row.issue_top == was["issue_type"]["code"][:2]
            assert row.due == (was["deadline"]["date"] or dt.date(9999, 12, 31))
            assert row.urgency_rank == ["critical", "urgent", "elevated", "normal"].index(was["urgency"]["level"])
        announced = connection.execute(select(outbox).order_by(outbox.c.position)).all()
        assert [row.position for row in announced] == list(range(1, len(made) + 1))
        assert [row.petition_id for row in announced] == sorted(by_id)
        assert all(row.message_id == row.suggestion_id for row in announced)
        assert dict(connection.execute(select(counters)).tuples().all()) == {"outbox": len(made), "audit": 0}
    with Store.open(store_url) as store:
        store.begin_run("new", inputs_digest="d", model_version="m-2", config_version="c", started_at=WHEN)
        table = synthetic.table(20, model="m-2")
        assert store.write_chunk("new", table, payloads(table)) == WriteResult(8, 20, 0)
        with store.writing() as connection:
            newest = connection.execute(select(petitions.c.suggestion_id).where(petitions.c.unit.is_not(None))).scalars().first()
            decide(connection, newest, verdict="accepted", unit=None, reason="", actor="甲", source="console")


def test_every_row_added_by_a_step_can_be_empty(store_url: str) -> None:
    """A petition whose suggestion is missing (a store that was damaged) does not stop the upgrade."""
    made = older_store(store_url, 3)
    engine = connect(store_url, prepare=False)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("DELETE FROM suggestions WHERE petition_id = :id"), {"id": made[0]["petition_id"]})
    engine.dispose()
    with Store.open(store_url) as store, store.reading() as connection:
        query = select(petitions.c.suggestion_id).where(petitions.c.petition_id == made[0]["petition_id"])
        assert connection.execute(query).scalar_one() == ""


def test_a_newer_store_is_refused_and_left_alone(store_url: str) -> None:
    """A program that does not know the shape writes nothing."""
    with Store.open(store_url) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="it has step 9999, this program knows steps up to"):
        Store.open(store_url)
    engine = connect(store_url, prepare=False)
    with engine.connect() as connection:
        assert schema.version(connection) == "9999"
    engine.dispose()


def opened(url: str) -> str:
    """Open a store in a process of its own."""
    with Store.open(url) as store, store.reading() as connection:
        return str(schema.version(connection))


@pytest.mark.parametrize("older", [False, True])
def test_opened_by_many_at_once(store_url: str, older: bool) -> None:
    """One brings the store up to date, the others wait for it."""
    if older:
        older_store(store_url, 5)
    context = get_context("forkserver")
    context.set_forkserver_preload(["dispatch.store", "dispatch.files", "synthetic", "alembic.command", "psycopg"])
    with context.Pool(4) as pool:
        assert pool.map(opened, [store_url] * 8, chunksize=1) == [schema.HEAD] * 8
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(opened, [store_url] * 4)) == {schema.HEAD}


def test_a_step_that_fails_leaves_the_store_as_it_was(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of an upgrade or nothing."""
    older_store(store_url, 3)
    run = schema._run

    def breaks(connection: Any, before: str | None) -> None:
        run(connection, before)
        msg = "the disk is full"
        raise OSError(msg)

    monkeypatch.setattr(schema, "_run", breaks)
    with pytest.raises(StoreError, match="the disk is full"):
        Store.open(store_url)
    engine = connect(store_url, prepare=False)
    with engine.connect() as connection:
        assert schema.version(connection) == "0001"
        assert {column["name"] for column in schema.inspect(connection).get_columns("petitions")}.isdisjoint(ADDED)
        assert not schema.inspect(connection).has_table("outbox")
    engine.dispose()
