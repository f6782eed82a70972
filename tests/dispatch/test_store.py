"""The store: idempotence, revisions, events, and a run that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
import synthetic
from sqlalchemy import event

from corpora.records import Rejection
from dispatch.files import payloads
from dispatch.store import Store, StoreError, WriteResult
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

RUN = "run-1"
WHEN = datetime(2024, 5, 7, 2)
CHUNK = 20


def begin(store: Store, run: str = RUN) -> None:
    """Begin a run."""
    store.begin_run(run, inputs_digest="d", model_version="m", config_version="c1", started_at=WHEN)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the contents of the tables that a rerun must reproduce."""
    with sqlite3.connect(path) as connection:
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for name in ("petitions", "suggestions", "events", "rejections")
        }


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


def write_all(path: Path) -> None:
    """Make the whole invented run: three chunks, rejections, one petition that changes and one regrouping."""
    rows = synthetic.rows(3 * CHUNK)
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(path) as store:
        begin(store)
        for start in range(0, table.num_rows, CHUNK):
            part = table.slice(start, CHUNK)
            store.write_chunk(RUN, part, payloads(part), [b"sketch"] * part.num_rows)
        store.write_rejections(RUN, [Rejection("a.csv", 3, "missing_body", "没有正文", "raw")])
        again = changed(rows, {1, 5, 2 * CHUNK}, "补充说明").slice(0, 2 * CHUNK + 1)
        store.write_chunk(RUN, again, payloads(again))
        store.update_event_groups({rows[7]["petition_id"]: "ev_0", rows[10]["petition_id"]: None})
        store.finish_run(RUN, read=3 * CHUNK + 1, routed=3 * CHUNK, rejected=1, finished_at=WHEN)


def test_a_chunk_written_again_writes_nothing(tmp_path: Path) -> None:
    """The second time nothing is new."""
    table = synthetic.table(50)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        assert store.write_chunk(RUN, table, payloads(table)) == WriteResult(50, 50, 0)
        before = dump(tmp_path / "s.db")
        begin(store, "run-2")
        assert store.write_chunk("run-2", table, payloads(table)) == WriteResult(0, 0, 50)
        assert dump(tmp_path / "s.db") == before
        assert store.counts() == {"runs": 2, "petitions": 50, "suggestions": 50, "events": 5, "rejections": 0}


def test_payload_is_the_line_of_the_file(tmp_path: Path) -> None:
    """The stored payload is the JSONL object, byte for byte; pages join without a gap."""
    table = synthetic.table(50)
    lines = payloads(table)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        store.write_chunk(RUN, table, lines)
        stored = list(store.suggestions())
        assert {item.payload for item in stored} == set(lines)
        first = list(store.suggestions(limit=20))
        assert [*first, *store.suggestions(after=first[-1].suggestion_id)] == stored
        assert list(store.suggestions(limit=0)) == []


def test_new_text_and_new_model_are_revisions(tmp_path: Path) -> None:
    """A petition that changed and a model that changed give the next revision each; the first run stays on record."""
    rows = synthetic.rows(4)
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        store.write_chunk(RUN, table, payloads(table))
        begin(store, "run-2")
        second = changed(rows, {1}, "新正文")
        assert store.write_chunk("run-2", second, payloads(second)) == WriteResult(0, 1, 3)
        third = synthetic.table(4, model="m-2")
        assert store.write_chunk("run-2", third, payloads(third)) == WriteResult(0, 4, 0)
    with sqlite3.connect(tmp_path / "s.db") as connection:
        pid = rows[1]["petition_id"]
        found = connection.execute(
            "SELECT revision, model_version, run_id FROM suggestions WHERE petition_id = ? ORDER BY 1", [pid]
        )
        assert found.fetchall() == [(1, "m-20240501", RUN), (2, "m-20240501", "run-2"), (3, "m-2", "run-2")]
        found = connection.execute("SELECT revision, first_run_id FROM petitions ORDER BY petition_id")
        assert found.fetchall() == [(2, RUN), (3, RUN), (2, RUN), (2, RUN)]


def test_a_petition_twice_in_one_chunk(tmp_path: Path) -> None:
    """Both suggestions are kept in order; the petition stands as the later one says."""
    rows = synthetic.rows(3)
    table = pa.concat_tables([pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA), changed(rows, {0}, "后来的正文")])
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        assert store.write_chunk(RUN, table, payloads(table)) == WriteResult(3, 4, 2)
    with sqlite3.connect(tmp_path / "s.db") as connection:
        found = connection.execute("SELECT body, revision FROM petitions ORDER BY petition_id LIMIT 1")
        assert found.fetchall() == [("后来的正文", 2)]


