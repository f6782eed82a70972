"""The store: idempotence, revisions, events, and a run that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import postgres
import pyarrow as pa
import pytest
import synthetic
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from corpora.records import Rejection
from dispatch.files import payloads
from dispatch.store import Store, StoreError, WriteResult
from dispatch.store.tables import events, outbox, petitions, rejections, suggestions
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

RUN = "run-1"
WHEN = datetime(2024, 5, 7, 2)
CHUNK = 20


def begin(store: Store, run: str = RUN) -> None:
    """Begin a run."""
    store.begin_run(run, inputs_digest="d", model_version="m", config_version="c1", started_at=WHEN)


def dump(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the contents of the tables that a rerun must reproduce."""
    queries = [select(table).order_by(*table.primary_key) for table in (petitions, suggestions, events, rejections)]
    queries.append(select(*(column for column in outbox.c if column.name != "at")).order_by(outbox.c.position))
    with Store.open(url) as store, store.reading() as connection:
        return {str(query.get_final_froms()[0]): [tuple(row) for row in connection.execute(query)] for query in queries}


def column(url: str, *columns: Any) -> list[tuple[Any, ...]]:
    """Return columns of a table, in the order of its primary key."""
    with Store.open(url) as store, store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns[0].table.primary_key))]


def changed(rows: list[dict[str, Any]], numbers: set[int], text: str) -> pa.Table:
    """Return the rows with another body in some of them."""
    result = [dict(row) for row in rows]
    for number in numbers:
        row = result[number]
        row |= {"body": text, "content_hash": row["content_hash"][::-1]}
        row["suggestion_id"] = suggestion_id(
            row["petition_id"], row["content_hash"], row["model_version"], row["config_version"]
        )
    return pa.Table.from_pylist(result, schema=SUGGESTION_SCHEMA)


def write_all(url: str) -> None:
    """Make the whole invented run: three chunks, rejections, one petition that changes and one regrouping."""
    rows = synthetic.rows(3 * CHUNK)
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(url) as store:
        begin(store)
        for start in range(0, table.num_rows, CHUNK):
            part = table.slice(start, CHUNK)
            store.write_chunk(RUN, part, payloads(part), [b"sketch"] * part.num_rows)
        store.write_rejections(RUN, [Rejection("a.csv", 3, "missing_body", "没有正文", "raw")])
        again = changed(rows, {1, 5, 2 * CHUNK}, "补充说明").slice(0, 2 * CHUNK + 1)
        store.write_chunk(RUN, again, payloads(again))
        store.update_event_groups({rows[7]["petition_id"]: "ev_0", rows[10]["petition_id"]: None})
        store.finish_run(RUN, read=3 * CHUNK + 1, routed=3 * CHUNK, rejected=1, finished_at=WHEN)


def test_a_chunk_written_again_writes_nothing(store_url: str) -> None:
    """The second time nothing is new."""
    table = synthetic.table(50)
    with Store.open(store_url) as store:
        begin(store)
        assert store.write_chunk(RUN, table, payloads(table)) == WriteResult(50, 50, 0)
        before = dump(store_url)
        begin(store, "run-2")
        assert store.write_chunk("run-2", table, payloads(table)) == WriteResult(0, 0, 50)
        assert dump(store_url) == before
        assert store.counts() == {"runs": 2, "petitions": 50, "suggestions": 50, "events": 5, "rejections": 0}


def test_payload_is_the_line_of_the_file(store_url: str) -> None:
    """The stored payload is the JSONL object, byte for byte; pages join without a gap."""
    table = synthetic.table(50)
    lines = payloads(table)
    with Store.open(store_url) as store:
        begin(store)
        store.write_chunk(RUN, table, lines)
        stored = list(store.suggestions())
        assert {item.payload for item in stored} == set(lines)
        first = list(store.suggestions(limit=20))
        assert [*first, *store.suggestions(after=first[-1].suggestion_id)] == stored
        assert list(store.suggestions(limit=0)) == []


def test_new_text_and_new_model_are_revisions(store_url: str) -> None:
    """A petition that changed and a model that changed give the next revision each; the first run stays on record."""
    rows = synthetic.rows(4)
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(store_url) as store:
        begin(store)
        store.write_chunk(RUN, table, payloads(table))
        begin(store, "run-2")
        second = changed(rows, {1}, "新正文")
        assert store.write_chunk("run-2", second, payloads(second)) == WriteResult(0, 1, 3)
        third = synthetic.table(4, model="m-2")
        assert store.write_chunk("run-2", third, payloads(third)) == WriteResult(0, 4, 0)
    s, pid = suggestions.c, rows[1]["petition_id"]
    found = sorted(row[1:] for row in column(store_url, s.petition_id, s.revision, s.model_version, s.run_id) if row[0] == pid)
    assert found == [(1, "m-20240501", RUN), (2, "m-20240501", "run-2"), (3, "m-2", "run-2")]
    found = column(store_url, petitions.c.revision, petitions.c.first_run_id)
    assert found == [(2, RUN), (3, RUN), (2, RUN), (2, RUN)]


def test_a_petition_twice_in_one_chunk(store_url: str) -> None:
    """Both suggestions are kept in order; the petition stands as the later one says."""
    rows = synthetic.rows(3)
    table = pa.concat_tables([pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA), changed(rows, {0}, "后来的正文")])
    with Store.open(store_url) as store:
        begin(store)
        assert store.write_chunk(RUN, table, payloads(table)) == WriteResult(3, 4, 2)
    assert column(store_url, petitions.c.body, petitions.c.revision)[0] == ("后来的正文", 2)


def test_native_columns(store_url: str) -> None:
    """Columns read back as written, with nulls where nothing speaks for a unit or no date is known."""
    rows = synthetic.rows(1)
    rows[0] |= {"lead_unit": None, "submitted_at": None, "event_group": None}
    rows[0]["deadline"] |= {"date": date(2024, 5, 9)}
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(store_url) as store:
        begin(store)
        store.write_chunk(RUN, table, payloads(table))
    s, p, issue = suggestions.c, petitions.c, rows[0]["issue_type"]["code"]
    found = column(store_url, s.lead_unit, s.lead_probability, s.issue_code, s.deadline, s.event_group, s.revision)
    assert found == [(None, None, issue, date(2024, 5, 9), None, 1)]
    found = column(store_url, p.suggestion_id, p.unit, p.issue_top, p.urgency_rank, p.due, p.decision, p.state)
    assert found == [(rows[0]["suggestion_id"], None, issue[:2], 3, date(2024, 5, 9), rows[0]["decision"], "open")]
    if not store_url.startswith("postgresql"):
        with sqlite3.connect(store_url) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_events_follow_their_petitions(store_url: str) -> None:
    """Size, span and first petition are those of the members, whichever order they came in."""
    rows = synthetic.rows(6)
    for number, row in enumerate(rows):
        row |= {"event_group": "ev_a" if number < 4 else None, "submitted_at": datetime(2024, 5, 6, 20 - number)}
    rows[0]["submitted_at"] = None
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(store_url) as store:
        begin(store)
        for start in range(0, 6, 2):
            part = table.slice(start, 2)
            store.write_chunk(RUN, part, payloads(part), [b"\x01\x02"] * 2)
        row = ("ev_a", rows[3]["petition_id"], 4, datetime(2024, 5, 6, 17), datetime(2024, 5, 6, 19), rows[3]["title"])
        assert dump(store_url)["events"] == [row]

        members = store.event_members(datetime(2024, 5, 6, 16))
        assert members["petition_id"].to_pylist() == [rows[n]["petition_id"] for n in (4, 3, 2, 1)]
        assert members["event_group"].to_pylist() == [None, "ev_a", "ev_a", "ev_a"]
        assert members["sketch"].to_pylist() == [b"\x01\x02"] * 4
        assert store.event_members(datetime(2030, 1, 1)).num_rows == 0

        moves = {
            rows[3]["petition_id"]: "ev_b",
            rows[4]["petition_id"]: "ev_b",
            rows[1]["petition_id"]: "ev_a",
            "?": "x",
        }
        assert store.update_event_groups(moves) == 2
        assert store.update_event_groups(moves) == 0
        found = [(name, size) for name, _, size, *_ in dump(store_url)["events"]]
        assert found == [("ev_a", 3), ("ev_b", 2)]
        lines = {item.petition_id: orjson.loads(item.payload)["event_group"] for item in store.suggestions()}
        assert lines[rows[4]["petition_id"]] == "ev_b"
        store.update_event_groups({row["petition_id"]: None for row in rows})
        assert store.counts()["events"] == 0