def test_native_columns(tmp_path: Path) -> None:
    """Columns read back as written, with nulls where nothing speaks for a unit or no date is known."""
    rows = synthetic.rows(1)
    rows[0] |= {"lead_unit": None, "submitted_at": None, "event_group": None}
    rows[0]["deadline"] |= {"date": date(2024, 5, 9)}
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        store.write_chunk(RUN, table, payloads(table))
    with sqlite3.connect(tmp_path / "s.db") as connection:
        found = connection.execute(
            "SELECT lead_unit, lead_probability, issue_code, deadline, event_group, revision FROM suggestions"
        ).fetchone()
        assert found == (None, None, rows[0]["issue_type"]["code"], "2024-05-09", None, 1)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_events_follow_their_petitions(tmp_path: Path) -> None:
    """Size, span and first petition are those of the members, whichever order they came in."""
    rows = synthetic.rows(6)
    for number, row in enumerate(rows):
        row |= {"event_group": "ev_a" if number < 4 else None, "submitted_at": datetime(2024, 5, 6, 20 - number)}
    rows[0]["submitted_at"] = None
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        for start in range(0, 6, 2):
            part = table.slice(start, 2)
            store.write_chunk(RUN, part, payloads(part), [b"\x01\x02"] * 2)
        moment = "2024-05-06 {}:00:00.000000".format
        row = ("ev_a", rows[3]["petition_id"], 4, moment(17), moment(19), rows[3]["title"])
        assert dump(tmp_path / "s.db")["events"] == [row]

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
        found = [(name, size) for name, _, size, *_ in dump(tmp_path / "s.db")["events"]]
        assert found == [("ev_a", 3), ("ev_b", 2)]
        lines = {item.petition_id: orjson.loads(item.payload)["event_group"] for item in store.suggestions()}
        assert lines[rows[4]["petition_id"]] == "ev_b"
        store.update_event_groups({row["petition_id"]: None for row in rows})
        assert store.counts()["events"] == 0


def test_runs_and_rejections(tmp_path: Path) -> None:
    """Counts must add up; rejections are written once; a run begins anew under its id."""
    items = [Rejection("a.csv", 3, "missing_body", "没有正文", "x"), Rejection("a.csv", 3, "bad_date", "日期不通", "x")]
    with Store.open(tmp_path / "s.db") as store:
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


def test_wrong_use_is_said(tmp_path: Path) -> None:
    """Lengths that differ, and an address that cannot be opened; a password is not repeated."""
    table = synthetic.table(2)
    with Store.open(tmp_path / "s.db") as store:
        begin(store)
        with pytest.raises(StoreError, match="2 suggestions with 1 payloads"):
            store.write_chunk(RUN, table, payloads(table)[:1])
    (tmp_path / "text.db").write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"cannot open the store .*text\.db"):
        Store.open(tmp_path / "text.db")
    with pytest.raises(StoreError) as caught:
        Store.open("nosuch://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_an_error_does_not_show_a_petition(tmp_path: Path) -> None:
    """A failing statement names no parameter."""
    table = synthetic.table(2)
    with Store.open(tmp_path / "s.db") as store, pytest.raises(Exception, match="FOREIGN KEY") as caught:
        store.write_chunk("no such run", table, payloads(table))
    assert synthetic.rows(2)[1]["body"] not in str(caught.value)


def child() -> None:
    """Make the run, and die without a word before statement number `argv[3]`."""
    left = int(sys.argv[3])

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    from sqlalchemy.engine import Engine

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    write_all(Path(sys.argv[2]))


@pytest.mark.parametrize("statement", [9, 17, 25, 33, 40, 47, 55, 10_000])
def test_killed_and_run_again_is_one_clean_run(tmp_path: Path, statement: int) -> None:
    """Killed before any statement or commit, a run that is made again leaves what one clean run leaves."""
    write_all(tmp_path / "clean.db")
    path = tmp_path / "killed.db"
    root = Path(__file__).parents[2]
    command = [sys.executable, __file__, "child", str(path), str(statement)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).parent)])}
    done = subprocess.run(command, env=environment, check=False)
    assert done.returncode == (-signal.SIGKILL if statement < 10_000 else 0)
    write_all(path)
    assert dump(path) == dump(tmp_path / "clean.db")


if __name__ == "__main__" and sys.argv[1:2] == ["child"]:
    child()