def test_runs_and_rejections(store_url: str) -> None:
    """Counts must add up; rejections are written once; a run begins anew under its id."""
    items = [Rejection("a.csv", 3, "missing_body", "没有正文", "x"), Rejection("a.csv", 3, "bad_date", "日期不通", "x")]
    with Store.open(store_url) as store:
        begin(store)
        assert store.write_rejections(RUN, items) == 2
        assert store.write_rejections(RUN, [*items, Rejection("b.csv", 3, "missing_body", "没有正文", "x")]) == 1
        with pytest.raises(StoreError, match="5 rows read, but 3 routed and 1 rejected"):
            store.finish_run(RUN, read=5, routed=3, rejected=1, finished_at=WHEN)
        with pytest.raises(StoreError, match="has not begun"):
            store.finish_run("other", read=5, routed=4, rejected=1, finished_at=WHEN)
        store.finish_run(RUN, read=5, routed=4, rejected=1, finished_at=WHEN)
        begin(store)
        assert store.counts()["runs"] == 1


def test_wrong_use_is_said(store_url: str, tmp_path: Path) -> None:
    """Lengths that differ, and an address that cannot be opened; a password is not repeated."""
    table = synthetic.table(2)
    with Store.open(store_url) as store:
        begin(store)
        with pytest.raises(StoreError, match="2 suggestions with 1 payloads"):
            store.write_chunk(RUN, table, payloads(table)[:1])
    (tmp_path / "text.db").write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"cannot open the store .*text\.db"):
        Store.open(tmp_path / "text.db")
    with pytest.raises(StoreError) as caught:
        Store.open("nosuch://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_an_error_does_not_show_a_petition(store_url: str) -> None:
    """A failing statement names no parameter."""
    table = synthetic.table(2)
    with Store.open(store_url) as store, pytest.raises(Exception, match="(?i)foreign key") as caught:
        store.write_chunk("no such run", table, payloads(table))
    assert synthetic.rows(2)[1]["body"] not in str(caught.value)


def count_statements(then: Any) -> None:
    """Call `then` before each statement and commit of this process."""
    event.listen(Engine, "before_cursor_execute", lambda *_: then())
    event.listen(Engine, "commit", lambda *_: then())


def child(url: str, left: int) -> None:
    """Make the run, and die without a word before statement number `left`."""
    numbers = iter(range(left, -1, -1))
    count_statements(lambda: next(numbers) or os.kill(os.getpid(), signal.SIGKILL))
    write_all(url)


def counting_child(url: str, result: Any) -> None:
    """Make the run, and tell how many statements and commits it takes."""
    numbers: list[int] = []
    count_statements(lambda: numbers.append(1))
    write_all(url)
    result.send(len(numbers))


def test_killed_and_run_again_is_one_clean_run(store_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Killed before any statement or commit, a run that is made again leaves what one clean run leaves."""
    on_server = store_url.startswith("postgresql")
    context = get_context("forkserver")
    context.set_forkserver_preload(["dispatch.store", "dispatch.files", "synthetic", "alembic.command", "psycopg"])
    there, here = context.Pipe()
    clean = context.Process(target=counting_child, args=(store_url, here))
    clean.start()
    total, expected = there.recv(), dump(store_url)
    clean.join()
    for turn in range(8):
        url = postgres.new_database(request.getfixturevalue("postgres_server")) if on_server else str(tmp_path / f"killed-{turn}.db")
        killed = context.Process(target=child, args=(url, 2 + turn * (total - 3) // 7))
        killed.start()
        killed.join()
        assert killed.exitcode == -signal.SIGKILL
        write_all(url)
        assert dump(url) == expected
        if on_server:
            postgres.drop_database(url)
